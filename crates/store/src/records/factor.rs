//! Second factors of persons.

use super::FromColumns;
use crate::StoreError;
use crate::db::{Arg, Columns, Table};
use simwarden_model::{FactorId, PartyId, Timestamp};

const TABLE: Table = Table {
    name: "factor",
    columns: &["id", "party_id", "kind", "sealed", "added_at", "last_step", "removed_at"],
};
/// The columns, as read.
pub(crate) const COLUMNS: &str = "id, party_id, kind, sealed, added_at, last_step, removed_at";

/// One second factor.
#[derive(Debug, Clone, PartialEq)]
pub struct Factor {
    /// Its name.
    pub id: FactorId,
    /// Whose it is.
    pub party_id: PartyId,
    /// `totp`; others come with their own issue.
    pub kind: String,
    /// The secret, under the owner's key.
    pub sealed: Vec<u8>,
    /// When it was enrolled.
    pub added_at: Timestamp,
    /// The last time step whose code was used; none may be used again.
    pub last_step: i64,
    /// When it was taken away.
    pub removed_at: Option<Timestamp>,
}

impl Factor {
    fn args(&self) -> Vec<Arg> {
        vec![
            self.id.into(),
            self.party_id.into(),
            self.kind.clone().into(),
            self.sealed.clone().into(),
            self.added_at.into(),
            self.last_step.into(),
            self.removed_at.into(),
        ]
    }
}

impl FromColumns for Factor {
    fn from_columns(c: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: c.id()?,
            party_id: c.id()?,
            kind: c.text()?,
            sealed: c.blob()?,
            added_at: c.time()?,
            last_step: c.int()?,
            removed_at: c.opt_time()?,
        })
    }
}
