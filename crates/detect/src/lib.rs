//! Stream detection: Sigma rules and built-ins over events, as a pure function of state and batch.
//!
//! Lines of JSON go in, [`Alert`]s come out: [`Engine::step`]. The same engine watches live, reads files and back-tests.
//! No clock, no randomness, no files, no threads: whoever runs it on several threads calls the three parts that
//! [`Engine`] is made of, [`Program::read`] (stateless), [`Gate::admit`] (in the order of the stream) and
//! [`Shard::take`]/[`Shard::release`] (each its own groups). The alerts are the same for any number of shards, and for
//! any order of arrival within the lateness.
//!
//! It does not decide what is done about an alert.

mod alert;
mod builtin;
mod correlate;
mod engine;
mod error;
mod fields;
mod gate;
mod hit;
mod key;
mod near;
mod node;
mod program;
mod read;
mod rules;
mod scan;
mod shard;

pub use alert::{Alert, sort};
pub use engine::{Engine, Options, Outcome};
pub use error::{RuleError, RuleErrors, SnapshotError};
pub use gate::Gate;
pub use program::Program;
pub use read::{Block, Problem};
pub use rules::cases::{CaseFailure, run_cases};
pub use rules::info::RuleInfo;
pub use shard::Shard;

/// A span of time as rules write it (`30s`, `15m`, `4h`, `7d`), in milliseconds.
#[must_use]
pub fn parse_span(text: &str) -> Option<i64> {
    builtin::parse_span(text)
}
