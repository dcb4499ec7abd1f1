//! Decisions, with what they were decided from.

use super::{FromColumns, read_all};
use crate::columns::Columns;
use crate::db::{Arg, Table, Tx};
use crate::{Store, StoreError};
use simwarden_model::{OperationId, Timestamp};

const TABLE: Table = Table {
    name: "decision",
    columns: &[
        "operation_id",
        "entry",
        "at",
        "request",
        "facts",
        "verdict",
        "rules",
        "policy_hash",
    ],
};
/// The columns, as read.
const COLUMNS: &str = "operation_id, entry, at, request, facts, verdict, rules, policy_hash";

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

impl Tx {
    /// Adds rows.
    ///
    /// # Errors
    /// When the database cannot be written; [`StoreError::Conflict`] when one is there already.
    pub async fn insert_decisions(&mut self, rows: &[DecisionRecord]) -> Result<(), StoreError> {
        let rows = rows.iter().map(DecisionRecord::args).collect();
        self.insert(&TABLE, rows, "").await.map(drop)
    }
}

impl Store {
    /// The decisions about an operation, in order.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn decisions_of(&self, operation: OperationId) -> Result<Vec<DecisionRecord>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM decision WHERE operation_id = $1 ORDER BY entry LIMIT 1000");
        read_all(&self.db.fetch(&sql, vec![operation.into()]).await?)
    }

    /// Decisions since a time, in order, from behind the given ledger entry.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn decisions_since(
        &self,
        since: Timestamp,
        behind: i64,
        most: u32,
    ) -> Result<Vec<DecisionRecord>, StoreError> {
        let sql =
            format!("SELECT {COLUMNS} FROM decision WHERE at >= $1 AND entry > $2 ORDER BY entry LIMIT $3");
        read_all(
            &self
                .db
                .fetch(&sql, vec![since.into(), behind.into(), i64::from(most).into()])
                .await?,
        )
    }
}
