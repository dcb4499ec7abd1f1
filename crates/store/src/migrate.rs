//! Brings the schema up to date. It is written once, in SQLite's words, and turned into PostgreSQL's here.

use crate::StoreError;
use crate::db::Db;
use sqlx::AssertSqlSafe;
use sqlx::SqlSafeStr as _;
use sqlx::migrate::{Migration, MigrationType, Migrator};

/// Every step, in order. A step that was released is never changed; a new one is added behind it.
const STEPS: &[(i64, &str, &str)] = &[(1, "house", include_str!("../migrations/0001_house.sql"))];

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

/// Runs the steps that this database has not seen.
pub(crate) async fn run(db: &Db) -> Result<(), StoreError> {
    let steps = STEPS
        .iter()
        .map(|(version, name, sql)| {
            let sql = match db {
                Db::Sqlite { .. } => (*sql).to_owned(),
                Db::Postgres(_) => postgres_words(sql),
            };
            Migration::new(
                *version,
                (*name).into(),
                MigrationType::Simple,
                AssertSqlSafe(sql).into_sql_str(),
                false,
            )
        })
        .collect();
    let migrator = Migrator::with_migrations(steps);
    match db {
        // One process at a time: PostgreSQL has a lock for it, SQLite is held by a transaction around all steps.
        Db::Sqlite { write, .. } => {
            let mut tx = write.begin_with("BEGIN IMMEDIATE").await?;
            // `run` on a borrowed connection would make every future that opens a store unfit for `spawn`.
            migrator
                .run_direct(None, &mut *tx, false)
                .await
                .map_err(refused)?;
            tx.commit().await?;
            Ok(())
        }
        Db::Postgres(pool) => migrator.run(pool).await.map_err(refused),
    }
}

fn refused(error: sqlx::migrate::MigrateError) -> StoreError {
    match error {
        // The disk and the network fail here as anywhere else.
        sqlx::migrate::MigrateError::Execute(error)
        | sqlx::migrate::MigrateError::ExecuteMigration(error, _) => match StoreError::from(error) {
            StoreError::Conflict(what) | StoreError::Unavailable(what) => {
                StoreError::Config(format!("the schema cannot be brought up to date: {what}"))
            }
            other => other,
        },
        other => StoreError::Config(format!("the schema cannot be brought up to date: {other}")),
    }
}
