//! Effects that wait to leave.

use super::FromColumns;
use crate::StoreError;
use crate::db::{Arg, Columns, Table};
use simwarden_model::{OperationId, OutboxId, PartyId, Timestamp};

const TABLE: Table = Table {
    name: "outbox",
    columns: &["id", "operation_id", "party_id", "kind", "payload", "sealed", "due_at", "attempts", "done_at", "outcome", "entry"],
};
/// The columns, as read.
pub(crate) const COLUMNS: &str = "id, operation_id, party_id, kind, payload, sealed, due_at, attempts, done_at, outcome, entry";

/// One effect. It may leave once its entry is in a signed tree.
#[derive(Debug, Clone, PartialEq)]
pub struct OutboxItem {
    /// Its name; receivers drop a second one with the same name.
    pub id: OutboxId,
    /// The operation it belongs to.
    pub operation_id: Option<OperationId>,
    /// Under whose key it is sealed.
    pub party_id: Option<PartyId>,
    /// `notify`, `step` …
    pub kind: String,
    /// What to do, JSON without personal data.
    pub payload: String,
    /// What to do, the personal part.
    pub sealed: Option<Vec<u8>>,
    /// When to try next.
    pub due_at: Timestamp,
    /// How often it was tried.
    pub attempts: i64,
    /// When it was done, or given up.
    pub done_at: Option<Timestamp>,
    /// What became of it.
    pub outcome: Option<String>,
    /// The ledger entry that must be in a signed tree before it leaves.
    pub entry: i64,
}

impl OutboxItem {
    fn args(&self) -> Vec<Arg> {
        vec![
            self.id.into(),
            self.operation_id.into(),
            self.party_id.into(),
            self.kind.clone().into(),
            self.payload.clone().into(),
            self.sealed.clone().into(),
            self.due_at.into(),
            self.attempts.into(),
            self.done_at.into(),
            self.outcome.clone().into(),
            self.entry.into(),
        ]
    }
}

impl FromColumns for OutboxItem {
    fn from_columns(c: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: c.id()?,
            operation_id: c.opt_id()?,
            party_id: c.opt_id()?,
            kind: c.text()?,
            payload: c.text()?,
            sealed: c.opt_blob()?,
            due_at: c.time()?,
            attempts: c.int()?,
            done_at: c.opt_time()?,
            outcome: c.opt_text()?,
            entry: c.int()?,
        })
    }
}
