//! Back-test: recorded operations decided again under candidate rules, from the facts stored with them.

use crate::brake::Brake;
use crate::decision::{RuleId, Verdict};
use crate::engine::Engine;
use crate::facts::Facts;
use crate::request::Request;
use crate::word::words;
use serde::{Deserialize, Serialize};
use simwarden_model::OperationId;
use std::collections::BTreeMap;

words! {
    /// What an operation turned out to be.
    Outcome("outcome") {
        /// The owner's own wish.
        Honest = "honest",
        /// Known to be theft.
        Theft = "theft",
        /// Nobody knows.
        Unknown = "unknown",
    }
}

/// One recorded operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Which one.
    pub operation_id: OperationId,
    /// What was asked, at the time of the recorded decision.
    pub request: Request,
    /// What it was decided on.
    pub facts: Facts,
    /// What was decided then.
    pub verdict: Verdict,
    /// What it turned out to be.
    pub outcome: Outcome,
}

/// One operation that would be decided otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Which one.
    pub operation_id: OperationId,
    /// Then.
    pub before: Verdict,
    /// Under the candidate.
    pub after: Verdict,
    /// What it turned out to be.
    pub outcome: Outcome,
    /// The rules that decide under the candidate.
    pub rules: Vec<RuleId>,
}

/// Changes listed one by one at most; the numbers always count all.
pub const CHANGES_MAX: usize = 1_000;

/// What the candidate would change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Default)]
pub struct Backtest {
    /// Operations decided again.
    pub decided: u64,
    /// How often each verdict became which, as `before>after`; only where they differ.
    pub moved: BTreeMap<String, u64>,
    /// Honest operations in the record.
    pub honest: u64,
    /// Honest operations that would be refused or made to wait and were not.
    pub honest_delayed_more: u64,
    /// Honest operations that were refused or made to wait and would not be.
    pub honest_delayed_less: u64,
    /// Known thefts in the record.
    pub thefts: u64,
    /// Known thefts that would be stopped, all counted: not allowed at this point.
    pub thefts_stopped: u64,
    /// Known thefts that went through and would be stopped.
    pub thefts_newly_stopped: u64,
    /// Known thefts that were stopped and would go through.
    pub thefts_let_through: u64,
    /// How often each rule of the candidate applied.
    pub hits: BTreeMap<RuleId, u64>,
    /// Rules that would hit more than their share of what they look at: they would disarm.
    pub over_share: Vec<RuleId>,
    /// The first [`CHANGES_MAX`] changes.
    pub changes: Vec<Change>,
}

/// Decides every record again under `candidate` and counts what differs.
#[must_use]
pub fn backtest<'a>(records: impl IntoIterator<Item = &'a Record>, candidate: &Engine) -> Backtest {
    let mut report = Backtest::default();
    let mut brake = Brake::default();
    let armed = Brake::default();
    for record in records {
        let decision = candidate.decide(&record.request, &record.facts, &armed);
        for alarm in brake.observe(candidate, &record.request, &decision) {
            report.over_share.push(alarm.rule);
        }
        report.decided += 1;
        for rule in &decision.rules {
            *report.hits.entry(rule.clone()).or_default() += 1;
        }
        report.count(record, decision.verdict);
        if record.verdict != decision.verdict && report.changes.len() < CHANGES_MAX {
            report.changes.push(Change {
                operation_id: record.operation_id,
                before: record.verdict,
                after: decision.verdict,
                outcome: record.outcome,
                rules: decision.rules,
            });
        }
    }
    report
}

impl Backtest {
    fn count(&mut self, record: &Record, after: Verdict) {
        let before = record.verdict;
        if before != after {
            *self.moved.entry(format!("{before}>{after}")).or_default() += 1;
        }
        let waits = |verdict: Verdict| u64::from(verdict >= Verdict::Hold);
        let stops = |verdict: Verdict| u64::from(verdict != Verdict::Allow);
        match record.outcome {
            Outcome::Honest => {
                self.honest += 1;
                self.honest_delayed_more += waits(after) * (1 - waits(before));
                self.honest_delayed_less += waits(before) * (1 - waits(after));
            }
            Outcome::Theft => {
                self.thefts += 1;
                self.thefts_stopped += stops(after);
                self.thefts_newly_stopped += stops(after) * (1 - stops(before));
                self.thefts_let_through += stops(before) * (1 - stops(after));
            }
            Outcome::Unknown => {}
        }
    }
}
