//! CPU per download of the pure functions, against the floor of the cryptography alone, in one run:
//! `cargo run --release -p simwarden-rsp --example crypto_floor`.
//!
//! The floor is 3 signatures, 1 key pair with agreement, 4 verifications. The chip's own work is not counted.

#[path = "../tests/rsp/kit.rs"]
#[expect(
    dead_code,
    clippy::unwrap_used,
    reason = "shared with the tests, which use all of it"
)]
mod kit;

use kit::{EID, MATCHING_ID, Seed, World, now, order, prepared};
use simwarden_rsp::authenticate::{self, ClaimFacts};
use simwarden_rsp::bound_package;
use simwarden_rsp::chain::Screen;
use simwarden_rsp::curve::{Curve, PublicKey};
use simwarden_rsp::initiate::initiate;
use simwarden_rsp::json::{self, Es9Answer};
use simwarden_rsp::key::{LocalKey, OneTimeKey, Signer};
use simwarden_rsp::notification::{self, InstallPolicy, Pending};
use simwarden_rsp::{Gate, Prepared, Session};
use std::hint::black_box;
use std::time::{Duration, Instant};

const DOWNLOADS: u32 = 3000;

#[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
fn clock() -> Instant {
    Instant::now()
}

/// Runs the part once and adds its time.
fn timed<T>(total: &mut Duration, part: impl FnOnce() -> T) -> T {
    let begin = clock();
    let value = part();
    *total += begin.elapsed();
    value
}

fn floor() -> Duration {
    let mut entropy = Seed::new(9);
    let key = LocalKey::draw(&mut entropy);
    let public = key.public();
    let message = [7_u8; 300];
    let signature = key.sign(&message).expect("a key in memory signs");
    let peer = PublicKey::parse(Curve::P256, &public).expect("a point of the curve");
    let mut total = Duration::ZERO;
    for _ in 0..DOWNLOADS {
        timed(&mut total, || {
            for _ in 0..3 {
                black_box(key.sign(black_box(&message)).is_ok());
            }
            for _ in 0..4 {
                black_box(peer.verify(black_box(&message), &signature));
            }
            black_box(OneTimeKey::draw(&mut entropy).agree(&peer));
        });
    }
    total / DOWNLOADS
}

/// One download: the server's time with JSON, and with sessions, orders and prepared packages read and written as the
/// store keeps them.
fn download(world: &World, chip: &kit::Chip, stored: &[u8], entropy: &mut Seed, parts: &mut [Duration; 4]) {
    let screen = Screen::default();
    let request = world.initiate_request();
    let keep = |session: &Session| serde_json::to_string(session).expect("plain data");
    let load = |text: &str| -> Session { serde_json::from_str(text).expect("what was written") };
    let (begun, session) = timed(&mut parts[0], || {
        let (answer, session) = initiate(&world.server, &request, now(), entropy).expect("a good request");
        black_box(answer.to_json());
        (answer, keep(&session))
    });
    let mut row = serde_json::to_string(&order(None)).expect("plain data");
    let message = chip.authenticate(&begun, Some(MATCHING_ID));
    let (shown, session) = timed(&mut parts[1], || {
        let mut session = load(&session);
        let mut order = serde_json::from_str(&row).expect("what was written");
        let verified =
            authenticate::verify(&world.server, &session, &message, now(), &screen).expect("a good chip");
        let draft = authenticate::draft(&world.server, &session, Some(&order), &verified, now());
        let facts = ClaimFacts {
            gate: &Gate::Open,
            profiles_on_chip: None,
            now: now(),
        };
        let granted = authenticate::claim(&mut session, Some(&mut order), &verified, draft, facts);
        let answer = granted.expect("a good order").answer;
        black_box(answer.to_json());
        row = serde_json::to_string(&order).expect("plain data");
        (answer, keep(&session))
    });
    let message = chip.prepare(begun.transaction.as_bytes(), &shown.smdp_signature2, None);
    let session = timed(&mut parts[2], || {
        let mut session = load(&session);
        let mut order = serde_json::from_str(&row).expect("what was written");
        let prepared = Prepared::from_bytes(stored).expect("what was written");
        let verified = bound_package::verify(&session, &message, now()).expect("a good chip");
        let built = bound_package::build(
            &world.server,
            &session,
            &order,
            &verified,
            &prepared,
            now(),
            entropy,
        );
        let granted = bound_package::claim(&mut session, &mut order, &verified, built, &Gate::Open, now());
        black_box(granted.expect("a good order").answer.to_json());
        row = serde_json::to_string(&order).expect("plain data");
        keep(&session)
    });
    let iccid = order(None).iccid;
    let message = chip.install_result(begun.transaction.as_bytes(), &iccid, 1, None);
    timed(&mut parts[3], || {
        let mut session = load(&session);
        let mut order = serde_json::from_str(&row).expect("what was written");
        let Ok(Pending::Install(result)) = notification::read(&message) else {
            return;
        };
        notification::verify_install(&world.server, &session, &result).expect("a good chip");
        let policy = InstallPolicy::default();
        black_box(notification::apply_install(
            &mut session,
            &mut order,
            &result,
            &policy,
            None,
            false,
        ));
        black_box((keep(&session), serde_json::to_string(&order).is_ok()));
    });
}

fn main() {
    let world = World::new();
    let chip = world.chip(EID, 1);
    let mut entropy = Seed::new(1);
    let profile = vec![0x5A; 12_163];
    let mut making = Duration::ZERO;
    let package = timed(&mut making, || Prepared::make(&profile, &mut entropy));
    let stored = package.to_bytes();
    assert_ne!(package.id(), prepared().id());
    black_box(json::refused(simwarden_rsp::Refusal::Malformed));
    let mut parts = [Duration::ZERO; 4];
    for _ in 0..DOWNLOADS / 10 {
        download(&world, &chip, &stored, &mut entropy, &mut parts);
    }
    parts = [Duration::ZERO; 4];
    for _ in 0..DOWNLOADS {
        download(&world, &chip, &stored, &mut entropy, &mut parts);
    }
    let floor = floor();
    let micros = |time: Duration| time.as_secs_f64() * 1e6;
    for (name, time) in [
        "initiateAuthentication",
        "authenticateClient",
        "getBoundProfilePackage",
        "handleNotification",
    ]
    .iter()
    .zip(parts)
    {
        println!("{name:24} {:7.1} µs", micros(time / DOWNLOADS));
    }
    let (three, all) = (
        parts[..3].iter().sum::<Duration>() / DOWNLOADS,
        parts.iter().sum::<Duration>() / DOWNLOADS,
    );
    println!("{:24} {:7.1} µs", "crypto floor", micros(floor));
    println!(
        "to the package           {:7.1} µs = {:.2} × floor",
        micros(three),
        micros(three) / micros(floor)
    );
    println!(
        "with the install result  {:7.1} µs = {:.2} × floor",
        micros(all),
        micros(all) / micros(floor)
    );
    println!(
        "preparing a package (at order time, once): {:.1} µs",
        micros(making)
    );
}
