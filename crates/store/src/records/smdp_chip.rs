//! What the SM-DP+ has seen of each chip: its last sighting, and the notifications that were taken over.

use crate::db::{Arg, Table, Tx};
use crate::{BlindIndex, StoreError};
use simwarden_model::Timestamp;

const CHIPS: Table = Table {
    name: "smdp_chip",
    columns: &["eid_idx", "sealed", "seen_at"],
};
const NOTIFICATIONS: Table = Table {
    name: "smdp_notification",
    columns: &["eid_idx", "digest_idx", "seq", "at"],
};

/// The last sighting of a chip.
#[derive(Debug, Clone, PartialEq)]
pub struct SmdpChip {
    /// The chip.
    pub eid_idx: BlindIndex,
    /// What was seen, under the installation's common key.
    pub sealed: Vec<u8>,
    /// When.
    pub seen_at: Timestamp,
}

/// A signed notification that was taken over.
#[derive(Debug, Clone, PartialEq)]
pub struct SmdpNotification {
    /// The chip.
    pub eid_idx: BlindIndex,
    /// A keyed index of the signed bytes.
    pub digest_idx: BlindIndex,
    /// The chip's own count.
    pub seq: i64,
    /// When it came.
    pub at: Timestamp,
}

impl Tx {
    /// Writes the last sightings of chips.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn put_smdp_chips(&mut self, rows: &[SmdpChip]) -> Result<(), StoreError> {
        let args = |row: &SmdpChip| -> Vec<Arg> {
            vec![row.eid_idx.into(), row.sealed.clone().into(), row.seen_at.into()]
        };
        let tail =
            " ON CONFLICT (eid_idx) DO UPDATE SET sealed = excluded.sealed, seen_at = excluded.seen_at";
        self.insert(&CHIPS, rows.iter().map(args).collect(), tail)
            .await
            .map(drop)
    }

    /// The last sightings of these chips.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn smdp_chips(&mut self, chips: &[BlindIndex]) -> Result<Vec<SmdpChip>, StoreError> {
        let sql = "SELECT eid_idx, sealed, seen_at FROM smdp_chip WHERE eid_idx IN (KEYS)";
        let rows = self
            .fetch_in(sql, chips.iter().map(|chip| (*chip).into()).collect())
            .await?;
        rows.iter()
            .map(|row| {
                let mut c = row.columns();
                Ok(SmdpChip {
                    eid_idx: BlindIndex::from_bytes(c.bytes()?),
                    sealed: c.blob()?,
                    seen_at: c.time()?,
                })
            })
            .collect()
    }

    /// Remembers notifications; one that is known stays as it was.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn insert_smdp_notifications(&mut self, rows: &[SmdpNotification]) -> Result<(), StoreError> {
        let args = |row: &SmdpNotification| -> Vec<Arg> {
            vec![
                row.eid_idx.into(),
                row.digest_idx.into(),
                row.seq.into(),
                row.at.into(),
            ]
        };
        let tail = " ON CONFLICT (eid_idx, digest_idx) DO NOTHING";
        self.insert(&NOTIFICATIONS, rows.iter().map(args).collect(), tail)
            .await
            .map(drop)
    }

    /// The notifications of a chip that were taken over under this count of its own.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn smdp_notifications(
        &mut self,
        chip: BlindIndex,
        seq: i64,
    ) -> Result<Vec<BlindIndex>, StoreError> {
        let sql = "SELECT digest_idx FROM smdp_notification WHERE eid_idx = $1 AND seq = $2 LIMIT 16";
        let rows = self.fetch(sql, vec![chip.into(), seq.into()]).await?;
        rows.iter()
            .map(|row| Ok(BlindIndex::from_bytes(row.columns().bytes()?)))
            .collect()
    }
}
