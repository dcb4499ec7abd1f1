//! Accounts that people sign in to.

use super::{FromColumns, read_all, update_versioned};
use crate::columns::Columns;
use crate::db::{Arg, Table, Tx};
use crate::{BlindIndex, Keyring, Store, StoreError};
use simwarden_model::{AccountId, PartyId, Role, Timestamp};

const TABLE: Table = Table {
    name: "account",
    columns: &[
        "id",
        "login_idx",
        "role",
        "operator",
        "party_id",
        "shop",
        "terminal",
        "sealed",
        "invite_idx",
        "invite_until",
        "password_at",
        "password_due",
        "created_at",
        "disabled_at",
        "mac",
        "version",
    ],
};
/// The columns, as read.
const COLUMNS: &str = "id, login_idx, role, operator, party_id, shop, terminal, sealed, invite_idx, invite_until, \
                       password_at, password_due, created_at, disabled_at, mac, version";

/// An account.
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    /// Its name, also the user handle in its passkeys.
    pub id: AccountId,
    /// What its holder signs in with.
    pub login_idx: Option<BlindIndex>,
    /// What its holder may do.
    pub role: Role,
    /// MCC-MNC of the operator it is bound to; all when absent.
    pub operator: Option<String>,
    /// The subscriber, for that role.
    pub party_id: Option<PartyId>,
    /// The shop, for agents.
    pub shop: Option<String>,
    /// The terminal, for agents.
    pub terminal: Option<String>,
    /// Login, name and password hash.
    pub sealed: Vec<u8>,
    /// The code that lets its holder enrol a passkey, once.
    pub invite_idx: Option<BlindIndex>,
    /// Until when.
    pub invite_until: Option<Timestamp>,
    /// When the password was set; none when there is none.
    pub password_at: Option<Timestamp>,
    /// Why the password must be changed at the next sign-in.
    pub password_due: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was closed.
    pub disabled_at: Option<Timestamp>,
    /// Over what gives power, keyed.
    pub mac: [u8; 32],
    /// Grows with every change, from 1.
    pub version: i64,
}

impl Account {
    /// The code of this row under the installation's key.
    #[must_use]
    pub fn expected_mac(&self, keyring: &Keyring) -> [u8; 32] {
        let vouched = vec![
            self.id.into(),
            self.role.as_str().into(),
            self.operator.clone().into(),
            self.party_id.into(),
            self.shop.clone().into(),
            self.terminal.clone().into(),
            self.created_at.into(),
            self.invite_idx.into(),
            self.invite_until.into(),
        ];
        keyring.vouch("account", &super::digest_columns(TABLE.name, &vouched))
    }

    fn args(&self) -> Vec<Arg> {
        vec![
            self.id.into(),
            self.login_idx.into(),
            self.role.as_str().into(),
            self.operator.clone().into(),
            self.party_id.into(),
            self.shop.clone().into(),
            self.terminal.clone().into(),
            self.sealed.clone().into(),
            self.invite_idx.into(),
            self.invite_until.into(),
            self.password_at.into(),
            self.password_due.clone().into(),
            self.created_at.into(),
            self.disabled_at.into(),
            self.mac.into(),
            self.version.into(),
        ]
    }
}

impl FromColumns for Account {
    fn from_columns(c: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: c.id()?,
            login_idx: c.opt_index()?,
            role: c.named()?,
            operator: c.opt_text()?,
            party_id: c.opt_id()?,
            shop: c.opt_text()?,
            terminal: c.opt_text()?,
            sealed: c.blob()?,
            invite_idx: c.opt_index()?,
            invite_until: c.opt_time()?,
            password_at: c.opt_time()?,
            password_due: c.opt_text()?,
            created_at: c.time()?,
            disabled_at: c.opt_time()?,
            mac: c.bytes()?,
            version: c.int()?,
        })
    }
}

impl Tx {
    /// Adds rows.
    ///
    /// # Errors
    /// When the database cannot be written; [`StoreError::Conflict`] when one is there already.
    pub async fn insert_accounts(&mut self, rows: &[Account]) -> Result<(), StoreError> {
        let rows = rows.iter().map(Account::args).collect();
        self.insert(&TABLE, rows, "").await.map(drop)
    }

    /// Writes a new version over the one before it.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when somebody else was faster.
    pub async fn update_account(&mut self, row: &Account) -> Result<(), StoreError> {
        update_versioned(self, &TABLE, row.args(), *row.id.as_bytes(), row.version).await
    }

    /// The rows with these ids.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn accounts(&mut self, ids: &[AccountId]) -> Result<Vec<Account>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM account WHERE id IN (KEYS)");
        let rows = self.fetch_in(&sql, ids.iter().map(|id| (*id).into()).collect());
        read_all(&rows.await?)
    }

    /// The accounts of these parties.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn accounts_of(&mut self, parties: &[PartyId]) -> Result<Vec<Account>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM account WHERE party_id IN (KEYS)");
        let rows = self.fetch_in(&sql, parties.iter().map(|id| (*id).into()).collect());
        read_all(&rows.await?)
    }

    /// Deletes what accounts of an erased party hold, and the accounts.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn delete_accounts_of(&mut self, party: PartyId) -> Result<(), StoreError> {
        for table in ["passkey", "session", "sign_in", "recovery_code"] {
            let sql = format!(
                "DELETE FROM {table} WHERE account_id IN (SELECT id FROM account WHERE party_id = $1)"
            );
            self.execute(&sql, vec![party.into()]).await?;
        }
        self.execute("DELETE FROM account WHERE party_id = $1", vec![party.into()])
            .await
            .map(drop)
    }
}

impl Store {
    /// The account with this id.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn account(&self, id: AccountId) -> Result<Option<Account>, StoreError> {
        self.one_account("id", id.into()).await
    }

    /// The account that is signed in to with this.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn account_by_login(&self, login: BlindIndex) -> Result<Option<Account>, StoreError> {
        self.one_account("login_idx", login.into()).await
    }

    /// The account that this code invites to.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn account_by_invite(&self, code: BlindIndex) -> Result<Option<Account>, StoreError> {
        self.one_account("invite_idx", code.into()).await
    }

    async fn one_account(&self, column: &str, key: Arg) -> Result<Option<Account>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM account WHERE {column} = $1");
        Ok(read_all(&self.db.fetch(&sql, vec![key]).await?)?.pop())
    }

    /// The account of this party.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn account_of_party(&self, party: PartyId) -> Result<Option<Account>, StoreError> {
        self.one_account("party_id", party.into()).await
    }

    /// All accounts, the newest first, at most 1,000.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn accounts(&self) -> Result<Vec<Account>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM account ORDER BY id DESC LIMIT 1000");
        read_all(&self.db.fetch(&sql, vec![]).await?)
    }
}
