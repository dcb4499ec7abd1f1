//! Random rules over random events: the same findings as `rsigma-eval`, another reader of the same specification.
//!
//! Differences that were looked at and stay, so the test avoids or translates them:
//! * rsigma says a correlation at every event while its condition holds; we say it once, when it becomes true.
//! * Its temporal windows are (t − timespan, t]; ours let first and last lie exactly `timespan` apart. No two events of
//!   the test do.
//! * It does not show an event to a rule that only says `not` and none of whose fields the event has; we do.
//! * In a list of values that mixes wildcards with plain texts it sometimes finds nothing; the test's lists are plain.
//! * In `temporal_ordered` it takes events of one second in any order; ours have an order (time, then id).
//! * It keeps what a temporal alert used; with its action `reset` it does not, as we never do.
#![expect(clippy::unwrap_used, reason = "tests panic where they cannot go on")]

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use rsigma_eval::event::JsonEvent;
use rsigma_eval::{
    CorrelationAction, CorrelationConfig, CorrelationEngine, Engine as Oracle, EvaluationResult,
};
use serde_json::{Map, Value, json};
use simwarden_detect::{Engine, Options, Program};
use std::collections::HashMap;
use std::sync::Arc;

fn item() -> impl Strategy<Value = String> {
    let text = prop::sample::select(vec![
        "x", "xy", "XY", "'x*'", "'*y'", "'*x*'", "'x?z'", "'5'", "''",
    ]);
    let field = prop::sample::select(vec!["aa", "bb", "cc"]);
    let number = prop::sample::select(vec!["5", "7", "6.5"]);
    prop_oneof![
        4 => (field.clone(), text).prop_map(|(f, t)| format!("{f}: {t}")),
        2 => (field.clone(), prop::sample::select(vec!["contains", "startswith", "endswith", "cased", "contains|cased"]), prop::sample::select(vec!["x", "Y", "xy", "z"])).prop_map(|(f, m, t)| format!("{f}|{m}: {t}")),
        1 => (field.clone(), prop::sample::select(vec!["x", "XY"]), prop::sample::select(vec!["xyz", "'5'"])).prop_map(|(f, a, b)| format!("{f}: [{a}, {b}]")),
        1 => field.clone().prop_map(|f| format!("{f}|contains|all: [x, y]")),
        1 => (field.clone(), prop::sample::select(vec!["gt", "gte", "lt", "lte"]), number.clone()).prop_map(|(f, m, n)| format!("{f}|{m}: {n}")),
        1 => (field.clone(), number).prop_map(|(f, n)| format!("{f}: {n}")),
        1 => (field.clone(), any::<bool>()).prop_map(|(f, is)| format!("{f}|exists: {is}")),
        1 => (field.clone(), prop::sample::select(vec!["'^x.'", "'y$'", "'[0-9]'"])).prop_map(|(f, re)| format!("{f}|re: {re}")),
        1 => field.prop_map(|f| format!("{f}: null")),
    ]
}

fn detection() -> impl Strategy<Value = String> {
    let condition = prop::sample::select(vec![
        "s1",
        "s1 and s2",
        "s1 or s2",
        "s1 and not s2",
        "1 of s*",
        "all of them",
    ]);
    (item(), item(), item(), condition).prop_map(|(a, b, c, condition)| {
        // A field stands in a selection once.
        let second = if a.split([':', '|']).next() == b.split([':', '|']).next() { String::new() } else { format!("    {b}\n") };
        format!(
            "title: T\nname: tt\nlogsource: {{category: c}}\ndetection:\n  s1:\n    {a}\n{second}  s2:\n    {c}\n  condition: {condition}\n"
        )
    })
}

fn event() -> impl Strategy<Value = Map<String, Value>> {
    let value = prop::sample::select(vec![
        Value::Null,
        json!("x"),
        json!("xy"),
        json!("Xy"),
        json!("xyz"),
        json!("zy"),
        json!("5"),
        json!(5),
        json!(7),
        json!(6.5),
        json!(""),
    ]);
    let field = || prop::option::of(value.clone());
    (field(), field(), field()).prop_map(|(a, b, c)| {
        let fields = [("aa", a), ("bb", b), ("cc", c)];
        let fields = fields
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?)));
        fields.chain([("dd".to_owned(), json!("k"))]).collect()
    })
}

/// How many alerts each event gives, by its number.
fn ours(rules: &str, events: &[(i64, Map<String, Value>)]) -> Vec<usize> {
    let program = Program::load(&[("r.yml".into(), rules.to_owned())])
        .unwrap_or_else(|errors| panic!("{errors}\n{rules}"));
    let mut engine = Engine::new(Arc::new(program), Options::default());
    let mut text = String::new();
    for (id, (ts, fields)) in events.iter().enumerate() {
        let mut object = fields.clone();
        object.insert("ts".into(), (ts * 1_000).into());
        object.insert("id".into(), id.into());
        object.entry("type").or_insert_with(|| "x".into());
        text += &Value::Object(object).to_string();
        text.push('\n');
    }
    let outcome = engine.step(text.as_bytes());
    assert_eq!(outcome.quarantined, 0, "{:?}", outcome.problems);
    let mut counts = vec![0; events.len()];
    for alert in outcome
        .alerts
        .into_iter()
        .chain(engine.finish())
        .filter(|alert| ["tt", "cc"].contains(&&*alert.rule))
    {
        let last = alert.events.last().and_then(Value::as_u64).unwrap();
        counts[usize::try_from(last).unwrap()] += 1;
    }
    counts
}

