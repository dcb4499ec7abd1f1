//! The matching id: the secret in an activation code that leads to one order.

use simwarden_model::Entropy;

/// The most characters of a matching id.
pub const MATCHING_ID_CHARS_MAX: usize = 255;

/// A matching id: 1 to 255 characters of `0-9`, `A-Z` and `-` (SGP.22 v2, 4.1.1).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MatchingId(String);

/// A text that is no matching id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a matching id has 1 to 255 characters of 0-9, A-Z and -")]
pub struct NoMatchingId;

/// Digits and letters that are not mistaken for each other when read aloud or typed: no I, L, O, U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

impl MatchingId {
    /// Checks length and alphabet.
    ///
    /// # Errors
    /// [`NoMatchingId`] for any other text.
    pub fn parse(text: &str) -> Result<Self, NoMatchingId> {
        let fits = |byte: u8| byte.is_ascii_digit() || byte.is_ascii_uppercase() || byte == b'-';
        if (1..=MATCHING_ID_CHARS_MAX).contains(&text.len()) && text.bytes().all(fits) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NoMatchingId)
        }
    }

    /// Draws one of 100 random bits, four groups of five characters.
    #[must_use]
    pub fn draw(entropy: &mut dyn Entropy) -> Self {
        let mut random = [0; 20];
        entropy.fill(&mut random);
        let mut text = String::with_capacity(23);
        for (at, byte) in random.iter().enumerate() {
            if at > 0 && at % 5 == 0 {
                text.push('-');
            }
            text.push(char::from(ALPHABET[usize::from(byte & 31)]));
        }
        Self(text)
    }

    /// The matching id in the clear. Whoever holds it may be able to fetch the profile.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl core::fmt::Debug for MatchingId {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "MatchingId({} characters)", self.0.len())
    }
}

impl serde::Serialize for MatchingId {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for MatchingId {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(d)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::MatchingId;
    use proptest::prelude::*;
    use std::collections::HashSet;

    #[test]
    fn drawn_ones_are_many_and_well_formed() {
        let mut entropy = crate::testkit::Seed::new(1);
        let drawn: HashSet<_> = (0..1000).map(|_| MatchingId::draw(&mut entropy)).collect();
        assert_eq!(drawn.len(), 1000);
        assert!(
            drawn
                .iter()
                .all(|id| MatchingId::parse(id.reveal()).as_ref() == Ok(id))
        );
        // Every character is one of 32, so 20 of them hold 100 bits.
        let used: HashSet<char> = drawn.iter().flat_map(|id| id.reveal().chars()).collect();
        assert_eq!(used.len(), 33);
        assert!(!format!("{:?}", drawn.iter().next().unwrap()).contains('-'));
    }

    proptest! {
        #[test]
        fn nothing_that_could_be_a_path_or_a_query_passes(text in "\\PC{0,40}") {
            let good = !text.is_empty() && text.chars().all(|c| c.is_ascii_digit() || c.is_ascii_uppercase() || c == '-');
            prop_assert_eq!(MatchingId::parse(&text).is_ok(), good);
        }
    }
}
