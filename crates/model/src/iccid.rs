//! ICCID: the number of a profile or a SIM card (ITU-T E.118).

use crate::digits::{Digits, luhn, luhn_fits};
use crate::masked::masked;
use crate::{CheckDigit, IdentifierError};

const WHAT: &str = "an ICCID";
const MIN: usize = 18;

/// The number of a profile or SIM card, always kept **with** its Luhn check digit: 18 to 20 digits, mostly 19.
///
/// E.118 allows 19 digits in all; the tenth byte of the file on the chip leaves room for a twentieth, and
/// operators use it, so 20 are accepted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Iccid(Digits<20>);

impl Iccid {
    /// An ICCID as printed, with its check digit.
    ///
    /// # Errors
    /// [`IdentifierError`] when it is not 18 to 20 digits, does not begin with 89, or the check digit is wrong.
    pub fn parse(text: &str) -> Result<Self, IdentifierError> {
        let this = Self(begins_with_89(Digits::typed(WHAT, MIN, text)?)?);
        if this.check().is_ok() {
            Ok(this)
        } else {
            Err(IdentifierError::CheckDigit { what: WHAT })
        }
    }

    /// An ICCID whose check digit was left out (17 to 19 digits); it is computed and appended.
    ///
    /// # Errors
    /// [`IdentifierError`] when it is not 17 to 19 digits or does not begin with 89.
    pub fn parse_without_check(text: &str) -> Result<Self, IdentifierError> {
        let body: Digits<19> = Digits::typed(WHAT, MIN - 1, text)?;
        let mut digits = Digits::EMPTY;
        for byte in body.as_bytes() {
            digits.push(*byte);
        }
        digits.push(luhn(body.as_bytes()));
        Ok(Self(begins_with_89(digits)?))
    }

    /// An ICCID that the chip or the network vouches for: 18 to 20 ASCII digits; the check is only reported.
    ///
    /// # Errors
    /// [`IdentifierError`] when it is not 18 to 20 ASCII digits or does not begin with 89.
    pub fn parse_vouched(text: &str) -> Result<(Self, CheckDigit), IdentifierError> {
        let this = Self(begins_with_89(Digits::plain(WHAT, MIN, text.as_bytes())?)?);
        Ok((this, this.check()))
    }

    /// From the ten bytes of EF-ICCID (3GPP TS 31.102, 4.2.2; SGP.22 `Iccid`): swapped nibbles, padded with F.
    ///
    /// # Errors
    /// [`IdentifierError`] when a nibble is no digit, padding stands before the end, or the number is malformed.
    pub fn from_bcd(bytes: [u8; 10]) -> Result<(Self, CheckDigit), IdentifierError> {
        Self::from_nibbles(bytes.iter().flat_map(|byte| [byte & 0x0F, byte >> 4]))
    }

    /// From ten bytes whose nibbles stand in reading order, as in the header of a profile package; padded with F.
    ///
    /// # Errors
    /// As [`Self::from_bcd`].
    pub fn from_packed(bytes: [u8; 10]) -> Result<(Self, CheckDigit), IdentifierError> {
        Self::from_nibbles(bytes.iter().flat_map(|byte| [byte >> 4, byte & 0x0F]))
    }

    fn from_nibbles(nibbles: impl Iterator<Item = u8>) -> Result<(Self, CheckDigit), IdentifierError> {
        let mut digits = Digits::EMPTY;
        let mut padding = false;
        for (at, nibble) in nibbles.enumerate() {
            match nibble {
                0x0F => padding = true,
                0..=9 if !padding => {
                    digits.push(b'0' + nibble);
                }
                _ => {
                    return Err(IdentifierError::Character {
                        what: WHAT,
                        position: at + 1,
                    });
                }
            }
        }
        if digits.len() < MIN {
            return Err(IdentifierError::Length {
                what: WHAT,
                min: MIN,
                max: 20,
                got: digits.len(),
            });
        }
        let this = Self(begins_with_89(digits)?);
        Ok((this, this.check()))
    }

    /// The ten bytes as on the chip: swapped nibbles, padded with F.
    #[must_use]
    pub fn to_bcd(&self) -> [u8; 10] {
        let mut bytes = [0xFF; 10];
        for (at, digit) in self.0.as_bytes().iter().enumerate() {
            let value = digit - b'0';
            bytes[at / 2] = if at % 2 == 0 {
                0xF0 | value
            } else {
                (value << 4) | (bytes[at / 2] & 0x0F)
            };
        }
        bytes
    }

    /// The digits in the clear, with the check digit.
    #[must_use]
    pub fn reveal(&self) -> &str {
        self.0.as_str()
    }

