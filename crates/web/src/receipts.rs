//! What the edge needs of the log: proofs of entries. The log stands behind a trait because the edge must not know
//! how it is kept, and tests bring their own.

use serde::{Deserialize, Serialize};
use std::future::Future;
use std::pin::Pin;

/// What is answered later.
pub type Soon<'a, T> = Pin<Box<dyn Future<Output = Result<T, ReceiptError>> + Send + 'a>>;

/// Everything that a page needs to check an entry by itself; byte strings in base64.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProofParts {
    /// Position of the entry in the log.
    pub index: i64,
    /// The entry's bytes.
    pub entry: String,
    /// Sibling hashes from the leaf up, 32 bytes each.
    pub hashes: Vec<String>,
    /// The checkpoint, a C2SP signed note.
    pub checkpoint: String,
    /// The log's key, as a vkey.
    pub log_vkey: String,
    /// The witnesses' keys, as vkeys.
    pub witness_vkeys: Vec<String>,
    /// Whether the checkpoint is published.
    pub published: bool,
}

/// Why there is no proof.
#[derive(Debug, thiserror::Error)]
pub enum ReceiptError {
    /// The entry is not in a published tree yet.
    #[error("this entry is not in a published tree yet; ask again in a second or two")]
    NotYet,
    /// The log failed.
    #[error("{0}")]
    Failed(String),
}

/// Proves entries, from the published tree only.
pub trait Receipts: Send + Sync {
    /// The parts of a proof.
    fn proof(&self, entry: i64) -> Soon<'_, ProofParts>;
    /// The receipt: C2SP tlog-proof v1.
    fn receipt(&self, entry: i64) -> Soon<'_, String>;
}
