//! What can go wrong in the database, by what the caller must do about it.

/// A failure of the database.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached or is busy: nothing was written, try again later.
    #[error("the database is not available: {0}; nothing was written, try again")]
    Unavailable(String),
    /// The disk is full: nothing was written. Reads go on; writes resume when there is space.
    #[error("the disk is full: nothing was written; make space in the data folder and try again")]
    Full,
    /// A uniqueness or check rule of the schema refused the write.
    #[error("the write contradicts what is stored: {0}")]
    Conflict(String),
    /// A row was changed in between (its version differs): nothing was written.
    #[error("{what} was changed by somebody else in between; read it again")]
    Stale {
        /// The kind of row.
        what: &'static str,
    },
    /// The commit was sent but its outcome is unknown: it must not be reported as success. Ask again with the same
    /// idempotency key.
    #[error("the outcome of the commit is unknown: {0}; ask again with the same idempotency key")]
    Unknown(String),
    /// The storage below the database failed to make data durable; the process must stop and recover from the log.
    #[error("the storage failed to make data durable: {0}; stop, check the disk, start again")]
    Broken(String),
    /// What is stored cannot be read as what it should be.
    #[error("what is stored cannot be understood: {0}; run `simwarden ledger fsck`")]
    Corrupt(String),
    /// A key is missing, wrong or destroyed.
    #[error("{0}")]
    Key(#[from] crate::sealing::KeyError),
    /// The address of the database or its folder is wrong.
    #[error("{0}")]
    Config(String),
}

/// SQLite's result codes. IOERR is a failed write, sync or truncate: the page cache can no longer be trusted. One of
/// its extended codes only says that the shared index of the log could not grow, which is a full disk.
const SQLITE_IOERR: i32 = 10;
const SQLITE_IOERR_SHMSIZE: i32 = 4874;
const SQLITE_FULL: i32 = 13;
const SQLITE_BUSY: i32 = 5;
const SQLITE_LOCKED: i32 = 6;
const SQLITE_CORRUPT: i32 = 11;
const SQLITE_CANTOPEN: i32 = 14;
const SQLITE_CONSTRAINT: i32 = 19;
const SQLITE_NOTADB: i32 = 26;

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        let rusqlite::Error::SqliteFailure(code, text) = &error else {
            return Self::Corrupt(error.to_string());
        };
        let text = text.clone().unwrap_or_else(|| code.to_string());
        match code.extended_code & 0xff {
            _ if code.extended_code == SQLITE_IOERR_SHMSIZE => Self::Full,
            SQLITE_FULL => Self::Full,
            SQLITE_IOERR => Self::Broken(text),
            SQLITE_BUSY | SQLITE_LOCKED => Self::Unavailable("another process is writing".into()),
            SQLITE_CORRUPT | SQLITE_NOTADB => Self::Corrupt(text),
            SQLITE_CONSTRAINT => Self::Conflict(text),
            SQLITE_CANTOPEN => Self::Config(text),
            _ => Self::Unavailable(text),
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(db) => {
                if db.is_unique_violation() || db.is_check_violation() || db.is_foreign_key_violation() {
                    return Self::Conflict(db.message().to_owned());
                }
                match db.code().unwrap_or_default().as_ref() {
                    "53100" => Self::Full,
                    "58030" | "XX001" | "XX002" => Self::Broken(db.message().to_owned()),
                    // What was sent can never be stored; trying again does not help.
                    code if code.starts_with("22") => Self::Conflict(db.message().to_owned()),
                    _ => Self::Unavailable(db.message().to_owned()),
                }
            }
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) | sqlx::Error::ColumnNotFound(_) => {
                Self::Corrupt(error.to_string())
            }
            sqlx::Error::Configuration(_) => Self::Config(error.to_string()),
            _ => Self::Unavailable(error.to_string()),
        }
    }
}
