//! What gets no profile: chips, makers, kinds of phones, numbers, operators, or everybody.

use crate::db::{Arg, Table, Tx};
use crate::{Store, StoreError};
use simwarden_model::Timestamp;

const TABLE: Table = Table {
    name: "smdp_freeze",
    columns: &["key", "reason", "set_at"],
};

/// One freeze.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmdpFreeze {
    /// What is frozen: `all`, `operator:456-01`, `eid:<index>`, `number:<index>`, `tac:35290611`, `eum:<key id>`.
    pub key: String,
    /// The reason code.
    pub reason: String,
    /// Since when.
    pub set_at: Timestamp,
}

fn read(rows: &[crate::columns::Row]) -> Result<Vec<SmdpFreeze>, StoreError> {
    rows.iter()
        .map(|row| {
            let mut c = row.columns();
            Ok(SmdpFreeze {
                key: c.text()?,
                reason: c.text()?,
                set_at: c.time()?,
            })
        })
        .collect()
}

impl Tx {
    /// Sets a freeze; one that stands stays as it was.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn set_smdp_freeze(&mut self, freeze: &SmdpFreeze) -> Result<(), StoreError> {
        let row: Vec<Arg> = vec![
            freeze.key.clone().into(),
            freeze.reason.clone().into(),
            freeze.set_at.into(),
        ];
        self.insert(&TABLE, vec![row], " ON CONFLICT (key) DO NOTHING")
            .await
            .map(drop)
    }

    /// Lifts a freeze; answers whether it stood.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn lift_smdp_freeze(&mut self, key: &str) -> Result<bool, StoreError> {
        let sql = "DELETE FROM smdp_freeze WHERE key = $1";
        Ok(self.execute(sql, vec![key.into()]).await? == 1)
    }

    /// Those of these keys that are frozen. No key may be given twice.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn smdp_freezes(&mut self, keys: &[String]) -> Result<Vec<SmdpFreeze>, StoreError> {
        let sql = "SELECT key, reason, set_at FROM smdp_freeze WHERE key IN (KEYS)";
        let keys = keys.iter().map(|key| key.clone().into()).collect();
        read(&self.fetch_in(sql, keys).await?)
    }
}

impl Store {
    /// Every freeze, at most 10,000.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn smdp_freezes(&self) -> Result<Vec<SmdpFreeze>, StoreError> {
        let sql = "SELECT key, reason, set_at FROM smdp_freeze ORDER BY set_at LIMIT 10000";
        read(&self.db.fetch(sql, vec![]).await?)
    }
}
