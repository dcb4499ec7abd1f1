//! How much of everything is let in: requests by token and by address, bytes, requests and streams at once.
//!
//! The tables of who asked how often are bounded: whoever makes up addresses fills a table, it is swept, and what is
//! left over shares one bucket.

use crate::Problem;
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use simwarden_app::Actor;
use simwarden_model::Role;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// Limits of the edge; an operator may set them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebLimits {
    /// Requests per second by one token of a person (a subscriber).
    pub person_per_second: NonZeroU32,
    /// Requests per second by one token of a machine: shops, feeds, portals.
    pub machine_per_second: NonZeroU32,
    /// Requests per second by one address on routes that ask for no token.
    pub address_per_second: NonZeroU32,
    /// Wrong tokens per minute from one address. A right token passes all the same.
    pub failures_per_minute: NonZeroU32,
    /// Requests at work at the same time; the next is refused.
    pub requests_at_once: usize,
    /// Batches of events at work at the same time; the next waits.
    pub batches_at_once: usize,
    /// Live streams at the same time.
    pub streams_max: usize,
    /// Bytes of a body, batches of events excepted.
    pub body_bytes_max: usize,
    /// How long a body may take to arrive.
    pub body_time_max: Duration,
    /// How long a batch of events may take to arrive.
    pub batch_time_max: Duration,
    /// How long a request may take in all.
    pub request_time_max: Duration,
    /// How often a silent live stream says that it lives, and looks whether its token still holds; pages give a line up
    /// after 35 seconds.
    pub stream_beat: Duration,
    /// Updates kept so that a stream that was cut off can go on.
    pub updates_kept: usize,
}

pub(crate) const fn count(n: u32) -> NonZeroU32 {
    match NonZeroU32::new(n) {
        Some(n) => n,
        None => NonZeroU32::MIN,
    }
}

impl Default for WebLimits {
    fn default() -> Self {
        Self {
            person_per_second: count(50),
            machine_per_second: count(20_000),
            address_per_second: count(500),
            failures_per_minute: count(30),
            requests_at_once: 2_048,
            batches_at_once: 4,
            streams_max: 1_024,
            body_bytes_max: 64 * 1024,
            body_time_max: Duration::from_secs(10),
            batch_time_max: Duration::from_secs(60),
            request_time_max: Duration::from_secs(120),
            stream_beat: Duration::from_secs(10),
            updates_kept: 4_096,
        }
    }
}

/// Keys in one table before it is swept, and the most that stay.
const KEYS_MAX: usize = 100_000;
/// How often the size of a table is looked at, in checks.
const LOOK_EVERY: u32 = 1_024;

/// One table: who asked how often.
struct Table<K: Hash + Eq + Clone> {
    limiter: DefaultKeyedRateLimiter<K>,
    rest: K,
    checks: AtomicU32,
    full: std::sync::atomic::AtomicBool,
}

impl<K: Hash + Eq + Clone> Table<K> {
    fn new(quota: Quota, rest: K) -> Self {
        Self {
            limiter: RateLimiter::keyed(quota),
            rest,
            checks: AtomicU32::new(0),
            full: std::sync::atomic::AtomicBool::new(false),
        }
    }

    /// Seconds to wait, when it was too often.
    fn check(&self, key: &K) -> Result<(), u64> {
        if self
            .checks
            .fetch_add(1, Ordering::Relaxed)
            .is_multiple_of(LOOK_EVERY)
        {
            if self.limiter.len() > KEYS_MAX {
                self.limiter.retain_recent();
                self.limiter.shrink_to_fit();
            }
            self.full.store(self.limiter.len() > KEYS_MAX, Ordering::Relaxed);
        }
        let key = if self.full.load(Ordering::Relaxed) {
            &self.rest
        } else {
            key
        };
        self.limiter
            .check_key(key)
            .map_err(|not_until| not_until.wait_time_from(DefaultClock::default().now()).as_secs() + 1)
    }
}

/// The tables.
pub(crate) struct Rates {
    persons: Table<[u8; 16]>,
    machines: Table<[u8; 16]>,
    addresses: Table<IpAddr>,
    failures: Table<IpAddr>,
}

impl Rates {
    pub(crate) fn new(limits: &WebLimits) -> Self {
        let anywhere = IpAddr::V6(Ipv6Addr::UNSPECIFIED);
        Self {
            persons: Table::new(Quota::per_second(limits.person_per_second), [0; 16]),
            machines: Table::new(Quota::per_second(limits.machine_per_second), [0; 16]),
            addresses: Table::new(Quota::per_second(limits.address_per_second), anywhere),
            failures: Table::new(Quota::per_minute(limits.failures_per_minute), anywhere),
        }
    }

    /// A request of a token.
    pub(crate) fn token(&self, actor: &Actor) -> Result<(), Problem> {
        let table = if actor.role == Role::Subscriber {
            &self.persons
        } else {
            &self.machines
        };
        table.check(actor.token.as_bytes()).map_err(|wait| {
            Problem::too_many("too_many_requests", "this token asks too often; slow down", wait)
        })
    }

    /// A request without a token.
    pub(crate) fn address(&self, peer: IpAddr) -> Result<(), Problem> {
        self.addresses.check(&network_of(peer)).map_err(|wait| {
            Problem::too_many(
                "too_many_requests",
                "this address asks too often; slow down",
                wait,
            )
        })
    }

    /// A wrong token.
    pub(crate) fn failure(&self, peer: IpAddr) -> Result<(), Problem> {
        self.failures.check(&network_of(peer)).map_err(|wait| {
            Problem::too_many(
                "too_many_failures",
                "too many wrong tokens from this address; wait, then sign in again",
                wait,
            )
        })
    }
}

/// What one subscriber of the internet holds: an IPv4 address, or an IPv6 network of 64 bits.
pub(crate) fn network_of(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(v6) => {
            let mut bytes = v6.octets();
            bytes[8..].fill(0);
            IpAddr::V6(Ipv6Addr::from(bytes))
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::{Rates, WebLimits, count, network_of};

    #[test]
    fn one_network_has_one_budget_and_others_are_not_touched() {
        let limits = WebLimits {
            failures_per_minute: count(3),
            ..WebLimits::default()
        };
        let rates = Rates::new(&limits);
        let own = |host: u16| format!("2001:db8:1:2::{host:x}").parse().unwrap();
        for host in 1..=3 {
            rates.failure(own(host)).unwrap();
        }
        let problem = rates.failure(own(4)).unwrap_err();
        assert_eq!(problem.status.as_u16(), 429);
        assert!(problem.retry_after_s.unwrap() >= 1);
        rates.failure("2001:db8:1:3::1".parse().unwrap()).unwrap();
        assert_eq!(
            network_of("::ffff:192.0.2.1".parse().unwrap()).to_string(),
            "192.0.2.1"
        );
    }
}
