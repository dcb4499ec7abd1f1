//! The database of simwarden.
//!
//! Rows hold the present; the append-only ledger holds the evidence; both are written in one transaction. This crate
//! says how rows are stored, found and sealed, on SQLite and PostgreSQL alike, and nothing about why.
//!
//! **Architecture invariants:** only this crate knows SQL. Every statement is written once, for both databases. There
//! is one writing transaction at a time ([`Store::begin`]), over all processes, so what it read still holds when it
//! commits. Identifiers of people and their things are stored only as keyed indexes and ciphertext.

mod commit_notice;
mod db;
mod error;
mod migrate;
pub mod records;
mod sealing;
mod wal;

pub use db::{Arg, Tx};
pub use error::StoreError;
pub use sealing::{BlindIndex, Indexed, KeyError, Keyring, SubjectKey};

use db::Db;
use sqlx::Connection as _;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use wal::Wal;

/// How long a statement waits for another process that is writing.
const BUSY_MS_MAX: u64 = 1_500;
/// Connections that read at the same time.
const READERS: u32 = 4;
/// Prepared statements kept per connection: a few sizes of each bulk statement.
const STATEMENTS: usize = 512;
/// Memory for SQLite's pages per connection, in KiB.
const WRITE_CACHE_KIB: i64 = 96 * 1024;
const READ_CACHE_KIB: i64 = 16 * 1024;

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
            open_sqlite(Path::new(file.trim_start_matches("//"))).await?
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
        let store = Self { db };
        store.settle().await?;
        Ok(store)
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
            Db::Sqlite { .. } => Ok(()),
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
            Db::Sqlite { .. } => "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size",
            Db::Postgres(_) => "SELECT pg_database_size(current_database())",
        };
        let rows = self.db.fetch(sql, vec![]).await?;
        rows.first().map_or(Ok(0), |row| row.columns().int())
    }

    /// Closes every connection.
    pub async fn close(&self) {
        match &self.db {
            Db::Sqlite { write, read, .. } => {
                read.close().await;
                write.close().await;
            }
            Db::Postgres(pool) => pool.close().await,
        }
    }

    /// Makes what a process before this one left in SQLite's write-ahead log durable, before anything is answered
    /// from it. If that process stopped because a sync failed, the kernel may show its last writes as clean though
    /// they never reached the disk; copying them into the database file writes them anew.
    async fn settle(&self) -> Result<(), StoreError> {
        if let Db::Sqlite { write, file, .. } = &self.db {
            let copied = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
                .execute(write)
                .await;
            match copied.map_err(StoreError::from) {
                Ok(_) => {}
                // No space to copy them to: they are written anew where they are.
                Err(StoreError::Full) => {
                    let held = write.begin_with("BEGIN IMMEDIATE").await?;
                    wal::write_anew(file)?;
                    held.rollback().await?;
                }
                Err(other) => return Err(other),
            }
            // SQLite does not tell when the folder, which names its files, could not be synced.
            wal::sync_folder(file)?;
        }
        Ok(())
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

async fn open_sqlite(file: &Path) -> Result<Db, StoreError> {
    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        make_folder(folder)
            .map_err(|e| StoreError::Config(format!("cannot make the folder {}: {e}", folder.display())))?;
    }
    let options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // NORMAL loses commits at a power cut (measured: hundreds); FULL loses none.
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(Duration::from_millis(BUSY_MS_MAX))
        .foreign_keys(true)
        .statement_cache_capacity(STATEMENTS)
        // The log is copied back by `wal`, which hears when that fails; SQLite itself would keep it to itself.
        .pragma("wal_autocheckpoint", "0")
        .pragma("temp_store", "FILE");
    let write = SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_timeout(Duration::from_millis(BUSY_MS_MAX))
        .test_before_acquire(false)
        // After some failures (a full disk) SQLite has rolled back by itself, and the driver goes on counting a
        // transaction that is no more: such a connection is closed and a new one made.
        .before_acquire(|connection, _| {
            Box::pin(async move {
                connection.ping().await?;
                Ok(!connection.is_in_transaction())
            })
        })
        .connect_with(
            options
                .clone()
                .pragma("cache_size", format!("-{WRITE_CACHE_KIB}")),
        )
        .await?;
    let read = SqlitePoolOptions::new()
        .max_connections(READERS)
        .acquire_timeout(Duration::from_millis(BUSY_MS_MAX))
        // A file does not hang up; asking it first would double the cost of every read.
        .test_before_acquire(false)
        .connect_lazy_with(
            options
                .read_only(true)
                .pragma("cache_size", format!("-{READ_CACHE_KIB}")),
        );
    Ok(Db::Sqlite {
        write,
        read,
        wal: Arc::new(Wal::new()),
        file: Arc::new(file.to_owned()),
    })
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
            ("client_min_messages", "warning"),
        ]);
    let pool = PgPoolOptions::new()
        .max_connections(READERS + 2)
        .acquire_timeout(Duration::from_millis(BUSY_MS_MAX))
        .connect_with(options)
        .await?;
    Ok(Db::Postgres(pool))
}
