//! What a subscriber can have checked: a link, a phone, an app, a password.
//!
//! **Bytes in, findings out.** No I/O, no clock, no randomness of its own: files, days and keys come in as arguments.
//! A finding names its reasons; what it is worth for an operation on a line is the guard's to say.

pub mod app;
pub mod device;
pub mod link;
pub mod password;
pub mod texts;
