//! Every subject's own data key, wrapped.

use super::FromColumns;
use crate::StoreError;
use crate::db::{Arg, Columns, Table};
use simwarden_model::{PartyId, Timestamp};

const TABLE: Table = Table {
    name: "subject_key",
    columns: &["party_id", "wrapped", "retain_until", "destroyed_at"],
};
/// The columns, as read.
pub(crate) const COLUMNS: &str = "party_id, wrapped, retain_until, destroyed_at";

/// A subject's key, wrapped by the master key, until it is destroyed.
#[derive(Debug, Clone, PartialEq)]
pub struct SubjectKeyRow {
    /// Whose key.
    pub party_id: PartyId,
    /// The wrapped key; none once destroyed.
    pub wrapped: Option<Vec<u8>>,
    /// The law forbids erasing before.
    pub retain_until: Option<Timestamp>,
    /// When it was destroyed.
    pub destroyed_at: Option<Timestamp>,
}

impl SubjectKeyRow {
    fn args(&self) -> Vec<Arg> {
        vec![
            self.party_id.into(),
            self.wrapped.clone().into(),
            self.retain_until.into(),
            self.destroyed_at.into(),
        ]
    }
}

impl FromColumns for SubjectKeyRow {
    fn from_columns(c: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            party_id: c.id()?,
            wrapped: c.opt_blob()?,
            retain_until: c.opt_time()?,
            destroyed_at: c.opt_time()?,
        })
    }
}
