//! MSISDN: the number of a line (ITU-T E.164), and how people write it.
//!
//! [`Msisdn::parse`] understands what people type, by the numbering plans of the `phonenumber` library;
//! [`Msisdn::from_e164`] only checks the structure of a number that a machine wrote in full, for bulk imports
//! and events. Which operator owns a prefix is nowhere part of the check: prefixes are handed on and ported.

use crate::IdentifierError;
use crate::digits::Digits;
use crate::masked::masked;
use phonenumber::metadata::DATABASE;

const WHAT: &str = "a phone number";
const MIN: usize = 8;
const MAX: usize = 15;

/// The region whose national way of writing a number is understood: "KH".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Region(phonenumber::country::Id);

impl Region {
    /// Cambodia.
    pub const KH: Self = Self(phonenumber::country::Id::KH);
}

impl std::str::FromStr for Region {
    type Err = IdentifierError;
    /// A country code of ISO 3166-1 with two capital letters.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self).map_err(|_| IdentifierError::Region {
            what: "the region of phone numbers",
            expected: "ISO 3166-1 with two capital letters, such as KH",
        })
    }
}

impl std::fmt::Display for Region {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.as_ref())
    }
}

/// The number of a line: 8 to 15 digits with the country code and without the plus sign, "85512345678".
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Msisdn(Digits<MAX>);

impl Msisdn {
    /// A number as people write it: `+855 12 345 678`, `00855…`, `012 345 678` in its own country, Khmer digits.
    ///
    /// `00` always stands for `+`. Cambodia's carrier prefixes (001, 007, 008) are therefore not taken out.
    ///
    /// # Errors
    /// [`IdentifierError`] when a character is foreign to phone numbers, or no numbering plan has room for it.
    pub fn parse(text: &str, default_region: Region) -> Result<Self, IdentifierError> {
        let mut trimmed = text.trim_start();
        let mut plus = false;
        if let Some(rest) = trimmed.strip_prefix(['+', '＋']) {
            (plus, trimmed) = (true, rest);
        }
        // 20 leaves room for an international prefix before the 15 digits.
        let digits: Digits<20> =
            Digits::collect(WHAT, MIN - 2, trimmed, |c| c.is_ascii_digit().then_some(c))?;
        let mut dialled = digits.as_str();
        if !plus && let Some(rest) = dialled.strip_prefix("00") {
            (plus, dialled) = (true, rest);
        }
        let number = if plus {
            // Without a region: otherwise the trunk prefix of the region would be cut off foreign numbers.
            country_code_of(dialled).ok_or(IdentifierError::PhoneNumber)?;
            phonenumber::parse(None, format!("+{dialled}"))
        } else {
            phonenumber::parse(Some(default_region.0), dialled)
        }
        .map_err(|_| IdentifierError::PhoneNumber)?;

        let national = number.national().to_string();
        let plans = DATABASE.by_code(&number.code().value()).unwrap_or_default();
        if !plans
            .iter()
            .any(|plan| plan.descriptors().general().is_match(&national))
        {
            return Err(IdentifierError::PhoneNumber);
        }
        Self::from_e164(&format!("{}{national}", number.code().value()))
    }

    /// A number that a machine wrote in full: country code and number in ASCII digits; a leading `+` is accepted.
    ///
    /// Checks the number of digits, that the country code is assigned, and that no trunk zero follows it where
    /// the country has none; not the length that one country prescribes.
    ///
    /// # Errors
    /// [`IdentifierError`] when one of these does not hold.
    pub fn from_e164(text: &str) -> Result<Self, IdentifierError> {
        let digits: Digits<MAX> =
            Digits::plain(WHAT, MIN, text.strip_prefix('+').unwrap_or(text).as_bytes())?;
        let code = country_code_of(digits.as_str()).ok_or(IdentifierError::Prefix {
            what: WHAT,
            expected: "an assigned country code, such as 855",
        })?;
        if digits.as_bytes()[code.len()] == b'0' && !ZERO_LED.contains(&code) {
            return Err(IdentifierError::PhoneNumber);
        }
        Ok(Self(digits))
    }

    /// The digits in the clear, with the country code and without the plus sign.
    #[must_use]
    pub fn reveal(&self) -> &str {
        self.0.as_str()
    }

    /// The country code: "855". Not personal.
    #[must_use]
    pub fn country_code(&self) -> &str {
        country_code_of(self.reveal()).expect("checked when the number was made")
    }

    /// The national part in the clear, without trunk prefix: "12345678".
    #[must_use]
    pub fn reveal_national(&self) -> &str {
        &self.reveal()[self.country_code().len()..]
    }
}

impl std::fmt::Display for Msisdn {
    /// `+855•••••678`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "+{}", self.country_code())?;
        let hidden = self.reveal_national();
        let open = 3.min(hidden.len() / 2);
        for (at, digit) in hidden.chars().enumerate() {
            std::fmt::Write::write_char(f, if at + open < hidden.len() { '•' } else { digit })?;
        }
        Ok(())
    }
}

impl Msisdn {
    /// For `Deserialize` and `FromStr`: they read what [`Self::reveal`] gives.
    fn parse_canonical(text: &str) -> Result<Self, IdentifierError> {
        Self::from_e164(text)
    }
}

masked!(@traits Msisdn, parse_canonical);

/// Country codes whose national numbers may begin with zero: Italy, Côte d'Ivoire, Gabon, Congo, San Marino.
const ZERO_LED: [&str; 5] = ["39", "225", "241", "242", "378"];

/// The assigned country code at the beginning of these ASCII digits (ITU-T E.164, list of 2016 and its amendments).
pub(crate) fn country_code_of(digits: &str) -> Option<&str> {
    (1..=3).find_map(|len| {
        let (code, _) = digits.split_at_checked(len)?;
        (!code.starts_with('0') && is_country_code(code.parse().ok()?)).then_some(code)
    })
}

const fn is_country_code(code: u16) -> bool {
    matches!(code,
        1 | 7 | 20 | 27 | 30..=34 | 36 | 39..=41 | 43..=49 | 51..=58 | 60..=66 | 81 | 82 | 84 | 86 | 90..=95 | 98
        | 211..=213 | 216 | 218 | 220..=258 | 260..=269 | 290 | 291 | 297..=299
        | 350..=359 | 370..=378 | 380..=383 | 385..=387 | 389 | 420 | 421 | 423
        | 500..=509 | 590..=599 | 670 | 672..=683 | 685..=692
        | 800 | 808 | 850 | 852 | 853 | 855 | 856 | 870 | 878 | 880..=883 | 886 | 888
        | 960..=968 | 970..=977 | 979 | 992..=996 | 998)
}
