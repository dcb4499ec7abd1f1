//! The brake on guessing: how often a chip, or an address, may ask for a code that stands for no order.
//!
//! A drawn matching id has 100 random bits and needs no brake; one that an operator chose may be short. The counts live
//! in memory, bounded: a restart forgives, and the ledger keeps every refusal before the brake took hold.

use simwarden_model::Timestamp;
use simwarden_store::BlindIndex;
use std::collections::HashMap;
use std::net::IpAddr;

/// Unknown codes that one chip may ask for at once; far more than fingers mistype.
const CHIP_BURST: u32 = 100;
/// Then one more in so many microseconds: ten a minute.
const CHIP_EVERY: i64 = 6_000_000;
/// Unknown codes from one address at once; many phones may stand behind it.
const ADDRESS_BURST: u32 = 1_000;
/// Then one more in so many microseconds: a hundred a minute.
const ADDRESS_EVERY: i64 = 600_000;
/// Chips and addresses that are remembered; beyond it, those that asked longest ago are forgotten.
const KEPT_MAX: usize = 65_536;

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Asker {
    /// A chip that has proven itself.
    Chip(BlindIndex),
    /// The network that it asks from. Not a loopback address, behind which everybody may stand.
    Network(IpAddr),
}

impl Asker {
    const fn terms(self) -> (u32, i64) {
        match self {
            Self::Chip(_) => (CHIP_BURST, CHIP_EVERY),
            Self::Network(_) => (ADDRESS_BURST, ADDRESS_EVERY),
        }
    }
}

/// How much of its burst an asker has used, and when that was counted.
#[derive(Debug, Clone, Copy)]
struct Used {
    count: u32,
    at: Timestamp,
}

impl Used {
    /// What is left of it now.
    fn now(self, every: i64, now: Timestamp) -> Self {
        let passed = now.as_micros().saturating_sub(self.at.as_micros()).max(0) / every;
        let back = u32::try_from(passed).unwrap_or(u32::MAX);
        let at = Timestamp::from_micros(self.at.as_micros().saturating_add(passed.saturating_mul(every)));
        Self {
            count: self.count.saturating_sub(back),
            at,
        }
    }
}

/// The counts.
#[derive(Debug, Default)]
pub(crate) struct UnknownCodes {
    used: HashMap<Asker, Used>,
}

impl UnknownCodes {
    /// Whether none of these has asked for too many unknown codes.
    pub(crate) fn allows(&self, askers: &[Asker], now: Timestamp) -> bool {
        askers.iter().all(|asker| {
            let (burst, every) = asker.terms();
            self.used
                .get(asker)
                .is_none_or(|used| used.now(every, now).count < burst)
        })
    }

    /// Counts one unknown code.
    pub(crate) fn count(&mut self, askers: &[Asker], now: Timestamp) {
        for asker in askers {
            if self.used.len() >= KEPT_MAX && !self.used.contains_key(asker) {
                self.forget(now);
            }
            let (_, every) = asker.terms();
            let used = self.used.entry(*asker).or_insert(Used { count: 0, at: now });
            *used = used.now(every, now);
            used.count = used.count.saturating_add(1);
        }
    }

    /// Those who have their whole burst again go; if that is not enough, the older half.
    fn forget(&mut self, now: Timestamp) {
        self.used
            .retain(|asker, used| used.now(asker.terms().1, now).count > 0);
        if self.used.len() >= KEPT_MAX {
            let mut times: Vec<Timestamp> = self.used.values().map(|it| it.at).collect();
            times.sort_unstable();
            let middle = times[times.len() / 2];
            self.used.retain(|_, used| used.at > middle);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ADDRESS_BURST, Asker, CHIP_BURST, KEPT_MAX, UnknownCodes};
    use simwarden_model::Timestamp;
    use simwarden_store::BlindIndex;

    fn chip(n: u32) -> Asker {
        let mut bytes = [0; 16];
        bytes[..4].copy_from_slice(&n.to_be_bytes());
        Asker::Chip(BlindIndex::from_bytes(bytes))
    }

    #[test]
    fn guessing_is_slowed_and_mistyping_is_not() {
        let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000);
        let mut codes = UnknownCodes::default();
        let network = Asker::Network("192.0.2.1".parse().unwrap());
        for n in 0..CHIP_BURST {
            assert!(codes.allows(&[chip(1), network], at(0)), "{n}");
            codes.count(&[chip(1), network], at(0));
        }
        assert!(!codes.allows(&[chip(1), network], at(5)));
        assert!(codes.allows(&[chip(2), network], at(0)), "another chip");
        assert!(codes.allows(&[chip(1)], at(6)));
        codes.count(&[chip(1)], at(6));
        assert!(!codes.allows(&[chip(1)], at(11)));
        for _ in 0..ADDRESS_BURST {
            codes.count(&[network], at(0));
        }
        assert!(!codes.allows(&[chip(2), network], at(0)), "the address is braked");
    }

    #[test]
    fn made_up_askers_fill_no_memory() {
        let mut codes = UnknownCodes::default();
        for n in 0..u32::try_from(KEPT_MAX).unwrap() * 2 {
            codes.count(&[chip(n)], Timestamp::from_micros(i64::from(n)));
        }
        assert!(codes.used.len() <= KEPT_MAX);
    }
}
