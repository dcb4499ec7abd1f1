//! Second factors of persons.

use super::{FromColumns, read_all};
use crate::columns::Columns;
use crate::db::{Arg, Table, Tx};
use crate::{Store, StoreError};
use simwarden_model::{FactorId, PartyId, Timestamp};

const TABLE: Table = Table {
    name: "factor",
    columns: &[
        "id",
        "party_id",
        "kind",
        "sealed",
        "added_at",
        "last_step",
        "removed_at",
    ],
};
/// The columns, as read.
const COLUMNS: &str = "id, party_id, kind, sealed, added_at, last_step, removed_at";

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

impl Tx {
    /// Adds rows.
    ///
    /// # Errors
    /// When the database cannot be written; [`StoreError::Conflict`] when one is there already.
    pub async fn insert_factors(&mut self, rows: &[Factor]) -> Result<(), StoreError> {
        let rows = rows.iter().map(Factor::args).collect();
        self.insert(&TABLE, rows, "").await.map(drop)
    }

    /// The factors of these parties that are in use.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn factors_of(&mut self, parties: &[PartyId]) -> Result<Vec<Factor>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM factor WHERE party_id IN (KEYS) AND removed_at IS NULL");
        read_all(
            &self
                .fetch_in(&sql, parties.iter().map(|id| (*id).into()).collect())
                .await?,
        )
    }

    /// Remembers the last time step whose code was used.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when that step, or a later one, was used already.
    pub async fn use_factor_step(&mut self, id: FactorId, step: i64) -> Result<(), StoreError> {
        let sql = "UPDATE factor SET last_step = $1 WHERE id = $2 AND last_step < $1 AND removed_at IS NULL";
        match self.execute(sql, vec![step.into(), id.into()]).await? {
            1 => Ok(()),
            _ => Err(StoreError::Stale { what: "factor" }),
        }
    }

    /// Destroys the factors of a party.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn delete_factors_of(&mut self, party: PartyId) -> Result<(), StoreError> {
        self.execute("DELETE FROM factor WHERE party_id = $1", vec![party.into()])
            .await
            .map(drop)
    }
}

impl Store {
    /// Whether a party has a factor in use.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn has_factor(&self, party: PartyId) -> Result<bool, StoreError> {
        let sql = "SELECT id FROM factor WHERE party_id = $1 AND removed_at IS NULL LIMIT 1";
        Ok(!self.db.fetch(sql, vec![party.into()]).await?.is_empty())
    }
}
