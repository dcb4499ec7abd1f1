//! Strict DER over raw slices (ITU-T X.690), and a small writer.
//!
//! A [`Tlv`] keeps the slice it was read from, so that a signature is checked over the bytes that were received
//! and never over a re-encoding. Only definite, minimal lengths and minimal tags are read; nothing may follow what
//! was announced. It knows no type of any protocol and interprets no value but integers and booleans.

/// The longest input that is read at all, in bytes: a profile package with room to spare.
pub const INPUT_BYTES_MAX: usize = 1 << 20;
/// How deep [`check_tree`] follows constructed values.
pub const DEPTH_MAX: usize = 16;

/// A tag as its bytes read as one number: `0x30`, `0x5F49`, `0xBF38`.
pub type Tag = u32;

/// Why bytes are no DER of the expected shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DerError {
    /// The bytes end before the value does.
    #[error("the DER value is cut short; send all of it")]
    Truncated,
    /// A tag in a longer form than needed, or longer than three bytes.
    #[error("a DER tag is not in its shortest form")]
    Tag,
    /// An indefinite or non-minimal length.
    #[error("a DER length is indefinite or not in its shortest form")]
    Length,
    /// Bytes follow the value.
    #[error("bytes follow the DER value; send nothing after it")]
    Trailing,
    /// Another tag than the one that must stand here.
    #[error("tag {expected:X} must stand here, {found:X} does")]
    Unexpected {
        /// The tag that must stand here.
        expected: Tag,
        /// The tag that does; 0 at the end.
        found: Tag,
    },
    /// Nested or longer than is ever read.
    #[error("the DER value is larger or nested deeper than is read")]
    TooLarge,
    /// The value does not fit its type.
    #[error("a DER value does not fit its type")]
    Value,
}

/// One tag, length and value, as slices of what was read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Tlv<'a> {
    /// The tag.
    pub tag: Tag,
    /// Tag, length and value: what is signed.
    pub raw: &'a [u8],
    /// The value alone.
    pub value: &'a [u8],
}

impl core::fmt::Debug for Tlv<'_> {
    /// Tag and length; a value may be a key.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Tlv({:X}, {} bytes)", self.tag, self.value.len())
    }
}

impl<'a> Tlv<'a> {
    /// Reads exactly one value: nothing may follow it.
    ///
    /// # Errors
    /// [`DerError`] when the bytes are not one strict TLV.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, DerError> {
        if bytes.len() > INPUT_BYTES_MAX {
            return Err(DerError::TooLarge);
        }
        let mut reader = Reader::new(bytes);
        let tlv = reader.read()?;
        reader.finish()?;
        Ok(tlv)
    }

    /// As [`Self::parse`], of this tag.
    ///
    /// # Errors
    /// As [`Self::parse`], and when the tag is another.
    pub fn parse_as(bytes: &'a [u8], tag: Tag) -> Result<Self, DerError> {
        let tlv = Self::parse(bytes)?;
        if tlv.tag == tag {
            Ok(tlv)
        } else {
            Err(DerError::Unexpected {
                expected: tag,
                found: tlv.tag,
            })
        }
    }

    /// A reader of the values inside.
    #[must_use]
    pub fn inner(&self) -> Reader<'a> {
        Reader::new(self.value)
    }

    /// Whether the value is made of further TLVs.
    #[must_use]
    pub fn is_constructed(&self) -> bool {
        self.raw.first().is_some_and(|byte| byte & 0x20 != 0)
    }

    /// The value as an array of exactly `N` bytes.
    ///
    /// # Errors
    /// [`DerError::Value`] when it has another length.
    pub fn array<const N: usize>(&self) -> Result<[u8; N], DerError> {
        self.value.try_into().map_err(|_| DerError::Value)
    }

    /// The value as a small non-negative INTEGER in its shortest form.
    ///
    /// # Errors
    /// [`DerError::Value`] when it is empty, negative, padded or above 2^31.
    pub fn unsigned(&self) -> Result<u32, DerError> {
        match self.value {
            [] => Err(DerError::Value),
            [first, ..] if first & 0x80 != 0 => Err(DerError::Value),
            [0, second, ..] if second & 0x80 == 0 => Err(DerError::Value),
            bytes if bytes.len() > 5 || (bytes.len() == 5 && bytes[0] != 0) => Err(DerError::Value),
            bytes => Ok(bytes
                .iter()
                .fold(0_u32, |sum, byte| (sum << 8) | u32::from(*byte))),
        }
    }

    /// The value as text.
    ///
    /// # Errors
    /// [`DerError::Value`] when it is not UTF-8.
    pub fn text(&self) -> Result<&'a str, DerError> {
        core::str::from_utf8(self.value).map_err(|_| DerError::Value)
    }
}

