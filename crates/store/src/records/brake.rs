//! How often each rule was asked and hit, so that a rule which would hit too many lines disarms.

use crate::db::{Table, Tx};
use crate::{Store, StoreError};
use simwarden_model::Timestamp;

const TABLE: Table = Table {
    name: "brake",
    columns: &["rule", "asked", "hit", "disarmed_at"],
};

/// The counts of one rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrakeCount {
    /// The rule.
    pub rule: String,
    /// How many decisions looked at it.
    pub asked: i64,
    /// How many it applied to.
    pub hit: i64,
    /// When it disarmed, if it did.
    pub disarmed_at: Option<Timestamp>,
}

impl Store {
    /// All counts.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn brake_counts(&self) -> Result<Vec<BrakeCount>, StoreError> {
        let rows = self
            .db
            .fetch(
                "SELECT rule, asked, hit, disarmed_at FROM brake ORDER BY rule",
                vec![],
            )
            .await?;
        rows.iter()
            .map(|row| {
                let mut c = row.columns();
                Ok(BrakeCount {
                    rule: c.text()?,
                    asked: c.int()?,
                    hit: c.int()?,
                    disarmed_at: c.opt_time()?,
                })
            })
            .collect()
    }
}

impl Tx {
    /// Writes counts over those of before.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn put_brake_counts(&mut self, counts: &[BrakeCount]) -> Result<(), StoreError> {
        let rows = counts
            .iter()
            .map(|b| {
                vec![
                    b.rule.clone().into(),
                    b.asked.into(),
                    b.hit.into(),
                    b.disarmed_at.into(),
                ]
            })
            .collect();
        let tail = " ON CONFLICT (rule) DO UPDATE SET asked = excluded.asked, hit = excluded.hit, \
                    disarmed_at = excluded.disarmed_at";
        self.insert(&TABLE, rows, tail).await.map(drop)
    }
}
