//! Recovery codes of accounts, as keyed indexes.

use crate::db::{Arg, Table, Tx};
use crate::{BlindIndex, Store, StoreError};
use simwarden_model::{AccountId, Timestamp};

const TABLE: Table = Table {
    name: "recovery_code",
    columns: &["account_id", "code_idx", "used_at"],
};

impl Tx {
    /// Gives an account a new set of codes; the old ones are gone.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn replace_recovery_codes(
        &mut self,
        account: AccountId,
        codes: &[BlindIndex],
    ) -> Result<(), StoreError> {
        self.execute(
            "DELETE FROM recovery_code WHERE account_id = $1",
            vec![account.into()],
        )
        .await?;
        let args = |code: &BlindIndex| -> Vec<Arg> {
            vec![account.into(), (*code).into(), None::<Timestamp>.into()]
        };
        self.insert(&TABLE, codes.iter().map(args).collect(), "")
            .await
            .map(drop)
    }

    /// Uses a code.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when there is no such code, or it was used.
    pub async fn use_recovery_code(
        &mut self,
        account: AccountId,
        code: BlindIndex,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE recovery_code SET used_at = $1 WHERE account_id = $2 AND code_idx = $3 AND used_at IS NULL";
        match self
            .execute(sql, vec![now.into(), account.into(), code.into()])
            .await?
        {
            1 => Ok(()),
            _ => Err(StoreError::Stale {
                what: "recovery code",
            }),
        }
    }
}

impl Store {
    /// The codes of an account that were not used.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn recovery_codes_of(&self, account: AccountId) -> Result<Vec<BlindIndex>, StoreError> {
        let sql = "SELECT code_idx FROM recovery_code WHERE account_id = $1 AND used_at IS NULL";
        let rows = self.db.fetch(sql, vec![account.into()]).await?;
        rows.iter()
            .map(|row| Ok(BlindIndex::from_bytes(row.columns().bytes()?)))
            .collect()
    }
}
