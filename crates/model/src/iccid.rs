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
        let mut digits = Digits::EMPTY;
        let mut padding = false;
        for (at, nibble) in bytes.iter().flat_map(|byte| [byte & 0x0F, byte >> 4]).enumerate() {
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

    /// The E.164 country code behind the 89, such as "855"; `None` when it is no assigned one.
    #[must_use]
    pub fn country_code(&self) -> Option<&str> {
        crate::msisdn::country_code_of(&self.reveal()[2..])
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
