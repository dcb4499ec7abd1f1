//! A PostgreSQL commit that was interrupted is never taken for a success.

use crate::samples;
use crate::test_db::{block_on, postgres_server};
use simwarden_store::{Store, StoreError};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;
use tokio::task::JoinHandle;

/// A server of this test's own: what it does to it would stop every other test's commits.
struct Server {
    address: String,
    folder: TempDir,
}

fn script(action: &str, folder: &Path) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/postgres.sh");
    let output = Command::new(path)
        .arg(action)
        .arg(folder.join("cluster"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

impl Server {
    fn start() -> Self {
        let folder = TempDir::new().unwrap();
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        Self {
            address: script("start", folder.path()),
            folder,
        }
    }

    async fn connect(&self) -> PgConnection {
        PgConnection::connect(&self.address).await.unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        script("stop", self.folder.path());
    }
}

async fn run(admin: &mut PgConnection, sql: &str) {
    sqlx::query(AssertSqlSafe(sql.to_owned()))
        .execute(admin)
        .await
        .unwrap();
}

/// From now on a commit waits for a standby that does not exist.
async fn lose_the_standby(admin: &mut PgConnection) {
    run(admin, "ALTER SYSTEM SET synchronous_standby_names = 'nowhere'").await;
    run(admin, "SELECT pg_reload_conf()").await;
}

/// Does something to the backend that waits in its COMMIT, once there is one; false when the commit ended before.
async fn to_the_waiting_backend<T>(admin: &mut PgConnection, what: &str, commit: &JoinHandle<T>) -> bool {
    let sql = format!(
        "SELECT {what}(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND pid <> pg_backend_pid()"
    );
    loop {
        let ended = commit.is_finished();
        let touched = sqlx::query(AssertSqlSafe(sql.clone()))
            .fetch_all(&mut *admin)
            .await
            .unwrap();
        if ended || !touched.is_empty() {
            return !touched.is_empty();
        }
    }
}

/// Commits a row while the standby is away and `what` is done to the backend; answers the outcome of the commit. Rows
/// from `first` on are used: a commit that slipped through before the server had learnt of the change is no answer.
async fn interrupted(
    store: &Store,
    admin: &mut PgConnection,
    first: u64,
    what: &str,
) -> Result<(), StoreError> {
    for n in first..first + 100 {
        let mut tx = store.begin().await.unwrap();
        tx.insert_parties(&[samples::party(n)]).await.unwrap();
        let commit = tokio::spawn(tx.commit());
        let touched = to_the_waiting_backend(admin, what, &commit).await;
        let outcome = commit.await.unwrap();
        if touched || outcome.is_err() {
            return outcome;
        }
    }
    panic!("the server never waits for its standby");
}

fn assert_unknown(outcome: Result<(), StoreError>, when: &str) {
    assert!(
        matches!(outcome, Err(StoreError::Unknown(_))),
        "{when}: {outcome:?}"
    );
}

/// Installs nothing, or a log as the server has it, or one that shows nothing: the answer must be the same.
async fn cancelled_under(logs: &str, guard: impl FnOnce() -> Option<tracing::subscriber::DefaultGuard>) {
    let server = Server::start();
    let store = Store::open(&server.address).await.unwrap();
    let mut admin = server.connect().await;
    let _guard = guard();
    let mut tx = store.begin().await.unwrap();
    tx.insert_parties(&[samples::party(1)]).await.unwrap();
    tx.commit().await.unwrap();
    lose_the_standby(&mut admin).await;
    for n in [1_000, 2_000, 3_000] {
        let outcome = interrupted(&store, &mut admin, n, "pg_cancel_backend").await;
        assert_unknown(outcome, logs);
    }
    let outcome = interrupted(&store, &mut admin, 4_000, "pg_terminate_backend").await;
    assert_unknown(outcome, &format!("killed, {logs}"));
    run(&mut admin, "ALTER SYSTEM RESET synchronous_standby_names").await;
    run(&mut admin, "SELECT pg_reload_conf()").await;
    // The connection that was killed is not the last word: the next commit works, and is believed.
    let mut tx = store.begin().await.unwrap();
    tx.insert_parties(&[samples::party(20)]).await.unwrap();
    tx.commit().await.unwrap();
}

#[test]
fn a_cancelled_commit_is_unknown() {
    if postgres_server().is_some() {
        block_on(cancelled_under("without any log", || None));
    }
}

/// As the program runs: one log for the whole process, which lets warnings of the driver through or not.
#[test]
fn a_cancelled_commit_is_unknown_whatever_is_logged() {
    if postgres_server().is_some() {
        let quiet = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::ERROR)
            .with_writer(std::io::sink)
            .finish();
        tracing::subscriber::set_global_default(quiet).unwrap();
        block_on(cancelled_under("with a log of errors only", || None));
        block_on(cancelled_under("with a log of everything", || {
            let all = tracing_subscriber::fmt()
                .with_max_level(tracing::Level::TRACE)
                .with_writer(std::io::sink)
                .finish();
            Some(tracing::subscriber::set_default(all))
        }));
    }
}

/// A server, role or database that is set to keep warnings to itself must not make us deaf.
#[test]
fn a_server_that_is_set_to_be_silent_is_heard_all_the_same() {
    if postgres_server().is_some() {
        block_on(async {
            let server = Server::start();
            let mut admin = server.connect().await;
            for setting in [
                "client_min_messages = 'error'",
                "statement_timeout = '200ms'",
                "default_transaction_isolation = 'repeatable read'",
                "default_transaction_read_only = on",
                "synchronous_commit = off",
            ] {
                run(&mut admin, &format!("ALTER ROLE simwarden SET {setting}")).await;
            }
            // The schema is made while the role may still write by default.
            run(
                &mut admin,
                "ALTER ROLE simwarden RESET default_transaction_read_only",
            )
            .await;
            let store = Store::open(&server.address).await.unwrap();
            let mut admin = server.connect().await;
            lose_the_standby(&mut admin).await;
            let outcome = interrupted(&store, &mut admin, 1, "pg_cancel_backend").await;
            assert_unknown(outcome, "silent server");
        });
    }
}
