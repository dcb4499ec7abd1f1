//! Identity documents: what is printed on them, what their chip says, and what can and cannot be told from it.
//!
//! Check digits tell a misreading from a reading; they do not tell a forger from a state: the arithmetic is public. No
//! finding of this module is a statement that a document is real. Only a chip's signature ([`chip`]) speaks for
//! what the issuing state wrote, and neither speaks for who holds the document.
//!
//! One file per country that has rules of its own beside ICAO's (`khm.rs`).

pub mod check_digit;
pub mod chip;
pub mod countries;
pub mod emit;
pub mod fraud;
pub mod issuers;
pub mod khm;
pub mod layout;
pub mod mrz;
pub mod names;
pub mod photo;
pub mod review;
