//! The quick way through a line: one pass over the bytes, only the fields that rules read are kept.
//!
//! It takes a line only when it is sure that [`Event::parse_line`] would take it with the same contents; everything
//! else (escapes, nested values, exponents, strange numbers, mistakes) goes the slow way, which decides. A property
//! test holds the two together.

use crate::fields::{Fields, UNREAD, Val};
use simwarden_model::{Event, Imei, Msisdn, Plmn};

/// The id of an event as it stands in the line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum LineId<'a> {
    Number(u64),
    Text(&'a str),
}

/// What the quick way found in a line.
#[derive(Debug, Clone)]
pub(crate) struct Line<'a> {
    pub ts: i64,
    pub id: LineId<'a>,
    pub kind: &'a str,
    pub source: Option<&'a str>,
    /// One value for each slot of [`Fields`].
    pub vals: Vec<Val<'a>>,
}

impl Line<'_> {
    pub(crate) fn new(fields: &Fields) -> Self {
        Self {
            ts: 0,
            id: LineId::Number(0),
            kind: "",
            source: None,
            vals: vec![Val::Absent; fields.names().len()],
        }
    }
}

/// Unknown fields beyond which a line goes the slow way.
const OTHERS_MAX: usize = 12;
/// 9999-12-30T22:00:00Z in milliseconds, the last moment that an event may name.
const TS_MAX: u64 = 253_402_207_200_000;

/// Which beginnings of a phone number are assigned: one bit for each four digits.
#[derive(Debug, Clone)]
pub(crate) struct Scanner {
    prefixes: Vec<bool>,
    lengths: [bool; 17],
}

impl Scanner {
    /// Asks the model once for everything that a line could ask.
    pub(crate) fn new() -> Self {
        let good = |text: &str| Msisdn::from_e164(text).is_ok();
        let mut lengths = [false; 17];
        for (len, fits) in lengths.iter_mut().enumerate().skip(5) {
            *fits = good(&format!("855{}", "1".repeat(len - 3)));
        }
        Self {
            prefixes: (0..10_000).map(|p| good(&format!("{p:04}1111111"))).collect(),
            lengths,
        }
    }

    fn msisdn(&self, text: &str) -> bool {
        let bytes = text.as_bytes();
        self.lengths.get(bytes.len()) == Some(&true)
            && all_digits(bytes)
            && self.prefixes[bytes[..4].iter().fold(0, |p, b| p * 10 + usize::from(b - b'0'))]
    }

    /// Reads the first line of a text and tells how long it is, its end included; `None` sends it the slow way.
    pub(crate) fn scan<'a>(&self, fields: &Fields, text: &'a str, line: &mut Line<'a>) -> Option<usize> {
        let mut cursor = Cursor {
            text,
            bytes: text.as_bytes(),
            at: 0,
        };
        line.vals.fill(Val::Absent);
        line.source = None;
        let mut seen = 0_u32;
        let mut others: [&str; OTHERS_MAX] = [""; OTHERS_MAX];
        let mut others_len = 0;
        cursor.expect(b'{')?;
        loop {
            cursor.expect(b'"')?;
            let (name, tag) = cursor.name()?;
            cursor.expect(b':')?;
            let field = field_of(name, tag);
            let value = cursor.value()?;
            if let Some(field) = field {
                if seen & 1 << field != 0 {
                    return None;
                }
                seen |= 1 << field;
                self.check(field, value, line)?;
                let slot = fields.known[field];
                if slot != UNREAD {
                    if field == F_IMEI
                        && Imei::parse_vouched(value.text()?).ok()?.0.reveal() != value.text()?
                    {
                        return None;
                    }
                    line.vals[usize::from(slot)] = value;
                }
            } else {
                if name.is_empty() || name.len() > 64 || others[..others_len].contains(&name) {
                    return None;
                }
                *others.get_mut(others_len)? = name;
                others_len += 1;
                if let Some((_, slot)) = fields.other.iter().find(|(other, _)| **other == *name) {
                    line.vals[usize::from(*slot)] = value;
                }
            }
            match cursor.next()? {
                b',' => {}
                b'}' => break,
                _ => return None,
            }
        }
        // `ts`, `id` and `type` must be there.
        if seen & REQUIRED != REQUIRED || cursor.at > Event::LINE_BYTES_MAX {
            return None;
        }
        match cursor.bytes.get(cursor.at..).unwrap_or_default() {
            [] => Some(cursor.at),
            [b'\n', ..] => Some(cursor.at + 1),
            [b'\r', b'\n', ..] => Some(cursor.at + 2),
            _ => None,
        }
    }

    /// Whether a field with a fixed meaning may hold this.
    fn check<'a>(&self, field: usize, value: Val<'a>, line: &mut Line<'a>) -> Option<()> {
        let good = match (field, value) {
            (F_TS, Val::Number(text)) => {
                let ts = natural(text, 15).filter(|ts| *ts <= TS_MAX)?;
                line.ts = i64::try_from(ts).ok()?;
                true
            }
            (F_ID, Val::Number(text)) => {
                line.id = LineId::Number(natural(text, 18)?);
                true
            }
            (F_ID, Val::Text(text)) => {
                line.id = LineId::Text(text);
                !text.is_empty() && text.len() <= 128
            }
            (F_LAT, Val::Number(text)) => degrees_below(text, 90),
            (F_LON, Val::Number(text)) => degrees_below(text, 180),
            (F_TYPE, Val::Text(text)) => {
                line.kind = text;
                !text.is_empty() && text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_graphic())
            }
            (F_SOURCE, Val::Text(text)) => {
                line.source = Some(text);
                text.len() <= 128
            }
            (_, Val::Text(text)) => self.text_fits(field, text),
            _ => false,
        };
        good.then_some(())
    }

    fn text_fits(&self, field: usize, text: &str) -> bool {
        let bytes = text.as_bytes();
        match field {
            F_MSISDN => self.msisdn(text),
            F_ICCID => (18..=20).contains(&bytes.len()) && bytes.starts_with(b"89") && all_digits(bytes),
            F_EID => bytes.len() == 32 && all_digits(bytes),
            F_IMEI => (14..=16).contains(&bytes.len()) && all_digits(bytes),
            // Country codes of networks begin with 2 to 7; the few others go the slow way.
            F_IMSI => matches!(bytes.len(), 14 | 15) && all_digits(bytes) && matches!(bytes[0], b'2'..=b'7'),
            F_OPERATOR => bytes.get(3) == Some(&b'-') && Plmn::parse(text).is_ok(),
            // A field without a limit holds no text, an empty one neither.
            _ => LIMITS[field] > 0 && text.len() <= LIMITS[field],
        }
    }
}

