//! Which fields of an event the loaded rules read, and what a field holds.

use simwarden_model::Event;

/// The most fields that the rules of one program may read.
pub(crate) const SLOTS_MAX: usize = 48;
/// No slot: nobody reads the field.
pub(crate) const UNREAD: u8 = u8::MAX;

/// What a field holds, borrowed from the line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Val<'a> {
    /// Not there, or `null`.
    Absent,
    /// A text; identifiers in their canonical form.
    Text(&'a str),
    /// A number as it is written.
    Number(&'a str),
    /// True or false.
    Bool(bool),
    /// A list or an object: there, but equal to nothing.
    Other,
}

impl<'a> Val<'a> {
    /// As text, for comparing and grouping; an empty text groups nothing.
    pub(crate) fn text(self) -> Option<&'a str> {
        match self {
            Self::Text(text) | Self::Number(text) => Some(text),
            Self::Bool(true) => Some("true"),
            Self::Bool(false) => Some("false"),
            Self::Absent | Self::Other => None,
        }
    }

    pub(crate) fn number(self) -> Option<f64> {
        match self {
            Self::Text(text) | Self::Number(text) => text.parse().ok().filter(|n: &f64| n.is_finite()),
            _ => None,
        }
    }

    /// Degrees as ten-millionths, rounded.
    pub(crate) fn degrees_e7(self) -> Option<i32> {
        let text = self.text()?;
        quick_e7(text).or_else(|| {
            let scaled = (text.parse::<f64>().ok()? * 1e7).round();
            #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
            (scaled.abs() <= 1.8e9).then_some(scaled as i32)
        })
    }
}

/// Plain degrees with at most seven decimals, without floating point.
fn quick_e7(text: &str) -> Option<i32> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (mut value, mut decimals, mut point) = (0_i64, 0, false);
    if digits.len() > 12 {
        return None;
    }
    for byte in digits.bytes() {
        match byte {
            b'0'..=b'9' => {
                value = value * 10 + i64::from(byte - b'0');
                decimals += u32::from(point);
            }
            b'.' if !point => point = true,
            _ => return None,
        }
    }
    let value = value.checked_mul(10_i64.pow(7_u32.checked_sub(decimals)?))?;
    i32::try_from(if negative { -value } else { value })
        .ok()
        .filter(|value| value.abs() <= 1_800_000_000)
}

/// The fields that rules read, each with its slot.
#[derive(Debug, Clone)]
pub(crate) struct Fields {
    names: Vec<Box<str>>,
    /// The slot of each of [`Event::FIELDS`].
    pub known: [u8; Event::FIELDS.len()],
    /// Slots of fields that have no fixed meaning.
    pub other: Vec<(Box<str>, u8)>,
}

impl Default for Fields {
    fn default() -> Self {
        Self {
            names: Vec::new(),
            known: [UNREAD; Event::FIELDS.len()],
            other: Vec::new(),
        }
    }
}

impl Fields {
    /// The slot of a field, a new one if nobody read it yet; `None` when there are too many.
    pub(crate) fn slot(&mut self, name: &str) -> Option<u8> {
        if let Some(at) = self.names.iter().position(|known| **known == *name) {
            return u8::try_from(at).ok();
        }
        let slot = u8::try_from(self.names.len())
            .ok()
            .filter(|slot| usize::from(*slot) < SLOTS_MAX)?;
        self.names.push(name.into());
        match Event::FIELDS.iter().position(|known| *known == name) {
            Some(at) => self.known[at] = slot,
            None => self.other.push((name.into(), slot)),
        }
        Some(slot)
    }

    pub(crate) fn names(&self) -> &[Box<str>] {
        &self.names
    }
}

#[cfg(test)]
mod tests {
    use super::{Val, quick_e7};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn both_ways_of_reading_degrees_agree(whole in 0_u32..180, decimals in "[0-9]{1,9}", minus in any::<bool>()) {
            let text = format!("{}{whole}.{decimals}", if minus { "-" } else { "" });
            let slow = (text.parse::<f64>().unwrap() * 1e7).round();
            prop_assert_eq!(f64::from(Val::Number(&text).degrees_e7().unwrap()), slow);
            if decimals.len() <= 7 {
                prop_assert_eq!(quick_e7(&text).map(f64::from), Some(slow));
            }
        }
    }
}
