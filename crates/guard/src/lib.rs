//! The guard: may this sensitive operation go on, with which further evidence, after which delay, and why.
//!
//! **Architecture invariant:** no clock, no randomness, no I/O. Rule texts, facts and times come in as arguments.

mod decision;
mod fact;
mod facts;
mod request;
mod requirement;
mod span;
mod word;

pub use decision::{
    Decision, Direction, Ending, Notify, OnTimeout, Referral, Restriction, RuleId, Service, Verdict,
};
pub use fact::{
    Age, Datum, Fact, Kind, MANY, NEVER_MINUTES, RecentRisk, RiskCount, RiskFlag, SafeCount, SafeFlag,
    StaleRisk,
};
pub use facts::{
    Actor, CATALOGUE, Claim, Evidence, Facts, Line, Lock, Session, Signals, Subscriber, Target, Weak,
};
pub use request::Request;
pub use requirement::{Factor, Requirement, SETTLED};
pub use span::Span;
