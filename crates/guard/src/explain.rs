//! What the rules say of an operation, in plain words; and what differs between two sets of rules.

use crate::decision::{Restriction, RuleId};
use crate::effect::Clause;
use crate::engine::Engine;
use crate::fact::{Datum, Kind};
use crate::facts::Facts;
use crate::rule::{Confidence, Rule};
use serde::Serialize;
use simwarden_model::{Channel, OperationKind, Role};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// One rule in plain words.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explained {
    /// Its name.
    pub rule: RuleId,
    /// It says who may ask, rather than what follows.
    pub permits: bool,
    /// What it says.
    pub text: String,
    /// What it does, clause by clause.
    pub effects: Vec<String>,
    /// What it looks at: path, kind and meaning of each fact.
    pub reads: Vec<(String, Kind, &'static str)>,
    /// The reason it gives.
    pub reason: Option<String>,
    /// The law or reasoning behind it.
    pub source: String,
    /// How sure the source is.
    pub confidence: Confidence,
    /// The first day on which it applies.
    pub phase_in: Option<String>,
    /// For which roles by which channels.
    pub asked_by: Vec<(Role, Vec<Channel>)>,
}

/// Every rule about one operation, permits first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// The operation.
    pub operation: OperationKind,
    /// The packs.
    pub packs: String,
    /// The rules.
    pub rules: Vec<Explained>,
}

impl Engine {
    /// Every rule about an operation, in plain words with its source.
    #[must_use]
    pub fn explain(&self, operation: OperationKind) -> Explanation {
        let mut reach: BTreeMap<&RuleId, BTreeMap<Role, Vec<Channel>>> = BTreeMap::new();
        for role in Role::ALL {
            for channel in Channel::ALL {
                let slice = self.slice(operation, *role, *channel);
                if !slice.permitted && slice.permits.is_empty() {
                    continue;
                }
                for rule in self.rules_for(operation, *role, *channel) {
                    reach
                        .entry(&rule.id)
                        .or_default()
                        .entry(*role)
                        .or_default()
                        .push(*channel);
                }
            }
        }
        let mut rules: Vec<Explained> = self
            .rules
            .iter()
            .filter_map(|rule| {
                reach
                    .remove(&rule.id)
                    .map(|by| explained(rule, by.into_iter().collect()))
            })
            .collect();
        rules.sort_by_key(|rule| !rule.permits);
        Explanation {
            operation,
            packs: self.name.clone(),
            rules,
        }
    }
}

fn explained(rule: &Rule, asked_by: Vec<(Role, Vec<Channel>)>) -> Explained {
    Explained {
        rule: rule.id.clone(),
        permits: rule.permit,
        text: rule.text.clone(),
        effects: rule.clauses.iter().map(in_words).collect(),
        reads: rule
            .condition
            .reads
            .iter()
            .map(|fact| (fact.path(), fact.kind, fact.text.trim()))
            .collect(),
        reason: rule.reason.as_ref().map(ToString::to_string),
        source: rule.source.clone(),
        confidence: rule.confidence,
        phase_in: rule.phase_in.map(|at| at.to_string().chars().take(10).collect()),
        asked_by,
    }
}

fn in_words(clause: &Clause) -> String {
    match clause {
        Clause::Deny => "refused".into(),
        Clause::Tell => "told, nothing else".into(),
        Clause::StepUp(requirement) => format!("asks for {requirement}"),
        Clause::Refer(place) => format!("refers to {place}"),
        Clause::Restrict(restriction) => format!("restricts {restriction}"),
        Clause::End(ending) => format!("ends the line after {} unless {}", ending.after, ending.unless),
        Clause::Hold {
            span,
            after,
            on_timeout,
            release,
        } => {
            let mut words = format!("waits {span}");
            if let Some(fact) = after {
                let _ = write!(words, ", counted by {}", fact.path());
            }
            let _ = write!(words, ", then {on_timeout}");
            if let Some(release) = release {
                let _ = write!(words, "; released by {release}");
            }
            words
        }
    }
}

