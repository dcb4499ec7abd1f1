//! Tag, length, value: a strict reader over slices, and a writer.
//!
//! Lengths are definite and minimal, tags at most three bytes long; anything else is malformed. The reader hands out
//! the raw bytes of every element, because signatures are made over what was received and never over a re-encoding.
//! It knows nothing of what the tags mean.

use crate::error::{EuiccError, Result};

/// The longest element that is read, in bytes: a bound profile package with every optional part is far smaller.
pub const LENGTH_MAX: usize = 0x00FF_FFFF;

/// One element: its tag, its value, and the whole of it as it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tlv<'a> {
    /// The tag's bytes read as one number, such as `0xBF38`.
    pub tag: u32,
    /// The value alone.
    pub value: &'a [u8],
    /// Tag, length and value as received.
    pub raw: &'a [u8],
}

impl<'a> Tlv<'a> {
    /// A reader over the value.
    #[must_use]
    pub fn inside(&self) -> Reader<'a> {
        Reader::new(self.value)
    }

    /// The value as text.
    ///
    /// # Errors
    /// [`EuiccError::Malformed`] when it is not UTF-8.
    pub fn text(&self) -> Result<&'a str> {
        core::str::from_utf8(self.value).map_err(|_| EuiccError::Malformed("a text that is not UTF-8"))
    }

    /// The value as a whole number that is not negative.
    ///
    /// # Errors
    /// [`EuiccError::Malformed`] when it is empty, negative, longer than need be or over 63 bits.
    pub fn number(&self) -> Result<u64> {
        match self.value {
            [] => Err(EuiccError::Malformed("an empty INTEGER")),
            [first, ..] if *first >= 0x80 => Err(EuiccError::Malformed("a negative INTEGER")),
            [0, second, ..] if *second < 0x80 => Err(EuiccError::Malformed("a padded INTEGER")),
            bytes if bytes.len() > 8 => Err(EuiccError::Malformed("an INTEGER over 63 bits")),
            bytes => Ok(bytes.iter().fold(0, |sum, byte| (sum << 8) | u64::from(*byte))),
        }
    }

    /// The value as an array of just that many bytes.
    ///
    /// # Errors
    /// [`EuiccError::Malformed`] when the length differs.
    pub fn array<const N: usize>(&self) -> Result<[u8; N]> {
        self.value
            .try_into()
            .map_err(|_| EuiccError::Malformed("a value of the wrong length"))
    }

    /// The first eight bits of a BIT STRING, the first bit in the highest place; bits left out are zero.
    ///
    /// # Errors
    /// [`EuiccError::Malformed`] when it is empty or its count of unused bits is impossible.
    pub fn bits(&self) -> Result<u8> {
        match self.value {
            [0] => Ok(0),
            [unused, first, rest @ ..] if *unused < 8 => Ok(if rest.is_empty() {
                first & (0xFF << unused)
            } else {
                *first
            }),
            _ => Err(EuiccError::Malformed("a BIT STRING with impossible unused bits")),
        }
    }
}

/// Reads elements one after the other.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Over these bytes.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// What is not read yet.
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next element, or `None` at the end.
    ///
    /// # Errors
    /// [`EuiccError::Malformed`] for anything that is not one whole element.
    #[expect(
        clippy::should_implement_trait,
        reason = "an iterator could not say that the bytes are malformed and then stop"
    )]
    pub fn next(&mut self) -> Result<Option<Tlv<'a>>> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let (tag, header, length) = header(self.rest)?;
        let end = header + length;
        let (Some(raw), Some(value)) = (self.rest.get(..end), self.rest.get(header..end)) else {
            return Err(EuiccError::Malformed("an element that is cut off"));
        };
        self.rest = &self.rest[end..];
        Ok(Some(Tlv { tag, value, raw }))
    }

    /// The next element, which must have this tag.
    ///
    /// # Errors
    /// [`EuiccError::Unexpected`] when another or none follows.
    pub fn expect(&mut self, tag: u32) -> Result<Tlv<'a>> {
        match self.next()? {
            Some(tlv) if tlv.tag == tag => Ok(tlv),
            Some(other) => Err(EuiccError::Unexpected {
                wanted: tag,
                got: Some(other.tag),
            }),
            None => Err(EuiccError::Unexpected {
                wanted: tag,
                got: None,
            }),
        }
    }

    /// The next element if it has this tag; otherwise nothing is read.
    ///
    /// # Errors
    /// [`EuiccError::Malformed`] when what follows is no element.
    pub fn optional(&mut self, tag: u32) -> Result<Option<Tlv<'a>>> {
        let mut ahead = *self;
        match ahead.next()? {
            Some(tlv) if tlv.tag == tag => {
                *self = ahead;
                Ok(Some(tlv))
            }
            _ => Ok(None),
        }
    }

    /// Nothing may follow.
    ///
    /// # Errors
    /// [`EuiccError::Malformed`] when something does.
    pub fn end(&self) -> Result<()> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(EuiccError::Malformed("bytes after the last element"))
        }
    }
}

/// Reads one element that fills the bytes to the end.
///
/// # Errors
/// [`EuiccError`] when it has another tag, is malformed, or bytes follow.
pub fn only(bytes: &[u8], tag: u32) -> Result<Tlv<'_>> {
    let mut reader = Reader::new(bytes);
    let tlv = reader.expect(tag)?;
    reader.end()?;
    Ok(tlv)
}

