//! SQLite, inside this process: one connection writes, a few read.
//!
//! Statements run on the thread that asks. A statement costs microseconds and a change of thread tens of them, so a
//! batch that changed threads for each of its statements would spend most of its time waiting to be woken. On a
//! runtime of many threads the others are told to go on meanwhile.

use crate::StoreError;
use crate::db::Arg;
use crate::wal::{self, Wal};
use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Connection, OpenFlags, Statement};
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::{OwnedMutexGuard, Semaphore};

/// How long a statement waits for another process that is writing.
pub(crate) const BUSY_MAX: Duration = Duration::from_millis(1_500);
/// How long the opening waits: another process may be starting on the same file, on a busy disk.
const OPENING_MAX: Duration = Duration::from_secs(15);
/// How long somebody who was turned away waits before trying again.
const TURNED_AWAY: Duration = Duration::from_millis(10);
/// Connections that read at the same time.
const READERS: usize = 4;
/// Prepared statements kept per connection: a few sizes of each bulk statement.
const STATEMENTS: usize = 512;
/// Memory for SQLite's pages per connection, in KiB. More is not faster: a commit that has rebalanced a tree walks the
/// whole cache, and what falls out of it is still in the kernel's.
const WRITE_CACHE_KIB: i64 = 24 * 1024;
const READ_CACHE_KIB: i64 = 16 * 1024;

/// A row that was read.
pub(crate) type Values = Vec<Value>;

/// The connections to one file.
#[derive(Debug)]
pub(crate) struct Sqlite {
    file: Box<Path>,
    /// None once closed.
    writer: Arc<tokio::sync::Mutex<Option<Connection>>>,
    readers: Mutex<Vec<Connection>>,
    /// As many permits as readers may be at work.
    reading: Semaphore,
    wal: Wal,
}

/// Runs what may wait for the disk; other tasks of this thread, if it has any, go on elsewhere.
fn blocking<T>(work: impl FnOnce() -> T) -> T {
    match Handle::try_current().map(|handle| handle.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        _ => work(),
    }
}

