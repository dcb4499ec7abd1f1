//! SQLite's write-ahead log, kept by this process itself.
//!
//! SQLite would copy the log back into the database file on its own behind a commit, and tell nobody when the disk
//! fails it there. Here the copying is asked for, between two transactions, so that a failed sync is heard; from then
//! on this process writes nothing more: what the kernel shows of the file may no longer be what is on the disk.

use crate::StoreError;
use rusqlite::Connection;
use rusqlite::types::Value;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// How long the log may grow before it is copied back, in pages of 4 KiB: 32 MiB. Fewer copies, fewer syncs, little
/// more to recover.
const LOG_PAGES: u64 = 8_192;
/// Rows after which the first copy is made, when nothing is known yet of how many pages a row dirties.
const FIRST_ROWS: u64 = 4_096;
const ROWS_MIN: u64 = 256;
const ROWS_MAX: u64 = 1 << 20;

/// Writes what stands in the log over itself and syncs it. Nobody else may be writing: the caller holds the one
/// writing transaction. Needs no space.
pub(crate) fn write_anew(database: &Path) -> Result<(), StoreError> {
    let mut name = database.as_os_str().to_owned();
    name.push("-wal");
    let rewrite = || -> std::io::Result<()> {
        // Never a file that SQLite holds locks on (the database, its shared index): closing it would drop them.
        let log = File::options().read(true).write(true).open(&name)?;
        let mut chunk = vec![0; 1 << 20];
        let mut at = 0;
        loop {
            let length = log.read_at(&mut chunk, at)?;
            if length == 0 {
                return log.sync_all();
            }
            log.write_all_at(&chunk[..length], at)?;
            at += length as u64;
        }
    };
    rewrite().map_err(|error| match error.kind() {
        std::io::ErrorKind::StorageFull => StoreError::Full,
        _ => StoreError::Broken(error.to_string()),
    })
}

/// Syncs the folder that the database lies in.
pub(crate) fn sync_folder(database: &Path) -> Result<(), StoreError> {
    let folder = database.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))
        .and_then(|folder| folder.sync_all())
        .map_err(|error| StoreError::Broken(error.to_string()))
}

/// What this process knows of the log.
#[derive(Debug)]
pub(crate) struct Wal {
    /// Rows written since the last copy.
    rows: AtomicU64,
    /// Rows after which the next one is due.
    due: AtomicU64,
    /// The first failure of the disk; nothing is written after it.
    broken: Mutex<Option<String>>,
}

impl Wal {
    pub(crate) fn new() -> Self {
        Self {
            rows: AtomicU64::new(0),
            due: AtomicU64::new(FIRST_ROWS),
            broken: Mutex::new(None),
        }
    }

    pub(crate) fn wrote(&self, rows: u64) {
        self.rows.fetch_add(rows, Ordering::Relaxed);
    }

    /// Remembers a failure of the disk for good.
    pub(crate) fn watch(&self, error: &StoreError) {
        if let StoreError::Broken(what) = error
            && let Ok(mut broken) = self.broken.lock()
        {
            broken.get_or_insert_with(|| what.clone());
        }
    }

    /// Refuses when the disk has failed; copies the log back when that is due.
    pub(crate) fn before_writing(&self, write: &Connection) -> Result<(), StoreError> {
        let broken = match self.broken.lock() {
            Ok(broken) => broken.clone(),
            Err(_) => Some("a thread that wrote has panicked".into()),
        };
        if let Some(what) = broken {
            return Err(StoreError::Broken(what));
        }
        if self.rows.load(Ordering::Relaxed) < self.due.load(Ordering::Relaxed) {
            return Ok(());
        }
        match self.copy_back(write) {
            // Without space the log only grows longer; the write itself will say so if it does not fit either.
            Ok(()) | Err(StoreError::Full | StoreError::Unavailable(_)) => Ok(()),
            Err(other) => {
                self.watch(&other);
                Err(other)
            }
        }
    }

    /// Copies back as much as readers allow, and learns how many rows fill the log.
    fn copy_back(&self, write: &Connection) -> Result<(), StoreError> {
        let rows = crate::sqlite::fetch(write, "PRAGMA wal_checkpoint(PASSIVE)", &[])?;
        let pages = match rows.first().and_then(|row| row.get(1)) {
            Some(Value::Integer(pages)) => u64::try_from(*pages).unwrap_or(0).max(1),
            _ => 1,
        };
        let rows = self.rows.swap(0, Ordering::Relaxed);
        let due = rows.saturating_mul(LOG_PAGES) / pages;
        self.due.store(due.clamp(ROWS_MIN, ROWS_MAX), Ordering::Relaxed);
        Ok(())
    }
}
