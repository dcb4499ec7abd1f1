//! Measures decisions per second on one core: `cargo run --release -p simwarden-guard --example decisions_per_second`.
#![expect(clippy::disallowed_methods, reason = "a benchmark measures time")]

use simwarden_guard::{Age, Brake, Engine, Facts, PackSource, Request, Verdict};
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
    for pack in std::env::args()
        .skip(1)
        .chain(std::iter::once("kh-default".to_owned()))
        .take(1)
    {
        let begun = Instant::now();
        let engine = Engine::load(&PackSource::built_in(&pack)?)?;
        println!(
            "{pack}: {} rules loaded in {:.1} ms",
            engine.rules().len(),
            begun.elapsed().as_secs_f64() * 1e3
        );
        let brake = Brake::default();
        let mut total = (0_u64, Duration::ZERO);
        for (name, request, facts) in &all {
            let (mut count, begun) = (0_u64, Instant::now());
            let mut denied = 0_u64;
            while begun.elapsed() < Duration::from_millis(500) {
                for _ in 0..100 {
                    let decision = std::hint::black_box(engine.decide(request, facts, &brake));
                    denied += u64::from(decision.verdict != Verdict::Allow);
                    count += 1;
                }
            }
            let spent = begun.elapsed();
            let rate = count as f64 / spent.as_secs_f64();
            println!(
                "{name:<32} {rate:>9.0}/s {:>6.2} µs  {} rules at hand, {:.0} % not allowed",
                1e6 / rate,
                engine
                    .rules_for(request.operation, request.role, request.channel)
                    .count(),
                100.0 * denied as f64 / count as f64
            );
            total.0 += count;
            total.1 += spent;
        }
        let mixed = Instant::now();
        let mut count = 0_u64;
        while mixed.elapsed() < Duration::from_secs(3) {
            for (_, request, facts) in &all {
                std::hint::black_box(engine.decide(request, facts, &brake));
                count += 1;
            }
        }
        println!(
            "{:<32} {:>9.0}/s",
            "all of them in turn",
            count as f64 / mixed.elapsed().as_secs_f64()
        );
    }
    Ok(())
}
