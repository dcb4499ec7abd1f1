//! Measures how fast identifiers and events are read, on one core:
//! `cargo run --release -p simwarden-model --example measure [EVENTS.jsonl]`.

use simwarden_model::{Eid, Event, Iccid, Msisdn, Region};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// The best of five rounds, so that the machine's other work counts least.
fn best_of_five(mut round: impl FnMut()) -> Duration {
    let one = |_| {
        #[expect(clippy::disallowed_methods, reason = "a benchmark measures")]
        let start = Instant::now();
        round();
        start.elapsed()
    };
    (0..5).map(one).min().unwrap_or_default()
}

fn main() -> std::io::Result<()> {
    let numbers: Vec<String> = (0..100_000).map(|at| format!("8551{}", 2_000_000 + at)).collect();
    let typed: Vec<String> = (0..2_000)
        .map(|at| format!("012 {} {:03}", 345 + at / 1_000, at % 1_000))
        .collect();
    let quick = best_of_five(|| {
        for number in &numbers {
            black_box(Msisdn::from_e164(number)).ok();
        }
    });
    let thorough = best_of_five(|| {
        for number in &typed {
            black_box(Msisdn::parse(number, Region::KH)).ok();
        }
    });
    println!("msisdn from_e164   {:>8.0} ns", per(quick, numbers.len()));
    println!("msisdn parse       {:>8.0} ns", per(thorough, typed.len()));

    let eid = "89049032123451234512345678901235";
    let time = best_of_five(|| (0..100_000).for_each(|_| _ = black_box(Eid::parse(black_box(eid)))));
    println!("eid parse          {:>8.0} ns", per(time, 100_000));
    let iccid = "8985501234567890127";
    let time = best_of_five(|| (0..100_000).for_each(|_| _ = black_box(Iccid::parse(black_box(iccid)))));
    println!("iccid parse        {:>8.0} ns", per(time, 100_000));

    let lines: Vec<String> = match std::env::args().nth(1) {
        Some(path) => std::fs::read_to_string(path)?
            .lines()
            .map(str::to_owned)
            .collect(),
        None => (0..200_000_u64).map(line).collect(),
    };
    let bytes: usize = lines.iter().map(String::len).sum();
    let mut accepted = 0;
    let time = best_of_five(|| {
        accepted = lines
            .iter()
            .filter(|line| black_box(Event::parse_line(line.as_bytes(), "feed")).is_ok())
            .count();
    });
    let each = per(time, lines.len());
    println!(
        "event parse_line   {each:>8.0} ns, {:.0} lines/s, {} bytes a line, {accepted} of {} accepted",
        1e9 / each,
        bytes / lines.len().max(1),
        lines.len()
    );
    Ok(())
}

fn per(time: Duration, count: usize) -> f64 {
    time.as_secs_f64() * 1e9 / f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

/// A line of the same form as a network's.
fn line(at: u64) -> String {
    let agent = if at.is_multiple_of(25) {
        format!(r#","agent_id":"AG{:06}""#, at % 4000)
    } else {
        String::new()
    };
    let kind = ["attach", "login_ok", "otp_sms", "attach", "dealer_op"][usize::try_from(at % 5).unwrap_or(0)];
    format!(
        r#"{{"ts":{},"id":{at},"type":"{kind}","msisdn":"8551{}","iccid":"8985501{:012}","eid":"89049032{:024}","imei":"35{:013}","imsi":"45601{:010}"{agent},"ip":"10.1.2.{}","cell":"456-01-0004-{:05}","lat":11.{:06},"lon":104.928200}}"#,
        1_760_000_000_000 + at,
        2_000_000 + at,
        at * 7,
        at * 11,
        at * 13,
        at * 17,
        at % 256,
        at % 4096,
        at % 1_000_000
    )
}