const BASES: &str = "
title: One
id: one
logsource: {category: c}
detection: {s: {type: one}, condition: s}
---
title: Two
id: two
logsource: {category: c}
detection: {s: {type: two}, condition: s}
---
title: Three
id: three
logsource: {category: c}
detection: {s: {type: three}, condition: s}
---
";

fn correlation(kind: &str, condition: &str) -> String {
    let rules = if kind.starts_with("temporal") {
        "[one, two, three]"
    } else {
        "[one, two]"
    };
    format!(
        "{BASES}title: C\nname: cc\nlevel: high\ncorrelation:\n  type: {kind}\n  rules: {rules}\n  group-by: [user]\n  timespan: 65s\n{condition}"
    )
}

/// Random events, ten seconds apart or more, or at once.
fn stream(least: i64) -> impl Strategy<Value = Vec<(i64, Map<String, Value>)>> {
    let step = (least..3, 0_usize..3, 0_u8..2, 0_u8..4);
    prop::collection::vec(step, 1..60).prop_map(|steps| {
        let mut ts = 1_760_000_000;
        let event = |(wait, kind, user, value): (i64, usize, u8, u8)| {
            ts += wait * 10;
            let kind = ["one", "two", "three"][kind];
            let fields = json!({"type": kind, "user": format!("u{user}"), "value": format!("v{value}"), "amount": value});
            (ts, fields.as_object().cloned().unwrap())
        };
        steps.into_iter().map(event).collect()
    })
}

/// At which events the oracle says the correlation.
fn oracle(rules: &str, events: &[(i64, Map<String, Value>)], reset: bool) -> Vec<usize> {
    let action_on_match = if reset {
        CorrelationAction::Reset
    } else {
        CorrelationAction::Alert
    };
    let mut oracle = CorrelationEngine::new(CorrelationConfig {
        action_on_match,
        ..CorrelationConfig::default()
    });
    oracle
        .add_collection(&rsigma_parser::parse_sigma_yaml(rules).unwrap())
        .unwrap();
    let said = |(ts, fields): &(i64, Map<String, Value>)| {
        let value = Value::Object(fields.clone());
        let results = oracle.process_event_at(&JsonEvent::borrow(&value), *ts);
        results
            .iter()
            .filter(|result| EvaluationResult::is_correlation(result))
            .count()
    };
    events.iter().map(said).collect()
}

/// Only where it becomes true: said now, and not at the event of the group before.
fn rising(said: &[usize], events: &[(i64, Map<String, Value>)]) -> Vec<usize> {
    let mut before: HashMap<String, (bool, i64)> = HashMap::new();
    let rise = |(said, (ts, fields)): (&usize, &(i64, Map<String, Value>))| {
        if fields["type"] == "three" {
            return 0;
        }
        // In a window that ran empty no condition holds.
        let was = before
            .insert(fields["user"].to_string(), (*said > 0, *ts))
            .is_some_and(|(was, at)| was && ts - at < 65);
        usize::from(*said > 0 && !was)
    };
    said.iter().zip(events).map(rise).collect()
}

proptest! {
    // The seed stands: a new quirk of the oracle shall be met when somebody looks for it, not when somebody merges.
    #![proptest_config(ProptestConfig {
        cases: 60,
        rng_seed: RngSeed::Fixed(0x51),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_same_events_fit(rule in detection(), fields in prop::collection::vec(event(), 1..12)) {
        let mut oracle = Oracle::new();
        oracle.add_collection(&rsigma_parser::parse_sigma_yaml(&rule).unwrap()).unwrap();
        let expected: Vec<usize> = fields
            .iter()
            .map(|fields| oracle.evaluate(&JsonEvent::borrow(&Value::Object(fields.clone()))).len())
            .collect();
        let events: Vec<_> = fields.into_iter().map(|fields| (1_760_000_000, fields)).collect();
        prop_assert_eq!(ours(&rule, &events), expected, "{}\n{:?}", rule, events);
    }

    #[test]
    fn the_same_counts(events in stream(0), least in 2_u8..6, kind in prop::sample::select(vec!["event_count", "value_count", "value_sum", "value_avg"])) {
        let condition = match kind {
            "event_count" => format!("  condition: {{gte: {least}}}\n"),
            "value_count" => format!("  condition: {{gte: {}, field: value}}\n", least.min(4)),
            "value_sum" => format!("  condition: {{gt: {least}, field: amount}}\n"),
            _ => "  condition: {gte: 2, field: amount}\n".to_owned(),
        };
        let rules = correlation(kind, &condition);
        let expected = rising(&oracle(&rules, &events, false), &events);
        prop_assert_eq!(ours(&rules, &events), expected, "{}\n{:?}", rules, events);
    }

    #[test]
    fn the_same_coincidences(events in stream(1), kind in prop::sample::select(vec!["temporal", "temporal_ordered"])) {
        let rules = correlation(kind, "  condition: {gte: 3}\n");
        prop_assert_eq!(ours(&rules, &events), oracle(&rules, &events, true), "{}\n{:?}", rules, events);
    }
}
