//! Sign-ins that succeeded: what the next one is compared with.

use super::{FromColumns, read_all};
use crate::columns::Columns;
use crate::db::{Arg, Table, Tx};
use crate::{BlindIndex, Store, StoreError};
use simwarden_model::{AccountId, Timestamp};

const TABLE: Table = Table {
    name: "sign_in",
    columns: &[
        "account_id",
        "at",
        "device_idx",
        "network_idx",
        "agent",
        "quarter",
        "country",
    ],
};
/// The columns, as read.
const COLUMNS: &str = "account_id, at, device_idx, network_idx, agent, quarter, country";
/// Sign-ins of an account that are looked at.
const OWN_MAX: u32 = 100;
/// Sign-ins of everybody that are looked at.
const ALL_MAX: u32 = 2_000;

/// A sign-in.
#[derive(Debug, Clone, PartialEq)]
pub struct SignIn {
    /// Who.
    pub account_id: AccountId,
    /// When.
    pub at: Timestamp,
    /// On which device.
    pub device_idx: BlindIndex,
    /// From which network.
    pub network_idx: BlindIndex,
    /// Browser and system, in broad terms.
    pub agent: String,
    /// The quarter of the day, 0 to 3.
    pub quarter: i64,
    /// The country, where somebody knows it.
    pub country: Option<String>,
}

impl FromColumns for SignIn {
    fn from_columns(c: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            account_id: c.id()?,
            at: c.time()?,
            device_idx: BlindIndex::from_bytes(c.bytes()?),
            network_idx: BlindIndex::from_bytes(c.bytes()?),
            agent: c.text()?,
            quarter: c.int()?,
            country: c.opt_text()?,
        })
    }
}

impl Tx {
    /// Adds rows; a second one of the same microsecond is dropped.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn insert_sign_ins(&mut self, rows: &[SignIn]) -> Result<(), StoreError> {
        let args = |row: &SignIn| -> Vec<Arg> {
            vec![
                row.account_id.into(),
                row.at.into(),
                row.device_idx.into(),
                row.network_idx.into(),
                row.agent.clone().into(),
                row.quarter.into(),
                row.country.clone().into(),
            ]
        };
        let tail = " ON CONFLICT (account_id, at) DO NOTHING";
        self.insert(&TABLE, rows.iter().map(args).collect(), tail)
            .await
            .map(drop)
    }

    /// Forgets sign-ins before; answers how many.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn forget_sign_ins(&mut self, before: Timestamp) -> Result<u64, StoreError> {
        self.execute("DELETE FROM sign_in WHERE at < $1", vec![before.into()])
            .await
    }
}

impl Store {
    /// The last sign-ins of an account, the newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn sign_ins_of(&self, account: AccountId) -> Result<Vec<SignIn>, StoreError> {
        let sql =
            format!("SELECT {COLUMNS} FROM sign_in WHERE account_id = $1 ORDER BY at DESC LIMIT {OWN_MAX}");
        read_all(&self.db.fetch(&sql, vec![account.into()]).await?)
    }

    /// The last sign-ins of everybody, the newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn sign_ins(&self) -> Result<Vec<SignIn>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM sign_in ORDER BY at DESC LIMIT {ALL_MAX}");
        read_all(&self.db.fetch(&sql, vec![]).await?)
    }

    /// When an account was first signed in to on a device.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn device_since(
        &self,
        account: AccountId,
        device: BlindIndex,
    ) -> Result<Option<Timestamp>, StoreError> {
        let sql = "SELECT at FROM sign_in WHERE account_id = $1 AND device_idx = $2 ORDER BY at LIMIT 1";
        let rows = self.db.fetch(sql, vec![account.into(), device.into()]).await?;
        rows.first().map(|row| row.columns().time()).transpose()
    }
}
