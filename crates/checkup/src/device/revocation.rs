//! The list of revoked attestation certificates, in the form that Google publishes
//! (`{"entries": {"<serial in hex>": {"status": "REVOKED", …}}}`). Data that the operator fetches; too old means no.

use serde::Deserialize;
use std::collections::{HashMap, HashSet};

/// Who was revoked, as of a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revocations {
    serials: HashSet<String>,
    /// The day on which the list was fetched, since 1970.
    fetched: i64,
    days_max: i64,
}

/// Why a list was refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the revocation list cannot be read: {0}")]
pub struct RevocationError(String);

#[derive(Deserialize)]
struct File {
    entries: HashMap<String, Entry>,
}

#[derive(Deserialize)]
struct Entry {
    status: String,
}

impl Revocations {
    /// Reads a list that was fetched on a day and counts for so many days after it.
    ///
    /// # Errors
    /// When it is not of the form.
    pub fn read(json: &str, fetched: i64, days_max: i64) -> Result<Self, RevocationError> {
        let file: File = serde_json::from_str(json).map_err(|e| RevocationError(e.to_string()))?;
        let bad = |entry: &Entry| matches!(entry.status.as_str(), "REVOKED" | "SUSPENDED");
        let mut serials = HashSet::new();
        for (serial, _) in file.entries.into_iter().filter(|(_, entry)| bad(entry)) {
            let serial = serial.to_ascii_lowercase();
            // Old lists write decimal numbers; a number that reads both ways is taken both ways.
            if serial.bytes().all(|b| b.is_ascii_digit())
                && let Ok(number) = serial.parse::<u128>()
            {
                serials.insert(format!("{number:x}"));
            }
            serials.insert(serial.trim_start_matches('0').to_owned());
        }
        Ok(Self {
            serials,
            fetched,
            days_max,
        })
    }

    pub(crate) fn names(&self, serial: &str) -> bool {
        self.serials.contains(serial)
    }

    pub(crate) fn age(&self, today: i64) -> i64 {
        today - self.fetched
    }

    pub(crate) fn days_max(&self) -> i64 {
        self.days_max
    }
}
