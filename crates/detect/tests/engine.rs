//! The engine as others use it: what it refuses, what it remembers, and that order and cuts change nothing.
#![expect(clippy::unwrap_used, reason = "tests panic where they cannot go on")]

use simwarden_detect::{Alert, Engine, Options, Program};
use std::sync::Arc;

const RULES: &str = "
title: Failed
name: failed
detection:
  s: {type: login_failed}
  condition: s
---
title: In
name: ok
detection:
  s: {type: login_ok}
  condition: s
---
title: Three failures
name: three
correlation:
  type: event_count
  rules: [failed]
  group-by: [msisdn]
  timespan: 10m
  condition: {gte: 3}
---
title: Three failures, then in
name: three_then_ok
level: high
correlation:
  type: temporal_ordered
  rules: [three, ok]
  group-by: [msisdn]
  timespan: 20m
---
title: Many addresses
name: addresses
correlation:
  type: value_count
  rules: [failed]
  group-by: [msisdn, operator]
  timespan: 1h
  condition: {gte: 3, field: ip}
---
title: Much money
name: money
correlation:
  type: value_sum
  rules: [paid]
  group-by: [msisdn]
  timespan: 1h
  condition: {gt: 100, field: amount}
---
title: Paid
name: paid
detection:
  s: {type|startswith: PAY, amount|gt: 0}
  f: {reason: refund*}
  condition: s and not f
---
title: In and paid
name: both
correlation:
  type: temporal
  rules: [ok, paid]
  group-by: [msisdn]
  timespan: 5m
---
title: Malware
name: malware
level: critical
detection:
  s: {type: malware_found}
  condition: s
---
title: No sign of life
name: quiet
builtin:
  type: silence
  rules: [malware, ok]
  group-by: [msisdn]
  with: {expect: life, timespan: 15m}
";

fn program() -> Arc<Program> {
    Arc::new(Program::load(&[("rules.yml".into(), RULES.into())]).unwrap_or_else(|errors| panic!("{errors}")))
}

/// splitmix64
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % n
    }
}

const KINDS: [&str; 5] = ["login_failed", "login_ok", "payment", "malware_found", "attach"];

/// Lines in order of time, with their times.
fn stream(seed: u64, count: u64) -> Vec<(i64, String)> {
    let mut dice = Dice(seed);
    let mut ts = 1_760_000_000_000_i64;
    (0..count)
        .map(|n| {
            ts += i64::try_from(dice.below(40_000)).unwrap();
            let kind = KINDS[usize::try_from(dice.below(10).saturating_sub(5)).unwrap()];
            let id = if dice.below(3) == 0 { format!("\"ev-{n:05}\"") } else { n.to_string() };
            let line = format!(
                "{{\"ts\":{ts},\"id\":{id},\"type\":\"{kind}\",\"msisdn\":\"8551234567{}\",\"operator\":\"456-01\",\"ip\":\"10.0.0.{}\",\"amount\":{}{}}}\n",
                dice.below(8),
                dice.below(4),
                dice.below(60),
                if dice.below(9) == 0 { ",\"reason\":\"refund of a day\"" } else { "" },
            );
            (ts, line)
        })
        .collect()
}

fn all(lines: &[(i64, String)], cut: usize, shards: usize) -> Vec<Alert> {
    let mut engine = Engine::new(
        program(),
        Options {
            shards,
            secret: shards as u64,
            ..Options::default()
        },
    );
    let mut alerts = Vec::new();
    for part in lines.chunks(cut) {
        let text: String = part.iter().map(|(_, line)| line.as_str()).collect();
        let outcome = engine.step(text.as_bytes());
        assert_eq!((outcome.quarantined, engine.turned_away()), (0, (0, 0)));
        alerts.extend(outcome.alerts);
    }
    alerts.extend(engine.finish());
    alerts
}

