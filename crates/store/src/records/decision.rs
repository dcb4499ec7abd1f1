//! Decisions, with what they were decided from.

use super::FromColumns;
use crate::StoreError;
use crate::db::{Arg, Columns, Table};
use simwarden_model::{OperationId, Timestamp};

const TABLE: Table = Table {
    name: "decision",
    columns: &["operation_id", "entry", "at", "request", "facts", "verdict", "rules", "policy_hash"],
};
/// The columns, as read.
pub(crate) const COLUMNS: &str = "operation_id, entry, at, request, facts, verdict, rules, policy_hash";

/// One decision: everything needed to decide it again.
#[derive(Debug, Clone, PartialEq)]
pub struct DecisionRecord {
    /// The operation.
    pub operation_id: OperationId,
    /// The ledger entry that recorded it.
    pub entry: i64,
    /// When.
    pub at: Timestamp,
    /// The guard's request, JSON.
    pub request: String,
    /// The facts, JSON.
    pub facts: String,
    /// The outcome.
    pub verdict: String,
    /// Rules that applied, JSON.
    pub rules: String,
    /// The policy that decided.
    pub policy_hash: Vec<u8>,
}

impl DecisionRecord {
    fn args(&self) -> Vec<Arg> {
        vec![
            self.operation_id.into(),
            self.entry.into(),
            self.at.into(),
            self.request.clone().into(),
            self.facts.clone().into(),
            self.verdict.clone().into(),
            self.rules.clone().into(),
            self.policy_hash.clone().into(),
        ]
    }
}

impl FromColumns for DecisionRecord {
    fn from_columns(c: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            operation_id: c.id()?,
            entry: c.int()?,
            at: c.time()?,
            request: c.text()?,
            facts: c.text()?,
            verdict: c.text()?,
            rules: c.text()?,
            policy_hash: c.blob()?,
        })
    }
}
