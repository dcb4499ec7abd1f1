//! Access tokens.

use super::FromColumns;
use crate::StoreError;
use crate::db::{Arg, Columns, Table};
use simwarden_model::{PartyId, Role, Timestamp, TokenId};

const TABLE: Table = Table {
    name: "token",
    columns: &["id", "hash", "role", "operator", "name", "party_id", "shop", "terminal", "created_at", "expires_at", "revoked_at"],
};
/// The columns, as read.
pub(crate) const COLUMNS: &str = "id, hash, role, operator, name, party_id, shop, terminal, created_at, expires_at, revoked_at";

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
    /// When it was taken back.
    pub revoked_at: Option<Timestamp>,
}

impl Token {
    fn args(&self) -> Vec<Arg> {
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
            self.revoked_at.into(),
        ]
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
            revoked_at: c.opt_time()?,
        })
    }
}
