//! What people are shown of accounts, passkeys and sessions.

use serde::Serialize;
use serde_json::Value;
use simwarden_model::{AccountId, PartyId, PasskeyId, Role, SessionId, Timestamp};

/// A challenge for the browser.
#[derive(Debug, Clone, Serialize)]
pub struct Begun {
    /// To be sent back with the answer.
    pub ceremony: String,
    /// What `navigator.credentials` takes, with bytes in base64url.
    pub options: Value,
    /// Until when it can be answered.
    pub expires_at: Timestamp,
}

/// A passkey.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PasskeyView {
    /// Its id.
    pub id: PasskeyId,
    /// The name that its holder gave it.
    pub name: String,
    /// Whether it may be copied to other devices by its maker's cloud.
    pub synced: bool,
    /// Whether its maker vouched for its hardware.
    pub attested: bool,
    /// When it was enrolled.
    pub added_at: Timestamp,
    /// When it last signed.
    pub used_at: Option<Timestamp>,
    /// When it was barred because a copy of it showed up.
    pub suspect_at: Option<Timestamp>,
}

/// A session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SessionView {
    /// Its id.
    pub id: SessionId,
    /// Whether it is the one that asks.
    pub current: bool,
    /// `passkey`, `password_totp`, `password` or `recovery`.
    pub how: String,
    /// The network that it was begun from.
    pub address: String,
    /// Browser and system.
    pub agent: String,
    /// When it began.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// What was unlike the owner when it began.
    pub reasons: Vec<String>,
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AccountView {
    /// Its id.
    pub id: AccountId,
    /// What its holder may do.
    pub role: Role,
    /// MCC-MNC of the operator.
    pub operator: Option<String>,
    /// The subscriber.
    pub party: Option<PartyId>,
    /// Whose it is.
    pub name: String,
    /// Whether it has a password.
    pub password: bool,
    /// Why the password must be changed.
    pub password_due: Option<String>,
    /// Recovery codes that are left.
    pub recovery_codes: usize,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was closed.
    pub disabled_at: Option<Timestamp>,
}
