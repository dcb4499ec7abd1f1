//! The guard: may this sensitive operation go on, with which further evidence, after which delay, and why.
//!
//! **Architecture invariant:** no clock, no randomness, no I/O. Rule texts, facts and times come in as arguments.

mod backtest;
mod brake;
mod cases;
#[cfg(test)]
mod cedar_oracle;
mod compact;
mod condition;
mod decide;
mod decision;
mod draft;
mod effect;
mod engine;
mod explain;
mod fact;
mod facts;
pub mod invariants;
#[cfg(test)]
mod monotone;
mod pack;
mod problem;
mod request;
mod requirement;
mod rule;
mod schema;
mod span;
mod word;

pub use backtest::{Backtest, CHANGES_MAX, Change, Outcome, Record, backtest};
pub use brake::{Alarm, Brake, Count, SAMPLE_MIN, WINDOW};

pub use cases::{CaseResult, run_cases};
pub use decision::{
    Decision, Direction, Ending, Notify, OnTimeout, Referral, Restriction, RuleId, Service, Verdict,
};
pub use engine::Engine;
pub use explain::{Explained, Explanation, PolicyDiff, diff, facts_seen};
pub use fact::{
    Age, Datum, Fact, Kind, MANY, NEVER_MINUTES, RecentRisk, RiskCount, RiskFlag, SafeCount, SafeFlag,
    StaleRisk,
};
pub use facts::{
    Actor, CATALOGUE, Claim, Evidence, Facts, Line, Lock, Session, Signals, Subscriber, Target, Weak,
};
pub use pack::{Manifest, PackFile, PackSource, Shelf};
pub use problem::{LoadError, Problem};
pub use request::Request;
pub use requirement::{Factor, Requirement, SETTLED};
pub use rule::{Confidence, Rule};
pub use schema::schema_text;
pub use span::Span;
