//! The brake: a rule that hits more than its share of lines disarms itself and raises an alarm.
//!
//! A rule written in a hurry can lock out a country. A rule with `@max_share` is counted each time it is looked at;
//! once enough were counted and it hit more than its share, it is disarmed until a person arms it again. The state is
//! plain data: the caller keeps it, passes it to every decision and lets it observe the decision.

use crate::decision::{Decision, RuleId};
use crate::engine::Engine;
use crate::request::Request;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A rule is not judged on fewer decisions than this.
pub const SAMPLE_MIN: u32 = 200;
/// Counts are halved when this many were seen, so that old times fade.
pub const WINDOW: u32 = 20_000;

/// What the brake knows of one rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Count {
    /// Decisions in which the rule was looked at.
    pub looked: u32,
    /// Decisions that it hit.
    pub hit: u32,
    /// Whether it is disarmed.
    pub disarmed: bool,
}

/// The state of the brake for every rule with `@max_share`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Brake {
    counts: BTreeMap<RuleId, Count>,
}

/// A rule has just been disarmed; people must look at it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Alarm {
    /// The rule.
    pub rule: RuleId,
    /// The share that it hit.
    pub share: f64,
    /// The share that it may hit.
    pub max_share: f64,
    /// Over how many decisions.
    pub looked: u32,
}

impl Brake {
    /// Whether the rule is disarmed.
    #[must_use]
    pub fn is_disarmed(&self, rule: &RuleId) -> bool {
        !self.counts.is_empty() && self.counts.get(rule).is_some_and(|count| count.disarmed)
    }

    /// The counts, rule by rule.
    pub fn counts(&self) -> impl Iterator<Item = (&RuleId, &Count)> {
        self.counts.iter()
    }

    /// Counts one first decision about a request; not its recomputations, or a patient requester would count often.
    pub fn observe(&mut self, engine: &Engine, request: &Request, decision: &Decision) -> Vec<Alarm> {
        let mut alarms = Vec::new();
        for rule in engine.rules_for(request.operation, request.role, request.channel) {
            let Some(max_share) = rule.max_share else { continue };
            let count = self.counts.entry(rule.id.clone()).or_default();
            if count.looked >= WINDOW {
                count.looked /= 2;
                count.hit /= 2;
            }
            count.looked += 1;
            if decision.rules.contains(&rule.id) || decision.disarmed.contains(&rule.id) {
                count.hit += 1;
            }
            let share = f64::from(count.hit) / f64::from(count.looked);
            if !count.disarmed && count.looked >= SAMPLE_MIN && share > max_share {
                count.disarmed = true;
                alarms.push(Alarm {
                    rule: rule.id.clone(),
                    share,
                    max_share,
                    looked: count.looked,
                });
            }
        }
        alarms
    }

    /// A person arms the rule again; it starts counting anew.
    pub fn arm(&mut self, rule: &RuleId) {
        self.counts.remove(rule);
    }
}
