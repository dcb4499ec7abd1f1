//! How long somebody waits before the next guess: arithmetic over counts, without a clock.
//!
//! Guesses are counted for the account, for the account on one device, for the address, for its network and for the
//! device, over all channels together, and **before** they are evaluated: a thousand at once are not one. Nothing is
//! ever locked for good, and a passkey is never asked to wait: whoever guesses at an account must not lock its owner
//! out. A device on which the owner signed in before has a count of its own, which strangers cannot raise.

use simwarden_model::Timestamp;
use std::time::Duration;

/// What guesses are counted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// One account, from everywhere but its known devices.
    Account,
    /// One account on one of its known devices.
    AccountDevice,
    /// One address: IPv4, or an IPv6 network of 64 bits.
    Address,
    /// The network around it: 24 bits of IPv4, 48 of IPv6.
    Network,
    /// One device, whatever account it tries.
    Device,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 5] = [
        Self::Account,
        Self::AccountDevice,
        Self::Address,
        Self::Network,
        Self::Device,
    ];

    /// The word for the database and for reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::AccountDevice => "account_device",
            Self::Address => "address",
            Self::Network => "network",
            Self::Device => "device",
        }
    }
}

/// How delays grow in one scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    /// So many guesses wait for nothing.
    pub free: u32,
    /// The first delay; each next one is twice as long.
    pub first: Duration,
    /// The longest delay.
    pub longest: Duration,
}

const fn minutes(n: u64) -> Duration {
    Duration::from_secs(60 * n)
}

/// A count is halved for every such span without a guess.
const HALVED_AFTER: Duration = Duration::from_secs(24 * 3600);

impl Schedule {
    /// The schedule of a scope.
    ///
    /// For an account: 3 free guesses, then 2 s, 4 s … 20 min; in 24 hours at most 83 guesses are evaluated, below the
    /// 100 of NIST SP 800-63B-4 (section 3.2.2). Addresses and networks get more, since thousands of honest
    /// customers share one address of a mobile network.
    #[must_use]
    pub const fn of(scope: Scope) -> Self {
        let (free, longest) = match scope {
            Scope::Account => (3, minutes(20)),
            Scope::AccountDevice => (5, minutes(20)),
            Scope::Device => (10, minutes(60)),
            Scope::Address => (20, minutes(60)),
            Scope::Network => (100, minutes(30)),
        };
        Self {
            free,
            first: Duration::from_secs(2),
            longest,
        }
    }

    /// How long to wait after so many guesses.
    #[must_use]
    pub fn delay(&self, guesses: u32) -> Duration {
        let Some(beyond) = guesses.checked_sub(self.free.max(1)) else {
            return Duration::ZERO;
        };
        let factor = 1_u32.checked_shl(beyond).unwrap_or(u32::MAX);
        self.first
            .checked_mul(factor)
            .map_or(self.longest, |delay| delay.min(self.longest))
    }
}

/// The count of one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Guesses that were not right.
    pub guesses: u32,
    /// When the last was.
    pub last_at: Timestamp,
}

impl Tally {
    /// The count as it weighs now.
    #[must_use]
    pub fn weighs(&self, now: Timestamp) -> u32 {
        let halvings = now.since(self.last_at).as_secs() / HALVED_AFTER.as_secs();
        self.guesses
            .checked_shr(u32::try_from(halvings).unwrap_or(u32::MAX))
            .unwrap_or(0)
    }

    /// From when on the next guess is evaluated.
    #[must_use]
    pub fn ready_at(&self, schedule: &Schedule, now: Timestamp) -> Timestamp {
        self.last_at.plus(schedule.delay(self.weighs(now)))
    }

    /// With one guess more.
    #[must_use]
    pub fn charged(&self, now: Timestamp) -> Self {
        Self {
            guesses: self.weighs(now).saturating_add(1),
            last_at: now.max(self.last_at),
        }
    }

