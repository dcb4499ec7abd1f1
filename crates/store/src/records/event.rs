//! Events of the network, the shops and the portals.

use super::FromColumns;
use crate::BlindIndex;
use crate::StoreError;
use crate::db::{Arg, Columns, Table};
use simwarden_model::{Timestamp};

const TABLE: Table = Table {
    name: "event",
    columns: &["source", "ext_id", "at", "kind", "operator", "msisdn_idx", "received_at", "sealed"],
};
/// The columns, as read.
pub(crate) const COLUMNS: &str = "source, ext_id, at, kind, operator, msisdn_idx, received_at, sealed";

/// One event, kept; what it says is sealed.
#[derive(Debug, Clone, PartialEq)]
pub struct EventRecord {
    /// The feed.
    pub source: String,
    /// Its id there.
    pub ext_id: String,
    /// When it happened.
    pub at: Timestamp,
    /// Its type.
    pub kind: String,
    /// MCC-MNC.
    pub operator: Option<String>,
    /// Index of the line.
    pub msisdn_idx: Option<BlindIndex>,
    /// When it came in.
    pub received_at: Timestamp,
    /// The whole event, under the common key.
    pub sealed: Vec<u8>,
}

impl EventRecord {
    fn args(&self) -> Vec<Arg> {
        vec![
            self.source.clone().into(),
            self.ext_id.clone().into(),
            self.at.into(),
            self.kind.clone().into(),
            self.operator.clone().into(),
            self.msisdn_idx.into(),
            self.received_at.into(),
            self.sealed.clone().into(),
        ]
    }
}

impl FromColumns for EventRecord {
    fn from_columns(c: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            source: c.text()?,
            ext_id: c.text()?,
            at: c.time()?,
            kind: c.text()?,
            operator: c.opt_text()?,
            msisdn_idx: c.opt_index()?,
            received_at: c.time()?,
            sealed: c.blob()?,
        })
    }
}
