//! Brings the schema up to date. It is written once, in SQLite's words, and turned into PostgreSQL's here.
//!
//! A table in the database says which steps it has seen and what they said; a step that was changed afterwards, or one
//! of a newer release, is refused rather than guessed about.

use crate::StoreError;
use crate::db::{Db, Tx};
use sha2::{Digest as _, Sha256};

/// Every step, in order. A step that was released is never changed; a new one is added behind it.
pub(crate) const STEPS: &[(i64, &str, &str)] = &[
    (1, "house", include_str!("../migrations/0001_house.sql")),
    (2, "smdp", include_str!("../migrations/0002_smdp.sql")),
    (4, "accounts", include_str!("../migrations/0004_accounts.sql")),
    (6, "camara", include_str!("../migrations/0006_camara.sql")),
    (7, "es2plus", include_str!("../migrations/0007_es2plus.sql")),
    (8, "staff", include_str!("../migrations/0008_staff.sql")),
];

/// Says what was done.
const SEEN: &str = "CREATE TABLE IF NOT EXISTS schema_step \
    (version INTEGER PRIMARY KEY NOT NULL, name TEXT NOT NULL, digest BLOB NOT NULL) STRICT;";

/// The words in which the two databases differ.
fn postgres_words(sql: &str) -> String {
    let mut out = String::with_capacity(sql.len());
    for line in sql.lines() {
        if line.trim_start().starts_with("--") {
            continue;
        }
        let line = line
            .replace(" BLOB", " BYTEA")
            .replace(" INTEGER", " BIGINT")
            .replace(") STRICT;", ");");
        out.push_str(&line);
        out.push('\n');
    }
    out
}

/// Runs the steps that this database has not seen, in one transaction, so that one process at a time does.
pub(crate) async fn run(db: &Db) -> Result<(), StoreError> {
    let mut tx = db.begin().await?;
    tx.run_all(&words(db, SEEN)).await.map_err(refused)?;
    let seen = seen(&mut tx).await?;
    for (version, digest) in &seen {
        match STEPS.iter().find(|(known, ..)| known == version) {
            None => {
                return Err(StoreError::Config(format!(
                    "the database was made by a newer release (its schema has step {version}); use that release"
                )));
            }
            Some((_, name, sql)) if digest_of(sql) != *digest => {
                return Err(StoreError::Config(format!(
                    "the schema's step {version} ({name}) is not the one that made this database; use its release"
                )));
            }
            Some(_) => {}
        }
    }
    let mut changed = seen.is_empty();
    for (version, name, sql) in STEPS {
        if seen.iter().any(|(known, _)| known == version) {
            continue;
        }
        tx.run_all(&words(db, sql)).await.map_err(refused)?;
        let args = vec![(*version).into(), (*name).into(), digest_of(sql).into()];
        tx.execute(
            "INSERT INTO schema_step (version, name, digest) VALUES ($1, $2, $3)",
            args,
        )
        .await
        .map_err(refused)?;
        changed = true;
    }
    if changed {
        tx.commit().await
    } else {
        tx.rollback().await
    }
}

fn words(db: &Db, sql: &str) -> String {
    match db {
        Db::Sqlite(_) => sql.to_owned(),
        Db::Postgres(_) => postgres_words(sql),
    }
}

fn digest_of(sql: &str) -> Vec<u8> {
    Sha256::digest(sql.as_bytes()).to_vec()
}

async fn seen(tx: &mut Tx) -> Result<Vec<(i64, Vec<u8>)>, StoreError> {
    let rows = tx
        .fetch("SELECT version, digest FROM schema_step ORDER BY version", vec![])
        .await
        .map_err(refused)?;
    rows.iter()
        .map(|row| {
            let mut c = row.columns();
            Ok((c.int()?, c.blob()?))
        })
        .collect()
}

/// The disk and the network fail here as anywhere else.
fn refused(error: StoreError) -> StoreError {
    match error {
        StoreError::Conflict(what) | StoreError::Unavailable(what) => {
            StoreError::Config(format!("the schema cannot be brought up to date: {what}"))
        }
        other => other,
    }
}
