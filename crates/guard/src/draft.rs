//! A decision in the making: rules and invariants add to it, and adding only tightens.

use crate::decision::{Decision, Ending, Notify, OnTimeout, Referral, Restriction, RuleId, Verdict};
use crate::effect::Clause;
use crate::fact::Datum;
use crate::facts::Facts;
use crate::request::Request;
use crate::requirement::Requirement;
use crate::rule::Rule;
use simwarden_model::{ReasonCode, Timestamp};
use std::sync::Arc;
use std::time::Duration;

/// A hold that has neither run out nor been released.
struct Hold {
    until: Timestamp,
    on_timeout: OnTimeout,
    released_by: Option<Requirement>,
}

/// How serious a reason is; the most serious are named first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Weight {
    Deny,
    Hold,
    StepUp,
    Restrict,
    Tell,
}

#[derive(Default)]
pub(crate) struct Draft {
    denied: bool,
    requirements: Vec<Requirement>,
    holds: Vec<Hold>,
    restrictions: Vec<Restriction>,
    endings: Vec<Ending>,
    refer: Vec<Referral>,
    reasons: Vec<(Weight, ReasonCode)>,
    notify: Vec<Notify>,
    rules: Vec<RuleId>,
    pub(crate) disarmed: Vec<RuleId>,
    record_days: u32,
    undelayed: bool,
}

impl Draft {
    /// For an operation that only makes the line safer: holds and requirements do not reach it.
    pub(crate) const fn never_delay(&mut self) {
        self.undelayed = true;
    }

    /// Applies one rule whose condition holds.
    pub(crate) fn apply(&mut self, rule: &Rule, request: &Request, facts: &Facts) {
        self.rules.push(rule.id.clone());
        self.notify.extend_from_slice(&rule.notify);
        self.record_days = self.record_days.max(rule.record.map_or(0, |span| span.days()));
        let mut heaviest: Option<Weight> = None;
        for clause in &rule.clauses {
            if let Some(weight) = self.apply_clause(clause, request, facts) {
                heaviest = Some(heaviest.map_or(weight, |w| w.min(weight)));
            }
        }
        if let (Some(weight), Some(reason)) = (heaviest, &rule.reason) {
            self.reason(weight, reason.clone());
        }
    }

    /// Applies one clause; says how serious it is, or nothing when it is already satisfied.
    fn apply_clause(&mut self, clause: &Clause, request: &Request, facts: &Facts) -> Option<Weight> {
        match clause {
            Clause::Deny => {
                self.denied = true;
                Some(Weight::Deny)
            }
            Clause::StepUp(requirement) => self.require(requirement, facts).then_some(Weight::StepUp),
            Clause::Hold {
                span,
                after,
                on_timeout,
                release,
            } => {
                let start = match after.map(|fact| (fact.seen)(facts)) {
                    None | Some(Datum::Flag(_)) => request.requested_at,
                    Some(Datum::Number(minutes)) => {
                        let seconds = u64::try_from(minutes).unwrap_or(0).saturating_mul(60);
                        request.now.minus(Duration::from_secs(seconds))
                    }
                };
                self.hold(
                    start.plus(span.duration()),
                    *on_timeout,
                    release.clone(),
                    request,
                    facts,
                )
            }
            Clause::Restrict(restriction) => {
                let met = restriction.until.as_ref().is_some_and(|until| until.met(facts));
                if !met {
                    self.restrictions.push(restriction.clone());
                }
                (!met).then_some(Weight::Restrict)
            }
            Clause::End(ending) => {
                let met = ending.unless.met(facts);
                if !met {
                    self.endings.push(ending.clone());
                }
                (!met).then_some(Weight::Restrict)
            }
            Clause::Refer(place) => {
                self.refer.push(*place);
                None
            }
            Clause::Tell => Some(Weight::Tell),
        }
    }

    /// Asks for a requirement unless the evidence meets it; says whether it is open.
    pub(crate) fn require(&mut self, requirement: &Requirement, facts: &Facts) -> bool {
        let open = !self.undelayed && !requirement.met(facts);
        if open {
            self.requirements.push(requirement.clone());
        }
        open
    }