fn connect(file: &Path, read_only: bool) -> Result<Connection, StoreError> {
    let access = if read_only {
        OpenFlags::SQLITE_OPEN_READ_ONLY
    } else {
        OpenFlags::SQLITE_OPEN_READ_WRITE
    };
    let connection = Connection::open_with_flags(file, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(OPENING_MAX)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    let cache = if read_only {
        READ_CACHE_KIB
    } else {
        WRITE_CACHE_KIB
    };
    fetch(&connection, &format!("PRAGMA cache_size = -{cache}"), &[])?;
    fetch(&connection, "PRAGMA temp_store = FILE", &[])?;
    fetch(&connection, "PRAGMA foreign_keys = ON", &[])?;
    if !read_only {
        let rows = to_wal(&connection)?;
        let mode = match rows.first().and_then(|row| row.first()) {
            Some(Value::Text(mode)) => mode.as_str(),
            _ => "nothing",
        };
        if mode != "wal" {
            // It does not say why: a disk that fails, or a file system that cannot share memory.
            return Err(StoreError::Broken(format!(
                "SQLite keeps its journal as `{mode}`, not as a write-ahead log"
            )));
        }
        // NORMAL loses commits at a power cut (measured: hundreds); FULL loses none.
        fetch(&connection, "PRAGMA synchronous = FULL", &[])?;
        // The log is copied back by `wal`, which hears when that fails; SQLite itself would keep it to itself.
        fetch(&connection, "PRAGMA wal_autocheckpoint = 0", &[])?;
    }
    Ok(connection)
}

/// Asks for the write-ahead log. Of several that open a new file at once SQLite turns all but one away without
/// waiting, whatever it was told of patience.
fn to_wal(connection: &Connection) -> Result<Vec<Values>, StoreError> {
    let mut left = OPENING_MAX.as_millis() / TURNED_AWAY.as_millis();
    loop {
        match fetch(connection, "PRAGMA journal_mode = WAL", &[]) {
            Err(StoreError::Unavailable(_)) if left > 0 => std::thread::sleep(TURNED_AWAY),
            other => return other,
        }
        left -= 1;
    }
}

impl Sqlite {
    /// Opens a file, which is made if it is not there, for its owner alone to read.
    pub(crate) fn open(file: &Path) -> Result<Self, StoreError> {
        blocking(|| {
            OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .mode(0o600)
                .open(file)
                .map_err(|e| match e.kind() {
                    std::io::ErrorKind::StorageFull => StoreError::Full,
                    _ => StoreError::Config(format!("cannot open {}: {e}", file.display())),
                })?;
            Ok(Self {
                file: file.into(),
                writer: Arc::new(tokio::sync::Mutex::new(Some(connect(file, false)?))),
                readers: Mutex::new(Vec::new()),
                reading: Semaphore::new(READERS),
                wal: Wal::new(),
            })
        })
    }

    /// From now on nobody waits longer than a statement may.
    pub(crate) async fn opened(&self) -> Result<(), StoreError> {
        let held = self.writer.lock().await;
        if let Some(connection) = held.as_ref() {
            connection.busy_timeout(BUSY_MAX)?;
        }
        Ok(())
    }

    /// Reads rows outside of any writing transaction.
    pub(crate) async fn fetch(&self, sql: &str, args: &[Arg]) -> Result<Vec<Values>, StoreError> {
        let permit = tokio::time::timeout(BUSY_MAX, self.reading.acquire()).await;
        let Ok(Ok(_permit)) = permit else {
            return Err(StoreError::Unavailable(
                "too much is being read, or it is closed".into(),
            ));
        };
        blocking(|| {
            let free = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let connection = match free {
                Some(connection) => connection,
                None => {
                    let connection = connect(&self.file, true)?;
                    connection.busy_timeout(BUSY_MAX)?;
                    connection
                }
            };
            let rows = fetch(&connection, sql, args);
            if !self.reading.is_closed() {
                self.readers
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(connection);
            }
            rows
        })
    }

    /// Begins the one writing transaction.
    pub(crate) async fn begin(self: &Arc<Self>) -> Result<Writing, StoreError> {
        let writer = Arc::clone(&self.writer).lock_owned();
        let Ok(held) = tokio::time::timeout(BUSY_MAX, writer).await else {
            return Err(StoreError::Unavailable("another task is writing".into()));
        };
        let writing = Writing {
            house: Arc::clone(self),
            held,
        };
        blocking(|| {
            let connection = writing.connection()?;
            // After some failures (a full disk) SQLite has rolled back by itself, after others it has not.
            if !connection.is_autocommit() {
                connection.execute_batch("ROLLBACK")?;
            }
            self.wal.before_writing(connection)?;
            connection.execute_batch("BEGIN IMMEDIATE")?;
            Ok::<_, StoreError>(())
        })?;
        Ok(writing)
    }

    /// Makes what a process before this one left in the write-ahead log durable, before anything is answered from it.
    /// If that process stopped because a sync failed, the kernel may show its last writes as clean though they never
    /// reached the disk; copying them into the database file writes them anew.
    pub(crate) async fn settle(&self) -> Result<(), StoreError> {
        let held = self.writer.lock().await;
        let Some(connection) = held.as_ref() else {
            return Err(closed());
        };
        blocking(|| {
            match fetch(connection, "PRAGMA wal_checkpoint(TRUNCATE)", &[]) {
                Ok(rows) if matches!(rows.first().and_then(|row| row.first()), Some(Value::Integer(0))) => {}
                // Somebody reads: part of it stayed in the log.
                Ok(_) => write_anew(connection, &self.file)?,
                // No space to copy them to: they are written anew where they are.
                Err(StoreError::Full) => write_anew(connection, &self.file)?,
                Err(other) => return Err(other),
            }
            // SQLite does not tell when the folder, which names its files, could not be synced.
            wal::sync_folder(&self.file)
        })
    }

    /// Lets go of the file.
    pub(crate) async fn close(&self) {
        self.reading.close();
        self.readers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
        let connection = self.writer.lock().await.take();
        blocking(|| drop(connection));
    }
}

/// Writes the log over itself while nobody else writes.
fn write_anew(connection: &Connection, file: &Path) -> Result<(), StoreError> {
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let written = wal::write_anew(file);
    connection.execute_batch("ROLLBACK")?;
    written
}

fn closed() -> StoreError {
    StoreError::Unavailable("the database was closed".into())
}

/// The one writing transaction; rolled back when it is dropped without [`Writing::commit`].
pub(crate) struct Writing {
    house: Arc<Sqlite>,
    held: OwnedMutexGuard<Option<Connection>>,
}

impl Writing {
    fn connection(&self) -> Result<&Connection, StoreError> {
        self.held.as_ref().ok_or_else(closed)
    }

    /// Reads rows, those of this transaction included.
    pub(crate) fn fetch(&self, sql: &str, args: &[Arg]) -> Result<Vec<Values>, StoreError> {
        let connection = self.connection()?;
        blocking(|| fetch(connection, sql, args))
    }

    /// Runs a statement; answers the number of rows it touched.
    pub(crate) fn execute(&self, sql: &str, args: &[Arg]) -> Result<u64, StoreError> {
        let connection = self.connection()?;
        blocking(|| {
            let sql = at_once(&numbered(sql));
            let mut statement = connection.prepare_cached(&sql)?;
            bind(&mut statement, args)?;
            Ok(statement.raw_execute()? as u64)
        })
        .inspect_err(|error| self.house.wal.watch(error))
    }

    /// Makes everything durable; `rows` were written.
    pub(crate) fn commit(self, rows: u64) -> Result<(), StoreError> {
        let connection = self.connection()?;
        let outcome = blocking(|| connection.execute_batch("COMMIT").map_err(StoreError::from));
        match outcome {
            Ok(()) => {
                self.house.wal.wrote(rows);
                Ok(())
            }
            Err(full @ StoreError::Full) => Err(full),
            // Whatever else fails while committing, the state of the file is no longer known to this process.
            Err(StoreError::Broken(what)) => Err(StoreError::Broken(what)),
            Err(other) => Err(StoreError::Broken(other.to_string())),
        }
        .inspect_err(|error| self.house.wal.watch(error))
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        if let Some(connection) = self.held.as_ref()
            && !connection.is_autocommit()
        {
            // The next one to begin finds out if this failed.
            let _ = blocking(|| connection.execute_batch("ROLLBACK"));
        }
    }
}

/// SQLite counts `$n` by first appearance; `?n` means the n-th bind.
fn numbered(sql: &str) -> std::borrow::Cow<'_, str> {
    if sql.contains('$') {
        sql.replace('$', "?").into()
    } else {
        sql.into()
    }
}

