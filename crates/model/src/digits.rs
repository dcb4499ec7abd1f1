//! Digits as people type them, brought to ASCII: Khmer digits, spaces, hyphens.
//!
//! Holds short numbers inline, without allocation. It knows no kind of number; each kind checks its own rules.

use crate::IdentifierError;

/// The longest text that is looked at, in bytes; anything longer is refused unread.
const TEXT_BYTES_MAX: usize = 256;

/// Up to `N` ASCII digits (or capital letters, for document numbers), stored inline; unused bytes are zero.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Digits<const N: usize> {
    bytes: [u8; N],
    len: u8,
}

impl<const N: usize> Digits<N> {
    pub(crate) const EMPTY: Self = Self {
        bytes: [0; N],
        len: 0,
    };

    /// Digits as typed: ASCII or Khmer, separators allowed; at least `min`, at most `N`.
    pub(crate) fn typed(what: &'static str, min: usize, text: &str) -> Result<Self, IdentifierError> {
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Self::plain(what, min, text.as_bytes());
        }
        Self::collect(what, min, text, |c| c.is_ascii_digit().then_some(c))
    }

    /// ASCII digits and nothing else: the quick path for machines.
    pub(crate) fn plain(what: &'static str, min: usize, text: &[u8]) -> Result<Self, IdentifierError> {
        if text.len() < min || text.len() > N {
            return Err(Self::length(what, min, text.len()));
        }
        let mut this = Self::EMPTY;
        if let Some(at) = text.iter().position(|byte| !byte.is_ascii_digit()) {
            return Err(IdentifierError::Character {
                what,
                position: at + 1,
            });
        }
        this.bytes[..text.len()].copy_from_slice(text);
        this.len = u8::try_from(text.len()).unwrap_or(u8::MAX);
        Ok(this)
    }

    /// Collects the characters that `keep` maps to ASCII, after separators and Khmer digits are dealt with.
    pub(crate) fn collect(
        what: &'static str,
        min: usize,
        text: &str,
        keep: impl Fn(char) -> Option<char>,
    ) -> Result<Self, IdentifierError> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(Self::length(what, min, N + 1));
        }
        let mut this = Self::EMPTY;
        for (at, given) in text.chars().enumerate() {
            if is_separator(given) {
                continue;
            }
            let Some(kept) = keep(to_ascii_digit(given)).and_then(|c| u8::try_from(c).ok()) else {
                return Err(IdentifierError::Character {
                    what,
                    position: at + 1,
                });
            };
            if !this.push(kept) {
                return Err(Self::length(what, min, N + 1));
            }
        }
        if this.len() < min {
            Err(Self::length(what, min, this.len()))
        } else {
            Ok(this)
        }
    }

    /// Appends one ASCII byte; false when full.
    pub(crate) fn push(&mut self, byte: u8) -> bool {
        debug_assert!(byte.is_ascii_digit() || byte.is_ascii_uppercase());
        match self.bytes.get_mut(usize::from(self.len)) {
            Some(slot) => {
                *slot = byte;
                self.len += 1;
                true
            }
            None => false,
        }
    }

    pub(crate) const fn len(&self) -> usize {
        self.len as usize
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len()]
    }

    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).expect("only ASCII is ever stored")
    }

    fn length(what: &'static str, min: usize, got: usize) -> IdentifierError {
        IdentifierError::Length {
            what,
            min,
            max: N,
            got: got.min(N + 1),
        }
    }
}

/// Turns the Khmer digits ០–៩ (U+17E0–U+17E9) of a text into 0–9 and leaves everything else alone.
#[must_use]
pub fn normalise_digits(text: &str) -> String {
    text.chars().map(to_ascii_digit).collect()
}

/// A Khmer digit as ASCII; any other character as it is.
pub(crate) fn to_ascii_digit(c: char) -> char {
    match c {
        '\u{17E0}'..='\u{17E9}' => {
            char::from_digit(u32::from(c) - 0x17E0, 10).expect("ten Khmer digits, ten values")
        }
        other => other,
    }
}

/// What people put between the digits of a number: spaces of all widths, hyphens, dots, brackets, slashes.
pub(crate) const fn is_separator(c: char) -> bool {
    matches!(
        c,
        ' ' | '\t' | '\u{A0}' | '\u{202F}' | '\u{2009}' | '\u{200B}' | '-' | '\u{2010}'
            ..='\u{2013}' | '.' | '(' | ')' | '/'
    )
}

/// The Luhn check digit (ISO/IEC 7812-1 annex B) that belongs behind these ASCII digits.
pub(crate) fn luhn(digits: &[u8]) -> u8 {
    let mut sum = 0_u32;
    for (place, digit) in digits.iter().rev().enumerate() {
        let value = u32::from(digit - b'0');
        sum += if place % 2 == 0 {
            value * 2 / 10 + value * 2 % 10
        } else {
            value
        };
    }
    b'0' + u8::try_from((10 - sum % 10) % 10).unwrap_or(0)
}

/// Whether the last of these ASCII digits is the Luhn check digit of the others.
pub(crate) fn luhn_fits(digits: &[u8]) -> bool {
    digits
        .split_last()
        .is_some_and(|(last, body)| luhn(body) == *last)
}

#[cfg(test)]
mod tests {
    use super::{Digits, luhn, luhn_fits, normalise_digits};
    use proptest::prelude::*;

    #[test]
    fn reads_khmer_digits_and_separators_within_bounds() {
        assert_eq!(normalise_digits("០១២ ៣៤៥ a"), "012 345 a");
        let typed = |text: &str| Digits::<9>::typed("a number", 3, text).map(|it| it.as_str().to_owned());
        assert_eq!(typed("០១២-៣៤៥.(678)").unwrap(), "012345678");
        assert!(typed("12").is_err() && typed("1234567890").is_err() && typed("12x4").is_err());
        assert!(typed(&" ".repeat(1_000_000)).is_err());
        assert!(luhn_fits(b"79927398713") && luhn(b"7992739871") == b'3' && !luhn_fits(b""));
    }

    proptest! {
        #[test]
        fn never_panics_and_keeps_digits_only(text in "\\PC{0,40}") {
            if let Ok(digits) = Digits::<20>::typed("a number", 1, &text) {
                prop_assert!(digits.as_str().bytes().all(|byte| byte.is_ascii_digit()));
                prop_assert!((1..=20).contains(&digits.len()));
            }
        }
    }
}