macro_rules! fields {
    ($($at:literal $constant:ident $name:literal $limit:literal;)*) => {
        $(const $constant: usize = $at;
        const _: usize = $constant;)*
        const LIMITS: [usize; Event::FIELDS.len()] = [$($limit),*];
        /// The place of a field in [`Event::FIELDS`].
        fn field_of(name: &str, tag: u64) -> Option<usize> {
            $(const _: () = assert!(same(Event::FIELDS[$at], $name));)*
            let at = match tag {
                $(tags::$constant => $at,)*
                _ => return None,
            };
            (name.len() <= 8 && name.len() == Event::FIELDS[at].len() || name == Event::FIELDS[at]).then_some(at)
        }
        mod tags { $(pub(super) const $constant: u64 = super::tag_of($name);)* }
    };
}

fields! {
    0 F_TS "ts" 0; 1 F_ID "id" 0; 2 F_SOURCE "source" 128; 3 F_TYPE "type" 64; 4 F_MSISDN "msisdn" 0;
    5 F_ICCID "iccid" 0; 6 F_IMSI "imsi" 0; 7 F_EID "eid" 0; 8 F_IMEI "imei" 0; 9 F_AGENT "agent_id" 128;
    10 F_SHOP "shop_id" 128; 11 F_TERMINAL "terminal_id" 128; 12 F_SESSION "session_id" 128; 13 F_IP "ip" 64;
    14 F_ASN "asn" 64; 15 F_AGENT_OF_USER "user_agent" 1024; 16 F_SENDER "sender" 256; 17 F_CELL "cell" 64;
    18 F_LAT "lat" 0; 19 F_LON "lon" 0; 20 F_REASON "reason" 512; 21 F_OUTCOME "outcome" 128; 22 F_OPERATOR "operator" 0;
}

const REQUIRED: u32 = 1 << F_TS | 1 << F_ID | 1 << F_TYPE;

const fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut at = 0;
    while at < a.len() && at < b.len() && a[at] == b[at] {
        at += 1;
    }
    at == a.len() && at == b.len()
}