/// A statement that fails takes its transaction with it ([`crate::db::Tx`] sees to that), so SQLite need not be able to
/// take back half of one: it would keep a copy of every page that the statement touches.
fn at_once(sql: &str) -> String {
    for verb in ["INSERT", "UPDATE"] {
        if let Some(rest) = sql.strip_prefix(verb) {
            return format!("{verb} OR FAIL{rest}");
        }
    }
    sql.to_owned()
}

fn bind(statement: &mut Statement<'_>, args: &[Arg]) -> Result<(), StoreError> {
    for (at, arg) in args.iter().enumerate() {
        let value = match arg {
            Arg::Int(Some(v)) => ValueRef::Integer(*v),
            Arg::Text(Some(v)) => ValueRef::Text(v.as_bytes()),
            Arg::Word(v) => ValueRef::Text(v.as_bytes()),
            Arg::Blob(Some(v)) => ValueRef::Blob(v),
            Arg::Int(None) | Arg::Text(None) | Arg::Blob(None) => ValueRef::Null,
        };
        statement.raw_bind_parameter(at + 1, ToSqlOutput::Borrowed(value))?;
    }
    Ok(())
}

/// Reads all rows, to the end: a statement that writes may fail behind its last row.
pub(crate) fn fetch(connection: &Connection, sql: &str, args: &[Arg]) -> Result<Vec<Values>, StoreError> {
    let sql = numbered(sql);
    let mut statement = connection.prepare_cached(&sql)?;
    bind(&mut statement, args)?;
    let width = statement.column_count();
    let mut found = Vec::new();
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next()? {
        let values: Result<Values, rusqlite::Error> = (0..width).map(|at| row.get(at)).collect();
        found.push(values?);
    }
    Ok(found)
}

/// Runs statements that take nothing and answer nothing, for a schema.
pub(crate) fn run_all(writing: &Writing, sql: &str) -> Result<(), StoreError> {
    let connection = writing.connection()?;
    blocking(|| connection.execute_batch(sql)).map_err(StoreError::from)
}
