//! The one latest checkpoint of the ledger: moved by compare-and-swap, never back.

use crate::{Store, StoreError};
use simwarden_model::Timestamp;

/// The latest checkpoint that was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCheckpoint {
    /// The size of the tree.
    pub size: i64,
    /// Its root.
    pub root: [u8; 32],
    /// The signed note, cosignatures included.
    pub note: String,
    /// When it was signed.
    pub at: Timestamp,
}

impl Store {
    /// The latest checkpoint; none before the first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn checkpoint(&self) -> Result<Option<SignedCheckpoint>, StoreError> {
        let rows = self
            .db
            .fetch(
                "SELECT size, root, note, at FROM ledger_checkpoint WHERE id = 1",
                vec![],
            )
            .await?;
        rows.first()
            .map(|row| {
                let mut c = row.columns();
                Ok(SignedCheckpoint {
                    size: c.int()?,
                    root: c.bytes()?,
                    note: c.text()?,
                    at: c.time()?,
                })
            })
            .transpose()
    }

    /// Puts `new` in the place of the checkpoint of size `old` (none: of no checkpoint at all). Answers whether it
    /// did: `false` means that another process was faster, and what it signed must be read first.
    ///
    /// # Errors
    /// When the database cannot be written. [`StoreError::Conflict`] when `new` is not larger than `old`.
    pub async fn swap_checkpoint(
        &self,
        old: Option<i64>,
        new: &SignedCheckpoint,
    ) -> Result<bool, StoreError> {
        if old.is_some_and(|old| new.size <= old) {
            return Err(StoreError::Conflict("a checkpoint only ever grows".into()));
        }
        let mut tx = self.db.begin().await?;
        let touched = match old {
            None => {
                let sql = "INSERT INTO ledger_checkpoint (id, size, root, note, at) VALUES (1, $1, $2, $3, $4) \
                           ON CONFLICT (id) DO NOTHING";
                tx.execute(
                    sql,
                    vec![
                        new.size.into(),
                        new.root.into(),
                        new.note.clone().into(),
                        new.at.into(),
                    ],
                )
                .await?
            }
            Some(old) => {
                let sql = "UPDATE ledger_checkpoint SET size = $1, root = $2, note = $3, at = $4 \
                           WHERE id = 1 AND size = $5";
                tx.execute(
                    sql,
                    vec![
                        new.size.into(),
                        new.root.into(),
                        new.note.clone().into(),
                        new.at.into(),
                        old.into(),
                    ],
                )
                .await?
            }
        };
        tx.commit().await?;
        Ok(touched == 1)
    }

    /// Adds cosignatures to the checkpoint of this size, whose signed text stays the same.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn cosign_checkpoint(&self, size: i64, note: &str) -> Result<bool, StoreError> {
        let mut tx = self.db.begin().await?;
        let sql = "UPDATE ledger_checkpoint SET note = $1 WHERE id = 1 AND size = $2";
        let touched = tx.execute(sql, vec![note.into(), size.into()]).await?;
        tx.commit().await?;
        Ok(touched == 1)
    }
}