/// Reads TLVs one after the other.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// A reader of these bytes.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Whether everything was read.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Reads the next value.
    ///
    /// # Errors
    /// [`DerError`] at the end, or when the bytes are not strict.
    pub fn read(&mut self) -> Result<Tlv<'a>, DerError> {
        let start = self.rest;
        let (tag, tag_bytes) = read_tag(start)?;
        let (length, length_bytes) = read_length(&start[tag_bytes..])?;
        let header = tag_bytes + length_bytes;
        let end = header.checked_add(length).ok_or(DerError::TooLarge)?;
        let raw = start.get(..end).ok_or(DerError::Truncated)?;
        self.rest = &start[end..];
        Ok(Tlv {
            tag,
            raw,
            value: &raw[header..],
        })
    }

    /// Reads the next value, which must have this tag.
    ///
    /// # Errors
    /// As [`Self::read`], and when the tag is another.
    pub fn expect(&mut self, tag: Tag) -> Result<Tlv<'a>, DerError> {
        match self.peek() {
            Some(found) if found == tag => self.read(),
            found => Err(DerError::Unexpected {
                expected: tag,
                found: found.unwrap_or(0),
            }),
        }
    }

    /// Reads the next value when it has this tag; otherwise nothing is read.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn optional(&mut self, tag: Tag) -> Result<Option<Tlv<'a>>, DerError> {
        if self.peek() == Some(tag) {
            self.read().map(Some)
        } else {
            Ok(None)
        }
    }

    /// Reads on to the first value of this tag and passes over others.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn find(&mut self, tag: Tag) -> Result<Option<Tlv<'a>>, DerError> {
        while !self.is_empty() {
            let tlv = self.read()?;
            if tlv.tag == tag {
                return Ok(Some(tlv));
            }
        }
        Ok(None)
    }

    /// The tag that stands next; `None` at the end and where no tag can be read.
    #[must_use]
    pub fn peek(&self) -> Option<Tag> {
        read_tag(self.rest).ok().map(|(tag, _)| tag)
    }

    /// Says that nothing more may stand here.
    ///
    /// # Errors
    /// [`DerError::Trailing`] when something does.
    pub const fn finish(&self) -> Result<(), DerError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(DerError::Trailing)
        }
    }
}

fn read_tag(bytes: &[u8]) -> Result<(Tag, usize), DerError> {
    let first = *bytes.first().ok_or(DerError::Truncated)?;
    if first & 0x1F != 0x1F {
        return Ok((u32::from(first), 1));
    }
    let second = *bytes.get(1).ok_or(DerError::Truncated)?;
    if second & 0x7F == 0 || second < 0x1F {
        return Err(DerError::Tag);
    }
    let two = (u32::from(first) << 8) | u32::from(second);
    if second & 0x80 == 0 {
        return Ok((two, 2));
    }
    let third = *bytes.get(2).ok_or(DerError::Truncated)?;
    if third & 0x80 != 0 {
        return Err(DerError::Tag);
    }
    Ok(((two << 8) | u32::from(third), 3))
}

fn read_length(bytes: &[u8]) -> Result<(usize, usize), DerError> {
    let first = *bytes.first().ok_or(DerError::Truncated)?;
    if first < 0x80 {
        return Ok((usize::from(first), 1));
    }
    let count = usize::from(first & 0x7F);
    if count == 0 {
        return Err(DerError::Length);
    }
    if count > 3 {
        return Err(DerError::TooLarge);
    }
    let digits = bytes.get(1..=count).ok_or(DerError::Truncated)?;
    let length = digits
        .iter()
        .fold(0_usize, |sum, byte| (sum << 8) | usize::from(*byte));
    let smallest = [0, 0x80, 0x100, 0x1_0000][count];
    if length < smallest {
        return Err(DerError::Length);
    }
    Ok((length, 1 + count))
}

/// Checks that every constructed value below is strict DER too, to a bounded depth.
///
/// # Errors
/// [`DerError`] of the first part that is not.
pub fn check_tree(tlv: &Tlv<'_>) -> Result<(), DerError> {
    fn walk(tlv: &Tlv<'_>, depth: usize) -> Result<(), DerError> {
        if depth == 0 {
            return Err(DerError::TooLarge);
        }
        if tlv.is_constructed() {
            let mut reader = tlv.inner();
            while !reader.is_empty() {
                walk(&reader.read()?, depth - 1)?;
            }
        }
        Ok(())
    }
    walk(tlv, DEPTH_MAX)
}

