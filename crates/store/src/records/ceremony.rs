//! Challenges that were answered: none takes a second answer.

use crate::db::{Arg, Table, Tx};
use crate::{Store, StoreError};
use simwarden_model::{CeremonyId, Timestamp};

const TABLE: Table = Table {
    name: "ceremony",
    columns: &["id", "expires_at"],
};

impl Tx {
    /// Spends challenges; they can be forgotten once they have ended.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when one was spent already.
    pub async fn spend_ceremonies(&mut self, spent: &[(CeremonyId, Timestamp)]) -> Result<(), StoreError> {
        let args = |(id, ends): &(CeremonyId, Timestamp)| -> Vec<Arg> { vec![(*id).into(), (*ends).into()] };
        self.insert(&TABLE, spent.iter().map(args).collect(), "")
            .await
            .map(drop)
    }

    /// Which of these were spent.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn spent_ceremonies(&mut self, ids: &[CeremonyId]) -> Result<Vec<CeremonyId>, StoreError> {
        let sql = "SELECT id FROM ceremony WHERE id IN (KEYS)";
        let rows = self
            .fetch_in(sql, ids.iter().map(|id| (*id).into()).collect())
            .await?;
        rows.iter().map(|row| row.columns().id()).collect()
    }

    /// Forgets challenges that ended before; answers how many.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn forget_ceremonies(&mut self, before: Timestamp) -> Result<u64, StoreError> {
        self.execute("DELETE FROM ceremony WHERE expires_at < $1", vec![before.into()])
            .await
    }
}

impl Store {
    /// Whether a challenge was answered.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn is_ceremony_spent(&self, id: CeremonyId) -> Result<bool, StoreError> {
        let sql = "SELECT id FROM ceremony WHERE id = $1";
        Ok(!self.db.fetch(sql, vec![id.into()]).await?.is_empty())
    }
}
