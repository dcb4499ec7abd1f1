//! Phone check: what the chip of an Android phone proves of it, what the phone only says of itself, and how both count.

mod attestation;
mod certificate;
mod der;
mod key_description;
mod policy;
mod revocation;

pub use attestation::{Attestation, Refusal, Roots, Trust, certificates, verify};
pub use der::DerError;
pub use key_description::{BootState, Claims, KeyDescription, RootOfTrust, SecurityLevel};
pub use policy::{
    Finding, PatchLevels, PhoneLevel, PhonePolicy, PhoneReason, PhoneReport, PolicyError, Posture, assess,
    rolled_back,
};
pub use revocation::{RevocationError, Revocations};

/// Days from 1970-01-01 to a date of the Gregorian calendar.
#[must_use]
pub fn day_of(year: i64, month: i64, day: i64) -> i64 {
    certificate::days_of(year, month, day)
}

#[cfg(test)]
mod tests;