/// Appends tag and length of a value that the caller appends next.
pub fn push_header(out: &mut Vec<u8>, tag: Tag, length: usize) {
    let tag_bytes = tag.to_be_bytes();
    let skip = tag_bytes.iter().position(|byte| *byte != 0).unwrap_or(3);
    out.extend_from_slice(&tag_bytes[skip..]);
    let length_bytes = length.to_be_bytes();
    if length < 0x80 {
        out.push(length_bytes[length_bytes.len() - 1]);
        return;
    }
    let skip = length_bytes.iter().position(|byte| *byte != 0).unwrap_or(0);
    let digits = &length_bytes[skip..];
    out.push(0x80 | u8::try_from(digits.len()).unwrap_or(8));
    out.extend_from_slice(digits);
}

/// Appends one TLV.
pub fn push(out: &mut Vec<u8>, tag: Tag, value: &[u8]) {
    push_header(out, tag, value.len());
    out.extend_from_slice(value);
}

/// One TLV whose value is these parts, one after the other.
#[must_use]
pub fn tlv(tag: Tag, parts: &[&[u8]]) -> Vec<u8> {
    let length = parts.iter().map(|part| part.len()).sum();
    let mut out = Vec::with_capacity(length + 8);
    push_header(&mut out, tag, length);
    for part in parts {
        out.extend_from_slice(part);
    }
    out
}

/// The contents of a non-negative INTEGER in its shortest form.
#[must_use]
pub fn unsigned(value: u32) -> Vec<u8> {
    let bytes = value.to_be_bytes();
    let skip = bytes.iter().position(|byte| *byte != 0).unwrap_or(3);
    let mut out = Vec::with_capacity(5);
    if bytes[skip] & 0x80 != 0 {
        out.push(0);
    }
    out.extend_from_slice(&bytes[skip..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn refuses_what_is_not_strict() {
        let wrong: &[(&[u8], DerError)] = &[
            (&[], DerError::Truncated),
            (&[0x30], DerError::Truncated),
            (&[0x30, 0x80, 0, 0], DerError::Length),
            (&[0x30, 0x81, 0x7F], DerError::Length),
            (&[0x30, 0x82, 0x00, 0xFF], DerError::Length),
            (&[0x30, 0x84, 0, 0, 0, 1], DerError::TooLarge),
            (&[0x30, 0x02, 0x01], DerError::Truncated),
            (&[0x30, 0x00, 0x00], DerError::Trailing),
            (&[0x5F, 0x1E, 0x00], DerError::Tag),
            (&[0x5F, 0x80, 0x49, 0x00], DerError::Tag),
            (&[0x5F, 0x81, 0x81, 0x01, 0x00], DerError::Tag),
        ];
        for (bytes, error) in wrong {
            assert_eq!(Tlv::parse(bytes), Err(*error), "{bytes:02X?}");
        }
        assert_eq!(Tlv::parse(&[0xBF, 0x38, 0x01, 0x05]).unwrap().tag, 0xBF38);
        assert_eq!(
            Tlv::parse_as(&[0x30, 0x00], 0x31).unwrap_err(),
            DerError::Unexpected {
                expected: 0x31,
                found: 0x30
            }
        );
        let deep = (0..DEPTH_MAX + 1).fold(Vec::new(), |inner, _| tlv(0x30, &[&inner]));
        assert_eq!(check_tree(&Tlv::parse(&deep).unwrap()), Err(DerError::TooLarge));
        let broken_inside = tlv(0x30, &[&[0x30, 0x05, 0x00]]);
        assert_eq!(
            check_tree(&Tlv::parse(&broken_inside).unwrap()),
            Err(DerError::Truncated)
        );
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(tag in prop::sample::select(vec![0x02_u32, 0x30, 0x5A, 0x5F49, 0xBF25]), value in prop::collection::vec(any::<u8>(), 0..70_000)) {
            let bytes = tlv(tag, &[&value]);
            let read = Tlv::parse(&bytes).unwrap();
            prop_assert_eq!((read.tag, read.value, read.raw), (tag, &value[..], &bytes[..]));
            prop_assert!(Tlv::parse(&bytes[..bytes.len() - 1]).is_err());
        }

        #[test]
        fn anything_read_is_what_would_be_written(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            if let Ok(read) = Tlv::parse(&bytes) {
                prop_assert_eq!(tlv(read.tag, &[read.value]), bytes.clone());
                let _ = check_tree(&read);
            }
        }

        #[test]
        fn integers_have_one_form(value in 0_u32..=u32::MAX) {
            let bytes = tlv(2, &[&unsigned(value)]);
            prop_assert_eq!(Tlv::parse(&bytes).unwrap().unsigned(), Ok(value));
        }
    }
}
