//! Passkeys of accounts.

use super::{FromColumns, read_all, update_versioned};
use crate::columns::Columns;
use crate::db::{Arg, Table, Tx};
use crate::{BlindIndex, Keyring, Store, StoreError};
use simwarden_model::{AccountId, PasskeyId, Timestamp};

const TABLE: Table = Table {
    name: "passkey",
    columns: &[
        "id",
        "account_id",
        "cred_idx",
        "synced",
        "attested",
        "counter",
        "sealed",
        "added_at",
        "used_at",
        "suspect_at",
        "removed_at",
        "mac",
        "version",
    ],
};
/// The columns, as read.
const COLUMNS: &str = "id, account_id, cred_idx, synced, attested, counter, sealed, added_at, used_at, suspect_at, \
                       removed_at, mac, version";

/// A passkey.
#[derive(Debug, Clone, PartialEq)]
pub struct PasskeyRow {
    /// Its name; for a subscriber also the name of the device that acts.
    pub id: PasskeyId,
    /// Whose it is.
    pub account_id: AccountId,
    /// Its credential id.
    pub cred_idx: BlindIndex,
    /// Whether it may be copied to other devices by its maker's cloud (the flag BE).
    pub synced: bool,
    /// Whether its maker vouched for the hardware it lives in.
    pub attested: bool,
    /// The last signature count; 0 for authenticators that do not count.
    pub counter: i64,
    /// Its public key and the name that its holder gave it.
    pub sealed: Vec<u8>,
    /// When it was enrolled.
    pub added_at: Timestamp,
    /// When it last signed.
    pub used_at: Option<Timestamp>,
    /// When its count went backwards, as that of a copy does.
    pub suspect_at: Option<Timestamp>,
    /// When it was taken off the account.
    pub removed_at: Option<Timestamp>,
    /// Over what gives power, keyed.
    pub mac: [u8; 32],
    /// Grows with every change, from 1.
    pub version: i64,
}

impl PasskeyRow {
    /// The code of this row under the installation's key.
    #[must_use]
    pub fn expected_mac(&self, keyring: &Keyring) -> [u8; 32] {
        let vouched = vec![
            self.id.into(),
            self.account_id.into(),
            self.cred_idx.into(),
            i64::from(self.synced).into(),
            i64::from(self.attested).into(),
            self.added_at.into(),
        ];
        keyring.vouch("passkey", &super::digest_columns(TABLE.name, &vouched))
    }

    /// Whether it may sign.
    #[must_use]
    pub const fn is_good(&self) -> bool {
        self.removed_at.is_none() && self.suspect_at.is_none()
    }

    fn args(&self) -> Vec<Arg> {
        vec![
            self.id.into(),
            self.account_id.into(),
            self.cred_idx.into(),
            i64::from(self.synced).into(),
            i64::from(self.attested).into(),
            self.counter.into(),
            self.sealed.clone().into(),
            self.added_at.into(),
            self.used_at.into(),
            self.suspect_at.into(),
            self.removed_at.into(),
            self.mac.into(),
            self.version.into(),
        ]
    }
}

impl FromColumns for PasskeyRow {
    fn from_columns(c: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: c.id()?,
            account_id: c.id()?,
            cred_idx: BlindIndex::from_bytes(c.bytes()?),
            synced: c.flag()?,
            attested: c.flag()?,
            counter: c.int()?,
            sealed: c.blob()?,
            added_at: c.time()?,
            used_at: c.opt_time()?,
            suspect_at: c.opt_time()?,
            removed_at: c.opt_time()?,
            mac: c.bytes()?,
            version: c.int()?,
        })
    }
}

fn query(accounts: &[AccountId]) -> (String, Vec<Arg>) {
    let sql = format!("SELECT {COLUMNS} FROM passkey WHERE removed_at IS NULL AND account_id IN (KEYS)");
    (sql, accounts.iter().map(|id| (*id).into()).collect())
}

impl Tx {
    /// Adds rows.
    ///
    /// # Errors
    /// When the database cannot be written; [`StoreError::Conflict`] when the credential is there already.
    pub async fn insert_passkeys(&mut self, rows: &[PasskeyRow]) -> Result<(), StoreError> {
        let rows = rows.iter().map(PasskeyRow::args).collect();
        self.insert(&TABLE, rows, "").await.map(drop)
    }

    /// Writes a new version over the one before it.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when somebody else was faster.
    pub async fn update_passkey(&mut self, row: &PasskeyRow) -> Result<(), StoreError> {
        update_versioned(self, &TABLE, row.args(), *row.id.as_bytes(), row.version).await
    }

    /// The passkeys that these accounts have.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn passkeys_of(&mut self, accounts: &[AccountId]) -> Result<Vec<PasskeyRow>, StoreError> {
        let (sql, keys) = query(accounts);
        read_all(&self.fetch_in(&sql, keys).await?)
    }
}

impl Store {
    /// The passkeys that an account has, the oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn passkeys_of(&self, account: AccountId) -> Result<Vec<PasskeyRow>, StoreError> {
        let (sql, keys) = query(&[account]);
        let mut rows: Vec<PasskeyRow> = read_all(&self.db.fetch_in(&sql, keys).await?)?;
        rows.sort_by_key(|row| row.id);
        Ok(rows)
    }
}
