//! A database of one test's own: a file in a temporary folder, or a database on the test server.

use simwarden_store::Store;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use std::future::Future;
use tempfile::TempDir;

/// One test's database. Several stores may be opened on it.
pub struct TestDb {
    pub address: String,
    _folder: Option<TempDir>,
}

impl TestDb {
    fn sqlite() -> Self {
        let folder = TempDir::new().unwrap();
        Self {
            address: format!("sqlite:{}", folder.path().join("house.db").display()),
            _folder: Some(folder),
        }
    }

    /// A database, not a schema: the lock under which writers stand is one per database.
    async fn postgres(server: &str, name: &str) -> Self {
        let mut connection = PgConnection::connect(server).await.unwrap();
        for sql in [
            format!("DROP DATABASE IF EXISTS {name}"),
            format!("CREATE DATABASE {name}"),
        ] {
            sqlx::query(AssertSqlSafe(sql))
                .execute(&mut connection)
                .await
                .unwrap();
        }
        let (before, _) = server.rsplit_once('/').unwrap();
        Self {
            address: format!("{before}/{name}"),
            _folder: None,
        }
    }

    pub async fn open(&self) -> Store {
        Store::open(&self.address).await.unwrap()
    }
}

/// The test server, if there is one.
pub fn postgres_server() -> Option<String> {
    let server = std::env::var("SIMWARDEN_TEST_PG").ok();
    if server.is_none() {
        println!("SKIPPED on PostgreSQL: SIMWARDEN_TEST_PG names no server");
    }
    server
}

pub fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

pub fn on_sqlite<F: Future<Output = ()>>(test: impl FnOnce(TestDb) -> F) {
    block_on(test(TestDb::sqlite()));
}

pub fn on_postgres<F: Future<Output = ()>>(name: &str, test: impl FnOnce(TestDb) -> F) {
    if let Some(server) = postgres_server() {
        block_on(async {
            test(TestDb::postgres(&server, &name.replace("::", "_")).await).await;
        });
    }
}

/// Makes of each async function two tests, one on each database.
macro_rules! on_both {
    ($($(#[$meta:meta])* async fn $name:ident($db:ident: TestDb) $body:block)+) => {$(
        $(#[$meta])*
        mod $name {
            use super::*;
            async fn test($db: TestDb) $body
            #[test]
            fn sqlite() {
                $crate::test_db::on_sqlite(test);
            }
            #[test]
            fn postgres() {
                let path = module_path!();
                $crate::test_db::on_postgres(path.split_once("::").map_or(path, |(_, name)| name), test);
            }
        }
    )+};
}
pub(crate) use on_both;
