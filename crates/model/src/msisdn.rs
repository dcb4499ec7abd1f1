//! MSISDN: the number of a line (ITU-T E.164), and how people write it.
//!
//! [`Msisdn::parse`] understands what people type, by the numbering plans of the `phonenumber` library;
//! [`Msisdn::from_e164`] only checks the structure of a number that a machine wrote in full, for bulk imports
//! and events. On one core of a small server the first takes 1 to 2 µs, the second 0.05 µs (`measure` example).
//! Which operator owns a prefix is nowhere part of the check: prefixes are handed on and ported; what
//! [`PrefixHints`](crate::PrefixHints) says is a hint.

use crate::IdentifierError;
use crate::digits::Digits;
use crate::masked::masked;
use phonenumber::Metadata;
use phonenumber::metadata::{DATABASE, Descriptor};

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
            // Without a region: else the trunk prefix of the region would be cut off foreign numbers.
            country_code_of(dialled).ok_or(IdentifierError::PhoneNumber)?;
            phonenumber::parse(None, format!("+{dialled}"))
        } else {
            phonenumber::parse(Some(default_region.0), dialled)
        }
        .map_err(|_| IdentifierError::PhoneNumber)?;

        let national = number.national().to_string();
        let plans = DATABASE.by_code(&number.code().value()).unwrap_or_default();
        if !plans.iter().any(|plan| has_room_for(plan, &national)) {
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

/// Whether a numbering plan has numbers of this form: its general pattern and one of its lengths, but no prefix of
/// an operator. (The pattern alone does not do: the library does not hold it against the end of the number.)
fn has_room_for(plan: &Metadata, national: &str) -> bool {
    use phonenumber::Type::{
        FixedLine, Mobile, Pager, PersonalNumber, PremiumRate, SharedCost, TollFree, Uan, Voip,
    };
    let kinds = [
        FixedLine,
        Mobile,
        TollFree,
        PremiumRate,
        SharedCost,
        PersonalNumber,
        Voip,
        Pager,
        Uan,
    ];
    let length_fits = |kind: &Descriptor| {
        kind.possible_length()
            .iter()
            .any(|it| usize::from(*it) == national.len())
    };
    plan.descriptors().general().is_match(national)
        && kinds
            .into_iter()
            .filter_map(|kind| plan.descriptors().get(kind))
            .any(length_fits)
}

/// Country codes whose national numbers may begin with zero: Italy, Côte d'Ivoire, Benin, Gabon, Congo, San Marino.
const ZERO_LED: [&str; 6] = ["39", "225", "229", "241", "242", "378"];

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

#[cfg(test)]
mod tests {
    use super::{Msisdn, Region, ZERO_LED, country_code_of, is_country_code};
    use phonenumber::metadata::DATABASE;
    use proptest::prelude::*;

    fn typed(text: &str) -> Option<String> {
        Msisdn::parse(text, Region::KH)
            .ok()
            .map(|it| it.reveal().to_owned())
    }

    #[test]
    fn understands_how_cambodians_write_numbers() {
        let ways = [
            "012 345 678",
            "012345678",
            "០១២ ៣៤៥ ៦៧៨",
            "+855 12 345 678",
            "+៨៥៥ ១២ ៣៤៥ ៦៧៨",
            "+855 (0)12 345 678",
            "00855 12 345 678",
            "85512345678",
            "855-12-345-678",
            "12345678",
            "＋855 12\u{200b}345\u{a0}678",
        ];
        for way in ways {
            assert_eq!(typed(way).as_deref(), Some("85512345678"), "{way}");
        }
        // The prefixes with seven digits behind them, and one that nobody has been given: all are numbers.
        assert_eq!(typed("096 123 4567").as_deref(), Some("855961234567"));
        assert_eq!(typed("019 345 678").as_deref(), Some("85519345678"));
    }

    #[test]
    fn understands_foreign_numbers_and_leaves_their_zeros() {
        assert_eq!(typed("+39 06 1234 5678").as_deref(), Some("390612345678"));
        assert_eq!(typed("+1 202-555-0123").as_deref(), Some("12025550123"));
        assert_eq!(typed("0084 90 123 45 67").as_deref(), Some("84901234567"));
        let there = Msisdn::parse("090 123 45 67", "VN".parse().unwrap()).unwrap();
        assert_eq!(there.reveal(), "84901234567");
        assert!("ZZ".parse::<Region>().is_err() && Region::KH.to_string() == "KH");
    }

    #[test]
    fn refuses_what_cannot_be_dialled() {
        let wrong = [
            "",
            "+",
            "117",
            "12",
            "012 345 67x",
            "0123",
            "+855 12 345 678 901",
            "+999 12345678",
            "0000 12345678",
            "012 345 678; 012 345 679",
            "tel:+85512345678",
            "+855 12 345",
            "1-800-FLOWERS",
        ];
        for text in wrong {
            assert_eq!(typed(text), None, "{text}");
        }
        assert_eq!(typed(&"1".repeat(10_000)), None);
        for text in [
            "855012345678",
            "012345678",
            "8551234",
            "8551234567890123",
            "99912345678",
            "855 12345678",
            "++85512345678",
        ] {
            assert!(Msisdn::from_e164(text).is_err(), "{text}");
        }
        assert_eq!(
            Msisdn::from_e164("+85512345678"),
            Msisdn::from_e164("85512345678")
        );
    }

    #[test]
    fn the_country_codes_are_those_of_the_numbering_plans() {
        for code in 0..=1_100 {
            assert_eq!(is_country_code(code), DATABASE.by_code(&code).is_some(), "{code}");
        }
        assert_eq!(country_code_of("85512345678"), Some("855"));
        assert_eq!(country_code_of("12025550123"), Some("1"));
        assert_eq!(country_code_of("0"), None);
    }

    #[test]
    fn every_example_of_the_numbering_plans_goes_both_ways() {
        let mut seen = 0;
        for plan in DATABASE.iter() {
            let Some(example) = plan.descriptors().mobile().and_then(|kind| kind.example()) else {
                continue;
            };
            let full = format!("{}{example}", plan.country_code());
            if full.len() < 8 {
                continue;
            }
            seen += 1;
            let quick = Msisdn::from_e164(&full).unwrap_or_else(|error| panic!("{full}: {error}"));
            let thorough = Msisdn::parse(&format!("+{full}"), Region::KH);
            assert_eq!(
                thorough.map(|it| it.reveal().to_owned()),
                Ok(quick.reveal().to_owned()),
                "{full}"
            );
            let led = example.starts_with('0');
            assert!(
                !led || ZERO_LED.contains(&plan.country_code().to_string().as_str()),
                "{full}"
            );
        }
        assert!(seen > 200, "{seen}");
    }

    proptest! {
        #[test]
        fn never_panics(text in "\\PC{0,30}", digits in "[+0-9]{0,22}") {
            for text in [text, digits] {
                if let Ok(number) = Msisdn::parse(&text, Region::KH) {
                    prop_assert_eq!(Msisdn::from_e164(number.reveal()).unwrap(), number);
                    let international = Msisdn::parse(&format!("+{}", number.reveal()), Region::KH).unwrap();
                    prop_assert_eq!(international, number);
                }
            }
        }
    }
}
