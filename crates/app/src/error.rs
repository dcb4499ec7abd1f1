//! The one error of the use cases: a kind that the edge turns into a status, and words that say what to do.

use simwarden_store::StoreError;

/// What kind of trouble it is; the edge maps each kind to one status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The request is malformed or says something impossible.
    Invalid,
    /// Nobody is signed in, or the token is not valid.
    Unauthenticated,
    /// The role may not do this, or not with this operator's data.
    Forbidden,
    /// There is no such thing.
    NotFound,
    /// It contradicts what is there: changed in between, already under way, another request under the same key.
    Conflict,
    /// The state of the thing does not allow it.
    State,
    /// Too many of them.
    TooMany,
    /// The disk is full; reads go on.
    Full,
    /// The guard, the ledger, the database or the clock cannot be relied on: refused, nothing was written.
    Unavailable,
    /// The commit was sent and its outcome is unknown: ask again with the same idempotency key.
    Unknown,
    /// A fault of simwarden's own.
    Internal,
}

/// An error of a use case.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// What kind of trouble.
    pub kind: ErrorKind,
    /// A short word in snake case for machines.
    pub code: &'static str,
    /// What is wrong and what to do, for people. Holds no personal data and no internals.
    pub message: String,
}

impl Error {
    /// An error of a kind.
    pub fn new(kind: ErrorKind, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            kind,
            code,
            message: message.into(),
        }
    }

    /// A malformed or impossible request.
    pub fn invalid(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Invalid, code, message)
    }

    /// Nothing of the kind is there, or nothing that the asker may know of.
    #[must_use]
    pub fn not_found(what: &str) -> Self {
        Self::new(
            ErrorKind::NotFound,
            "not_found",
            format!("there is no such {what}, or it is not yours to see"),
        )
    }

    /// The role may not do this.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Forbidden, "forbidden", message)
    }

    /// A fault of our own; what it was goes to the log only.
    pub fn internal(what: impl std::fmt::Display) -> Self {
        tracing::error!(%what, "internal fault");
        Self::new(
            ErrorKind::Internal,
            "internal",
            "something went wrong on our side; it was logged",
        )
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        let message = error.to_string();
        match error {
            StoreError::Unavailable(cause) => {
                tracing::warn!(%cause, "the database is not available");
                Self::new(
                    ErrorKind::Unavailable,
                    "store_unavailable",
                    "the database is not available; nothing was written, try again",
                )
            }
            StoreError::Full => Self::new(ErrorKind::Full, "disk_full", message),
            StoreError::Conflict(cause) => {
                tracing::debug!(%cause, "conflict");
                Self::new(
                    ErrorKind::Conflict,
                    "conflict",
                    "this contradicts what is stored: it exists already, or another operation is under way",
                )
            }
            StoreError::Stale { .. } => Self::new(ErrorKind::Conflict, "changed_in_between", message),
            StoreError::Unknown(cause) => {
                tracing::error!(%cause, "a commit's outcome is unknown");
                Self::new(
                    ErrorKind::Unknown,
                    "outcome_unknown",
                    "it is not known whether this was written; send it again with the same Idempotency-Key",
                )
            }
            StoreError::Broken(cause) => {
                tracing::error!(%cause, "the storage is broken");
                Self::new(
                    ErrorKind::Unavailable,
                    "storage_broken",
                    "the storage failed to make data durable; this server stops answering writes",
                )
            }
            StoreError::Key(simwarden_store::KeyError::Destroyed) => {
                Self::new(ErrorKind::State, "erased", "this person's data were erased")
            }
            other => Self::internal(other),
        }
    }
}

impl From<simwarden_model::Refused> for Error {
    fn from(refused: simwarden_model::Refused) -> Self {
        Self::new(ErrorKind::State, "wrong_state", refused.to_string())
    }
}
