//! Requested operations.

use super::{FromColumns, Kept, digest_columns, read_all, update_versioned};
use crate::StoreError;
use crate::db::{Arg, Columns, Table};
use simwarden_model::{Channel, Claim, OperationId, OperationKind, OperationState, PartyId, Role, SubscriptionId, Timestamp, TokenId};

const TABLE: Table = Table {
    name: "operation",
    columns: &["id", "operator", "subscription_id", "party_id", "kind", "channel", "actor_role", "actor", "shop", "terminal", "claim", "state", "exclusive", "verdict", "reasons", "rules", "requirements", "policy_hash", "hold_until", "on_timeout", "evidence", "steps", "line_masked", "sealed", "requested_at", "updated_at", "entry", "version"],
};
/// The columns, as read.
const COLUMNS: &str = "id, operator, subscription_id, party_id, kind, channel, actor_role, actor, shop, terminal, claim, state, exclusive, verdict, reasons, rules, requirements, policy_hash, hold_until, on_timeout, evidence, steps, line_masked, sealed, requested_at, updated_at, entry, version";

/// A requested operation and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    /// Its name, shown to everybody who takes part.
    pub id: OperationId,
    /// MCC-MNC of the operator.
    pub operator: String,
    /// The line it is about; none for a registration that has not happened yet.
    pub subscription_id: Option<SubscriptionId>,
    /// The owner of that line, or to be.
    pub party_id: PartyId,
    /// What is asked.
    pub kind: OperationKind,
    /// Where it was asked.
    pub channel: Channel,
    /// Who asked, by role.
    pub actor_role: Role,
    /// Who asked, by token.
    pub actor: TokenId,
    /// The shop it was asked in.
    pub shop: Option<String>,
    /// The terminal it was asked at.
    pub terminal: Option<String>,
    /// What is said of the old phone.
    pub claim: Option<Claim>,
    /// Where it stands.
    pub state: OperationState,
    /// Whether it is open and moves the number, so that no second one may.
    pub exclusive: bool,
    /// The guard's last word.
    pub verdict: String,
    /// Reason codes, JSON.
    pub reasons: String,
    /// Rules that applied, JSON.
    pub rules: String,
    /// What is still asked for, JSON.
    pub requirements: String,
    /// The policy that decided.
    pub policy_hash: Vec<u8>,
    /// Until when it is held.
    pub hold_until: Option<Timestamp>,
    /// What becomes of it then.
    pub on_timeout: Option<String>,
    /// Evidence given so far, JSON: kinds, times, who; no secrets.
    pub evidence: String,
    /// The steps and how far they are, JSON.
    pub steps: String,
    /// The number, masked, for lists.
    pub line_masked: String,
    /// Target chip, phone, contact: under the owner's key.
    pub sealed: Option<Vec<u8>>,
    /// When it was asked.
    pub requested_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// The ledger entry of its last change.
    pub entry: i64,
    /// Grows with every change, from 1.
    pub version: i64,
}

impl Operation {
    fn args(&self) -> Vec<Arg> {
        vec![
            self.id.into(),
            self.operator.clone().into(),
            self.subscription_id.into(),
            self.party_id.into(),
            self.kind.as_str().into(),
            self.channel.as_str().into(),
            self.actor_role.as_str().into(),
            self.actor.into(),
            self.shop.clone().into(),
            self.terminal.clone().into(),
            self.claim.map(|v| v.as_str()).into(),
            self.state.as_str().into(),
            self.exclusive.into(),
            self.verdict.clone().into(),
            self.reasons.clone().into(),
            self.rules.clone().into(),
            self.requirements.clone().into(),
            self.policy_hash.clone().into(),
            self.hold_until.into(),
            self.on_timeout.clone().into(),
            self.evidence.clone().into(),
            self.steps.clone().into(),
            self.line_masked.clone().into(),
            self.sealed.clone().into(),
            self.requested_at.into(),
            self.updated_at.into(),
            self.entry.into(),
            self.version.into(),
        ]
    }
}

impl FromColumns for Operation {
    fn from_columns(c: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: c.id()?,
            operator: c.text()?,
            subscription_id: c.opt_id()?,
            party_id: c.id()?,
            kind: c.named()?,
            channel: c.named()?,
            actor_role: c.named()?,
            actor: c.id()?,
            shop: c.opt_text()?,
            terminal: c.opt_text()?,
            claim: c.opt_named()?,
            state: c.named()?,
            exclusive: c.flag()?,
            verdict: c.text()?,
            reasons: c.text()?,
            rules: c.text()?,
            requirements: c.text()?,
            policy_hash: c.blob()?,
            hold_until: c.opt_time()?,
            on_timeout: c.opt_text()?,
            evidence: c.text()?,
            steps: c.text()?,
            line_masked: c.text()?,
            sealed: c.opt_blob()?,
            requested_at: c.time()?,
            updated_at: c.time()?,
            entry: c.int()?,
            version: c.int()?,
        })
    }
}

impl Kept for Operation {
    const KIND: &'static str = TABLE.name;

    fn row_id(&self) -> [u8; 16] {
        *self.id.as_bytes()
    }
    fn version(&self) -> i64 {
        self.version
    }
    fn digest(&self) -> [u8; 32] {
        digest_columns(Self::KIND, &self.args())
    }
}
