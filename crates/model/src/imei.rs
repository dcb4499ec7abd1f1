//! IMEI and IMEISV: the number of a phone (3GPP TS 23.003, clause 6).

use crate::digits::{Digits, luhn, luhn_fits};
use crate::masked::masked;
use crate::{CheckDigit, IdentifierError};

const WHAT: &str = "an IMEI";
const WHAT_SV: &str = "an IMEISV";

/// The number of a phone: TAC (8 digits), serial number (6) and Luhn check digit; always kept with all 15.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Imei(Digits<15>);

impl Imei {
    /// An IMEI as typed or imported: 15 digits whose check digit fits, or 14 to which it is appended.
    ///
    /// # Errors
    /// [`IdentifierError`] when it is not 14 or 15 digits or the check digit is wrong.
    pub fn parse(text: &str) -> Result<Self, IdentifierError> {
        let digits: Digits<15> = Digits::typed(WHAT, 14, text)?;
        if digits.len() == 15 && !luhn_fits(digits.as_bytes()) {
            return Err(IdentifierError::CheckDigit { what: WHAT });
        }
        Ok(Self::from_body(&digits.as_bytes()[..14]))
    }

    /// An IMEI as a network reports it: 14, 15 or 16 ASCII digits, of which the first 14 count.
    ///
    /// Networks transmit a zero in place of the check digit (clause 6.2.1), or the IMEISV; so the check digit is
    /// computed anew, whatever stood there, and the answer says whether it was the right one (an absent one is).
    /// Two reports of one phone are therefore always equal.
    ///
    /// # Errors
    /// [`IdentifierError`] when it is not 14 to 16 ASCII digits.
    pub fn parse_vouched(text: &str) -> Result<(Self, CheckDigit), IdentifierError> {
        let digits: Digits<16> = Digits::plain(WHAT, 14, text.as_bytes())?;
        let this = Self::from_body(&digits.as_bytes()[..14]);
        Ok((
            this,
            CheckDigit::of(digits.len() != 15 || this.0.as_bytes() == digits.as_bytes()),
        ))
    }

    fn from_body(body: &[u8]) -> Self {
        let mut digits = Digits::EMPTY;
        for byte in body {
            digits.push(*byte);
        }
        digits.push(luhn(body));
        Self(digits)
    }

    /// The 15 digits in the clear.
    #[must_use]
    pub fn reveal(&self) -> &str {
        self.0.as_str()
    }

    /// The type allocation code: make and model, the same for thousands of phones.
    #[must_use]
    pub fn tac(&self) -> &str {
        &self.reveal()[..8]
    }
}

masked!(Imei, head 2, tail 2);

/// The number of a phone with its software version: TAC (8 digits), serial number (6), version (2).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Imeisv(Digits<16>);

impl Imeisv {
    /// An IMEISV as typed or imported: 16 digits; it has no check digit.
    ///
    /// # Errors
    /// [`IdentifierError`] when it is not 16 digits.
    pub fn parse(text: &str) -> Result<Self, IdentifierError> {
        Ok(Self(Digits::typed(WHAT_SV, 16, text)?))
    }

    /// The 16 digits in the clear.
    #[must_use]
    pub fn reveal(&self) -> &str {
        self.0.as_str()
    }

    /// The phone's IMEI, with its check digit computed.
    #[must_use]
    pub fn imei(&self) -> Imei {
        Imei::from_body(&self.0.as_bytes()[..14])
    }

    /// The type allocation code.
    #[must_use]
    pub fn tac(&self) -> &str {
        &self.reveal()[..8]
    }

    /// The software version number.
    #[must_use]
    pub fn software_version(&self) -> &str {
        &self.reveal()[14..]
    }
}

masked!(Imeisv, head 2, tail 2);

#[cfg(test)]
mod tests {
    use super::{Imei, Imeisv};
    use crate::CheckDigit;
    use proptest::prelude::*;

    #[test]
    fn the_example_of_the_standard_and_its_other_forms() {
        let imei = Imei::parse("49-015420-323751-8").unwrap();
        assert_eq!((imei.reveal(), imei.tac()), ("490154203237518", "49015420"));
        assert_eq!(Imei::parse("49015420323751").unwrap(), imei);
        assert_eq!(
            Imei::parse_vouched("490154203237510").unwrap(),
            (imei, CheckDigit::Failed)
        );
        assert_eq!(
            Imei::parse_vouched("4901542032375107").unwrap(),
            (imei, CheckDigit::Ok)
        );
        let with_version = Imeisv::parse("4901542032375107").unwrap();
        assert_eq!(
            (with_version.imei(), with_version.software_version()),
            (imei, "07")
        );
        assert_eq!(with_version.tac(), imei.tac());
        for wrong in ["490154203237510", "4901542032375", "4901542032375180", ""] {
            assert!(Imei::parse(wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn one_wrong_digit_is_always_found(body in "[0-9]{14}", at in 0_usize..15, by in 1_u8..10) {
            let good = Imei::parse(&body).unwrap();
            prop_assert_eq!(Imei::parse(good.reveal()).unwrap(), good);
            let mut digits = good.reveal().as_bytes().to_vec();
            digits[at] = b'0' + (digits[at] - b'0' + by) % 10;
            prop_assert!(Imei::parse(std::str::from_utf8(&digits).unwrap()).is_err());
        }
    }
}
