//! IMSI: the number by which a network knows a subscriber (3GPP TS 23.003, clause 2.2).

use crate::digits::Digits;
use crate::masked::masked;
use crate::{IdentifierError, Mcc, Mnc, Plmn};

const WHAT: &str = "an IMSI";

/// The number by which a network knows a subscriber: MCC (3 digits), MNC (2 or 3), MSIN; 14 or 15 digits in all.
///
/// How long the MNC is does not follow from the number; the operator table knows it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Imsi(Digits<15>);

impl Imsi {
    /// An IMSI as typed or imported.
    ///
    /// # Errors
    /// [`IdentifierError`] when it is not 14 or 15 digits or does not begin with a country (200–799) or test
    /// and shared network (001, 901, 999).
    pub fn parse(text: &str) -> Result<Self, IdentifierError> {
        Self::checked(Digits::typed(WHAT, 14, text)?)
    }

    /// The quick path for machines: ASCII digits only.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn parse_plain(text: &str) -> Result<Self, IdentifierError> {
        Self::checked(Digits::plain(WHAT, 14, text.as_bytes())?)
    }

    fn checked(digits: Digits<15>) -> Result<Self, IdentifierError> {
        let this = Self(digits);
        Mcc::parse(&this.reveal()[..3])?;
        Ok(this)
    }

    /// The digits in the clear.
    #[must_use]
    pub fn reveal(&self) -> &str {
        self.0.as_str()
    }

    /// The mobile country code.
    #[must_use]
    pub fn mcc(&self) -> Mcc {
        Mcc::parse(&self.reveal()[..3]).expect("checked when the IMSI was made")
    }

    /// The network, taking the MNC as two digits long: right for Cambodia and most of the world.
    #[must_use]
    pub fn plmn_with_two_digits(&self) -> Plmn {
        self.plmn(5)
    }

    /// The network, taking the MNC as three digits long: North America and some others.
    #[must_use]
    pub fn plmn_with_three_digits(&self) -> Plmn {
        self.plmn(6)
    }

    fn plmn(&self, end: usize) -> Plmn {
        Plmn::new(
            self.mcc(),
            Mnc::parse(&self.reveal()[3..end]).expect("two or three digits"),
        )
    }
}

masked!(Imsi, head 3, tail 2);

#[cfg(test)]
mod tests {
    use super::Imsi;

    #[test]
    fn takes_the_network_off_the_front() {
        let imsi = Imsi::parse("456 01 1234567890").unwrap();
        assert_eq!((imsi.mcc().as_str(), imsi.reveal()), ("456", "456011234567890"));
        assert_eq!(imsi.plmn_with_two_digits().to_string(), "456-01");
        assert_eq!(imsi.plmn_with_three_digits().to_string(), "456-011");
        assert_eq!(imsi.to_string(), "456••••••••••90");
        assert_eq!(Imsi::parse("45601123456789").unwrap().reveal().len(), 14);
        for wrong in [
            "4560112345678",
            "4560112345678901",
            "156011234567890",
            "45601123456789x",
        ] {
            assert!(Imsi::parse(wrong).is_err(), "{wrong}");
        }
        assert!(Imsi::parse_plain("456 01 1234567890").is_err());
    }
}
