//! Every subject's own data key, wrapped.

use super::{FromColumns, read_all};
use crate::columns::Columns;
use crate::db::{Arg, Table, Tx};
use crate::{Store, StoreError};
use simwarden_model::{PartyId, Timestamp};

pub(super) const TABLE: Table = Table {
    name: "subject_key",
    columns: &["party_id", "wrapped", "retain_until", "destroyed_at"],
};
/// The columns, as read.
const COLUMNS: &str = "party_id, wrapped, retain_until, destroyed_at";

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
    pub(super) fn args(&self) -> Vec<Arg> {
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

impl Tx {
    /// Adds rows.
    ///
    /// # Errors
    /// When the database cannot be written; [`StoreError::Conflict`] when one is there already.
    pub async fn insert_subject_keys(&mut self, rows: &[SubjectKeyRow]) -> Result<(), StoreError> {
        let rows = rows.iter().map(SubjectKeyRow::args).collect();
        self.insert(&TABLE, rows, "").await.map(drop)
    }

    /// The keys of these subjects.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn subject_keys(&mut self, parties: &[PartyId]) -> Result<Vec<SubjectKeyRow>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM subject_key WHERE party_id IN (KEYS)");
        read_all(
            &self
                .fetch_in(&sql, parties.iter().map(|id| (*id).into()).collect())
                .await?,
        )
    }

    /// Destroys a key for good.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn destroy_subject_key(&mut self, party: PartyId, now: Timestamp) -> Result<bool, StoreError> {
        let sql = "UPDATE subject_key SET wrapped = NULL, destroyed_at = $1 WHERE party_id = $2 AND wrapped IS NOT NULL";
        Ok(self.execute(sql, vec![now.into(), party.into()]).await? == 1)
    }

    /// Sets until when the law forbids erasing.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn retain_subject(
        &mut self,
        party: PartyId,
        until: Option<Timestamp>,
    ) -> Result<bool, StoreError> {
        let sql = "UPDATE subject_key SET retain_until = $1 WHERE party_id = $2";
        Ok(self.execute(sql, vec![until.into(), party.into()]).await? == 1)
    }
}

impl Store {
    /// The keys of these subjects.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn subject_keys(&self, parties: &[PartyId]) -> Result<Vec<SubjectKeyRow>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM subject_key WHERE party_id IN (KEYS)");
        read_all(
            &self
                .db
                .fetch_in(&sql, parties.iter().map(|id| (*id).into()).collect())
                .await?,
        )
    }
}
