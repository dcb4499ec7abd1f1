//! What the API answers about accounts, as types; see [`crate::shapes`].

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A challenge for the browser.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Begun {
    /// To be sent back with the answer.
    pub ceremony: String,
    /// What `navigator.credentials` takes, with bytes in base64url.
    #[schema(value_type = Object)]
    pub options: serde_json::Value,
    /// Until when it can be answered.
    pub expires_at: String,
}

/// Somebody signed in; the cookies came with the answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignedIn {
    /// The session.
    pub session: Session,
}

/// A session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Session {
    /// Its id, a UUID.
    pub id: String,
    /// Whether it is the one that asks.
    pub current: bool,
    /// `passkey`, `password_totp`, `password` or `recovery`.
    pub how: String,
    /// The network that it was begun from.
    pub address: String,
    /// Browser and system.
    pub agent: String,
    /// When it began.
    pub created_at: String,
    /// When it ends.
    pub expires_at: String,
    /// What was unlike the owner when it began.
    pub reasons: Vec<String>,
}

/// The sessions of an account, the newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Sessions {
    /// The sessions.
    pub sessions: Vec<Session>,
}

/// A new set of recovery codes, shown this once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecoveryCodes {
    /// Ten codes, each good for one use.
    pub codes: Vec<String>,
}

/// A passkey.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Passkey {
    /// Its id, a UUID.
    pub id: String,
    /// The name that its holder gave it.
    pub name: String,
    /// Whether it may be copied to other devices by its maker's cloud.
    pub synced: bool,
    /// Whether its maker vouched for its hardware.
    pub attested: bool,
    /// When it was enrolled; it counts for a line 72 hours later.
    pub added_at: String,
    /// When it last signed.
    pub used_at: Option<String>,
    /// When it was barred because a copy of it showed up.
    pub suspect_at: Option<String>,
}

/// The passkeys of an account, the oldest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Passkeys {
    /// The passkeys.
    pub passkeys: Vec<Passkey>,
}

/// An account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// Its id, a UUID.
    pub id: String,
    /// What its holder may do.
    pub role: String,
    /// MCC-MNC of the operator.
    pub operator: Option<String>,
    /// The subscriber, by its random id.
    pub party: Option<String>,
    /// Whose it is.
    pub name: String,
    /// Whether it has a password.
    pub password: bool,
    /// Why the password must be changed.
    pub password_due: Option<String>,
    /// Recovery codes that are left.
    pub recovery_codes: usize,
    /// When it was made.
    pub created_at: String,
    /// When it was closed.
    pub disabled_at: Option<String>,
}

/// An account with its passkeys and sessions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountAccess {
    /// The account.
    pub account: Account,
    /// Its passkeys.
    pub passkeys: Vec<Passkey>,
    /// Where it is signed in.
    pub sessions: Vec<Session>,
}

/// An invitation; its code is shown this once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Invitation {
    /// The account, a UUID.
    pub account: String,
    /// The code: lets its holder enrol one passkey.
    pub invitation: String,
    /// Until when.
    pub until: String,
}
