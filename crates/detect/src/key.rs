//! What events are grouped by, in sixteen bytes, and the names of events, in eight.
//!
//! Identifiers fit exactly: up to 35 digits (an EID has 32) or 17 ASCII characters. Longer texts and groups of several
//! fields are a 126-bit digest, and the text itself stands in [`Names`]. No text is kept twice, none per state.

use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};

const DIGITS: u128 = 0;
const ASCII: u128 = 1;
const DIGEST: u128 = 2;
const DIGITS_MAX: usize = 35;
const ASCII_MAX: usize = 17;

/// Between the values of a group of several fields.
pub(crate) const JOIN: char = '\u{1f}';

/// A group: one value, or several values together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Key(pub(crate) u128);

impl Key {
    /// The key of one text.
    pub(crate) fn of(text: &str) -> Self {
        let bytes = text.as_bytes();
        if bytes.len() <= DIGITS_MAX
            && let Some(value) = decimal(bytes)
        {
            return Self(value << 8 | (bytes.len() as u128) << 2 | DIGITS);
        }
        if bytes.len() <= ASCII_MAX && text.is_ascii() {
            let packed = bytes
                .iter()
                .fold(0_u128, |sum, byte| sum << 7 | u128::from(*byte));
            return Self(packed << 7 | (bytes.len() as u128) << 2 | ASCII);
        }
        Self(digest(bytes) << 2 | DIGEST)
    }

    /// The text, if it fits into the key.
    pub(crate) fn text(self) -> Option<String> {
        match self.0 & 3 {
            DIGITS => {
                let width = usize::try_from(self.0 >> 2 & 63).unwrap_or(0);
                Some(if width == 0 {
                    String::new()
                } else {
                    format!("{:0width$}", self.0 >> 8)
                })
            }
            ASCII => {
                let len = usize::try_from(self.0 >> 2 & 31).unwrap_or(0);
                let packed = self.0 >> 7;
                let letter =
                    |at: usize| char::from(u8::try_from(packed >> (7 * (len - 1 - at)) & 127).unwrap_or(0));
                Some((0..len).map(letter).collect())
            }
            _ => None,
        }
    }

    /// Whether the text has to be kept beside it.
    pub(crate) fn is_digest(self) -> bool {
        self.0 & 3 == DIGEST
    }

    /// Sixty-four well mixed bits: for tables, shards and distinct values.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the two halves are what is wanted"
    )]
    pub(crate) fn mixed(self) -> u64 {
        fold(
            self.0 as u64 ^ 0x9E37_79B9_7F4A_7C15,
            (self.0 >> 64) as u64 ^ 0xD1B5_4A32_D192_ED03,
        )
    }
}

/// The value of a text of digits.
fn decimal(bytes: &[u8]) -> Option<u128> {
    let mut sum = 0_u128;
    for part in bytes.chunks(18) {
        let (mut value, mut scale) = (0_u64, 1_u64);
        for byte in part {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                return None;
            }
            value = value * 10 + u64::from(digit);
            scale *= 10;
        }
        sum = sum * u128::from(scale) + u128::from(value);
    }
    Some(sum)
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a product is folded to its two halves"
)]
pub(crate) fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product as u64) ^ (product >> 64) as u64
}

/// 126 bits over a text of any length.
fn digest(bytes: &[u8]) -> u128 {
    let mut state = [0x243F_6A88_85A3_08D3_u64, 0x1319_8A2E_0370_7344];
    let mut take = |word: u64| {
        state[0] = fold(state[0] ^ word, 0xA409_3822_299F_31D1);
        state[1] = fold(state[1].rotate_left(23) ^ word, 0x082E_FA98_EC4E_6C89);
    };
    for chunk in bytes.chunks(8) {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        take(u64::from_le_bytes(word));
    }
    take(bytes.len() as u64 ^ 0x4528_21E6_38D0_1377);
    (u128::from(state[0]) << 64 | u128::from(state[1])) >> 2
}

/// Sixty-four bits over a text.
#[expect(clippy::cast_possible_truncation, reason = "the two halves are folded")]
pub(crate) fn hash(text: &str) -> u64 {
    let wide = digest(text.as_bytes());
    fold(wide as u64 ^ 0x13, (wide >> 64) as u64 ^ 0x9E37_79B9_7F4A_7C15)
}

/// The source's name of an event: a number below 2^63 as it is, anything else by digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct IdRef(u64);

const NAMED: u64 = 1 << 63;

