//! Failed challenges, over all channels.

use super::FromColumns;
use crate::StoreError;
use crate::columns::Columns;
use crate::db::{Arg, Table, Tx};
use simwarden_model::{Channel, SubscriptionId, Timestamp};

const TABLE: Table = Table {
    name: "attempt",
    columns: &["entry", "ord", "subscription_id", "at", "channel", "kind"],
};
/// One failed challenge.
#[derive(Debug, Clone, PartialEq)]
pub struct Attempt {
    /// The ledger entry it stands in.
    pub entry: i64,
    /// Its place among those of the same entry.
    pub ord: i64,
    /// The line it was about.
    pub subscription_id: SubscriptionId,
    /// When.
    pub at: Timestamp,
    /// Where.
    pub channel: Channel,
    /// Which challenge failed.
    pub kind: String,
}

impl Attempt {
    fn args(&self) -> Vec<Arg> {
        vec![
            self.entry.into(),
            self.ord.into(),
            self.subscription_id.into(),
            self.at.into(),
            self.channel.as_str().into(),
            self.kind.clone().into(),
        ]
    }
}

impl FromColumns for Attempt {
    fn from_columns(c: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            entry: c.int()?,
            ord: c.int()?,
            subscription_id: c.id()?,
            at: c.time()?,
            channel: c.named()?,
            kind: c.text()?,
        })
    }
}

impl Tx {
    /// Adds rows.
    ///
    /// # Errors
    /// When the database cannot be written; [`StoreError::Conflict`] when one is there already.
    pub async fn insert_attempts(&mut self, rows: &[Attempt]) -> Result<(), StoreError> {
        let rows = rows.iter().map(Attempt::args).collect();
        self.insert(&TABLE, rows, "").await.map(drop)
    }

    /// How many challenges about these lines failed since a time, over all channels.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn attempts_since(
        &mut self,
        lines: &[SubscriptionId],
        since: Timestamp,
    ) -> Result<Vec<(SubscriptionId, i64, Timestamp)>, StoreError> {
        let mut counts: std::collections::BTreeMap<SubscriptionId, (i64, Timestamp)> = Default::default();
        let sql = "SELECT subscription_id, at FROM attempt WHERE subscription_id IN (KEYS)";
        for row in self
            .fetch_in(sql, lines.iter().map(|id| (*id).into()).collect())
            .await?
        {
            let mut c = row.columns();
            let (line, at) = (c.id()?, c.time()?);
            if at > since {
                let count = counts.entry(line).or_default();
                *count = (count.0 + 1, count.1.max(at));
            }
        }
        Ok(counts
            .into_iter()
            .map(|(line, (count, last))| (line, count, last))
            .collect())
    }
}
