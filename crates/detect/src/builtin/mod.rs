//! What Sigma cannot say, one file each, with parameters in YAML.
//!
//! ```yaml
//! builtin:
//!   type: impossible_travel
//!   rules: [attach]
//!   group-by: [msisdn]
//!   with: {min_km: 50, over_km_h: 900}
//! ```

pub(crate) mod agent_graph;
pub(crate) mod agent_outlier;
pub(crate) mod cloned_profile;
pub(crate) mod guess_then_use;
pub(crate) mod impossible_travel;
pub(crate) mod silence;
pub(crate) mod two_certificates;

use crate::node::{Groups, Node, Rule};
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use yaml_serde::Value;

/// What a built-in wants of the events beside time and group.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Input {
    Nothing,
    /// `lat` and `lon`, and perhaps the digest of a field that tells devices apart.
    Place {
        device: Option<String>,
    },
    /// Digests of one or two fields that must be there.
    Values(Vec<String>),
}

/// The parameters of a built-in.
pub(crate) trait Params: Sized {
    /// Says what is wrong with them; `parts` is the number of rules named.
    fn check(&self, parts: usize) -> Result<(), String>;
    fn input(&self) -> Input;
}

/// A span of time in YAML: `15m`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Millis(pub i64);

impl<'de> Deserialize<'de> for Millis {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        parse_span(&text).map(Self).ok_or_else(|| {
            serde::de::Error::custom(format!(
                "`{text}` is no span of time; write for example 30s, 15m, 4h or 7d"
            ))
        })
    }
}

/// `90s`, `15m`, `4h`, `7d`, `2w` as milliseconds; at most ten years.
pub(crate) fn parse_span(text: &str) -> Option<i64> {
    let span = rsigma_parser::Timespan::parse(text).ok()?;
    i64::try_from(span.seconds)
        .ok()
        .filter(|s| (1..=315_576_000).contains(s))
        .map(|s| s * 1_000)
}

/// A built-in with its parameters.
#[derive(Debug, Clone)]
pub(crate) enum Builtin {
    AgentGraph(agent_graph::AgentGraph),
    AgentOutlier(agent_outlier::AgentOutlier),
    ClonedProfile(cloned_profile::ClonedProfile),
    GuessThenUse(guess_then_use::GuessThenUse),
    ImpossibleTravel(impossible_travel::ImpossibleTravel),
    Silence(silence::Silence),
    TwoCertificates(two_certificates::TwoCertificates),
}

/// Their names.
pub(crate) const NAMES: [&str; 7] = [
    "agent_graph",
    "agent_outlier",
    "cloned_profile",
    "guess_then_use",
    "impossible_travel",
    "silence",
    "two_certificates",
];

impl Builtin {
    /// Reads the parameters of the named one; says what is wrong otherwise.
    pub(crate) fn read(name: &str, with: Option<&Value>, parts: usize) -> Result<(Self, Input), String> {
        fn read<P: Params + DeserializeOwned>(
            with: Option<&Value>,
            parts: usize,
            wrap: impl Fn(P) -> Builtin,
        ) -> Result<(Builtin, Input), String> {
            let empty = Value::Mapping(yaml_serde::Mapping::new());
            let params: P =
                yaml_serde::from_value(with.unwrap_or(&empty).clone()).map_err(|e| format!("`with`: {e}"))?;
            params.check(parts)?;
            let input = params.input();
            Ok((wrap(params), input))
        }
        match name {
            "agent_graph" => read(with, parts, Self::AgentGraph),
            "agent_outlier" => read(with, parts, Self::AgentOutlier),
            "cloned_profile" => read(with, parts, Self::ClonedProfile),
            "guess_then_use" => read(with, parts, Self::GuessThenUse),
            "impossible_travel" => read(with, parts, Self::ImpossibleTravel),
            "silence" => read(with, parts, Self::Silence),
            "two_certificates" => read(with, parts, Self::TwoCertificates),
            other => Err(format!(
                "there is no built-in `{other}`; there are: {}",
                NAMES.join(", ")
            )),
        }
    }

    pub(crate) fn node(&self, secret: u64) -> Box<dyn Node> {
        fn node<R: Rule + 'static>(rule: &R, secret: u64) -> Box<dyn Node> {
            Box::new(Groups::new(rule.clone(), secret))
        }
        match self {
            Self::AgentGraph(rule) => node(rule, secret),
            Self::AgentOutlier(rule) => node(rule, secret),
            Self::ClonedProfile(rule) => node(rule, secret),
            Self::GuessThenUse(rule) => node(rule, secret),
            Self::ImpossibleTravel(rule) => node(rule, secret),
            Self::Silence(rule) => node(rule, secret),
            Self::TwoCertificates(rule) => node(rule, secret),
        }
    }
}