impl IdRef {
    pub(crate) fn number(id: u64) -> Option<Self> {
        (id < NAMED).then_some(Self(id))
    }

    /// Of an id written as JSON, quotes included.
    pub(crate) fn named(json: &str) -> Self {
        Self(hash(json) | NAMED)
    }

    pub(crate) fn is_named(self) -> bool {
        self.0 & NAMED != 0
    }

    /// For remembering which were seen.
    pub(crate) fn bits(self) -> u64 {
        self.0
    }
}

/// The texts behind digests.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Names {
    keys: HashMap<Key, Box<str>>,
    ids: HashMap<IdRef, Box<str>>,
}

impl Names {
    pub(crate) fn keep_key(&mut self, key: Key, text: &str) {
        if key.is_digest() {
            self.keys.entry(key).or_insert_with(|| text.into());
        }
    }

    pub(crate) fn keep_id(&mut self, id: IdRef, json: &str) {
        if id.is_named() {
            self.ids.entry(id).or_insert_with(|| json.into());
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.ids.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.keys.len() + self.ids.len()
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        for (key, text) in &other.keys {
            self.keep_key(*key, text);
        }
        for (id, text) in &other.ids {
            self.keep_id(*id, text);
        }
    }

    pub(crate) fn key_text(&self, key: Key) -> String {
        key.text()
            .or_else(|| self.keys.get(&key).map(ToString::to_string))
            .unwrap_or_default()
            .replace(JOIN, ", ")
    }

    /// The id as JSON.
    pub(crate) fn id_value(&self, id: IdRef) -> serde_json::Value {
        if !id.is_named() {
            return id.0.into();
        }
        let text = self.ids.get(&id).map_or("null", |text| text);
        serde_json::from_str(text).unwrap_or_default()
    }

    /// The order of two events of one moment: numbers, then texts.
    pub(crate) fn order(&self, a: IdRef, b: IdRef) -> std::cmp::Ordering {
        if a.is_named() && b.is_named() && a != b {
            return self.ids.get(&a).cmp(&self.ids.get(&b)).then(a.cmp(&b));
        }
        a.cmp(&b)
    }

    /// Drops the texts that nothing refers to any more.
    pub(crate) fn keep_only(&mut self, keys: &HashSet<Key>, ids: &HashSet<IdRef>) {
        self.keys.retain(|key, _| keys.contains(key));
        self.ids.retain(|id, _| ids.contains(id));
        self.keys.shrink_to(self.keys.len() * 2);
        self.ids.shrink_to(self.ids.len() * 2);
    }
}

/// Tables by key: one multiplication, its secret from outside, so that nobody chooses numbers that collide.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct KeyHash(pub(crate) u64);

impl std::hash::BuildHasher for KeyHash {
    type Hasher = KeyHasher;
    fn build_hasher(&self) -> KeyHasher {
        KeyHasher(self.0)
    }
}

pub(crate) struct KeyHasher(u64);

impl std::hash::Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }
    fn write_u64(&mut self, value: u64) {
        self.0 = fold(self.0 ^ value ^ 0x9E37_79B9_7F4A_7C15, 0xD6E8_FEB8_6659_FD93);
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the two halves are what is wanted"
    )]
    fn write_u128(&mut self, value: u128) {
        self.0 = fold(
            self.0 ^ value as u64 ^ 0x9E37_79B9_7F4A_7C15,
            (value >> 64) as u64 ^ 0xD6E8_FEB8_6659_FD93,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::{Key, Names, digest};
    use proptest::prelude::*;

    #[test]
    fn what_operators_use_fits_exactly() {
        for text in [
            "",
            "0",
            "007",
            "85512345678",
            "89049032123456789012345678901234",
            "AG001234",
            "456-01-0003-01234",
            "~",
        ] {
            assert_eq!(Key::of(text).text().as_deref(), Some(text), "{text}");
        }
        assert!(Key::of("a text that is too long").is_digest() && Key::of("ភ្នំពេញ").is_digest());
    }

    proptest! {
        #[test]
        fn equal_keys_are_equal_texts(a in "[0-9a-z-]{0,20}|[0-9]{0,40}", b in "[0-9a-z-]{0,20}|[0-9]{0,40}") {
            prop_assert_eq!(Key::of(&a) == Key::of(&b), a == b);
            let mut names = Names::default();
            names.keep_key(Key::of(&a), &a);
            prop_assert_eq!(names.key_text(Key::of(&a)), a.clone());
            prop_assert_eq!(digest(a.as_bytes()) == digest(b.as_bytes()), a == b);
        }
    }
}
