//! Link check: what a link in a message really leads to, and whether it imitates somebody.
//!
//! [`LinkChecker`] takes a whole message. It never opens a link: that would tell the sender that somebody reads, and
//! the page could lie to us. `Unknown` means that nothing is known, never that a link is safe.

mod blocklist;
mod brand;
mod check;
mod distance;
mod feeds;
mod fold;
mod host;
mod lexical;
mod lookalike;
mod places;
mod terms;
mod text;
mod train;
mod verdict;
mod weigh;
mod words;

pub use blocklist::{Blocklist, BlocklistError, ENTRIES_MAX};
pub use brand::{BRANDS_MAX, Brand, BrandError, Reach};
pub use check::{BrandNamed, LinkChecker, LinkReport, SetupError};
pub use host::LINK_BYTES_MAX;
pub use lexical::{Lexical, LexicalError};
pub use text::{LINKS_MAX, TEXT_BYTES_MAX};
pub use train::{Labelled, TrainError, Training, read_labelled, train};
#[cfg(test)]
mod tests;

pub use verdict::{Reason, Verdict};
