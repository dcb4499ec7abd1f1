//! What is known of hosts that belong to no brand: shorteners, free hosting, endings for throw-away names.

use serde::Deserialize;
use std::collections::HashSet;

const BUILT_IN: &str = include_str!("../../data/hosts.toml");

/// The lists.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Places {
    shorteners: HashSet<String>,
    free_hosting: HashSet<String>,
    cheap_endings: HashSet<String>,
    innocent: HashSet<String>,
}

impl Places {
    pub(crate) fn built_in() -> Result<Self, toml::de::Error> {
        toml::from_str(BUILT_IN)
    }

    pub(crate) fn is_shortener(&self, host: &str) -> bool {
        self.shorteners
            .contains(host.strip_prefix("www.").unwrap_or(host))
    }

    /// Whether strangers have hosts of their own under it.
    pub(crate) fn is_free_hosting(&self, host: &str) -> bool {
        let mut rest = host;
        loop {
            if self.free_hosting.contains(rest) {
                return true;
            }
            match rest.split_once('.') {
                Some((_, parent)) => rest = parent,
                None => return false,
            }
        }
    }

    /// Whether the host itself is the service, where many share one name.
    pub(crate) fn is_free_hosting_itself(&self, host: &str) -> bool {
        self.free_hosting.contains(host)
    }

    pub(crate) fn is_cheap(&self, ending: &str) -> bool {
        self.cheap_endings.contains(ending)
    }

    pub(crate) fn is_innocent(&self, registrable: &str) -> bool {
        self.innocent.contains(registrable)
    }
}
