//! The countries whose documents have rules of their own beside ICAO's: one file each, listed here.

use super::khm;
use super::mrz::Mrz;

/// One country's rules.
pub struct Issuer {
    /// Its code in the zone.
    pub code: &'static str,
    /// What is unlike the country's documents in a zone that names it as issuer: one sentence each.
    pub unlike: fn(&Mrz) -> Vec<&'static str>,
}

const ISSUERS: &[Issuer] = &[khm::ISSUER];

/// The rules of the country with this code.
#[must_use]
pub fn of(code: &str) -> Option<&'static Issuer> {
    ISSUERS.iter().find(|issuer| issuer.code == code)
}
