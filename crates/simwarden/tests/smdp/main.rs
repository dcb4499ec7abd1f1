//! The SM-DP+ over real HTTPS: a server process, simulated chips, and everything that must be refused.

#![expect(clippy::unwrap_used, reason = "tests panic where they cannot go on")]

mod downloads;
mod es2plus;
mod kills;
mod published;
mod theft;
mod tricks;
mod world;
