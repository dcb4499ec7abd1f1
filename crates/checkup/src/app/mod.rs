//! App check: what an Android package may do, whether that is what stealers do, and whether it pretends to be somebody.
//!
//! Rules on permissions and receivers, not a virus scanner: of what an app does when it runs nothing is known.

mod archive;
mod axml;
mod manifest;
mod rules;
mod signature;

pub use archive::FILE_MAX;
pub use rules::{AppCheck, AppError, AppFinding, AppLevel, AppReport};

#[cfg(test)]
mod tests;