impl std::fmt::Display for Restriction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.service, self.direction)?;
        if self.a2p_only {
            f.write_str(" a2p")?;
        }
        if let Some(from) = self.from {
            write!(f, " from {from}")?;
        }
        if let Some(lasts) = self.lasts {
            write!(f, " {lasts}")?;
        }
        if let Some(until) = &self.until {
            write!(f, " until {until}")?;
        }
        Ok(())
    }
}

impl std::fmt::Display for Explanation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{} under {}", self.operation, self.packs)?;
        let mut permits = true;
        writeln!(f, "\nWho may ask:")?;
        for rule in &self.rules {
            if permits && !rule.permits {
                permits = false;
                writeln!(f, "\nWhat follows:")?;
            }
            writeln!(f, "  {}  ({})", rule.text, rule.rule)?;
            for effect in &rule.effects {
                writeln!(f, "      {effect}")?;
            }
            let sure = match rule.confidence {
                Confidence::Seen => "read in the source",
                Confidence::Memory => "not checked against the source",
                Confidence::Conflict => "sources contradict each other",
                Confidence::House => "no law claimed",
            };
            write!(f, "      source: {} [{sure}]", rule.source)?;
            if let Some(day) = &rule.phase_in {
                write!(f, " from {day}")?;
            }
            writeln!(f)?;
        }
        writeln!(f, "\nInvariants, which no rule can switch off, apply as well.")
    }
}

/// What differs between two sets of rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Default)]
pub struct PolicyDiff {
    /// Rules only in the second.
    pub added: Vec<RuleId>,
    /// Rules only in the first.
    pub removed: Vec<RuleId>,
    /// Rules in both that say something else: what changed.
    pub changed: Vec<(RuleId, Vec<String>)>,
}

/// Compares two sets of rules by name.
#[must_use]
pub fn diff(old: &Engine, new: &Engine) -> PolicyDiff {
    let mut found = PolicyDiff::default();
    for rule in new.rules() {
        match old.rule(rule.id.as_str()) {
            None => found.added.push(rule.id.clone()),
            Some(before) => {
                let changes = changes(before, rule);
                if !changes.is_empty() {
                    found.changed.push((rule.id.clone(), changes));
                }
            }
        }
    }
    for rule in old.rules() {
        if new.rule(rule.id.as_str()).is_none() {
            found.removed.push(rule.id.clone());
        }
    }
    found
}

fn changes(old: &Rule, new: &Rule) -> Vec<String> {
    let mut changes = Vec::new();
    let mut compare = |what: &str, old: &str, new: &str| {
        if old != new {
            changes.push(format!("{what}: `{old}` is now `{new}`"));
        }
    };
    compare("effect", &old.effect_text, &new.effect_text);
    let mut keys: Vec<&str> = old
        .policy
        .annotations()
        .chain(new.policy.annotations())
        .map(|(key, _)| key)
        .collect();
    keys.sort_unstable();
    keys.dedup();
    for key in keys.into_iter().filter(|key| *key != "effect") {
        compare(
            key,
            old.policy.annotation(key).unwrap_or_default(),
            new.policy.annotation(key).unwrap_or_default(),
        );
    }
    for part in ["effect", "principal", "action", "resource", "conditions"] {
        if old.json[part] != new.json[part] {
            changes.push(format!("its {part} changed"));
        }
    }
    changes
}

/// What a rule sees of a set of facts, for showing why it applied.
#[must_use]
pub fn facts_seen(rule: &Rule, facts: &Facts) -> Vec<(String, String)> {
    rule.condition
        .reads
        .iter()
        .map(|fact| {
            let seen = match (fact.seen)(facts) {
                Datum::Flag(flag) => flag.to_string(),
                Datum::Number(number) => number.to_string(),
            };
            (fact.path(), seen)
        })
        .collect()
}
