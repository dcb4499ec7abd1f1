//! Reason codes: why a decision is as it is.

use std::borrow::Cow;

/// Why a decision is as it is: a short word in snake case, the same for subscriber, desk, bank and auditor.
///
/// Policies may bring codes of their own, so this is a checked word rather than an enumeration; the catalogue in
/// `content/<lang>/reasons.json` gives each one its text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(transparent)]
pub struct ReasonCode(Cow<'static, str>);

/// A word that cannot be a reason code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no reason code: use 3 to 48 characters out of a-z, 0-9 and _, beginning with a letter")]
pub struct ReasonCodeError(String);

impl ReasonCode {
    /// A code that is known when the program is built.
    ///
    /// # Panics
    /// When the word is malformed; used with literals in constants, so the compiler reports it.
    #[must_use]
    pub const fn from_static(word: &'static str) -> Self {
        assert!(well_formed(word.as_bytes()), "malformed reason code");
        Self(Cow::Borrowed(word))
    }

    /// The code as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

const fn well_formed(word: &[u8]) -> bool {
    if word.len() < 3 || word.len() > 48 || !word[0].is_ascii_lowercase() {
        return false;
    }
    let mut i = 0;
    while i < word.len() {
        if !(word[i].is_ascii_lowercase() || word[i].is_ascii_digit() || word[i] == b'_') {
            return false;
        }
        i += 1;
    }
    true
}

impl std::str::FromStr for ReasonCode {
    type Err = ReasonCodeError;
    fn from_str(word: &str) -> Result<Self, Self::Err> {
        if well_formed(word.as_bytes()) {
            Ok(Self(Cow::Owned(word.to_owned())))
        } else {
            Err(ReasonCodeError(word.chars().take(48).collect()))
        }
    }
}

impl std::fmt::Display for ReasonCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for ReasonCode {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        <Cow<'de, str>>::deserialize(d)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}
