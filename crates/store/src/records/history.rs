//! What happened to a line, a profile, an operation.

use super::FromColumns;
use crate::StoreError;
use crate::db::{Arg, Columns, Table};
use simwarden_model::{OperationId, ProfileId, Role, SubscriptionId, Timestamp, TokenId};

const TABLE: Table = Table {
    name: "history",
    columns: &["entry", "ord", "at", "kind", "subscription_id", "profile_id", "operation_id", "actor_role", "actor", "detail"],
};
/// The columns, as read.
pub(crate) const COLUMNS: &str = "entry, ord, at, kind, subscription_id, profile_id, operation_id, actor_role, actor, detail";

/// One thing that happened.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryItem {
    /// The ledger entry it stands in.
    pub entry: i64,
    /// Its place among those of the same entry.
    pub ord: i64,
    /// When.
    pub at: Timestamp,
    /// What: `requested`, `decided`, `viewed` …
    pub kind: String,
    /// The line.
    pub subscription_id: Option<SubscriptionId>,
    /// The profile.
    pub profile_id: Option<ProfileId>,
    /// The operation.
    pub operation_id: Option<OperationId>,
    /// Who did it, by role.
    pub actor_role: Role,
    /// Who did it, by token.
    pub actor: Option<TokenId>,
    /// More, JSON without personal data.
    pub detail: String,
}

impl HistoryItem {
    fn args(&self) -> Vec<Arg> {
        vec![
            self.entry.into(),
            self.ord.into(),
            self.at.into(),
            self.kind.clone().into(),
            self.subscription_id.into(),
            self.profile_id.into(),
            self.operation_id.into(),
            self.actor_role.as_str().into(),
            self.actor.into(),
            self.detail.clone().into(),
        ]
    }
}

impl FromColumns for HistoryItem {
    fn from_columns(c: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            entry: c.int()?,
            ord: c.int()?,
            at: c.time()?,
            kind: c.text()?,
            subscription_id: c.opt_id()?,
            profile_id: c.opt_id()?,
            operation_id: c.opt_id()?,
            actor_role: c.named()?,
            actor: c.opt_id()?,
            detail: c.text()?,
        })
    }
}
