//! The one error type of the crate. A message says what is wrong and, where the reader can act, what to do.

use thiserror::Error;

/// The result of every fallible function of this crate.
pub type Result<T, E = LedgerError> = core::result::Result<T, E>;

/// What can be wrong with bytes, keys, proofs or a whole log.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// Bytes that do not follow their format.
    #[error("malformed {what}: {reason}")]
    Malformed {
        /// The kind of text or file, e.g. `checkpoint`.
        what: &'static str,
        /// Which rule is broken.
        reason: String,
    },
    /// Something larger than this crate is willing to handle.
    #[error("{what}: {got} is over the limit of {max}")]
    TooLarge {
        /// What was measured, with its unit.
        what: &'static str,
        /// The size found.
        got: u64,
        /// The largest size accepted.
        max: u64,
    },
    /// An index or size that does not exist in the tree at hand.
    #[error("{0}")]
    OutOfRange(String),
    /// A tile source has no such file. Sources must answer with this (and not with [`LedgerError::Source`]) when
    /// a file does not exist: a missing partial tile makes the reader try the full one.
    #[error("{path} is missing: fetch it from a mirror or rebuild it from the entries")]
    Missing {
        /// Path of the file inside the log, e.g. `tile/0/000.p/5`.
        path: String,
    },
    /// A tile source failed for another reason (disk, network).
    #[error("cannot read {path}: {reason}")]
    Source {
        /// Path of the file inside the log.
        path: String,
        /// What the source said.
        reason: String,
    },
    /// A Merkle proof that does not lead to the root.
    #[error("{what} does not verify: {reason}")]
    ProofFailed {
        /// `inclusion proof` or `consistency proof`.
        what: &'static str,
        /// Why.
        reason: String,
    },
    /// A key text that cannot be used.
    #[error("unusable key: {0}")]
    Key(String),
    /// A signature by a known key fails: the note was changed after signing, or forged.
    #[error(
        "the signature of {name} ({id:08x}) does not match: the note was changed or forged, do not use it"
    )]
    BadSignature {
        /// Key name.
        name: String,
        /// Key id.
        id: u32,
    },
    /// None of the signatures is by a key that we know.
    #[error("no signature by a known key ({known}): check that you hold the right verifier key")]
    NotSigned {
        /// Names of the keys that would have been accepted.
        known: String,
    },
    /// A trust policy file with a mistake.
    #[error("policy, line {line}: {reason}")]
    Policy {
        /// Line number, counted from 1; 0 for the file as a whole.
        line: usize,
        /// The rule that is broken.
        reason: String,
    },
    /// A checkpoint without the cosignatures that the policy asks for.
    #[error("the quorum {quorum} is not met: cosigned by [{cosigned_by}] only")]
    Quorum {
        /// Name of the quorum in the policy.
        quorum: String,
        /// Policy names of the witnesses whose cosignatures verified.
        cosigned_by: String,
    },
    /// The log's files disagree with each other or with the signed checkpoint.
    #[error("{path} was altered{}: {reason}", entry.map(|e| format!(" at entry {e}")).unwrap_or_default())]
    Altered {
        /// The first file that differs.
        path: String,
        /// The first entry that differs, where it is known.
        entry: Option<u64>,
        /// What disagrees with what.
        reason: String,
    },
}

impl LedgerError {
    pub(crate) fn malformed(what: &'static str, reason: impl Into<String>) -> Self {
        Self::Malformed {
            what,
            reason: reason.into(),
        }
    }

    /// The answer of a source that has no such file.
    pub fn missing(path: impl core::fmt::Display) -> Self {
        Self::Missing {
            path: path.to_string(),
        }
    }
}

/// Refuses a length above its limit, before anything is read or allocated.
pub(crate) fn at_most(what: &'static str, got: usize, max: usize) -> Result<()> {
    if got > max {
        return Err(LedgerError::TooLarge {
            what,
            got: got as u64,
            max: max as u64,
        });
    }
    Ok(())
}
