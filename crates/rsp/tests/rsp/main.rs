//! The core of the SM-DP+ from outside: whole downloads, every refusal, races, the published certificates.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

mod chain;
mod flow;
mod json;
mod kit;
mod notifications;
mod orders;
mod parsers;
mod profiles;
mod refusals;
mod replays;
mod story;
mod theft;
