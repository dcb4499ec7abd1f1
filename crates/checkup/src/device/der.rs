//! A strict reader of DER over slices: definite, shortest lengths, nothing left over. Signatures cover received bytes,
//! so every element keeps the bytes it was read from.

/// Why bytes are not DER.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not strict DER: {0}")]
pub struct DerError(pub &'static str);

/// One element.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Element<'a> {
    /// Class in the upper two bits, constructed in the third, as in the first byte.
    pub lead: u8,
    /// The tag's number.
    pub number: u32,
    /// What it holds.
    pub content: &'a [u8],
    /// All of it.
    pub whole: &'a [u8],
}

pub(crate) const BOOLEAN: u8 = 0x01;
pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const NULL: u8 = 0x05;
pub(crate) const OBJECT_ID: u8 = 0x06;
pub(crate) const ENUMERATED: u8 = 0x0a;
pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;

/// Reads element after element.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The first byte of what comes next.
    pub(crate) fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    fn byte(&mut self) -> Result<u8, DerError> {
        let (first, rest) = self.rest.split_first().ok_or(DerError("cut off"))?;
        self.rest = rest;
        Ok(*first)
    }

    /// The next element.
    pub(crate) fn next(&mut self) -> Result<Element<'a>, DerError> {
        let start = self.rest;
        let first = self.byte()?;
        let mut number = u32::from(first & 0x1f);
        if number == 0x1f {
            number = 0;
            for at in 0.. {
                let byte = self.byte()?;
                if at == 0 && byte == 0x80 || at == 4 {
                    return Err(DerError("a tag that is too long"));
                }
                number = (number << 7) | u32::from(byte & 0x7f);
                if byte & 0x80 == 0 {
                    break;
                }
            }
            if number < 0x1f {
                return Err(DerError("a tag in the long form that fits the short one"));
            }
        }
        let length = self.length()?;
        if length > self.rest.len() {
            return Err(DerError("longer than what is there"));
        }
        let (content, rest) = self.rest.split_at(length);
        self.rest = rest;
        Ok(Element {
            lead: first & 0xe0,
            number,
            content,
            whole: &start[..start.len() - rest.len()],
        })
    }

    fn length(&mut self) -> Result<usize, DerError> {
        let first = self.byte()?;
        if first < 0x80 {
            return Ok(usize::from(first));
        }
        let count = first & 0x7f;
        if count == 0 || count > 3 {
            return Err(DerError("a length of an unknown form"));
        }
        let mut length = 0usize;
        for _ in 0..count {
            length = (length << 8) | usize::from(self.byte()?);
        }
        if length < 0x80 || (count > 1 && length < 1 << (8 * (count - 1))) {
            return Err(DerError("a length that is not the shortest"));
        }
        Ok(length)
    }

    /// The next element, which must begin with this byte.
    pub(crate) fn expect(&mut self, tag: u8) -> Result<Element<'a>, DerError> {
        if self.peek() != Some(tag) {
            return Err(DerError("another element than belongs here"));
        }
        self.next()
    }

    /// The next element, if it begins with this byte.
    pub(crate) fn optional(&mut self, tag: u8) -> Result<Option<Element<'a>>, DerError> {
        if self.peek() == Some(tag) {
            self.next().map(Some)
        } else {
            Ok(None)
        }
    }

    /// Nothing may follow.
    pub(crate) fn end(&self) -> Result<(), DerError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(DerError("something follows that does not belong"))
        }
    }
}

impl<'a> Element<'a> {
    /// Reads what it holds.
    pub(crate) fn inside(&self) -> Reader<'a> {
        Reader::new(self.content)
    }

    /// A number that is not negative.
    pub(crate) fn unsigned(&self) -> Result<u64, DerError> {
        let bytes = match self.content {
            [] => return Err(DerError("an empty number")),
            [0, rest @ ..] if rest.first().is_some_and(|b| *b & 0x80 != 0) || rest.is_empty() => rest,
            [0, ..] => return Err(DerError("a number that is not the shortest")),
            [first, ..] if first & 0x80 != 0 => return Err(DerError("a negative number")),
            all => all,
        };
        if bytes.len() > 8 {
            return Err(DerError("a number that is too large"));
        }
        Ok(bytes.iter().fold(0, |sum, b| (sum << 8) | u64::from(*b)))
    }

    /// A truth value: 00 or FF, nothing else.
    pub(crate) fn boolean(&self) -> Result<bool, DerError> {
        match self.content {
            [0] => Ok(false),
            [0xff] => Ok(true),
            _ => Err(DerError("a truth value that is neither")),
        }
    }

    /// Whole bytes of a bit string.
    pub(crate) fn bits(&self) -> Result<&'a [u8], DerError> {
        match self.content {
            [0, bytes @ ..] => Ok(bytes),
            _ => Err(DerError("a bit string that is not of whole bytes")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_strict_forms_are_read() {
        let number = |bytes: &[u8]| Reader::new(bytes).next().and_then(|e| e.unsigned());
        assert_eq!(number(&[2, 1, 5]), Ok(5));
        assert_eq!(number(&[2, 2, 0, 0x80]), Ok(128));
        for bad in [
            &[2, 2, 0, 5][..],
            &[2, 0],
            &[2, 1, 0x80],
            &[2, 2, 1],
            &[2, 0x81, 1, 5],
            &[2, 0x80],
        ] {
            assert!(number(bad).is_err(), "{bad:?}");
        }
        let tag = Reader::new(&[0xbf, 0x85, 0x45, 0]).next().unwrap();
        assert_eq!((tag.number, tag.lead), (709, 0xa0));
    }
}
