//! A set of rules, compiled: which fields to read, what to ask of each type of event, and the nodes to feed.

use crate::RuleErrors;
use crate::builtin::Builtin;
use crate::correlate::event_count::EventCount;
use crate::correlate::plain::Plain;
use crate::correlate::temporal::Temporal;
use crate::correlate::temporal_ordered::TemporalOrdered;
use crate::correlate::value_count::ValueCount;
use crate::correlate::value_sum::ValueSum;
use crate::fields::Fields;
use crate::node::{Groups, Node};
use crate::rules::info::RuleInfo;
use crate::rules::load;
use crate::rules::matcher::Expr;
use crate::scan::Scanner;
use std::collections::HashMap;

/// Rules that were loaded together. It never changes; states refer to it by place.
#[derive(Debug)]
pub struct Program {
    pub(crate) fields: Fields,
    pub(crate) scanner: Scanner,
    /// What to ask of an event of a type, and of a type that no rule names.
    pub(crate) kinds: HashMap<Box<str>, Vec<Ask>>,
    pub(crate) other_kinds: Vec<Ask>,
    pub(crate) nodes: Vec<NodeSpec>,
    pub(crate) rules: Vec<RuleInfo>,
    pub(crate) fingerprint: u64,
}

/// A question to an event, and whom to tell when it fits.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    pub expr: Expr,
    pub feeds: Vec<Feed>,
}

/// A node that wants the events of a question.
#[derive(Debug, Clone)]
pub(crate) struct Feed {
    pub node: u16,
    pub part: u16,
    pub group: Group,
    pub payload: Payload,
}

/// How events are grouped.
#[derive(Debug, Clone)]
pub(crate) enum Group {
    /// All together.
    All,
    One(u8),
    Many(Vec<u8>),
    /// The first of these that the event has, for rules that do not group.
    First(Vec<u8>),
}

/// What a node wants of the event.
#[derive(Debug, Clone)]
pub(crate) enum Payload {
    Nothing,
    Number(u8),
    /// The digest of one value, or of several together.
    Digest(Vec<u8>),
    TwoDigests(u8, u8),
    Place {
        lat: u8,
        lon: u8,
        device: Option<u8>,
    },
}

/// A node before it has states.
#[derive(Debug, Clone)]
pub(crate) struct NodeSpec {
    pub make: Make,
    /// The rule that it speaks for.
    pub rule: u16,
    pub alerts: bool,
    /// Chained rules that take its findings as events.
    pub parents: Vec<(u16, u16)>,
}

/// What a node is.
#[derive(Debug, Clone)]
pub(crate) enum Make {
    Plain(Plain),
    EventCount(EventCount),
    ValueCount(ValueCount),
    ValueSum(ValueSum),
    Temporal(Temporal),
    TemporalOrdered(TemporalOrdered),
    Builtin(Builtin),
}

impl Make {
    pub(crate) fn node(&self, secret: u64) -> Box<dyn Node> {
        match self {
            Self::Plain(rule) => Box::new(Groups::new(rule.clone(), secret)),
            Self::EventCount(rule) => Box::new(Groups::new(rule.clone(), secret)),
            Self::ValueCount(rule) => Box::new(Groups::new(rule.clone(), secret)),
            Self::ValueSum(rule) => Box::new(Groups::new(rule.clone(), secret)),
            Self::Temporal(rule) => Box::new(Groups::new(rule.clone(), secret)),
            Self::TemporalOrdered(rule) => Box::new(Groups::new(rule.clone(), secret)),
            Self::Builtin(builtin) => builtin.node(secret),
        }
    }

    /// Whether silence can be its finding.
    pub(crate) fn is_timed(&self) -> bool {
        matches!(self, Self::Builtin(Builtin::Silence(_)))
    }
}

impl Program {
    /// Compiles rule files, given as name and contents.
    ///
    /// # Errors
    /// [`RuleErrors`] with every mistake found, each with file, line and what to write instead.
    pub fn load(files: &[(String, String)]) -> Result<Self, RuleErrors> {
        load::program(files)
    }

    /// The rules, in the order of the files.
    #[must_use]
    pub fn rules(&self) -> &[RuleInfo] {
        &self.rules
    }

    /// The fields that are read of each event.
    pub fn fields_read(&self) -> impl Iterator<Item = &str> {
        self.fields.names().iter().map(|name| &**name)
    }
}
