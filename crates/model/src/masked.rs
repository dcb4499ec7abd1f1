//! How identifiers are shown.
//!
//! `Display` and `Debug` of every personal identifier show a few digits at either end and `•` between them, so
//! that nothing leaks into a log, an error or a page by accident. The clear text comes out of one place only:
//! the method `reveal`. For the same reason no identifier implements `Serialize`; whoever writes one out says so
//! with `reveal`. `Deserialize` parses and checks.

use std::fmt;

/// Writes `text` with only the first `head` and last `tail` characters readable; together at most half of it.
pub(crate) fn write_masked(f: &mut fmt::Formatter<'_>, text: &str, head: usize, tail: usize) -> fmt::Result {
    let len = text.len();
    let tail = tail.min(len / 4);
    let head = head.min(len / 2 - tail.min(len / 2));
    for (at, c) in text.chars().enumerate() {
        let shown = at < head || at + tail >= len;
        fmt::Write::write_char(f, if shown { c } else { '•' })?;
    }
    Ok(())
}

/// Gives an identifier type its masked `Display` and `Debug`, `FromStr` and `Deserialize` through its `parse`.
macro_rules! masked {
    ($name:ident, head $head:expr, tail $tail:expr) => {
        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                $crate::masked::write_masked(f, self.reveal(), $head, $tail)
            }
        }

        $crate::masked::masked!(@traits $name, parse);
    };
    (@traits $name:ident, $parse:ident) => {
        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl core::str::FromStr for $name {
            type Err = $crate::IdentifierError;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::$parse(text)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(d)?;
                Self::$parse(&text).map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use masked;
