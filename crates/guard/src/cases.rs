//! Tables of cases: what a pack must answer, row by row.
//!
//! A file `cases.toml` in a pack:
//! ```toml
//! [facts]                                # for every case, on top of `Facts::unremarkable()`
//! "target.eid_as_ordered" = true
//!
//! [[case]]
//! name = "a thief with the password only"
//! threat = "A2"                          # optional
//! operation = "replace"
//! channel = "app"
//! role = "subscriber"
//! facts = { "session.new_device" = true, "line.swap_age" = "unknown" }
//! elapsed = "25h"                        # since the request, optional
//! verdict = "hold"
//! reasons = ["new_device"]               # each must be given; `rules` and `refer` likewise
//! requirements = []                      # when written, exactly these
//! on_timeout = "cancel"                  # optional
//! ```
//! Ages are minutes, `"never"` or `"unknown"`.

use crate::brake::Brake;
use crate::decision::{Decision, OnTimeout, Referral, Restriction, RuleId, Verdict};
use crate::engine::Engine;
use crate::fact::{Datum, NEVER_MINUTES};
use crate::facts::Facts;
use crate::pack::PackSource;
use crate::problem::{LoadError, Problem};
use crate::request::Request;
use crate::requirement::Requirement;
use crate::span::Span;
use serde::Deserialize;
use simwarden_model::{Channel, OperationKind, ReasonCode, Role, Timestamp};
use std::collections::BTreeMap;

/// When the cases are decided unless a case says otherwise: 2026-12-01T09:00:00Z.
const NOW: Timestamp = Timestamp::from_millis(1_796_115_600_000);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[serde(default)]
    facts: BTreeMap<String, toml::Value>,
    #[serde(default, rename = "case")]
    cases: Vec<Case>,
}

/// One row.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    threat: Option<String>,
    operation: OperationKind,
    channel: Channel,
    role: Role,
    #[serde(default)]
    facts: BTreeMap<String, toml::Value>,
    elapsed: Option<Span>,
    at: Option<Timestamp>,
    verdict: Verdict,
    #[serde(default)]
    reasons: Vec<ReasonCode>,
    #[serde(default)]
    rules: Vec<RuleId>,
    #[serde(default)]
    not_rules: Vec<RuleId>,
    requirements: Option<Vec<Requirement>>,
    #[serde(default)]
    refer: Vec<Referral>,
    on_timeout: Option<OnTimeout>,
    restrictions: Option<Vec<String>>,
}

/// How one case came out.
#[derive(Debug, Clone, serde::Serialize)]
pub struct CaseResult {
    /// The file it stands in.
    pub file: String,
    /// Its name.
    pub name: String,
    /// The attack that it plays, if any: `A1` to `A22`.
    pub threat: Option<String>,
    /// What was asked.
    pub request: Request,
    /// What it was decided on.
    pub facts: Facts,
    /// What came out.
    pub decision: Decision,
    /// What should have come out and did not; empty when the case holds.
    pub failures: Vec<String>,
}

impl CaseResult {
    /// Whether the case holds.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.failures.is_empty()
    }
}

/// Decides every case of the packs asked for.
///
/// # Errors
/// A table that cannot be read, with file and reason.
pub fn run_cases(engine: &Engine, source: &PackSource) -> Result<Vec<CaseResult>, LoadError> {
    let mut results = Vec::new();
    let mut problems = Vec::new();
    for file in &source.cases {
        let table: Table = match toml::from_str(&file.text) {
            Ok(table) => table,
            Err(error) => {
                problems.push(Problem::new(&file.path, None, error.to_string()));
                continue;
            }
        };
        for case in &table.cases {
            match run(engine, &file.path, &table.facts, case) {
                Ok(result) => results.push(result),
                Err(what) => problems.push(Problem::new(&file.path, None, format!("{}: {what}", case.name))),
            }
        }
    }
    if problems.is_empty() {
        Ok(results)
    } else {
        Err(LoadError(problems))
    }
}

