//! Whose client certificate orders over ES2+, and for whom.

use super::{FromColumns, read_all};
use crate::columns::Columns;
use crate::db::{Arg, Table, Tx};
use crate::{Keyring, Store, StoreError};
use simwarden_model::Timestamp;

const TABLE: Table = Table {
    name: "es2plus_caller",
    columns: &["certificate", "owner", "name", "callback", "added_at", "mac"],
};
const COLUMNS: &str = "certificate, owner, name, callback, added_at, mac";
const OVER: &str = " ON CONFLICT (certificate) DO UPDATE SET owner = excluded.owner, name = excluded.name, \
                    callback = excluded.callback, added_at = excluded.added_at, mac = excluded.mac";

/// A client certificate that may order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Es2plusCaller {
    /// SHA-256 of the certificate.
    pub certificate: [u8; 32],
    /// Whose profiles it may touch, as their `operator` says.
    pub owner: String,
    /// What people call it.
    pub name: String,
    /// Where its system wants to be told of downloads: an https:// address.
    pub callback: Option<String>,
    /// Since when.
    pub added_at: Timestamp,
    /// [`Self::expected_mac`]: a row that somebody wrote into the database orders nothing.
    pub mac: [u8; 32],
}

impl Es2plusCaller {
    /// What vouches for the row.
    #[must_use]
    pub fn expected_mac(&self, keyring: &Keyring) -> [u8; 32] {
        let mut text = self.certificate.to_vec();
        let parts = [
            self.owner.as_str(),
            &self.name,
            self.callback.as_deref().unwrap_or_default(),
        ];
        for part in parts {
            text.extend((part.len() as u64).to_be_bytes());
            text.extend(part.as_bytes());
        }
        text.push(u8::from(self.callback.is_some()));
        keyring.vouch("es2plus/caller", &text)
    }

    fn args(&self) -> Vec<Arg> {
        vec![
            self.certificate.into(),
            self.owner.clone().into(),
            self.name.clone().into(),
            self.callback.clone().into(),
            self.added_at.into(),
            self.mac.into(),
        ]
    }
}

impl FromColumns for Es2plusCaller {
    fn from_columns(c: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            certificate: c.bytes()?,
            owner: c.text()?,
            name: c.text()?,
            callback: c.opt_text()?,
            added_at: c.time()?,
            mac: c.bytes()?,
        })
    }
}

impl Tx {
    /// Adds a caller, or writes over what was known of its certificate.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn put_es2plus_caller(&mut self, row: &Es2plusCaller) -> Result<(), StoreError> {
        self.insert(&TABLE, vec![row.args()], OVER).await.map(drop)
    }

    /// Takes a caller's right away; answers whether it had any.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn remove_es2plus_caller(&mut self, certificate: [u8; 32]) -> Result<bool, StoreError> {
        let sql = "DELETE FROM es2plus_caller WHERE certificate = $1";
        Ok(self.execute(sql, vec![certificate.into()]).await? == 1)
    }

    /// Of these owners, those whose systems want to be told of downloads.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn es2plus_told(&mut self, owners: &[String]) -> Result<Vec<String>, StoreError> {
        let sql = "SELECT DISTINCT owner FROM es2plus_caller WHERE callback IS NOT NULL AND owner IN (KEYS)";
        let keys = owners.iter().map(|owner| owner.clone().into()).collect();
        let rows = self.fetch_in(sql, keys).await?;
        rows.iter().map(|row| row.columns().text()).collect()
    }
}

impl Store {
    /// The caller of this certificate.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn es2plus_caller(&self, certificate: [u8; 32]) -> Result<Option<Es2plusCaller>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM es2plus_caller WHERE certificate = $1");
        Ok(read_all(&self.db.fetch(&sql, vec![certificate.into()]).await?)?.pop())
    }

    /// The callers of an owner, or all; at most 10,000, the oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn es2plus_callers(&self, owner: Option<&str>) -> Result<Vec<Es2plusCaller>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM es2plus_caller WHERE owner = COALESCE($1, owner) ORDER BY added_at LIMIT 10000"
        );
        read_all(&self.db.fetch(&sql, vec![owner.map(str::to_owned).into()]).await?)
    }
}
