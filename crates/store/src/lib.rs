//! The database of simwarden.
//!
//! Rows hold the present; the append-only ledger holds the evidence; both are written in one transaction. This crate
//! says how rows are stored, found and sealed, on SQLite and PostgreSQL alike, and nothing about why.
//!
//! **Architecture invariants:** only this crate knows SQL. Every statement is written once, for both databases. There
//! is one writing transaction at a time ([`Store::begin`]), over all processes, so what it read still holds when it
//! commits. Identifiers of people and their things are stored only as keyed indexes and ciphertext.

mod columns;
mod commit_notice;
mod db;
mod error;
mod migrate;
mod postgres;
pub mod records;
mod sealing;
mod sqlite;
mod wal;

pub use db::{Arg, Tx};
pub use error::StoreError;
pub use sealing::{BlindIndex, Indexed, KeyError, Keyring, SubjectKey};

use db::Db;
use sqlite::Sqlite;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

/// How long the opening waits for PostgreSQL, and a read for a free connection.
const WAIT_MAX: Duration = Duration::from_secs(5);
/// Connections to PostgreSQL that read at the same time.
const READERS: u32 = 4;
/// Prepared statements kept per connection.
const STATEMENTS: usize = 512;

/// The open database. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    db: Db,
}

impl Store {
    /// Opens a database and brings its schema up to date: `sqlite:FILE` (made if it is not there) or
    /// `postgres://…`.
    ///
    /// # Errors
    /// [`StoreError::Config`] when the address is wrong, [`StoreError::Unavailable`] when nothing answers there.
    pub async fn open(address: &str) -> Result<Self, StoreError> {
        let db = if let Some(file) = address.strip_prefix("sqlite:") {
            open_sqlite(Path::new(file.trim_start_matches("//")))?
        } else if address.starts_with("postgres://") || address.starts_with("postgresql://") {
            open_postgres(address).await?
        } else {
            return Err(StoreError::Config(format!(
                "`{}` is no database; use sqlite:FILE or postgres://USER@HOST/DATABASE",
                address
                    .split('@')
                    .next_back()
                    .unwrap_or("")
                    .chars()
                    .take(80)
                    .collect::<String>()
            )));
        };
        migrate::run(&db).await?;
        if let Db::Sqlite(sqlite) = &db {
            sqlite.settle().await?;
            sqlite.opened().await?;
        }
        Ok(Self { db })
    }

    /// Begins the one writing transaction.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when another process holds it for too long.
    pub async fn begin(&self) -> Result<Tx, StoreError> {
        self.db.begin().await
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.db.fetch("SELECT 1", vec![]).await.map(drop)
    }

    /// Tells PostgreSQL's planner of what a bulk import brought, which it would otherwise learn minutes later and read
    /// whole tables until then. SQLite's plans do not hang on it.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn refresh_statistics(&self) -> Result<(), StoreError> {
        match &self.db {
            Db::Sqlite(_) => Ok(()),
            Db::Postgres(pool) => {
                sqlx::query("ANALYZE").execute(pool).await?;
                Ok(())
            }
        }
    }

    /// How large the database is, in bytes; of SQLite the file as it will be once its log is copied back.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn size_bytes(&self) -> Result<i64, StoreError> {
        // The one question that each database answers in words of its own.
        let sql = match &self.db {
            Db::Sqlite(_) => "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size",
            Db::Postgres(_) => "SELECT pg_database_size(current_database())",
        };
        let rows = self.db.fetch(sql, vec![]).await?;
        rows.first().map_or(Ok(0), |row| row.columns().int())
    }

    /// Closes every connection.
    pub async fn close(&self) {
        match &self.db {
            Db::Sqlite(sqlite) => sqlite.close().await,
            Db::Postgres(pool) => pool.close().await,
        }
    }

    /// Whether statements run on the thread that asks, so that whoever writes much wants one of its own.
    #[must_use]
    pub fn is_embedded(&self) -> bool {
        matches!(self.db, Db::Sqlite(_))
    }
}

/// Makes a folder and those above it; each is durable in the one above before this returns.
fn make_folder(folder: &Path) -> std::io::Result<()> {
    if folder.as_os_str().is_empty() || folder.is_dir() {
        return Ok(());
    }
    let above = folder.parent().unwrap_or(Path::new(""));
    make_folder(above)?;
    match std::fs::create_dir(folder) {
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists && folder.is_dir() => {}
        other => other?,
    }
    let above = if above.as_os_str().is_empty() {
        Path::new(".")
    } else {
        above
    };
    std::fs::File::open(above)?.sync_all()
}

fn open_sqlite(file: &Path) -> Result<Db, StoreError> {
    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        make_folder(folder)
            .map_err(|e| StoreError::Config(format!("cannot make the folder {}: {e}", folder.display())))?;
    }
    Ok(Db::Sqlite(Arc::new(Sqlite::open(file)?)))
}

async fn open_postgres(address: &str) -> Result<Db, StoreError> {
    let options = PgConnectOptions::from_str(address)?
        .application_name("simwarden")
        .statement_cache_capacity(STATEMENTS)
        // Waiting for the writer's turn is bounded; a commit is never cut short; warnings are always told, since one
        // of them says that a commit was not confirmed.
        .options([
            ("lock_timeout", "1500ms"),
            ("statement_timeout", "0"),
            ("synchronous_commit", "on"),
            // The same short statements again and again: planning them anew costs more than running them.
            ("plan_cache_mode", "force_generic_plan"),
            ("jit", "off"),
            ("client_min_messages", "warning"),
        ]);
    let pool = PgPoolOptions::new()
        .max_connections(READERS + 2)
        .acquire_timeout(WAIT_MAX)
        .connect_with(options)
        .await?;
    Ok(Db::Postgres(pool))
}
