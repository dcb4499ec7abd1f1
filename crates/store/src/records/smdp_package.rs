//! Profile packages of the SM-DP+, sealed, and the remote-management keys in them, as keyed indexes.

use crate::db::{Arg, Table, Tx};
use crate::{BlindIndex, Store, StoreError};

const TABLE: Table = Table {
    name: "smdp_package",
    columns: &["order_id", "kind", "sealed"],
};
const OVER: &str = " ON CONFLICT (order_id, kind) DO UPDATE SET sealed = excluded.sealed";
const KEYS: Table = Table {
    name: "smdp_remote_key",
    columns: &["key_idx", "order_id"],
};

/// Which form of a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PackageKind {
    /// The unprotected profile package.
    Profile,
    /// The same under random keys, ready to be bound to a chip.
    Prepared,
}

impl PackageKind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Profile => "profile",
            Self::Prepared => "prepared",
        }
    }
}

/// A profile in one form.
#[derive(Debug, Clone, PartialEq)]
pub struct SmdpPackage {
    /// Whose profile.
    pub order_id: [u8; 16],
    /// In which form.
    pub kind: PackageKind,
    /// Its bytes, under the installation's common key.
    pub sealed: Vec<u8>,
}

impl Tx {
    /// Adds packages, or writes over what is there.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn put_smdp_packages(&mut self, rows: &[SmdpPackage]) -> Result<(), StoreError> {
        let args = |row: &SmdpPackage| -> Vec<Arg> {
            vec![
                row.order_id.into(),
                row.kind.as_str().into(),
                row.sealed.clone().into(),
            ]
        };
        let rows = rows.iter().map(args).collect();
        self.insert(&TABLE, rows, OVER).await.map(drop)
    }

    /// Erases both forms of a profile.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn erase_smdp_packages(&mut self, order: [u8; 16]) -> Result<u64, StoreError> {
        self.execute("DELETE FROM smdp_package WHERE order_id = $1", vec![order.into()])
            .await
    }

    /// Remembers the remote-management keys of a profile.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn insert_smdp_remote_keys(
        &mut self,
        keys: &[BlindIndex],
        order: [u8; 16],
    ) -> Result<(), StoreError> {
        let rows = keys
            .iter()
            .map(|key| vec![Arg::from(*key), order.into()])
            .collect();
        self.insert(&KEYS, rows, " ON CONFLICT (key_idx, order_id) DO NOTHING")
            .await
            .map(drop)
    }
}

impl Store {
    /// A profile in one form, sealed; none once it is erased.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn smdp_package(
        &self,
        order: [u8; 16],
        kind: PackageKind,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let sql = "SELECT sealed FROM smdp_package WHERE order_id = $1 AND kind = $2";
        let rows = self
            .db
            .fetch(sql, vec![order.into(), kind.as_str().into()])
            .await?;
        rows.first().map(|row| row.columns().blob()).transpose()
    }

    /// Those of these remote-management keys that an imported profile has already.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn smdp_remote_keys(&self, keys: &[BlindIndex]) -> Result<Vec<BlindIndex>, StoreError> {
        let sql = "SELECT DISTINCT key_idx FROM smdp_remote_key WHERE key_idx IN (KEYS)";
        let keys = keys.iter().map(|key| (*key).into()).collect();
        let rows = self.db.fetch_in(sql, keys).await?;
        rows.iter()
            .map(|row| Ok(BlindIndex::from_bytes(row.columns().bytes()?)))
            .collect()
    }
}