#[test]
fn order_cuts_and_shards_change_nothing() {
    for seed in 0..4 {
        let ordered = stream(seed, 3_000);
        let expected = all(&ordered, 3_000, 1);
        for rule in ["three_then_ok", "addresses", "money", "both", "quiet"] {
            assert!(
                expected.iter().any(|alert| alert.rule == rule),
                "{rule} is silent in seed {seed}"
            );
        }
        let mut dice = Dice(seed ^ 99);
        let mut mixed = ordered.clone();
        mixed.sort_by_cached_key(|(ts, _)| ts + i64::try_from(dice.below(300_000)).unwrap());
        assert_ne!(ordered, mixed);
        for (lines, cut, shards) in [
            (&ordered, 7, 3),
            (&mixed, 1, 1),
            (&mixed, 11, 4),
            (&mixed, 900, 2),
        ] {
            assert_eq!(
                all(lines, cut, shards),
                expected,
                "seed {seed}, cut {cut}, shards {shards}"
            );
        }
    }
}

#[test]
fn a_snapshot_goes_on_exactly() {
    let lines = stream(5, 2_000);
    let text = |part: &[(i64, String)]| part.iter().map(|(_, line)| line.as_str()).collect::<String>();
    let expected = all(&lines, 100, 1);
    for at in [1, 777, 1_999] {
        let mut engine = Engine::new(program(), Options::default());
        let mut alerts = engine.step(text(&lines[..at]).as_bytes()).alerts;
        let bytes = engine.snapshot().unwrap();
        drop(engine);
        let mut engine = Engine::restore(
            program(),
            Options {
                secret: 9,
                ..Options::default()
            },
            &bytes,
        )
        .unwrap();
        alerts.extend(engine.step(text(&lines[at - 1..]).as_bytes()).alerts);
        assert_eq!(
            engine.turned_away().0,
            1,
            "the event that comes again after the snapshot is known"
        );
        alerts.extend(engine.finish());
        assert_eq!(alerts, expected, "snapshot after {at}");
        assert!(Engine::restore(program(), Options::default(), &bytes[..bytes.len() / 2]).is_err());
    }
    let other = Program::load(&[("x".into(), RULES.replace("gte: 3", "gte: 4"))]).unwrap();
    let bytes = Engine::new(program(), Options::default()).snapshot().unwrap();
    assert!(Engine::restore(Arc::new(other), Options::default(), &bytes).is_err());
}

#[test]
fn too_late_and_twice_are_turned_away_and_nonsense_is_quarantined() {
    let mut engine = Engine::new(program(), Options::default());
    let outcome = engine.step(
        b"{\"ts\":1000000,\"id\":1,\"type\":\"attach\"}\n{\"ts\":1000000,\"id\":\"1\",\"type\":\"attach\"}\n\nnonsense\n{\"ts\":600000,\"id\":2,\"type\":\"attach\"}\n{\"ts\":700000,\"id\":3,\"type\":\"attach\"}\n{\"ts\":5,\"id\":3,\"source\":\"other\",\"type\":\"attach\",\"msisdn\":\"12\"}\n\xff\n",
    );
    assert_eq!((outcome.events, outcome.quarantined), (4, 3));
    let lines: Vec<u64> = outcome.problems.iter().map(|problem| problem.line).collect();
    assert_eq!(lines, [4, 7, 8]);
    assert_eq!(engine.turned_away(), (1, 1));
}