    /// The digits in the clear, without the check digit.
    #[must_use]
    pub fn reveal_without_check(&self) -> &str {
        &self.reveal()[..self.0.len() - 1]
    }

    /// The first seven digits: 89, the country code and (part of) the issuer; E.118 gives the issuer number.
    #[must_use]
    pub fn issuer_prefix(&self) -> &str {
        &self.reveal()[..7]
    }

    /// The E.164 country code behind the 89, such as "855"; `None` when it is no assigned one. A zero before it
    /// is passed over, as North American issuers write 8901.
    #[must_use]
    pub fn country_code(&self) -> Option<&str> {
        let rest = &self.reveal()[2..];
        crate::msisdn::country_code_of(rest.strip_prefix('0').unwrap_or(rest))
    }

    /// The check, made again: failed only for a number that came in vouched for or from a chip.
    #[must_use]
    pub fn check(&self) -> CheckDigit {
        CheckDigit::of(luhn_fits(self.0.as_bytes()))
    }
}

masked!(Iccid, head 4, tail 2);

fn begins_with_89(digits: Digits<20>) -> Result<Digits<20>, IdentifierError> {
    if digits.as_bytes().starts_with(b"89") {
        Ok(digits)
    } else {
        Err(IdentifierError::Prefix {
            what: WHAT,
            expected: "89, the telecommunication industry",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Iccid;
    use crate::CheckDigit;
    use proptest::prelude::*;

    #[test]
    fn knows_both_printed_forms() {
        let with = Iccid::parse("8985 5012 3456 7890 127");
        let without = Iccid::parse_without_check("898550123456789012").unwrap();
        assert_eq!(
            with.unwrap().reveal_without_check(),
            without.reveal_without_check()
        );
        assert_eq!(without.reveal().len(), 19);
        assert_eq!(without.country_code(), Some("855"));
        assert_eq!(without.issuer_prefix(), "8985501");
        assert_eq!(
            Iccid::parse("៨៩៨៥៥០១២៣៤៥៦៧៨៩០១២៧").map(|it| it.reveal().to_owned()),
            Iccid::parse("8985501234567890127").map(|it| it.reveal().to_owned())
        );
    }

    #[test]
    fn reads_the_forms_on_chips_and_in_profile_packages() {
        // The header of a public generic test profile, its nibbles in reading order; it ends with a right check.
        let header = [0x89, 0x49, 0x44, 0x99, 0x99, 0x99, 0x99, 0x90, 0x15, 0x5F];
        let (number, check) = Iccid::from_packed(header).unwrap();
        assert_eq!((number.reveal(), check), ("8949449999999990155", CheckDigit::Ok));
        assert_eq!(
            number.to_bcd(),
            [0x98, 0x94, 0x44, 0x99, 0x99, 0x99, 0x99, 0x09, 0x51, 0xF5]
        );
        let (long, check) =
            Iccid::from_packed([0x89, 0x00, 0x01, 0x23, 0x45, 0x67, 0x89, 0x01, 0x23, 0x41]).unwrap();
        assert_eq!((long.reveal(), check), ("89000123456789012341", CheckDigit::Ok));
        assert!(Iccid::from_bcd([0xFF; 10]).is_err());
        assert!(Iccid::from_bcd([0x98, 0xF4, 0x44, 0x99, 0x99, 0x99, 0x99, 0x09, 0x51, 0xF5]).is_err());
        assert!(Iccid::from_bcd([0x98, 0xA4, 0x44, 0x99, 0x99, 0x99, 0x99, 0x09, 0x51, 0xF5]).is_err());
    }

    #[test]
    fn refuses_the_malformed() {
        let wrong = [
            "",
            "8985501234567890123456",
            "8885501234567890126",
            "89855012345678901x6",
            "8985501234567890125",
        ];
        for text in wrong {
            assert!(Iccid::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn one_wrong_digit_is_always_found(body in "89[0-9]{15,17}", at in 0_usize..19, by in 1_u8..10) {
            let good = Iccid::parse_without_check(&body).unwrap();
            prop_assert_eq!(Iccid::parse(good.reveal()).unwrap(), good);
            let mut digits = good.reveal().as_bytes().to_vec();
            let at = at % digits.len();
            digits[at] = b'0' + (digits[at] - b'0' + by) % 10;
            prop_assert!(Iccid::parse(std::str::from_utf8(&digits).unwrap()).is_err());
        }

        #[test]
        fn the_chips_form_goes_there_and_back(body in "89[0-9]{15,17}") {
            let good = Iccid::parse_without_check(&body).unwrap();
            prop_assert_eq!(Iccid::from_bcd(good.to_bcd()).unwrap(), (good, CheckDigit::Ok));
        }
    }
}
