//! One fact: its kind, how it is read, and the strict value that stands in for a fact nobody knows.
//!
//! Every fact has a direction: it either speaks against the requester or for them, never both. That is what lets
//! the loader prove of any rule that a worse fact can only tighten a decision, and what gives an unknown fact a
//! value: the worst one.

use crate::facts::Facts;
use simwarden_model::Timestamp;

/// What an age of [`Age::Never`] reads as in a rule: about 19,000 years, in minutes.
pub const NEVER_MINUTES: i64 = 10_000_000_000;
/// What an unknown count reads as in a rule when many are bad.
pub const MANY: i64 = 1_000_000_000;

/// How long ago something happened, in whole minutes.
///
/// In JSON: a number of minutes, `"never"`, or `null` (or nothing at all) for unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Age {
    /// Nobody knows; rules see the strict value.
    #[default]
    Unknown,
    /// It is known that it never happened.
    Never,
    /// So many minutes ago, rounded down.
    Minutes(u32),
}

impl Age {
    /// The age at `now` of something that happened at `then`, or never did.
    #[must_use]
    pub fn at(now: Timestamp, then: Option<Timestamp>) -> Self {
        then.map_or(Self::Never, |then| {
            Self::Minutes(u32::try_from(now.since(then).as_secs() / 60).unwrap_or(u32::MAX))
        })
    }

    /// So many hours ago.
    #[must_use]
    pub const fn hours(hours: u32) -> Self {
        Self::Minutes(hours.saturating_mul(60))
    }

    /// So many days ago.
    #[must_use]
    pub const fn days(days: u32) -> Self {
        Self::Minutes(days.saturating_mul(1_440))
    }
}

impl serde::Serialize for Age {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Unknown => s.serialize_none(),
            Self::Never => s.serialize_str("never"),
            Self::Minutes(minutes) => s.serialize_u32(*minutes),
        }
    }
}

impl<'de> serde::Deserialize<'de> for Age {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        #[serde(untagged)]
        enum Written {
            Minutes(u32),
            Word(String),
        }
        match Option::<Written>::deserialize(d)? {
            None => Ok(Self::Unknown),
            Some(Written::Minutes(minutes)) => Ok(Self::Minutes(minutes)),
            Some(Written::Word(word)) if word == "never" => Ok(Self::Never),
            Some(Written::Word(_)) => Err(serde::de::Error::custom(
                "an age is a number of whole minutes, \"never\", or null for unknown",
            )),
        }
    }
}

/// A flag that tightens decisions when it is true; unknown counts as true.
pub type RiskFlag = Option<bool>;
/// A flag that may loosen decisions when it is true; unknown counts as false.
pub type SafeFlag = Option<bool>;
/// The age of something whose being recent is bad; unknown counts as "this minute".
pub type RecentRisk = Age;
/// The age of something whose being old is bad; unknown counts as "never".
pub type StaleRisk = Age;
/// A count whose being high is bad; unknown counts as [`MANY`].
pub type RiskCount = Option<u32>;
/// A count whose being high is good; unknown counts as zero.
pub type SafeCount = Option<u32>;

/// The kind of a fact: its type in a rule and its direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// See [`RiskFlag`](type@RiskFlag).
    RiskFlag,
    /// See [`SafeFlag`](type@SafeFlag).
    SafeFlag,
    /// See [`RecentRisk`](type@RecentRisk).
    RecentRisk,
    /// See [`StaleRisk`](type@StaleRisk).
    StaleRisk,
    /// See [`RiskCount`](type@RiskCount).
    RiskCount,
    /// See [`SafeCount`](type@SafeCount).
    SafeCount,
}

impl Kind {
    /// Whether a larger value (or `true`) is the worse one.
    #[must_use]
    pub const fn larger_is_worse(self) -> bool {
        matches!(self, Self::RiskFlag | Self::StaleRisk | Self::RiskCount)
    }

    /// Whether rules see a truth value rather than a whole number.
    #[must_use]
    pub const fn is_flag(self) -> bool {
        matches!(self, Self::RiskFlag | Self::SafeFlag)
    }

    /// Whether the fact is an age in minutes.
    #[must_use]
    pub const fn is_age(self) -> bool {
        matches!(self, Self::RecentRisk | Self::StaleRisk)
    }

    /// What rules see when nobody knows the fact: the worst value.
    #[must_use]
    pub const fn unknown(self) -> Datum {
        match self {
            Self::RiskFlag => Datum::Flag(true),
            Self::SafeFlag => Datum::Flag(false),
            Self::RecentRisk | Self::SafeCount => Datum::Number(0),
            Self::StaleRisk => Datum::Number(NEVER_MINUTES),
            Self::RiskCount => Datum::Number(MANY),
        }
    }

    /// What an unremarkable request has: nothing against it, nothing proven for it.
    pub(crate) const fn unremarkable(self) -> Datum {
        match self {
            Self::RiskFlag | Self::SafeFlag => Datum::Flag(false),
            Self::RecentRisk => Datum::Number(NEVER_MINUTES),
            Self::StaleRisk | Self::RiskCount | Self::SafeCount => Datum::Number(0),
        }
    }
}

/// What a rule sees of a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Datum {
    /// A truth value.
    Flag(bool),
    /// Minutes or a count.
    Number(i64),
}

/// How a stored fact becomes what a rule sees, and back.
pub(crate) trait Stored: Copy {
    fn seen(self, kind: Kind) -> Datum;
    fn store(datum: Datum) -> Self;
}

impl Stored for Option<bool> {
    fn seen(self, kind: Kind) -> Datum {
        self.map_or(kind.unknown(), Datum::Flag)
    }
    fn store(datum: Datum) -> Self {
        match datum {
            Datum::Flag(flag) => Some(flag),
            Datum::Number(_) => None,
        }
    }
}

impl Stored for Option<u32> {
    fn seen(self, kind: Kind) -> Datum {
        self.map_or(kind.unknown(), |n| Datum::Number(i64::from(n)))
    }
    fn store(datum: Datum) -> Self {
        match datum {
            Datum::Number(n) => u32::try_from(n).ok(),
            Datum::Flag(_) => None,
        }
    }
}

impl Stored for Age {
    fn seen(self, kind: Kind) -> Datum {
        match self {
            Self::Unknown => kind.unknown(),
            Self::Never => Datum::Number(NEVER_MINUTES),
            Self::Minutes(minutes) => Datum::Number(i64::from(minutes)),
        }
    }
    fn store(datum: Datum) -> Self {
        match datum {
            Datum::Number(NEVER_MINUTES) => Self::Never,
            Datum::Number(n) => u32::try_from(n).map_or(Self::Unknown, Self::Minutes),
            Datum::Flag(_) => Self::Unknown,
        }
    }
}

/// One entry of the catalogue of facts.
pub struct Fact {
    /// The group it stands in: `line`, `evidence` …
    pub group: &'static str,
    /// Its name in the group.
    pub name: &'static str,
    /// Its type and direction.
    pub kind: Kind,
    /// What it says, in words.
    pub text: &'static str,
    /// What a rule sees of it, the strict value when it is unknown.
    pub seen: fn(&Facts) -> Datum,
    /// Sets it, for tables of cases and for tests.
    pub(crate) set: fn(&mut Facts, Datum),
    /// Makes it unknown.
    pub(crate) forget: fn(&mut Facts),
}

impl Fact {
    /// `group.name`, as rules, cases and messages write it.
    #[must_use]
    pub fn path(&self) -> String {
        format!("{}.{}", self.group, self.name)
    }
}

impl std::fmt::Debug for Fact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{} ({:?})", self.group, self.name, self.kind)
    }
}