fn run(
    engine: &Engine,
    file: &str,
    common: &BTreeMap<String, toml::Value>,
    case: &Case,
) -> Result<CaseResult, String> {
    let mut facts = Facts::unremarkable();
    for (path, value) in common.iter().chain(&case.facts) {
        set(&mut facts, path, value)?;
    }
    let requested_at = case.at.unwrap_or(NOW);
    let request = Request {
        operation: case.operation,
        channel: case.channel,
        role: case.role,
        requested_at,
        now: case
            .elapsed
            .map_or(requested_at, |span| requested_at.plus(span.duration())),
    };
    let decision = engine.decide(&request, &facts, &Brake::default());
    Ok(CaseResult {
        file: file.to_owned(),
        name: case.name.clone(),
        threat: case.threat.clone(),
        request,
        facts,
        failures: compare(case, &decision),
        decision,
    })
}

/// Sets one fact by its dotted path.
fn set(facts: &mut Facts, path: &str, value: &toml::Value) -> Result<(), String> {
    if let Some(weak) = path.strip_prefix("weak.") {
        let flag = value
            .as_bool()
            .ok_or_else(|| format!("{path} is true or false"))?;
        let slot = match weak {
            "knowledge" => &mut facts.weak.knowledge,
            "call_log" => &mut facts.weak.call_log,
            "recent_payment" => &mut facts.weak.recent_payment,
            "sms_to_new_sim" => &mut facts.weak.sms_to_new_sim,
            "device_numbers" => &mut facts.weak.device_numbers,
            _ => return Err(format!("there is no fact `{path}`")),
        };
        *slot = flag;
        return Ok(());
    }
    let fact = Facts::find(path).ok_or_else(|| format!("there is no fact `{path}`"))?;
    let datum = match value {
        toml::Value::Boolean(flag) if fact.kind.is_flag() => Datum::Flag(*flag),
        toml::Value::Integer(n) if !fact.kind.is_flag() && (0..=i64::from(u32::MAX)).contains(n) => {
            Datum::Number(*n)
        }
        toml::Value::String(word) if word == "unknown" => {
            (fact.forget)(facts);
            return Ok(());
        }
        toml::Value::String(word) if word == "never" && fact.kind.is_age() => Datum::Number(NEVER_MINUTES),
        other => {
            return Err(format!(
                "`{path}` is {:?} and cannot be {other}; flags are true or false, ages minutes or \"never\", \
                 anything may be \"unknown\"",
                fact.kind
            ));
        }
    };
    (fact.set)(facts, datum);
    Ok(())
}

fn compare(case: &Case, decision: &Decision) -> Vec<String> {
    let mut failures = Vec::new();
    let mut hold = |good: bool, what: String| {
        if !good {
            failures.push(what);
        }
    };
    let got: Vec<&str> = decision.reasons.iter().map(ReasonCode::as_str).collect();
    let rules: Vec<&str> = decision.rules.iter().map(RuleId::as_str).collect();
    hold(
        case.verdict == decision.verdict,
        format!(
            "expected {}, decided {} because of {}",
            case.verdict,
            decision.verdict,
            got.join(", ")
        ),
    );
    for reason in &case.reasons {
        hold(
            decision.reasons.contains(reason),
            format!("the reason {reason} is missing among {}", got.join(", ")),
        );
    }
    for rule in &case.rules {
        hold(
            decision.rules.contains(rule),
            format!("the rule {rule} did not apply, but {}", rules.join(", ")),
        );
    }
    for rule in &case.not_rules {
        hold(!decision.rules.contains(rule), format!("the rule {rule} applied"));
    }
    for place in &case.refer {
        hold(
            decision.refer.contains(place),
            format!("nobody refers to {place}"),
        );
    }
    if let Some(expected) = &case.requirements {
        let mut expected = expected.clone();
        expected.sort_unstable();
        let open: Vec<String> = decision.requirements.iter().map(ToString::to_string).collect();
        hold(
            expected == decision.requirements,
            format!("other requirements are open: {}", open.join(" and ")),
        );
    }
    if let Some(expected) = case.on_timeout {
        hold(
            decision.on_timeout == Some(expected),
            format!("the hold ends otherwise: {:?}", decision.on_timeout),
        );
    }
    if let Some(expected) = &case.restrictions {
        let got: Vec<String> = decision.restrictions.iter().map(Restriction::to_string).collect();
        hold(*expected == got, format!("restricts {got:?}"));
    }
    failures
}
