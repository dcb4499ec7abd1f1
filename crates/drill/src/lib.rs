//! The world in a box: an invented country, a simulated outside world, honest life, thefts, and load.
//!
//! It plays against a running server as anybody would, over its API; only the making of tokens and the checks of what
//! really happened go another way, because a thief's success is what the SM-DP+ and the network did, not what an
//! answer says.
//!
//! **Architecture invariant:** nothing depends on this crate but the binary. It decides nothing about operations.

pub mod api;
pub mod bench;
pub mod chance;
pub mod client;
pub mod country;
pub mod demo;
mod error;
pub mod floor;
pub mod load;
pub mod narrator;
pub mod scenarios;
pub mod scene;
pub mod sequencing;
pub mod stage;
pub mod wire;
pub mod world;

pub use error::DrillError;

#[cfg(test)]
mod in_process;
