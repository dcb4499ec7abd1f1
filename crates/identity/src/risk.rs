//! How unlike its owner a sign-in is, scored from network, country, device, browser and time, with the reasons kept.
//!
//! The model of Freeman, Jain, Dürmuth, Biggio and Giacinto ("Who Are You?", NDSS 2016) with the simplification that
//! every attack is as likely for every account: the score is the product over the features of
//! p(feature anywhere) / p(feature | this user), each smoothed by counting one sighting that never was. It is kept as
//! a base-10 logarithm: 0 says "as like the owner as anybody", below 0 like the owner, above 0 unlike.

use std::collections::BTreeMap;

/// One thing seen of a sign-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Feature {
    /// The network around the address.
    Network,
    /// The country of the address, where somebody knows it.
    Country,
    /// The device, by a mark that the server left on it.
    Device,
    /// The browser and system, in broad terms.
    Agent,
    /// The quarter of the day, in the country's time.
    Quarter,
}

impl Feature {
    /// The reason when this feature speaks against the owner.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Network => "new_network",
            Self::Country => "new_country",
            Self::Device => "new_device",
            Self::Agent => "new_browser",
            Self::Quarter => "unusual_hour",
        }
    }

    /// How often a value that nobody has had before turns up, over everybody: what a stranger is measured with.
    const fn novelty(self) -> f64 {
        match self {
            Self::Country | Self::Quarter => 0.5,
            Self::Agent => 0.3,
            Self::Network => 0.2,
            Self::Device => 0.1,
        }
    }
}

/// What was seen of one sign-in; what nobody could say is left out.
pub type Seen = BTreeMap<Feature, String>;

/// How often each value was seen.
#[derive(Debug, Clone, Default)]
pub struct Counts {
    seen: BTreeMap<(Feature, String), u32>,
    totals: BTreeMap<Feature, u32>,
}

impl Counts {
    /// Adds a sign-in.
    pub fn add(&mut self, seen: &Seen) {
        for (feature, value) in seen {
            *self.seen.entry((*feature, value.clone())).or_default() += 1;
            *self.totals.entry(*feature).or_default() += 1;
        }
    }

    fn of(&self, feature: Feature, value: &str) -> (f64, f64) {
        let count = self.seen.get(&(feature, value.to_owned())).copied().unwrap_or(0);
        (
            f64::from(count),
            f64::from(self.totals.get(&feature).copied().unwrap_or(0)),
        )
    }
}

/// How unlike the owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// As always.
    Low,
    /// Something is new.
    Medium,
    /// Much is new at once.
    High,
}

impl Level {
    /// The word for reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// A scored sign-in.
#[derive(Debug, Clone, PartialEq)]
pub struct Risk {
    /// Base-10 logarithm of the likelihood ratio.
    pub score: f64,
    /// In words.
    pub level: Level,
    /// What speaks against the owner, the worst first.
    pub reasons: Vec<&'static str>,
}

/// From here on something is new.
const MEDIUM_FROM: f64 = 0.5;
/// From here on much is new at once.
const HIGH_FROM: f64 = 1.5;
/// A feature is named as a reason from here on.
const REASON_FROM: f64 = 0.25;

/// Scores a sign-in against what is known of its user and of everybody.
///
/// A user without history has nothing to be unlike: the level is then [`Level::Medium`], for the reason
/// `first_sign_in`.
#[must_use]
pub fn score(seen: &Seen, user: &Counts, everybody: &Counts) -> Risk {
    if user.totals.is_empty() {
        return Risk {
            score: 0.0,
            level: Level::Medium,
            reasons: vec!["first_sign_in"],
        };
    }
    let mut parts: Vec<(f64, &'static str)> = seen
        .iter()
        .map(|(feature, value)| {
            let (own, own_total) = user.of(*feature, value);
            let (all, all_total) = everybody.of(*feature, value);
            let novelty = feature.novelty();
            let anywhere = (all + novelty) / (all_total + 1.0);
            let here = (own + novelty * anywhere) / (own_total + 1.0);
            ((anywhere / here).log10(), feature.reason())
        })
        .collect();
    let score = parts.iter().map(|(part, _)| part).sum();
    parts.retain(|(part, _)| *part >= REASON_FROM);
    parts.sort_by(|a, b| b.0.total_cmp(&a.0));
    Risk {
        score,
        level: if score >= HIGH_FROM {
            Level::High
        } else if score >= MEDIUM_FROM {
            Level::Medium
        } else {
            Level::Low
        },
        reasons: parts.into_iter().map(|(_, reason)| reason).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Counts, Feature, Level, Seen, score};

    fn seen(network: &str, country: &str, device: &str, quarter: &str) -> Seen {
        [
            (Feature::Network, network),
            (Feature::Country, country),
            (Feature::Device, device),
            (Feature::Agent, "chrome/android"),
            (Feature::Quarter, quarter),
        ]
        .map(|(feature, value)| (feature, value.to_owned()))
        .into()
    }

    fn history() -> (Counts, Counts) {
        let (mut own, mut all) = (Counts::default(), Counts::default());
        for day in 0..30 {
            let usual = seen(
                "203.0.113.0/24",
                "KH",
                "phone",
                if day % 3 == 0 { "2" } else { "3" },
            );
            own.add(&usual);
            all.add(&usual);
        }
        for other in 0..500 {
            let network = format!("198.51.{}.0/24", other % 40);
            all.add(&seen(
                &network,
                if other % 50 == 0 { "TH" } else { "KH" },
                &format!("d{other}"),
                "3",
            ));
        }
        (own, all)
    }

    #[test]
    fn the_owner_is_like_herself_and_a_thief_is_not() {
        let (own, all) = history();
        let at_home = score(&seen("203.0.113.0/24", "KH", "phone", "3"), &own, &all);
        assert_eq!(
            (at_home.level, at_home.reasons.len()),
            (Level::Low, 0),
            "{at_home:?}"
        );
        let travelling = score(&seen("192.0.2.0/24", "TH", "phone", "3"), &own, &all);
        let thief = score(&seen("192.0.2.0/24", "RU", "stolen", "0"), &own, &all);
        assert!(travelling.score > at_home.score && thief.score > travelling.score);
        assert_eq!(thief.level, Level::High, "{thief:?}");
        for reason in ["new_network", "new_country", "new_device"] {
            assert!(thief.reasons.contains(&reason), "{thief:?}");
        }
        assert!(!travelling.reasons.contains(&"new_device"), "{travelling:?}");
    }

    #[test]
    fn nobody_is_taken_for_known_without_history() {
        let (_, all) = history();
        let first = score(
            &seen("203.0.113.0/24", "KH", "phone", "3"),
            &Counts::default(),
            &all,
        );
        assert_eq!(
            (first.level, first.reasons),
            (Level::Medium, vec!["first_sign_in"])
        );
    }

    #[test]
    fn one_new_thing_more_never_lowers_the_score() {
        let (own, all) = history();
        let usual = ["203.0.113.0/24", "KH", "phone", "3"];
        let new = ["192.0.2.0/24", "RU", "stolen", "0"];
        for mask in 0_usize..16 {
            for bit in 0..4 {
                let of = |mask: usize| {
                    let pick = |at: usize| if mask >> at & 1 == 1 { new[at] } else { usual[at] };
                    score(&seen(pick(0), pick(1), pick(2), pick(3)), &own, &all).score
                };
                assert!(of(mask | 1 << bit) >= of(mask), "{mask:04b} {bit}");
            }
        }
    }
}