/// The first eight bytes of a name as a number.
const fn tag_of(name: &str) -> u64 {
    let bytes = name.as_bytes();
    let (mut tag, mut at) = (0, 0);
    while at < bytes.len() && at < 8 {
        tag |= (bytes[at] as u64) << (8 * at);
        at += 1;
    }
    tag
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// Marks the first byte of a word that ends a plain string: a quote, a backslash or a control character.
const fn string_stops(word: u64) -> u64 {
    let quote = word ^ 0x2222_2222_2222_2222;
    let slash = word ^ 0x5C5C_5C5C_5C5C_5C5C;
    ((quote.wrapping_sub(ONES) & !quote)
        | (slash.wrapping_sub(ONES) & !slash)
        | (word.wrapping_sub(0x2020_2020_2020_2020) & !word))
        & HIGHS
}

fn all_digits(bytes: &[u8]) -> bool {
    let mut chunks = bytes.chunks_exact(8);
    chunks.by_ref().all(|chunk| {
        let word = chunk.try_into().map(u64::from_le_bytes).unwrap_or(0);
        let above = word.wrapping_add(0x4646_4646_4646_4646);
        let below = word.wrapping_sub(0x3030_3030_3030_3030);
        (above | below | word) & HIGHS == 0
    }) && chunks.remainder().iter().all(u8::is_ascii_digit)
}

/// A whole number without sign, of at most so many digits.
fn natural(text: &str, digits_max: usize) -> Option<u64> {
    if text.len() > digits_max {
        return None;
    }
    text.bytes().try_fold(0_u64, |sum, byte| {
        byte.is_ascii_digit().then(|| sum * 10 + u64::from(byte - b'0'))
    })
}

/// Whether the whole part is below a bound; the bound itself goes the slow way.
fn degrees_below(text: &str, most: u64) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let whole = digits.split_once('.').map_or(digits, |(whole, _)| whole);
    natural(whole, 3).is_some_and(|whole| whole < most)
}

struct Cursor<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    /// The next byte that is no white space; moves behind it.
    fn next(&mut self) -> Option<u8> {
        loop {
            let byte = *self.bytes.get(self.at)?;
            self.at += 1;
            if !matches!(byte, b' ' | b'\t') {
                return Some(byte);
            }
        }
    }

    fn expect(&mut self, wanted: u8) -> Option<()> {
        (self.next()? == wanted).then_some(())
    }

    fn word(&self, at: usize) -> Option<u64> {
        self.bytes
            .get(at..at + 8)?
            .try_into()
            .ok()
            .map(u64::from_le_bytes)
    }

    /// A field name, behind its opening quote, with its first eight bytes.
    fn name(&mut self) -> Option<(&'a str, u64)> {
        let from = self.at;
        let word = self.word(from)?;
        let stops = string_stops(word);
        if stops == 0 {
            self.string_end(from + 8)?;
            return Some((self.text.get(from..self.at - 1)?, word));
        }
        let len = (stops.trailing_zeros() / 8) as usize;
        if self.bytes[from + len] != b'"' {
            return None;
        }
        self.at = from + len + 1;
        let tag = if len == 0 {
            0
        } else {
            word & (u64::MAX >> (64 - 8 * len))
        };
        Some((self.text.get(from..from + len)?, tag))
    }

    /// Moves behind the quote that ends a string without escapes.
    fn string_end(&mut self, mut at: usize) -> Option<()> {
        while let Some(word) = self.word(at) {
            let stops = string_stops(word);
            if stops != 0 {
                at += (stops.trailing_zeros() / 8) as usize;
                self.at = at + 1;
                return (self.bytes[at] == b'"').then_some(());
            }
            at += 8;
        }
        loop {
            match *self.bytes.get(at)? {
                b'"' => {
                    self.at = at + 1;
                    return Some(());
                }
                b'\\' | 0..0x20 => return None,
                _ => at += 1,
            }
        }
    }

    /// A text without escapes, or a number without exponent.
    fn value(&mut self) -> Option<Val<'a>> {
        let first = self.next()?;
        let from = self.at;
        if first == b'"' {
            self.string_end(from)?;
            return Some(Val::Text(self.text.get(from..self.at - 1)?));
        }
        self.number(from - 1).map(Val::Number)
    }

    /// A number as JSON writes it.
    fn number(&mut self, from: usize) -> Option<&'a str> {
        let digits = |mut at: usize| {
            let start = at;
            while self.bytes.get(at).is_some_and(u8::is_ascii_digit) {
                at += 1;
            }
            (at > start).then_some(at)
        };
        let whole = from + usize::from(self.bytes[from] == b'-');
        let mut end = digits(whole)?;
        if self.bytes[whole] == b'0' && end > whole + 1 {
            return None;
        }
        if self.bytes.get(end) == Some(&b'.') {
            end = digits(end + 1)?;
        }
        if matches!(self.bytes.get(end), Some(b'e' | b'E')) || end - from > 32 {
            return None;
        }
        self.at = end;
        self.text.get(from..end)
    }
}

#[cfg(test)]
#[path = "scan_tests.rs"]
mod tests;
