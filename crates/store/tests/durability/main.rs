//! What was acknowledged is there: after kills, power cuts, failing syncs, a full disk and a torn log. Each test does
//! the thing for real, to a writer in a process of its own.
//!
//! `SIMWARDEN_KILLS` and `SIMWARDEN_POWER_CUTS` say how often (`make soak` does it at full length). What a machine
//! cannot do is said loudly and skipped; `SIMWARDEN_REQUIRE_ALL=1` makes that a failure.

#![expect(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "tests panic where they cannot go on, and their numbers are small"
)]

mod disk;
mod failing_sync;
mod full_disk;
mod kill;
mod power_cut;
mod torn_tail;
mod writer;

/// A number from the environment.
fn number(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .ok()
        .map_or(default, |text| text.parse().expect("a number"))
}

/// Says that a test cannot run here.
fn skip(what: &str, why: &str) {
    assert!(
        std::env::var_os("SIMWARDEN_REQUIRE_ALL").is_none(),
        "{what} must run, but {why}"
    );
    eprintln!("\n!!! SKIPPED, NOT TESTED: {what}: {why}\n");
}

/// A small generator of numbers, so that a failing run can be repeated: `SIMWARDEN_SEED`.
struct Dice(u64);

impl Dice {
    fn new(what: &str) -> Self {
        let seed = number("SIMWARDEN_SEED", 20_260_101);
        println!("{what}: SIMWARDEN_SEED={seed}");
        Self(seed)
    }
    /// Between 0 and `below`, that itself left out. SplitMix64.
    fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % below
    }
}
