//! EID: the number of an eUICC (GSMA SGP.29; before that SGP.02).

use crate::digits::Digits;
use crate::masked::masked;
use crate::{CheckDigit, IdentifierError};

const WHAT: &str = "an EID";

/// The number of an eUICC: 32 digits, the last two of them check digits after ISO 7064 mod 97-10.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Eid(Digits<32>);

/// Whether the check digits of an EID fit.
pub type EidCheck = CheckDigit;

impl Eid {
    /// An EID as typed or imported: it must begin with 89 and its check digits must fit.
    ///
    /// # Errors
    /// [`IdentifierError`] when it is not 32 digits, does not begin with 89, or a check digit does not fit.
    pub fn parse(text: &str) -> Result<Self, IdentifierError> {
        let digits = Digits::typed(WHAT, 32, text)?;
        if !digits.as_bytes().starts_with(b"89") {
            return Err(IdentifierError::Prefix {
                what: WHAT,
                expected: "89, the telecommunication industry",
            });
        }
        if mod_97(digits.as_bytes()) != 1 {
            return Err(IdentifierError::CheckDigit { what: WHAT });
        }
        Ok(Self(digits))
    }

    /// An EID that its chip's certificate, or the network, vouches for: 32 ASCII digits; the check is reported.
    ///
    /// Some certified test chips carry a number whose check digits do not fit; the certificate binds it all the
    /// same.
    ///
    /// # Errors
    /// [`IdentifierError`] when it is not exactly 32 ASCII digits.
    pub fn parse_vouched(text: &str) -> Result<(Self, EidCheck), IdentifierError> {
        let digits = Digits::plain(WHAT, 32, text.as_bytes())?;
        Ok((Self(digits), CheckDigit::of(mod_97(digits.as_bytes()) == 1)))
    }

    /// The 32 digits in the clear.
    #[must_use]
    pub fn reveal(&self) -> &str {
        self.0.as_str()
    }

    /// The first eight digits: the EUM identification number, the same for all chips of one manufacturer's range.
    #[must_use]
    pub fn eum(&self) -> &str {
        &self.reveal()[..8]
    }

    /// The check, made again: false only for an EID that came in by [`Self::parse_vouched`].
    #[must_use]
    pub fn check(&self) -> EidCheck {
        CheckDigit::of(mod_97(self.0.as_bytes()) == 1)
    }
}

masked!(Eid, head 8, tail 2);

/// The remainder of a decimal number by 97, eight digits at a time.
fn mod_97(digits: &[u8]) -> u64 {
    digits.chunks(8).fold(0, |rest, chunk| {
        chunk
            .iter()
            .fold(rest, |value, digit| value * 10 + u64::from(digit - b'0'))
            % 97
    })
}

#[cfg(test)]
mod tests {
    use super::Eid;
    use crate::{CheckDigit, IdentifierError};
    use proptest::prelude::*;

    #[test]
    fn the_published_test_numbers() {
        let eid = Eid::parse("89049032123451234512345678901235").unwrap();
        assert_eq!((eid.eum(), eid.check()), ("89049032", CheckDigit::Ok));
        assert_eq!(eid.to_string(), "89049032••••••••••••••••••••••35");
        for failing in [
            "89049033123451234512345678901234",
            "89049032123451234512345678901299",
        ] {
            assert_eq!(
                Eid::parse(failing),
                Err(IdentifierError::CheckDigit { what: "an EID" })
            );
            let (vouched, check) = Eid::parse_vouched(failing).unwrap();
            assert_eq!((vouched.reveal(), check), (failing, CheckDigit::Failed));
        }
    }

    #[test]
    fn refuses_the_malformed() {
        let wrong = [
            "",
            "8904903212345123451234567890123",
            "890490321234512345123456789012355",
        ];
        for text in wrong {
            assert!(
                Eid::parse(text).is_err() && Eid::parse_vouched(text).is_err(),
                "{text}"
            );
        }
        assert!(Eid::parse_vouched("8904 9032 1234 5123 4512 3456 7890 1235").is_err());
        assert!(Eid::parse("8904 9032 1234 5123 4512 3456 7890 1235").is_ok());
    }

    proptest! {
        #[test]
        fn one_wrong_digit_or_a_swap_is_always_found(body in "89[0-9]{28}", at in 0_usize..32, by in 1_u8..10) {
            let check = 98 - super::mod_97(format!("{body}00").as_bytes());
            let good = format!("{body}{check:02}");
            prop_assert!(Eid::parse(&good).is_ok_and(|eid| eid.reveal() == good));
            let mut digits = good.clone().into_bytes();
            digits[at] = b'0' + (digits[at] - b'0' + by) % 10;
            prop_assert!(Eid::parse(std::str::from_utf8(&digits).unwrap()).is_err());
            let mut digits = good.clone().into_bytes();
            digits.swap(at, (at + 1) % 32);
            let swapped = String::from_utf8(digits).unwrap();
            prop_assert!(at == 31 || swapped == good || Eid::parse(&swapped).is_err());
        }
    }
}
