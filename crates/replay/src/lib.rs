//! Files of events through the detection engine, on all cores; rule folders from disk.
//!
//! What the engine is made of is pure and lies in `simwarden-detect`; here are the threads and the reading. The alerts
//! are the same for any number of workers.

pub mod floor;
mod folder;
mod run;

pub use folder::{FolderError, Rules, rules_in};
pub use run::{Replay, ReplayError, Summary, run};
