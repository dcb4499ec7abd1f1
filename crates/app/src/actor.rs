//! Who acts: a token that was presented and is valid, or somebody who is signed in.

use crate::accounts::Signs;
use simwarden_model::{AccountId, PartyId, Role, SessionId, Timestamp, TokenId};

/// Somebody, or something, that acts.
#[derive(Debug, Clone)]
pub struct Actor {
    /// The token; of somebody signed in, the device (subscribers) or the account (staff) in its place.
    pub token: TokenId,
    /// What it may do.
    pub role: Role,
    /// MCC-MNC of the operator it is bound to; none for the regulator and the installation's own.
    pub operator: Option<String>,
    /// The subscriber, for that role.
    pub party: Option<PartyId>,
    /// The shop.
    pub shop: Option<String>,
    /// The terminal.
    pub terminal: Option<String>,
    /// Since when the token exists: for a subscriber, when that device was enrolled.
    pub since: Timestamp,
    /// Whom it was given to.
    pub name: String,
    /// The account that is signed in; none for tokens.
    pub account: Option<AccountId>,
    /// The session.
    pub session: Option<SessionId>,
    /// When the session began.
    pub begun: Option<Timestamp>,
    /// What was seen of the session.
    pub signs: Option<Signs>,
}

impl Actor {
    /// simwarden itself: timers and playbooks.
    #[must_use]
    pub fn system() -> Self {
        Self {
            token: TokenId::from_bytes([0; 16]),
            role: Role::System,
            operator: None,
            party: None,
            shop: None,
            terminal: None,
            since: Timestamp::EPOCH,
            name: "simwarden".to_owned(),
            account: None,
            session: None,
            begun: None,
            signs: None,
        }
    }

    /// Whether it may know of this operator's things.
    #[must_use]
    pub fn sees_operator(&self, operator: &str) -> bool {
        self.operator.as_deref().is_none_or(|own| own == operator)
    }

    /// Whether it is a member of staff, whose operations are counted.
    #[must_use]
    pub const fn is_staff(&self) -> bool {
        matches!(
            self.role,
            Role::Agent | Role::Supervisor | Role::Hotline | Role::FraudAnalyst
        )
    }
}
