//! The process is killed at any moment, also while it recovers from the kill before.

use crate::writer::{How, Writer, recover};
use crate::{Dice, number};
use std::time::{Duration, Instant};
use tempfile::TempDir;

#[test]
fn nothing_acknowledged_is_lost_by_kills() {
    let kills = number("SIMWARDEN_KILLS", 15);
    let mut dice = Dice::new("kills");
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("house.db");
    let (mut acked, mut in_recovery) = (0, 0);
    for n in 0..kills {
        let mut writer = Writer::start(How::Store, &file);
        // One in three is killed while it starts, that is, while it recovers.
        if dice.roll(3) == 0 {
            in_recovery += 1;
        } else {
            writer.wait_for(1 + dice.roll(30));
        }
        busy_wait(Duration::from_micros(dice.roll(20_000)));
        acked = acked.max(writer.kill());
        // The next process finds the log as it was left, not as a recovery of ours would have left it.
        if dice.roll(2) == 0 || n + 1 == kills {
            let found = recover(&file).unwrap();
            assert!(
                found >= acked,
                "kill {n}: {acked} were acknowledged, {found} are there"
            );
        }
    }
    println!("{kills} kills, {in_recovery} of them while starting: {acked} entries acknowledged, none lost");
    assert!(acked > 0);
}

/// Finer than the scheduler would wake us.
fn busy_wait(span: Duration) {
    #[expect(
        clippy::disallowed_methods,
        reason = "a moment to kill at is measured by the real clock"
    )]
    let until = Instant::now() + span;
    #[expect(clippy::disallowed_methods, reason = "as above")]
    while Instant::now() < until {
        std::hint::spin_loop();
    }
}
