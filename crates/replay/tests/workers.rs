//! Any number of workers, any order within the lateness: the alerts of the plain rules.
#![expect(clippy::unwrap_used, reason = "tests panic where they cannot go on")]

use simwarden_detect::{Alert, Program};
use simwarden_replay::{Replay, Summary, floor, rules_in, run};
use std::path::Path;
use std::sync::LazyLock;

static PROGRAM: LazyLock<Program> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../benchmarks/detect");
    rules_in(&folder)
        .unwrap()
        .program()
        .unwrap_or_else(|error| panic!("{error}"))
});

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

/// Events in order of time, few lines and agents so that all four rules have work.
fn stream(seed: u64, count: u64) -> Vec<(i64, String)> {
    let mut dice = Dice(seed);
    let mut ts = 1_760_000_000_000_i64;
    let line = |n: u64, dice: &mut Dice, ts: &mut i64| {
        *ts += i64::try_from(dice.below(1_500)).unwrap();
        let kind = match dice.below(100) {
            0..=29 => "attach",
            30..=44 => "sim_swap",
            45..=64 => "otp_sms",
            65..=84 => "login_failed",
            85..=89 => "login_ok",
            90..=94 => "profile_download",
            _ => "dealer_op",
        };
        let mut text = format!(
            "{{\"ts\":{ts},\"id\":{n},\"type\":\"{kind}\",\"msisdn\":\"8551{:07}\"",
            dice.below(60)
        );
        if kind == "sim_swap" {
            text += &format!(",\"agent_id\":\"AG{:03}\"", dice.below(30));
        }
        if kind == "otp_sms" {
            text += &format!(
                ",\"sender\":\"{}:01\"",
                if dice.below(2) == 0 { "bank" } else { "shop" }
            );
        }
        text += &format!(
            ",\"lat\":{}.{:06},\"lon\":104.5}}\n",
            11 + dice.below(9),
            dice.below(1_000_000)
        );
        (*ts, text)
    };
    (0..count).map(|n| line(n, &mut dice, &mut ts)).collect()
}

fn replay(lines: &[(i64, String)], workers: usize) -> (Summary, Vec<Alert>) {
    let text: String = lines.iter().map(|(_, line)| line.as_str()).collect();
    let replay = Replay {
        workers,
        lateness_ms: 300_000,
        source: "file".into(),
        secret: 3,
    };
    let mut alerts = Vec::new();
    let summary = run(&PROGRAM, text.as_bytes(), &replay, &mut |found| {
        alerts.extend_from_slice(found);
        Ok(())
    });
    (summary.unwrap(), alerts)
}

#[test]
fn as_many_workers_as_you_like_find_what_the_floor_finds() {
    // More than one piece of the input, so that blocks meet.
    let ordered = stream(1, 8_000);
    let text: String = ordered.iter().map(|(_, line)| line.as_str()).collect();
    let expected = floor::count(text.as_bytes()).unwrap();
    assert!(expected.rules.iter().all(|count| *count > 3), "{expected:?}");
    let mut dice = Dice(77);
    let mut mixed = ordered.clone();
    mixed.sort_by_cached_key(|(ts, _)| ts + i64::try_from(dice.below(300_000)).unwrap());
    let (_, one) = replay(&ordered, 1);
    for lines in [&ordered, &mixed] {
        for workers in [2, 5] {
            let (summary, alerts) = replay(lines, workers);
            assert_eq!(
                summary.alerts.values().copied().collect::<Vec<_>>(),
                expected.rules
            );
            assert_eq!(
                (
                    summary.events,
                    summary.quarantined,
                    summary.late,
                    summary.duplicates
                ),
                (8_000, 0, 0, 0)
            );
            assert_eq!(alerts, one, "{workers} workers");
        }
    }
}

#[test]
fn an_output_that_fails_ends_the_run() {
    let text: String = stream(1, 4_000).iter().map(|(_, line)| line.as_str()).collect();
    for workers in [1, 3] {
        let replay = Replay {
            workers,
            lateness_ms: 0,
            source: "file".into(),
            secret: 3,
        };
        let failed = run(&PROGRAM, text.as_bytes(), &replay, &mut |_| {
            Err(std::io::Error::other("full"))
        });
        assert!(failed.unwrap_err().to_string().contains("full"));
    }
}

#[test]
fn an_endless_line_is_one_bad_line_and_what_is_behind_it_is_read() {
    let mut lines = stream(5, 2_000);
    let (before, alerts_before) = replay(&lines, 2);
    lines.insert(1_000, (0, format!("{}\n", "x".repeat(3 << 20))));
    let (after, alerts) = replay(&lines, 2);
    assert_eq!(after.quarantined, before.quarantined + 1);
    assert_eq!(after.events, before.events);
    assert_eq!(alerts, alerts_before);
    let last = "y".repeat(3 << 20);
    lines.push((0, last));
    assert_eq!(replay(&lines, 2).0.quarantined, before.quarantined + 2);
}
