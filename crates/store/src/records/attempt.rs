//! Failed challenges, over all channels.

use super::FromColumns;
use crate::StoreError;
use crate::db::{Arg, Columns, Table};
use simwarden_model::{Channel, SubscriptionId, Timestamp};

const TABLE: Table = Table {
    name: "attempt",
    columns: &["entry", "ord", "subscription_id", "at", "channel", "kind"],
};
/// The columns, as read.
pub(crate) const COLUMNS: &str = "entry, ord, subscription_id, at, channel, kind";

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
