//! Passwords: which are good enough, how they are kept, and how a leaked one is recognised without telling anybody.
//!
//! The policy follows NIST SP 800-63B-4: length, not composition; a list of leaked ones; no change by the calendar.

mod breached;
mod hash;
mod local_words;
mod policy;

pub use breached::{BreachedRange, RANGE_BYTES_MAX, RangeError};
pub use hash::{Cost, HashError, PasswordHash, SALT_BYTES};
pub use local_words::LOCAL_WORDS;
pub use policy::{About, CHARS_MAX, Weakness, check};
