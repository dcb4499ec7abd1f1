//! Watches the clock: a wall clock that jumps would skip cool-downs and revive what has expired.

use crate::{Error, ErrorKind};
use simwarden_model::Timestamp;
use std::time::Duration;

/// How far the wall clock may drift from the monotonic one before sensitive operations stop.
pub const DRIFT_MAX: Duration = Duration::from_secs(5 * 60);
/// How long an installation may have been silent before somebody must say that its clock is right.
pub const SILENCE_MAX: Duration = Duration::from_secs(7 * 24 * 3600);

/// Compares the wall clock with the monotonic one, and with the last entry of the ledger.
#[derive(Debug, Clone)]
pub struct ClockGuard {
    wall: Timestamp,
    monotonic: Duration,
    refused: Option<&'static str>,
}

impl ClockGuard {
    /// Starts watching. `last` is the time of the ledger's last entry, none when it is empty; `accept` is somebody's
    /// word that the clock is right although it stands far from that time.
    #[must_use]
    pub fn start(wall: Timestamp, monotonic: Duration, last: Option<Timestamp>, accept: bool) -> Self {
        let refused = match last {
            Some(last) if last.since(wall) > DRIFT_MAX => {
                Some("the clock stands before the ledger's last entry")
            }
            Some(last) if wall.since(last) > SILENCE_MAX && !accept => {
                Some("the clock stands more than 7 days after the ledger's last entry")
            }
            _ => None,
        };
        Self {
            wall,
            monotonic,
            refused,
        }
    }

    /// Whether the clock can be relied on.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`] with code `clock_jumped`; nothing may be decided until the server is started again
    /// with a right clock.
    pub fn check(&mut self, wall: Timestamp, monotonic: Duration) -> Result<(), Error> {
        if self.refused.is_none() {
            let expected = self.wall.plus(monotonic.saturating_sub(self.monotonic));
            if expected.since(wall) > DRIFT_MAX || wall.since(expected) > DRIFT_MAX {
                tracing::error!(%wall, %expected, "the wall clock jumped");
                self.refused = Some("the wall clock jumped by more than 5 minutes");
            }
        }
        match self.refused {
            None => Ok(()),
            Some(why) => Err(Error::new(
                ErrorKind::Unavailable,
                "clock_jumped",
                format!(
                    "{why}: nothing is decided on a guess of the time; set the clock and start the server again \
                     (with --accept-clock if it is right)"
                ),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ClockGuard;
    use simwarden_model::Timestamp;
    use std::time::Duration;

    fn day(n: i64) -> Timestamp {
        Timestamp::from_millis(n * 86_400_000)
    }

    #[test]
    fn a_jump_either_way_stops_decisions_until_the_next_start() {
        for jump in [1, 20_000] {
            let mut guard = ClockGuard::start(day(10_000), Duration::ZERO, None, false);
            assert!(guard.check(day(10_000), Duration::from_secs(60)).is_ok());
            assert_eq!(
                guard.check(day(jump), Duration::from_secs(61)).unwrap_err().code,
                "clock_jumped"
            );
            let back = guard.check(day(10_000), Duration::from_secs(62));
            assert!(back.is_err(), "a clock that jumped once is not believed again");
        }
    }

    #[test]
    fn a_start_far_from_the_last_entry_needs_a_word() {
        let start = |wall, accept| {
            ClockGuard::start(wall, Duration::ZERO, Some(day(10_000)), accept).check(wall, Duration::ZERO)
        };
        assert!(start(day(10_006), false).is_ok());
        assert!(start(day(10_008), false).is_err());
        assert!(start(day(10_008), true).is_ok());
        assert!(
            start(day(366), true).is_err(),
            "no word makes a clock right that stands before the ledger"
        );
    }
}
