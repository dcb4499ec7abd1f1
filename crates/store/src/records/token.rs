//! Access tokens.

use super::{FromColumns, read_all};
use crate::columns::Columns;
use crate::db::{Arg, Table, Tx};
use crate::{Keyring, Store, StoreError};
use simwarden_model::{PartyId, Role, Timestamp, TokenId};

const TABLE: Table = Table {
    name: "token",
    columns: &[
        "id",
        "hash",
        "role",
        "operator",
        "name",
        "party_id",
        "shop",
        "terminal",
        "created_at",
        "expires_at",
        "mac",
        "revoked_at",
    ],
};
/// The columns, as read.
const COLUMNS: &str =
    "id, hash, role, operator, name, party_id, shop, terminal, created_at, expires_at, mac, revoked_at";

/// An access token: who may do what, until when. Only its hash is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Token {
    /// Its name, as it stands in histories.
    pub id: TokenId,
    /// SHA-256 of the secret, which has 256 random bits.
    pub hash: [u8; 32],
    /// What it may do.
    pub role: Role,
    /// MCC-MNC of the operator it is bound to; all when absent.
    pub operator: Option<String>,
    /// Whom or what it was given to.
    pub name: String,
    /// The subscriber, for that role.
    pub party_id: Option<PartyId>,
    /// The shop, for agents.
    pub shop: Option<String>,
    /// The terminal, for agents.
    pub terminal: Option<String>,
    /// When it was given.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// Over all of the above, keyed: a row that somebody made without the master key is not believed.
    pub mac: [u8; 32],
    /// When it was taken back.
    pub revoked_at: Option<Timestamp>,
}

impl Token {
    /// The code of this row under the installation's key.
    #[must_use]
    pub fn expected_mac(&self, keyring: &Keyring) -> [u8; 32] {
        keyring.vouch("token", &super::digest_columns(TABLE.name, &self.vouched()))
    }

    fn vouched(&self) -> Vec<Arg> {
        vec![
            self.id.into(),
            self.hash.into(),
            self.role.as_str().into(),
            self.operator.clone().into(),
            self.name.clone().into(),
            self.party_id.into(),
            self.shop.clone().into(),
            self.terminal.clone().into(),
            self.created_at.into(),
            self.expires_at.into(),
        ]
    }

    fn args(&self) -> Vec<Arg> {
        let mut args = self.vouched();
        args.push(self.mac.into());
        args.push(self.revoked_at.into());
        args
    }
}

impl FromColumns for Token {
    fn from_columns(c: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: c.id()?,
            hash: c.bytes()?,
            role: c.named()?,
            operator: c.opt_text()?,
            name: c.text()?,
            party_id: c.opt_id()?,
            shop: c.opt_text()?,
            terminal: c.opt_text()?,
            created_at: c.time()?,
            expires_at: c.time()?,
            mac: c.bytes()?,
            revoked_at: c.opt_time()?,
        })
    }
}

impl Tx {
    /// Adds rows.
    ///
    /// # Errors
    /// When the database cannot be written; [`StoreError::Conflict`] when one is there already.
    pub async fn insert_tokens(&mut self, rows: &[Token]) -> Result<(), StoreError> {
        let rows = rows.iter().map(Token::args).collect();
        self.insert(&TABLE, rows, "").await.map(drop)
    }

    /// Takes a token back.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn revoke_token(&mut self, id: TokenId, now: Timestamp) -> Result<bool, StoreError> {
        let sql = "UPDATE token SET revoked_at = $1 WHERE id = $2 AND revoked_at IS NULL";
        Ok(self.execute(sql, vec![now.into(), id.into()]).await? == 1)
    }
}

impl Store {
    /// The token with this hash.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn token_by_hash(&self, hash: [u8; 32]) -> Result<Option<Token>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM token WHERE hash = $1");
        Ok(read_all(&self.db.fetch(&sql, vec![hash.into()]).await?)?.pop())
    }

    /// All tokens, the newest first, at most 1,000.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn tokens(&self) -> Result<Vec<Token>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM token ORDER BY id DESC LIMIT 1000");
        read_all(&self.db.fetch(&sql, vec![]).await?)
    }

    /// The token with this id.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn token(&self, id: TokenId) -> Result<Option<Token>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM token WHERE id = $1");
        Ok(read_all(&self.db.fetch(&sql, vec![id.into()]).await?)?.pop())
    }
}
