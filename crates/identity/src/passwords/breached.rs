//! Whether a password is in a list of leaked ones, kept offline as range files: one for each first five hexadecimal
//! digits of the SHA-1, with lines `35 more digits:count` (the format of Have I Been Pwned's ranges).
//!
//! SHA-1 only finds the line here; what is kept of a password is Argon2id. This file reads text; where it lies is the
//! caller's to know.

use sha1::{Digest as _, Sha1};
use std::fmt::Write as _;

/// Hexadecimal digits of the name of a range.
const NAME_DIGITS: usize = 5;
/// Hexadecimal digits of a SHA-1.
const HASH_DIGITS: usize = 40;
/// The largest range file that is read, in bytes: the public ones have some 40 kB.
pub const RANGE_BYTES_MAX: usize = 4 << 20;

/// Where a password would stand in the list.
#[derive(Clone, PartialEq, Eq)]
pub struct BreachedRange {
    digits: String,
}

impl std::fmt::Debug for BreachedRange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The rest would find the password.
        write!(f, "BreachedRange({}…)", self.name())
    }
}

/// A range file that is not one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RangeError {
    /// A line is not `35 hexadecimal digits:count`.
    #[error("line {line} is not 35 hexadecimal digits, a colon and a count; fetch the range file again")]
    Line {
        /// Its number, from 1.
        line: usize,
    },
    /// The file is larger than a range can be.
    #[error("the range file has more than {RANGE_BYTES_MAX} bytes; it is not a range file")]
    TooLarge,
}

impl BreachedRange {
    /// Of a password.
    #[must_use]
    pub fn of(password: &str) -> Self {
        let mut digits = String::with_capacity(HASH_DIGITS);
        for byte in Sha1::digest(password.as_bytes()) {
            let _ = write!(digits, "{byte:02X}");
        }
        Self { digits }
    }

    /// The name of the range file: five hexadecimal digits.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.digits[..NAME_DIGITS]
    }

    /// How often the password was leaked, by this range file; zero when it is not in it. Lines with a count of zero
    /// are padding.
    ///
    /// # Errors
    /// When the text is no range file: then nothing is known, which is not the same as zero.
    pub fn count_in(&self, range: &str) -> Result<u64, RangeError> {
        if range.len() > RANGE_BYTES_MAX {
            return Err(RangeError::TooLarge);
        }
        let wanted = &self.digits[NAME_DIGITS..];
        let mut found = 0;
        for (at, line) in range.lines().enumerate() {
            let line = line.trim_end_matches('\r');
            if line.is_empty() {
                continue;
            }
            let wrong = || RangeError::Line { line: at + 1 };
            let (suffix, count) = line.split_once(':').ok_or_else(wrong)?;
            let fits =
                suffix.len() == HASH_DIGITS - NAME_DIGITS && suffix.bytes().all(|b| b.is_ascii_hexdigit());
            let count: u64 = count.trim().parse().map_err(|_| wrong())?;
            if !fits {
                return Err(wrong());
            }
            if suffix.eq_ignore_ascii_case(wanted) {
                found = found.max(count);
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::{BreachedRange, RangeError};

    #[test]
    fn a_password_is_found_in_its_range_and_padding_is_not() {
        // SHA-1 of `password`: FIPS 180's own function, the digest as the public list has it.
        let range = BreachedRange::of("password");
        assert_eq!(range.name(), "5BAA6");
        let text = "1E4C9B93F3F0682250B6CF8331B7EE68FD7:3\r\n1E4C9B93F3F0682250B6CF8331B7EE68FD8:10437277\r\n\
                    FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF:0\r\n";
        assert_eq!(range.count_in(text), Ok(10_437_277));
        assert_eq!(range.count_in("1e4c9b93f3f0682250b6cf8331b7ee68fd8:7"), Ok(7));
        assert_eq!(range.count_in(""), Ok(0));
        assert_eq!(BreachedRange::of("another").count_in(text), Ok(0));
        assert_eq!(range.count_in("<html>"), Err(RangeError::Line { line: 1 }));
        assert_eq!(range.count_in("ABC:1"), Err(RangeError::Line { line: 1 }));
        assert!(!format!("{range:?}").contains("1E4C9"));
    }
}
