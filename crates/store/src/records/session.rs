//! Sessions: where somebody is signed in.

use super::{FromColumns, read_all};
use crate::columns::Columns;
use crate::db::{Arg, Table, Tx};
use crate::{BlindIndex, Keyring, Store, StoreError};
use simwarden_model::{AccountId, PasskeyId, SessionId, Timestamp};

const TABLE: Table = Table {
    name: "session",
    columns: &[
        "id",
        "account_id",
        "passkey_id",
        "device_idx",
        "hash",
        "before_hash",
        "how",
        "sealed",
        "since",
        "created_at",
        "rotated_at",
        "expires_at",
        "ended_at",
        "ended_why",
        "mac",
    ],
};
/// The columns, as read.
const COLUMNS: &str = "id, account_id, passkey_id, device_idx, hash, before_hash, how, sealed, since, created_at, \
                       rotated_at, expires_at, ended_at, ended_why, mac";

/// A session.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionRow {
    /// Its name.
    pub id: SessionId,
    /// Whose it is.
    pub account_id: AccountId,
    /// The passkey that it was begun with.
    pub passkey_id: Option<PasskeyId>,
    /// The device that it is bound to.
    pub device_idx: BlindIndex,
    /// SHA-256 of the secret, which has 256 random bits.
    pub hash: [u8; 32],
    /// The same of the secret before it.
    pub before_hash: Option<[u8; 32]>,
    /// `passkey`, `password_totp`, `password` or `recovery`.
    pub how: String,
    /// What its holder is shown of it: address and browser.
    pub sealed: Vec<u8>,
    /// Since when the device behind it has been known to the account.
    pub since: Timestamp,
    /// When it began.
    pub created_at: Timestamp,
    /// When its secret was last changed.
    pub rotated_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// When it was ended before that.
    pub ended_at: Option<Timestamp>,
    /// Why.
    pub ended_why: Option<String>,
    /// Over what gives power, keyed.
    pub mac: [u8; 32],
}

impl SessionRow {
    /// The code of this row under the installation's key. The secret is not in it: it changes.
    #[must_use]
    pub fn expected_mac(&self, keyring: &Keyring) -> [u8; 32] {
        let vouched = vec![
            self.id.into(),
            self.account_id.into(),
            self.passkey_id.into(),
            self.device_idx.into(),
            self.hash.into(),
            self.how.clone().into(),
            self.since.into(),
            self.created_at.into(),
            self.expires_at.into(),
        ];
        keyring.vouch("session", &super::digest_columns(TABLE.name, &vouched))
    }

    fn args(&self) -> Vec<Arg> {
        vec![
            self.id.into(),
            self.account_id.into(),
            self.passkey_id.into(),
            self.device_idx.into(),
            self.hash.into(),
            self.before_hash.into(),
            self.how.clone().into(),
            self.sealed.clone().into(),
            self.since.into(),
            self.created_at.into(),
            self.rotated_at.into(),
            self.expires_at.into(),
            self.ended_at.into(),
            self.ended_why.clone().into(),
            self.mac.into(),
        ]
    }
}

impl FromColumns for SessionRow {
    fn from_columns(c: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: c.id()?,
            account_id: c.id()?,
            passkey_id: c.opt_id()?,
            device_idx: BlindIndex::from_bytes(c.bytes()?),
            hash: c.bytes()?,
            before_hash: c.opt_bytes()?,
            how: c.text()?,
            sealed: c.blob()?,
            since: c.time()?,
            created_at: c.time()?,
            rotated_at: c.time()?,
            expires_at: c.time()?,
            ended_at: c.opt_time()?,
            ended_why: c.opt_text()?,
            mac: c.bytes()?,
        })
    }
}

impl Tx {
    /// Adds rows.
    ///
    /// # Errors
    /// When the database cannot be written; [`StoreError::Conflict`] when one is there already.
    pub async fn insert_sessions(&mut self, rows: &[SessionRow]) -> Result<(), StoreError> {
        let rows = rows.iter().map(SessionRow::args).collect();
        self.insert(&TABLE, rows, "").await.map(drop)
    }

    /// Gives a session its next secret, unless somebody was faster or it is over.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when the secret is not the present one.
    pub async fn rotate_session(&mut self, row: &SessionRow, before: [u8; 32]) -> Result<(), StoreError> {
        let sql = "UPDATE session SET hash = $1, before_hash = $2, rotated_at = $3, mac = $4 \
                   WHERE id = $5 AND hash = $2 AND ended_at IS NULL";
        let args = vec![
            row.hash.into(),
            before.into(),
            row.rotated_at.into(),
            row.mac.into(),
            row.id.into(),
        ];
        match self.execute(sql, args).await? {
            1 => Ok(()),
            _ => Err(StoreError::Stale { what: "session" }),
        }
    }

    /// Ends sessions of an account: one, or all but one; answers how many.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn end_sessions(
        &mut self,
        account: AccountId,
        which: Ends,
        now: Timestamp,
        why: &str,
    ) -> Result<u64, StoreError> {
        let (rest, id) = match which {
            Ends::One(id) => (" AND id = $4", Some(id)),
            Ends::AllBut(id) => (" AND id <> $4", Some(id)),
            Ends::All => ("", None),
        };
        let sql = format!(
            "UPDATE session SET ended_at = $1, ended_why = $2 WHERE account_id = $3 AND ended_at IS NULL{rest}"
        );
        let mut args = vec![now.into(), why.to_owned().into(), account.into()];
        args.extend(id.map(Arg::from));
        self.execute(&sql, args).await
    }
}

/// Which sessions of an account end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ends {
    /// This one.
    One(SessionId),
    /// All but this one.
    AllBut(SessionId),
    /// All of them.
    All,
}

impl Store {
    /// The session with this secret, present or the one before.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn session_by_hash(&self, hash: [u8; 32]) -> Result<Option<SessionRow>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM session WHERE hash = $1 OR before_hash = $1");
        Ok(read_all(&self.db.fetch(&sql, vec![hash.into()]).await?)?.pop())
    }

    /// The session with this id.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn session(&self, id: SessionId) -> Result<Option<SessionRow>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM session WHERE id = $1");
        Ok(read_all(&self.db.fetch(&sql, vec![id.into()]).await?)?.pop())
    }

    /// The sessions of an account that stand, the newest first, at most 100.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn sessions_of(
        &self,
        account: AccountId,
        now: Timestamp,
    ) -> Result<Vec<SessionRow>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM session WHERE account_id = $1 AND ended_at IS NULL AND expires_at > $2 \
             ORDER BY created_at DESC LIMIT 100"
        );
        read_all(&self.db.fetch(&sql, vec![account.into(), now.into()]).await?)
    }
}
