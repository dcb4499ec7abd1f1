//! Evidence of who someone is: documents, faces and fingers, passkeys, one-time codes, passwords, recovery.
//!
//! **Bytes in, findings out.** No I/O, no clock, no randomness of its own: time and entropy come in as arguments. What
//! a finding is worth for an operation is the guard's to say, not this crate's.

pub mod base32;
pub mod biometrics;
pub mod documents;
pub mod passwords;
pub mod recovery;
pub mod risk;
pub mod stuffing;
pub mod throttle;
