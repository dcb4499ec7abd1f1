//! Measures decisions per second on one core, reasons included: `cargo run --release -p simwarden-guard --example decisions_per_second`.
#![expect(clippy::disallowed_methods, reason = "a benchmark measures time")]

use simwarden_guard::{Age, Brake, Engine, Facts, PackSource, Request};
use simwarden_model::{Channel, OperationKind, Role, Timestamp};
use std::time::{Duration, Instant};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let now = Timestamp::from_millis(1_800_000_000_000);
    let ask = |operation, channel, role| Request {
        operation,
        channel,
        role,
        requested_at: now,
        now,
    };
    let mut known = Facts::unremarkable();
    known.line.in_requesters_name = Some(true);
    known.target.eid_known = Some(true);
    known.target.eid_as_ordered = Some(true);
    known.subscriber.identity_verified = Some(true);
    known.evidence.passkey = Some(true);
    known.evidence.passkey_age = Age::days(100);
    let mut thief = Facts::unremarkable();
    thief.signals.old_device_attach_age = Age::Minutes(2);
    thief.signals.failed_24h = Some(4);
    thief.signals.failed_age = Age::Minutes(30);
    thief.claim.device_gone = Some(true);
    thief.session.new_device = Some(true);
    let mut port = known;
    port.line.swap_age = Age::days(2);
    let all = [
        (
            "honest move in the app",
            ask(OperationKind::TransferDevice, Channel::App, Role::Subscriber),
            known,
        ),
        (
            "honest replacement in the app",
            ask(OperationKind::Replace, Channel::App, Role::Subscriber),
            known,
        ),
        (
            "thief at a dealer",
            ask(OperationKind::Replace, Channel::Shop, Role::Agent),
            thief,
        ),
        (
            "thief on the web",
            ask(OperationKind::Replace, Channel::Web, Role::Subscriber),
            thief,
        ),
        (
            "port after a swap",
            ask(OperationKind::PortOut, Channel::App, Role::Subscriber),
            port,
        ),
        (
            "registration at a dealer",
            ask(OperationKind::Register, Channel::Shop, Role::Agent),
            known,
        ),
        (
            "lock by the owner",
            ask(OperationKind::Lock, Channel::App, Role::Subscriber),
            known,
        ),
    ];
    let pack = std::env::args().nth(1).unwrap_or_else(|| "kh-default".to_owned());
    let begun = Instant::now();
    let engine = Engine::load(&PackSource::built_in(&pack)?)?;
    println!(
        "{pack}: {} rules loaded in {:.1} ms",
        engine.rules().len(),
        begun.elapsed().as_secs_f64() * 1e3
    );
    let brake = Brake::default();
    for (name, request, facts) in &all {
        let decision = engine.decide(request, facts, &brake);
        let per_second = rate(|| {
            std::hint::black_box(engine.decide(std::hint::black_box(request), facts, &brake));
        });
        println!(
            "{name:<32} {per_second:>9.0}/s {:>6.2} µs  {:>2} rules at hand, {:>2} applied: {}",
            1e6 / per_second,
            engine
                .rules_for(request.operation, request.role, request.channel)
                .count(),
            decision.rules.len(),
            decision.verdict,
        );
    }
    let mixed = rate(|| {
        for (_, request, facts) in &all {
            std::hint::black_box(engine.decide(std::hint::black_box(request), facts, &brake));
        }
    });
    println!(
        "{:<32} {:>9.0}/s",
        "all of them in turn",
        mixed * all.len() as f64
    );
    Ok(())
}

/// Calls per second of CPU time of this thread, so that other load on the machine does not count.
fn rate(mut call: impl FnMut()) -> f64 {
    let (wall, spent) = (Instant::now(), cpu());
    let mut count = 0_u64;
    while wall.elapsed() < Duration::from_secs(1) {
        for _ in 0..200 {
            call();
        }
        count += 200;
    }
    let seconds = match (spent, cpu()) {
        (Some(from), Some(to)) if to > from => (to - from) as f64 / 1e9,
        _ => wall.elapsed().as_secs_f64(),
    };
    count as f64 / seconds
}

/// Nanoseconds that this thread has run, where Linux tells.
fn cpu() -> Option<u64> {
    std::fs::read_to_string("/proc/thread-self/schedstat")
        .ok()?
        .split(' ')
        .next()?
        .parse()
        .ok()
}
