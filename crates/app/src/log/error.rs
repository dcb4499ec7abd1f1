//! What can go wrong with the log, and whether the process may go on after it.

use simwarden_ledger::LedgerError;
use simwarden_store::StoreError;
use std::io;
use std::path::{Path, PathBuf};

/// A failure of the log.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// A file of the log cannot be read or written.
    #[error("the log: cannot {what} {}: {cause}", path.display())]
    File {
        /// What was tried: `read`, `write`, `sync` …
        what: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A note, tile or proof is not as it should be.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The database stands before what is known to be signed.
    #[error(
        "the ledger went back: a tree of {known} entries is signed, the database has {found}; it was rolled back or \
         restored from an older copy. Nothing more is signed: bring back the newer database, or begin a log with a \
         new origin"
    )]
    RolledBack {
        /// Entries in the largest tree that is known to be signed.
        known: u64,
        /// Entries that the database speaks of.
        found: u64,
    },
    /// Two different trees of one size.
    #[error(
        "the ledger parts: at {size} entries the signed root is {signed}, the entries in the database lead to {found}; \
         rows of the ledger were changed. Nothing more is signed: run `simwarden ledger fsck`"
    )]
    Parted {
        /// Entries in the tree.
        size: u64,
        /// The root that was signed, base64.
        signed: String,
        /// The root that our own entries lead to, base64.
        found: String,
    },
    /// An entry of the database is missing, or is not what its hash says.
    #[error("entry {index} in the database {reason}. Nothing more is signed: run `simwarden ledger fsck`")]
    Entry {
        /// Which.
        index: u64,
        /// What is wrong with it, as the end of a sentence.
        reason: &'static str,
    },
    /// The key, the policy or the folder does not belong to this log.
    #[error("{0}")]
    Setup(String),
    /// The entry is not in a published tree yet.
    #[error("entry {index} is not in a published tree yet (it has {size} entries); ask again in a moment")]
    NotYet {
        /// Which entry.
        index: u64,
        /// Entries in the published tree.
        size: u64,
    },
    /// A source of log files does not answer as it should.
    #[error("{path}: {reason}")]
    Fetch {
        /// The file asked for.
        path: String,
        /// What happened.
        reason: String,
    },
}

impl LogError {
    pub(crate) fn file(what: &'static str, path: &Path, cause: io::Error) -> Self {
        Self::File {
            what,
            path: path.to_owned(),
            cause,
        }
    }

    /// Whether the process must stop: going on could sign a second history, or rely on a disk that lost data.
    /// Everything else passes by itself (a full disk, a database that is away).
    #[must_use]
    pub fn is_fatal(&self) -> bool {
        match self {
            Self::File {
                what: "sync", cause, ..
            } => !matches!(
                cause.kind(),
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
            ),
            Self::File { .. } | Self::NotYet { .. } | Self::Fetch { .. } => false,
            Self::Store(error) => matches!(error, StoreError::Broken(_) | StoreError::Corrupt(_)),
            Self::Ledger(_)
            | Self::RolledBack { .. }
            | Self::Parted { .. }
            | Self::Entry { .. }
            | Self::Setup(_) => true,
        }
    }
}
