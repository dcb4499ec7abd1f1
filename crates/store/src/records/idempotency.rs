//! Answers that must stay the same.

use super::FromColumns;
use crate::BlindIndex;
use crate::StoreError;
use crate::db::{Arg, Columns, Table};
use simwarden_model::{Timestamp};

const TABLE: Table = Table {
    name: "idempotency",
    columns: &["key", "request", "subject", "at"],
};
/// The columns, as read.
pub(crate) const COLUMNS: &str = "key, request, subject, at";

/// What was made for an idempotency key.
#[derive(Debug, Clone, PartialEq)]
pub struct Remembered {
    /// Index of sender and key.
    pub key: BlindIndex,
    /// SHA-256 of the request, keyed; another request under the same key is refused.
    pub request: [u8; 32],
    /// The id of what was made.
    pub subject: Vec<u8>,
    /// When.
    pub at: Timestamp,
}

impl Remembered {
    fn args(&self) -> Vec<Arg> {
        vec![
            self.key.into(),
            self.request.into(),
            self.subject.clone().into(),
            self.at.into(),
        ]
    }
}

impl FromColumns for Remembered {
    fn from_columns(c: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            key: BlindIndex::from_bytes(c.bytes()?),
            request: c.bytes()?,
            subject: c.blob()?,
            at: c.time()?,
        })
    }
}