/// Reads a tag and a length: the tag, the length of both in bytes, and the length of the value, in bytes.
///
/// # Errors
/// [`EuiccError::Malformed`] when either is cut off, indefinite, not minimal or over [`LENGTH_MAX`].
pub fn header(bytes: &[u8]) -> Result<(u32, usize, usize)> {
    let cut = EuiccError::Malformed("a header that is cut off");
    let mut at = 0;
    let mut take = || {
        let byte = bytes.get(at).copied();
        at += 1;
        byte.ok_or(cut.clone())
    };
    let first = take()?;
    let mut tag = u32::from(first);
    if first & 0x1F == 0x1F {
        let second = take()?;
        if second & 0x7F < 0x1F && second & 0x80 == 0 || second == 0x80 {
            return Err(EuiccError::Malformed("a tag that is longer than need be"));
        }
        tag = tag << 8 | u32::from(second);
        if second & 0x80 != 0 {
            let third = take()?;
            if third & 0x80 != 0 {
                return Err(EuiccError::Malformed("a tag of more than three bytes"));
            }
            tag = tag << 8 | u32::from(third);
        }
    }
    let short = take()?;
    let length = match short {
        0..=0x7F => usize::from(short),
        0x81..=0x83 => {
            let mut length = 0;
            for _ in 0x80..short {
                length = length << 8 | usize::from(take()?);
            }
            let least = [0x80, 0x100, 0x1_0000][usize::from(short - 0x81)];
            if length < least {
                return Err(EuiccError::Malformed("a length that is longer than need be"));
            }
            length
        }
        _ => return Err(EuiccError::Malformed("an indefinite or huge length")),
    };
    Ok((tag, at, length))
}

/// The bytes of a tag and a length.
#[must_use]
pub fn head(tag: u32, length: usize) -> Vec<u8> {
    let significant = |bytes: [u8; 8], keep: usize| {
        let from = bytes
            .iter()
            .position(|byte| *byte != 0)
            .unwrap_or(8)
            .min(8 - keep);
        bytes[from..].to_vec()
    };
    let mut out = significant(u64::from(tag).to_be_bytes(), 1);
    let length_bytes = significant((length as u64).to_be_bytes(), 1);
    if length >= 0x80 {
        out.push(0x80 | u8::try_from(length_bytes.len()).unwrap_or(8));
    }
    out.extend(length_bytes);
    out
}

/// One element.
#[must_use]
pub fn tlv(tag: u32, value: impl AsRef<[u8]>) -> Vec<u8> {
    let value = value.as_ref();
    let mut out = head(tag, value.len());
    out.extend_from_slice(value);
    out
}

/// One element whose value is these parts, one after the other.
#[must_use]
pub fn join(tag: u32, parts: &[&[u8]]) -> Vec<u8> {
    tlv(tag, parts.concat())
}

/// An INTEGER that is not negative, under any tag.
#[must_use]
pub fn number(tag: u32, value: u64) -> Vec<u8> {
    let bytes = value.to_be_bytes();
    let from = bytes.iter().position(|byte| *byte != 0).unwrap_or(7);
    let mut content = Vec::with_capacity(9);
    if bytes[from] >= 0x80 {
        content.push(0);
    }
    content.extend_from_slice(&bytes[from..]);
    tlv(tag, content)
}

/// A named-bit BIT STRING of at most eight bits, under any tag; zero bits at its end are left out, as DER wants.
#[must_use]
pub fn bits(tag: u32, value: u8) -> Vec<u8> {
    if value == 0 {
        return tlv(tag, [0]);
    }
    #[expect(clippy::cast_possible_truncation, reason = "at most seven")]
    let unused = value.trailing_zeros() as u8;
    tlv(tag, [unused, value])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn refuses_what_der_forbids() {
        for wrong in [
            &[0x30, 0x80, 0, 0][..],
            &[0x04, 0x81, 0x7F],
            &[0x04, 0x82, 0x00, 0xFF],
            &[0x04, 2, 1],
            &[0xBF],
            &[0x1F, 0x1E, 0],
            &[0xBF, 0x80, 0x01, 0],
            &[0x04, 0x84, 0, 0, 0, 1, 1],
        ] {
            assert!(Reader::new(wrong).next().is_err(), "{wrong:02x?}");
        }
        assert!(only(&[0x04, 1, 7, 0], 0x04).is_err());
        assert_eq!(only(&[0xBF, 0x38, 1, 7], 0xBF38).unwrap().value, [7]);
    }

    #[test]
    fn numbers_and_bits_have_one_form() {
        assert_eq!(number(0x02, 0), [2, 1, 0]);
        assert_eq!(number(0x80, 128), [0x80, 2, 0, 128]);
        assert_eq!(bits(0x99, 0b0110_0000), [0x99, 2, 5, 0x60]);
        assert_eq!(bits(0x99, 0), [0x99, 1, 0]);
        assert!(only(&[2, 2, 0, 1], 2).unwrap().number().is_err());
    }

    proptest! {
        #[test]
        fn reads_what_it_writes(value in proptest::collection::vec(any::<u8>(), 0..70_000), tag in prop::sample::select(vec![4_u32, 0x30, 0x5F37, 0xBF38, 0x9F70])) {
            let bytes = tlv(tag, &value);
            let read = only(&bytes, tag).unwrap();
            prop_assert_eq!(read.value, &value[..]);
            prop_assert_eq!(read.raw, &bytes[..]);
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let mut reader = Reader::new(&bytes);
            while let Ok(Some(it)) = reader.next() {
                let _ = (it.number(), it.bits(), it.text());
            }
        }

        #[test]
        fn numbers_go_there_and_back(value in 0_u64..=i64::MAX as u64) {
            prop_assert_eq!(only(&number(0x80, value), 0x80).unwrap().number().unwrap(), value);
        }
    }
}
