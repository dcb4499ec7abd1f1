//! Looking behind a decision: what it was made from, so that it can be made again. And how the installation fares.

use crate::app::App;
use crate::operation::read_json;
use crate::{Actor, Error};
use serde::Serialize;
use simwarden_guard::Facts;
use simwarden_model::{OperationId, Role, Timestamp};
use simwarden_store::records::decision::DecisionRecord;

/// One decision with everything that it was made from.
#[derive(Debug, Clone, Serialize)]
pub struct DecisionView {
    /// The ledger entry that recorded it.
    pub entry: i64,
    /// When.
    pub at: Timestamp,
    /// What was asked of the guard.
    pub request: serde_json::Value,
    /// What it knew, group by group; `null` is what nobody knew.
    pub facts: serde_json::Value,
    /// What it said.
    pub verdict: String,
    /// Rules that applied.
    pub rules: Vec<String>,
    /// The policy, SHA-256 in hexadecimal.
    pub policy_hash: String,
}

impl DecisionView {
    fn of(record: &DecisionRecord) -> Result<Self, Error> {
        let facts = Facts::from_compact(&record.facts).map_err(Error::internal)?;
        Ok(Self {
            entry: record.entry,
            at: record.at,
            request: read_json(&record.request)?,
            facts: serde_json::to_value(facts).map_err(Error::internal)?,
            verdict: record.verdict.clone(),
            rules: read_json(&record.rules)?,
            policy_hash: String::from_utf8_lossy(&record.policy_hash).into_owned(),
        })
    }
}

impl App {
    /// The decisions about an operation, in order, with what they were made from.
    ///
    /// # Errors
    /// When the actor works no cases and audits nothing, or the operation is not theirs to see.
    pub async fn decisions(&self, actor: &Actor, id: OperationId) -> Result<Vec<DecisionView>, Error> {
        if !matches!(
            actor.role,
            Role::FraudAnalyst | Role::Auditor | Role::Regulator | Role::Admin
        ) {
            return Err(Error::forbidden(
                "what a decision was made from is for the fraud desk and those who audit it",
            ));
        }
        self.seen(actor, id).await?;
        let records = self.store().decisions_of(id).await?;
        records.iter().map(DecisionView::of).collect()
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<(), Error> {
        Ok(self.store().ping().await?)
    }

    /// How many effects wait to leave, and since when the oldest.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn waiting_effects(&self) -> Result<(i64, Option<Timestamp>), Error> {
        Ok(self.store().outbox_backlog().await?)
    }
}
