//! Credential stuffing: lists of logins and passwords stolen elsewhere, tried everywhere once.
//!
//! Delays for one account see nothing of it, so it is seen by its source (many accounts from one network) and, where
//! it comes from everywhere at once, by the share of sign-ins that fail. While it goes on, a right password from a new
//! device proves nothing by itself. Bounded: a fixed number of networks and accounts is remembered.

use simwarden_model::Timestamp;
use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

/// Different accounts that fail from one network within [`WINDOW`]. Offices and mobile networks share addresses, and
/// their people mistype; few of them try many different accounts in vain.
const ACCOUNTS_FROM_ONE_MAX: usize = 15;
/// How long failures count.
const WINDOW: Duration = Duration::from_secs(3 * 3600);
/// Networks that are remembered.
const NETWORKS_MAX: usize = 20_000;
/// Outcomes by which a campaign is seen.
const OUTCOMES: usize = 400;
/// Of those outcomes so many failed at logins from devices never seen before: a campaign.
const CAMPAIGN_FROM: usize = 320;
/// Outcomes older than this say nothing.
const OUTCOME_COUNTS: Duration = Duration::from_secs(15 * 60);

/// What the failures look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// People mistyping.
    Quiet,
    /// From everywhere, one try each: passwords alone are not believed on new devices.
    Campaign,
    /// From this network: nothing is evaluated for it.
    Source,
}

/// A mark for an account or a network, keyed by the caller so that it tells nothing.
pub type Mark = [u8; 16];

/// What was seen lately.
#[derive(Debug, Default)]
pub struct Watch {
    networks: HashMap<Mark, (HashSet<Mark>, Timestamp)>,
    outcomes: VecDeque<(Timestamp, bool)>,
}

impl Watch {
    /// What sign-ins from this network look like now.
    #[must_use]
    pub fn verdict(&self, network: &Mark, now: Timestamp) -> Verdict {
        let from_here = self.networks.get(network).is_some_and(|(accounts, since)| {
            now.since(*since) < WINDOW && accounts.len() >= ACCOUNTS_FROM_ONE_MAX
        });
        if from_here {
            return Verdict::Source;
        }
        let recent = self
            .outcomes
            .iter()
            .filter(|(at, _)| now.since(*at) < OUTCOME_COUNTS);
        let failed = recent.filter(|(_, failed)| *failed).count();
        if failed >= CAMPAIGN_FROM {
            Verdict::Campaign
        } else {
            Verdict::Quiet
        }
    }

    /// Takes note of a sign-in by password from a device that the account did not know.
    pub fn note(&mut self, network: Mark, account: Mark, failed: bool, now: Timestamp) {
        if self.outcomes.len() >= OUTCOMES {
            self.outcomes.pop_front();
        }
        self.outcomes.push_back((now, failed));
        if !failed {
            return;
        }
        if self.networks.len() >= NETWORKS_MAX {
            self.networks.retain(|_, (_, since)| now.since(*since) < WINDOW);
            if self.networks.len() >= NETWORKS_MAX {
                // So many networks at once are a campaign, and seen as one.
                return;
            }
        }
        let (accounts, since) = self
            .networks
            .entry(network)
            .or_insert_with(|| (HashSet::new(), now));
        if now.since(*since) >= WINDOW {
            accounts.clear();
            *since = now;
        }
        if accounts.len() < ACCOUNTS_FROM_ONE_MAX {
            accounts.insert(account);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Mark, Verdict, Watch};
    use simwarden_model::Timestamp;
    use std::time::Duration;

    const START: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    fn mark(n: u32) -> Mark {
        let mut mark = [0; 16];
        mark[..4].copy_from_slice(&n.to_be_bytes());
        mark
    }

    #[test]
    fn a_list_tried_from_few_networks_is_seen_by_its_source() {
        let mut watch = Watch::default();
        let mut evaluated = 0;
        for pair in 0..50_000_u32 {
            let network = mark(pair % 200);
            let now = START.plus(Duration::from_millis(u64::from(pair) * 50));
            if watch.verdict(&network, now) == Verdict::Source {
                continue;
            }
            evaluated += 1;
            watch.note(network, mark(1_000_000 + pair), true, now);
        }
        assert_eq!(evaluated, 200 * 15, "of 50,000");
    }

    #[test]
    fn a_list_tried_from_everywhere_is_seen_as_a_campaign() {
        let mut watch = Watch::default();
        let mut believed = 0;
        for pair in 0..50_000_u32 {
            let now = START.plus(Duration::from_millis(u64::from(pair) * 10));
            if watch.verdict(&mark(pair), now) == Verdict::Quiet {
                believed += 1;
            }
            // One in 200 is right.
            watch.note(mark(pair), mark(1_000_000 + pair), pair % 200 != 7, now);
        }
        assert!(believed < 400, "{believed} of 50,000 at face value");
    }

    #[test]
    fn honest_people_are_left_alone() {
        let mut watch = Watch::default();
        for visit in 0..2_000_u32 {
            // Two thousand customers of one mobile network behind eight addresses; every twentieth mistypes.
            let now = START.plus(Duration::from_secs(u64::from(visit) * 43));
            assert_eq!(
                watch.verdict(&mark(visit % 8), now),
                Verdict::Quiet,
                "visit {visit}"
            );
            watch.note(mark(visit % 8), mark(1_000 + visit), visit % 20 == 0, now);
        }
    }
}
