//! The pure half of a small local profile assistant: what to ask a server next, and what to tell the chip.
//!
//! [`Download`] gives one ES9+ request after the other and takes the answers; whoever owns it does the HTTP. The chip
//! is a function from an ES10 command to its answer, so that it can be the simulated one directly, or one behind
//! APDUs. It follows the habits of `lpac`, its cancelling after every refusal included.

mod download;
mod es9plus;
mod profiles;
mod segments;

pub use download::{CancelReason, Download, Next, Outcome};
pub use es9plus::{Refusal, Request};
pub use profiles::{Pending, delete, disable, enable, notification_sent, pending_notifications};
pub use segments::{hash_confirmation_code, segments, sent_metadata};

/// The chip: an ES10 command in, its answer out.
pub type Es10<'a> = &'a mut dyn FnMut(&[u8]) -> crate::error::Result<Vec<u8>>;