#[test]
fn a_wrong_rule_is_refused_with_line_and_advice() {
    let correlation = |middle: &str| {
        format!(
            "title: A\nname: a\ndetection:\n  s: {{type: attach}}\n  condition: s\n---\ntitle: B\ncorrelation:\n{middle}"
        )
    };
    let good =
        "  type: event_count\n  rules: [a]\n  group-by: [msisdn]\n  timespan: 5m\n  condition: {gte: 3}\n";
    assert!(Program::load(&[("r.yml".into(), correlation(good))]).is_ok());
    let detection = |item: &str| format!("title: A\ndetection:\n  s:\n    {item}\n  condition: s\n");
    let cases: Vec<(String, usize, &str)> = vec![
        ("title: [".into(), 2, "no YAML"),
        ("- a\n".into(), 1, "begin with `title:`"),
        (
            "name: a\ndetection:\n  s: {type: attach}\n  condition: s\n".into(),
            1,
            "no title",
        ),
        ("title: A\n".into(), 1, "says nothing to look for"),
        (
            "title: A\nlevel: urgent\ndetection:\n  s: {type: attach}\n  condition: s\n".into(),
            2,
            "informational, low",
        ),
        (
            "title: A\ndetecton:\n  s: {type: attach}\n  condition: s\n".into(),
            2,
            "write `detection`",
        ),
        (
            "title: A\ndetection:\n  s: {type: attach}\n".into(),
            2,
            "add `condition",
        ),
        (
            "title: A\ndetection:\n  s: {type: attach}\n  condition: t\n".into(),
            4,
            "`t`",
        ),
        (detection("msidsn: 855"), 4, "write `msisdn`"),
        (detection("type: sim_swp"), 4, "write `sim_swap`"),
        (detection("type|wide: x"), 4, "not known here"),
        (detection("type|foo: x"), 4, "foo"),
        (detection("reason|re: '('"), 4, "regular expression"),
        (detection("ip|cidr: 10.0.0.0"), 4, "10.0.0.0/8"),
        (
            correlation(&good.replace("event_count", "event_cuont")),
            9,
            "event_count",
        ),
        (correlation(&good.replace("5m", "5 minutes")), 12, "15m"),
        (correlation(&good.replace("[a]", "[b]")), 10, "no rule called `b`"),
        (correlation(&good.replace("group-by", "groupby")), 11, "group-by"),
        (correlation(&good.replace("gte: 3", "lt: 3")), 13, "silence"),
        (correlation(&good.replace("gte: 3", "above: 3")), 13, "gte"),
        (
            correlation(&good.replace("event_count", "value_count")),
            13,
            "field",
        ),
        (
            correlation(
                &good
                    .replace("event_count", "temporal")
                    .replace("  condition: {gte: 3}\n", ""),
            ),
            10,
            "two to eight",
        ),
        (
            "title: A\nbuiltin:\n  type: imposible_travel\n  rules: [a]\n".into(),
            3,
            "impossible_travel",
        ),
        (
            format!(
                "{}---\ntitle: C\nbuiltin:\n  type: impossible_travel\n  rules: [a]\n  with: {{min: 5}}\n",
                correlation(good)
            ),
            19,
            "min",
        ),
        ("title: A\nfilter:\n  rules: any\n".into(), 2, "and not filter"),
    ];
    let mut findings = Vec::new();
    for (text, line, advice) in cases {
        let Err(errors) = Program::load(&[("r.yml".into(), text.clone())]) else {
            panic!("taken:\n{text}");
        };
        let fits = errors
            .0
            .iter()
            .any(|error| error.line == line && error.text.contains(advice) && error.file == "r.yml");
        if !fits {
            findings.push(format!(
                "line {line}, {advice:?} expected for\n{text}\ngot {:?}",
                errors.0
            ));
        }
    }
    assert!(findings.is_empty(), "{}", findings.join("\n"));
}

#[test]
fn rules_that_wait_for_each_other_are_refused() {
    let one = |name: &str, other: &str| {
        format!(
            "title: {name}\nname: {name}\ncorrelation:\n  type: event_count\n  rules: [{other}]\n  timespan: 5m\n  condition: {{gte: 3}}\n"
        )
    };
    let text = format!("{}---\n{}", one("aaaa", "bbbb"), one("bbbb", "aaaa"));
    let errors = Program::load(&[("r.yml".into(), text)]).unwrap_err();
    assert!(errors.to_string().contains("circle"), "{errors}");
}
