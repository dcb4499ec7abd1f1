//! Answers that must stay the same.

use super::{FromColumns, read_all};
use crate::columns::Columns;
use crate::db::{Arg, Table, Tx};
use crate::{BlindIndex, StoreError};
use simwarden_model::Timestamp;

const TABLE: Table = Table {
    name: "idempotency",
    columns: &["key", "request", "subject", "at"],
};
/// The columns, as read.
const COLUMNS: &str = "key, request, subject, at";

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

impl Tx {
    /// Adds rows.
    ///
    /// # Errors
    /// When the database cannot be written; [`StoreError::Conflict`] when one is there already.
    pub async fn insert_remembered(&mut self, rows: &[Remembered]) -> Result<(), StoreError> {
        let rows = rows.iter().map(Remembered::args).collect();
        self.insert(&TABLE, rows, "").await.map(drop)
    }

    /// What was made under these keys.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn remembered(&mut self, keys: &[BlindIndex]) -> Result<Vec<Remembered>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM idempotency WHERE key IN (KEYS)");
        read_all(
            &self
                .fetch_in(&sql, keys.iter().map(|k| (*k).into()).collect())
                .await?,
        )
    }

    /// Forgets keys older than a time.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn forget_remembered(&mut self, before: Timestamp) -> Result<u64, StoreError> {
        self.execute("DELETE FROM idempotency WHERE at < $1", vec![before.into()])
            .await
    }
}