    /// Without the guess that turned out right.
    #[must_use]
    pub fn refunded(&self) -> Self {
        Self {
            guesses: self.guesses.saturating_sub(1),
            last_at: self.last_at,
        }
    }
}

/// The next guess has to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait {
    /// Which count asks for the longest wait. For the record: the guesser is not told.
    pub scope: Scope,
    /// From when on.
    pub until: Timestamp,
}

/// Which scopes count, by whether the owner has signed in on this device before.
#[must_use]
pub const fn scopes(known_device: bool) -> &'static [Scope] {
    if known_device {
        &[Scope::AccountDevice]
    } else {
        &[Scope::Account, Scope::Address, Scope::Network, Scope::Device]
    }
}

/// Whether a guess may be evaluated now.
///
/// # Errors
/// [`Wait`], with the longest of the waits.
pub fn gate(now: Timestamp, counts: &[(Scope, Tally)]) -> Result<(), Wait> {
    counts
        .iter()
        .map(|(scope, tally)| Wait {
            scope: *scope,
            until: tally.ready_at(&Schedule::of(*scope), now),
        })
        .filter(|wait| wait.until > now)
        .max_by_key(|wait| wait.until)
        .map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use super::{Schedule, Scope, Tally, gate, scopes};
    use proptest::prelude::*;
    use simwarden_model::Timestamp;
    use std::time::Duration;

    const START: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    /// A guesser who always asks again the moment he may.
    fn evaluated_in(scope: Scope, span: Duration) -> u32 {
        let (mut tally, mut now, mut evaluated) = (Tally::default(), START, 0);
        while now.since(START) < span {
            if gate(now, &[(scope, tally)]).is_ok() {
                evaluated += 1;
                tally = tally.charged(now);
            }
            now = tally
                .ready_at(&Schedule::of(scope), now)
                .max(now.plus(Duration::from_millis(1)));
        }
        evaluated
    }

    #[test]
    fn a_tireless_guesser_gets_fewer_than_a_hundred_a_day_at_an_account() {
        let day = Duration::from_secs(24 * 3600);
        let evaluated = evaluated_in(Scope::Account, day);
        assert_eq!(evaluated, 83);
        assert!(evaluated_in(Scope::AccountDevice, day) < 100);
        // And on the second day no more than on the first.
        assert!(evaluated_in(Scope::Account, 2 * day) <= 2 * evaluated);
    }

    #[test]
    fn six_digits_hold_for_a_day() {
        // A code is one of three valid ones at any time; the chance of all guesses of a day together.
        let guesses = f64::from(evaluated_in(Scope::AccountDevice, Duration::from_secs(24 * 3600)));
        assert!(guesses * 3.0 / 1e6 < 3e-4, "{guesses}");
    }

    #[test]
    fn the_longest_wait_counts_and_known_devices_hear_nothing_of_strangers() {
        let tally = |guesses| Tally {
            guesses,
            last_at: START,
        };
        let wait = gate(START, &[(Scope::Address, tally(21)), (Scope::Account, tally(9))]).unwrap_err();
        assert_eq!(wait.scope, Scope::Account);
        assert!(!scopes(true).contains(&Scope::Account));
        assert!(!scopes(true).contains(&Scope::Address));
    }

    proptest! {
        #[test]
        fn more_guesses_never_wait_less(n in 0_u32..5_000, scope in proptest::sample::select(&Scope::ALL[..])) {
            let schedule = Schedule::of(scope);
            prop_assert!(schedule.delay(n) <= schedule.delay(n + 1));
            prop_assert!(schedule.delay(n) <= schedule.longest);
        }

        #[test]
        fn waiting_only_helps_and_a_right_guess_takes_back_only_itself(
            guesses in 0_u32..1_000, hours in 0_u64..2_000,
        ) {
            let tally = Tally { guesses, last_at: START };
            let later = START.plus(Duration::from_secs(3600 * hours));
            prop_assert!(tally.weighs(later) <= tally.weighs(START));
            prop_assert_eq!(tally.charged(START).refunded().guesses, guesses);
        }
    }
}
