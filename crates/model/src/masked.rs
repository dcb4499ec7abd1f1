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

#[cfg(test)]
mod tests {
    use crate::{DocumentKey, DocumentKind, Eid, Iccid, Imei, Imeisv, Imsi, Msisdn};
    use proptest::prelude::*;

    /// The shown text has as many characters as it should, and a run of dots over the whole middle third.
    fn middle_is_hidden(shown: &str, clear: &str) {
        let shown: Vec<char> = shown.trim_start_matches('+').chars().collect();
        let clear: Vec<char> = clear.chars().collect();
        assert_eq!(shown.len(), clear.len());
        let hidden = shown.iter().filter(|c| **c == '•').count();
        assert!(hidden * 2 >= clear.len(), "{shown:?} shows more than half");
        let third = clear.len().div_ceil(3);
        assert!(
            shown[third..clear.len() - third].iter().all(|c| *c == '•'),
            "{shown:?}"
        );
        for (a, b) in shown.iter().zip(&clear) {
            assert!(*a == '•' || a == b);
        }
    }

    macro_rules! hidden {
        ($it:expr) => {{
            let it = $it.unwrap();
            middle_is_hidden(&it.to_string(), it.reveal());
            let debug = format!("{it:?}");
            assert!(debug.contains(&it.to_string()) && !debug.contains(it.reveal()));
        }};
    }

    proptest! {
        #[test]
        fn the_middle_never_shows(digits in "[1-9][0-9]{31}") {
            hidden!(Eid::parse_vouched(&digits).map(|it| it.0));
            hidden!(Iccid::parse_without_check(&format!("89{}", &digits[..16])));
            hidden!(Imsi::parse(&format!("456{}", &digits[..12])));
            hidden!(Imei::parse(&digits[..14]));
            hidden!(Imeisv::parse(&digits[..16]));
            for national in [&digits[..8], &digits[..9]] {
                let number = Msisdn::from_e164(&format!("855{national}")).unwrap();
                let shown = number.to_string();
                middle_is_hidden(shown.strip_prefix("+855").unwrap(), national);
                let debug = format!("{number:?}");
                prop_assert!(debug.contains(&shown) && !debug.contains(national));
            }
        }

        #[test]
        fn a_document_number_hides_three_quarters(number in "[A-Z0-9]{4,24}") {
            let key = DocumentKey::new("KHM", DocumentKind::NationalId, &number).unwrap();
            let shown = key.to_string();
            let dots = shown.chars().filter(|c| *c == '•').count();
            prop_assert!(dots * 4 >= number.len() * 3 && !shown.contains(&number));
            let debug = format!("{key:?}");
            prop_assert!(!debug.contains(&number));
        }
    }

    #[test]
    fn looks_as_documented() {
        assert_eq!(
            Msisdn::from_e164("85512345678").unwrap().to_string(),
            "+855•••••678"
        );
        assert_eq!(
            format!("{:?}", Msisdn::from_e164("85512345678").unwrap()),
            "Msisdn(+855•••••678)"
        );
        assert_eq!(
            Iccid::parse("8985501234567890127").unwrap().to_string(),
            "8985•••••••••••••27"
        );
        assert_eq!(
            Imei::parse("490154203237518").unwrap().to_string(),
            "49•••••••••••18"
        );
    }

    #[test]
    fn deserialising_checks_and_its_error_repeats_nothing() {
        assert!(serde_json::from_str::<Iccid>("\"8985501234567890127\"").is_ok());
        let error = serde_json::from_str::<Iccid>("\"8985501234567890125\"")
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("check digit") && !error.contains("12345"),
            "{error}"
        );
        assert!(serde_json::from_str::<Msisdn>("\"012345678\"").is_err());
    }
}
