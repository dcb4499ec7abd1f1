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

/// What is known of a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotificationSeen {
    /// Nothing.
    New,
    /// This very one was taken over.
    Same,
    /// Another one was taken over under the same count of the chip.
    OtherUnderItsCount,
}

/// What a chip has under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChipCounts {
    /// The chip.
    pub eid_idx: BlindIndex,
    /// Sessions in which it has proven itself and that can go on.
    pub open_sessions: i64,
    /// Packages that were sent to it and never reported on.
    pub unanswered_packages: i64,
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

    /// What is known of a notification of a chip, by its signed bytes and by the chip's own count.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn smdp_notification_seen(
        &mut self,
        chip: BlindIndex,
        digest: BlindIndex,
        seq: i64,
    ) -> Result<NotificationSeen, StoreError> {
        let same = "SELECT 1 FROM smdp_notification WHERE eid_idx = $1 AND digest_idx = $2";
        if !self
            .fetch(same, vec![chip.into(), digest.into()])
            .await?
            .is_empty()
        {
            return Ok(NotificationSeen::Same);
        }
        let count = "SELECT 1 FROM smdp_notification WHERE eid_idx = $1 AND seq = $2 LIMIT 1";
        match self.fetch(count, vec![chip.into(), seq.into()]).await?.is_empty() {
            true => Ok(NotificationSeen::New),
            false => Ok(NotificationSeen::OtherUnderItsCount),
        }
    }

    /// For each of these chips that has any: sessions that are open now, and packages that were sent to it in sessions
    /// which ended before `answered_by` and that it never reported on.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn smdp_chip_counts(
        &mut self,
        chips: &[BlindIndex],
        now: Timestamp,
        answered_by: Timestamp,
    ) -> Result<Vec<ChipCounts>, StoreError> {
        let keys = || chips.iter().map(|chip| (*chip).into()).collect();
        let mut counts: Vec<ChipCounts> = Vec::new();
        let open = format!(
            "SELECT eid_idx, COUNT(*) FROM smdp_session WHERE eid_idx IN (KEYS) AND expires_at > {} \
             AND phase IN ('authenticated', 'delivered') GROUP BY eid_idx",
            now.as_micros()
        );
        for row in self.fetch_in(&open, keys()).await? {
            let mut c = row.columns();
            counts.push(ChipCounts {
                eid_idx: BlindIndex::from_bytes(c.bytes()?),
                open_sessions: c.int()?,
                unanswered_packages: 0,
            });
        }
        let unanswered = format!(
            "SELECT o.eid_idx, COUNT(DISTINCT o.id) FROM smdp_order o JOIN smdp_session s ON s.eid_idx = o.eid_idx \
             AND s.order_id = o.id AND s.expires_at < {} \
             WHERE o.state = 'downloaded' AND o.eid_idx IN (KEYS) GROUP BY o.eid_idx",
            answered_by.as_micros()
        );
        for row in self.fetch_in(&unanswered, keys()).await? {
            let mut c = row.columns();
            let eid_idx = BlindIndex::from_bytes(c.bytes()?);
            let unanswered_packages = c.int()?;
            match counts.iter_mut().find(|it| it.eid_idx == eid_idx) {
                Some(known) => known.unanswered_packages = unanswered_packages,
                None => counts.push(ChipCounts {
                    eid_idx,
                    open_sessions: 0,
                    unanswered_packages,
                }),
            }
        }
        Ok(counts)
    }
}