    /// Holds until `until`, unless that is past or released. A hold that ends in `cancel` denies once it is over.
    pub(crate) fn hold(
        &mut self,
        until: Timestamp,
        on_timeout: OnTimeout,
        released_by: Option<Requirement>,
        request: &Request,
        facts: &Facts,
    ) -> Option<Weight> {
        if self.undelayed || released_by.as_ref().is_some_and(|release| release.met(facts)) {
            return None;
        }
        if request.now < until {
            self.holds.push(Hold {
                until,
                on_timeout,
                released_by,
            });
            return Some(Weight::Hold);
        }
        (on_timeout == OnTimeout::Cancel).then(|| {
            self.denied = true;
            self.reason(Weight::Deny, ReasonCode::from_static("no_answer"));
            Weight::Deny
        })
    }

    pub(crate) fn reason(&mut self, weight: Weight, reason: ReasonCode) {
        self.reasons.push((weight, reason));
    }

    /// An invariant forbids it.
    pub(crate) fn deny(&mut self, invariant: &'static str, reason: ReasonCode) {
        self.denied = true;
        self.name(invariant);
        self.reason(Weight::Deny, reason);
    }

    pub(crate) fn name(&mut self, invariant: &str) {
        self.rules.push(RuleId::new(invariant));
    }

    pub(crate) fn tell(&mut self, notify: &[Notify]) {
        self.notify.extend_from_slice(notify);
    }

    pub(crate) fn refer(&mut self, place: Referral) {
        self.refer.push(place);
    }

    /// Whether something open asks for an approver.
    pub(crate) fn waits_for_approver(&self) -> bool {
        self.requirements
            .iter()
            .flat_map(|r| r.alternatives().iter().flatten())
            .any(|factor| factor.name() == "second_approver")
    }

    /// The one decision that all that was added amounts to.
    pub(crate) fn finish(mut self, facts: &Facts, policy_hash: Arc<str>) -> Decision {
        let verdict = if self.denied {
            Verdict::Deny
        } else if !self.holds.is_empty() {
            Verdict::Hold
        } else if self.requirements.is_empty() {
            Verdict::Allow
        } else {
            Verdict::StepUp
        };
        if verdict == Verdict::Deny {
            self.holds.clear();
            self.requirements.clear();
            self.restrictions.clear();
            self.endings.clear();
        }
        let hold_until = self.holds.iter().map(|hold| hold.until).max();
        let cancels = self.holds.iter().any(|hold| hold.on_timeout == OnTimeout::Cancel);
        let released_by = if self.holds.iter().all(|hold| hold.released_by.is_some()) {
            self.holds
                .iter()
                .filter_map(|hold| hold.released_by.clone())
                .collect()
        } else {
            Vec::new()
        };
        self.reasons.sort_by_key(|(weight, _)| *weight);
        let mut reasons: Vec<ReasonCode> = Vec::with_capacity(self.reasons.len());
        for (_, reason) in self.reasons {
            if !reasons.contains(&reason) {
                reasons.push(reason);
            }
        }
        Decision {
            verdict,
            requirements: strongest(self.requirements),
            hold_until,
            on_timeout: hold_until.map(|_| {
                if cancels {
                    OnTimeout::Cancel
                } else {
                    OnTimeout::Proceed
                }
            }),
            decide_again_at: self.holds.iter().map(|hold| hold.until).min(),
            released_by: strongest(released_by),
            restrictions: sorted(self.restrictions),
            endings: sorted(self.endings),
            refer: sorted(self.refer),
            reasons,
            notify: sorted(self.notify),
            notify_discreetly: facts.subscriber.survivor == Some(true),
            rules: self.rules,
            disarmed: self.disarmed,
            record_days: self.record_days,
            policy_hash,
        }
    }
}

fn sorted<T: Ord>(mut items: Vec<T>) -> Vec<T> {
    items.sort_unstable();
    items.dedup();
    items
}

/// Leaves out what another requirement of the list covers.
fn strongest(requirements: Vec<Requirement>) -> Vec<Requirement> {
    let all = sorted(requirements);
    let covered = |index: usize| {
        let one = &all[index];
        all.iter().enumerate().any(|(other, stronger)| {
            // Of two that cover each other the first stays.
            other != index && stronger.implies(one) && (other < index || !one.implies(stronger))
        })
    };
    let kept = (0..all.len()).filter(|index| !covered(*index));
    kept.map(|index| all[index].clone()).collect()
}
