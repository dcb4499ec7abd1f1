//! The test events beside a rule: what must fire and what must not.
//!
//! ```yaml
//! - case: a bank code comes ten minutes after a swap
//!   fires: {swap_then_bank_code: 1}
//!   events:
//!     - 0s sim_swap msisdn=85512345678 agent_id=AG1
//!     - 10m otp_sms msisdn=85512345678 sender=bank:aba
//! - case: many at once
//!   fires: {}
//!   events:
//!     - 0s +1m x20 login_failed msisdn=8551234567{n}
//! ```
//!
//! An event line is: when, how often (`+every xtimes`, `{n}` counts from 0), type, then `field=value` pairs without
//! spaces. `fires` names every rule of the file that must fire and how often; the others must not.

use crate::RuleError;
use crate::builtin::parse_span;
use crate::engine::{Engine, Options};
use crate::program::Program;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A case that went otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseFailure {
    /// The file with the case.
    pub file: String,
    /// Its name.
    pub case: String,
    /// What went otherwise.
    pub text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    case: String,
    fires: BTreeMap<String, usize>,
    events: Vec<String>,
}

/// 2026-01-05 08:00 UTC, a Monday morning.
const BEGIN_MS: i64 = 1_767_600_000_000;
/// The most events that one line stands for.
const TIMES_MAX: i64 = 10_000;

/// Runs the cases of one file against its rules; returns how many there are and which went otherwise.
///
/// # Errors
/// [`RuleError`] when the file of cases cannot be read.
pub fn run_cases(
    program: &Arc<Program>,
    file: &str,
    text: &str,
) -> Result<(usize, Vec<CaseFailure>), RuleError> {
    let fault = |text: String, line: usize| RuleError {
        file: file.to_owned(),
        line,
        text,
    };
    let cases: Vec<Case> = yaml_serde::from_str(text).map_err(|error| {
        let line = error.location().map_or(1, |at| at.line());
        fault(
            format!("these are no cases ({error}); see docs/add/detection.md"),
            line,
        )
    })?;
    let mut failures = Vec::new();
    for case in &cases {
        let lines = events(&case.events).map_err(|(event, why)| {
            let line = text
                .lines()
                .position(|line| line.contains(event))
                .map_or(1, |at| at + 1);
            fault(why, line)
        })?;
        let mut engine = Engine::new(Arc::clone(program), Options::default());
        let outcome = engine.step(lines.as_bytes());
        if let Some(problem) = outcome.problems.first() {
            failures.push(CaseFailure {
                file: file.to_owned(),
                case: case.case.clone(),
                text: format!("event {} is none: {}", problem.line, problem.text),
            });
            continue;
        }
        let mut alerts = outcome.alerts;
        // A month later, so that silence is told.
        let newest = alerts.last().map_or(BEGIN_MS, |alert| alert.ts).max(BEGIN_MS) + 30 * 86_400_000;
        alerts.extend(engine.advance(newest));
        alerts.extend(engine.finish());
        let mut fired: BTreeMap<String, usize> = BTreeMap::new();
        for alert in alerts {
            let rule = program.rules().iter().find(|rule| rule.id == alert.rule);
            let name = rule.and_then(|rule| rule.name.clone()).unwrap_or(alert.rule);
            *fired.entry(name).or_default() += 1;
        }
        if fired != case.fires {
            failures.push(CaseFailure {
                file: file.to_owned(),
                case: case.case.clone(),
                text: format!("must fire {:?}, fired {fired:?}", case.fires),
            });
        }
    }
    Ok((cases.len(), failures))
}

/// The lines of JSON behind the short form, in order of time.
fn events(short: &[String]) -> Result<String, (&str, String)> {
    let mut events: Vec<(i64, Map<String, Value>)> = Vec::new();
    for line in short {
        let wrong = |why: &str| (line.as_str(), format!("`{line}`: {why}"));
        let mut words = line.split_whitespace().peekable();
        let span = |word: &str| if word == "0s" { Some(0) } else { parse_span(word) };
        let begin = words
            .next()
            .and_then(span)
            .ok_or_else(|| wrong("begin with when, such as 10m"))?;
        let (mut every, mut times) = (0, 1);
        while let Some(word) = words.next_if(|word| {
            word.starts_with('+') || word.starts_with('x') && word[1..].parse::<i64>().is_ok()
        }) {
            match word.strip_prefix('+') {
                Some(word) => every = span(word).ok_or_else(|| wrong("`+` needs a span, such as +1m"))?,
                None => times = word[1..].parse().unwrap_or(1),
            }
        }
        let kind = words.next().ok_or_else(|| wrong("the type is missing"))?;
        let pairs: Vec<(&str, &str)> = words
            .map(|word| word.split_once('='))
            .collect::<Option<_>>()
            .ok_or_else(|| wrong("write field=value"))?;
        for n in 0..i64::clamp(times, 0, TIMES_MAX) {
            let mut event = Map::new();
            event.insert("type".into(), kind.into());
            for (field, value) in &pairs {
                let value = value.replace("{n}", &n.to_string());
                let number = matches!(*field, "lat" | "lon" | "amount" | "count")
                    .then(|| value.parse::<f64>().ok())
                    .flatten();
                event.insert(
                    (*field).into(),
                    number.map_or_else(|| Value::from(value), Value::from),
                );
            }
            events.push((BEGIN_MS + begin + n * every, event));
        }
    }
    events.sort_by_key(|(ts, _)| *ts);
    let mut text = String::new();
    for (id, (ts, mut event)) in events.into_iter().enumerate() {
        event.insert("ts".into(), ts.into());
        event.insert("id".into(), id.into());
        text += &Value::Object(event).to_string();
        text.push('\n');
    }
    Ok(text)
}
