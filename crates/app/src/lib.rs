//! The use cases of simwarden: gather facts, call the core, write ONE transaction, carry effects out.
//!
//! **Architecture invariants:** nothing is answered before it is durable together with its ledger entry; no effect
//! leaves before that entry is in a signed tree; every sensitive step asks the guard again at the point of use. This
//! crate knows no SQL and no HTTP, and opens no connections: the outside world stands behind the ports.

mod actor;
mod chance;
mod entry;
mod error;
pub mod log;
mod secrets;
mod watchman;

pub use actor::Actor;
pub use chance::{OsEntropy, SystemClock};
pub use entry::{ENTRY_BYTES_MAX, EntryBody, RowMark};
pub use error::{Error, ErrorKind};
pub use secrets::{LineSecret, Of, PartySecret, ProfileSecret, Wish, open, open_common, seal, seal_common, subject_key};
pub use watchman::{ClockGuard, DRIFT_MAX, SILENCE_MAX};
