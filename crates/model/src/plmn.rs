//! Networks: mobile country code, mobile network code (ITU-T E.212).

use crate::IdentifierError;
use crate::digits::Digits;

const MCC: &str = "a mobile country code";
const MNC: &str = "a mobile network code";
const PLMN: &str = "a network code (MCC-MNC)";

/// Mobile country code: three digits, "456" for Cambodia. Public, shown in the clear.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mcc(Digits<3>);

impl Mcc {
    /// Exactly three ASCII digits: 001 (test), 200 to 799 (countries), 901 (shared), 991 and 999 (trial, private).
    ///
    /// # Errors
    /// [`IdentifierError`] when it is anything else.
    pub fn parse(text: &str) -> Result<Self, IdentifierError> {
        let digits = Digits::plain(MCC, 3, text.as_bytes())?;
        match digits.as_bytes() {
            [b'2'..=b'7', ..] | b"001" | b"901" | b"991" | b"999" => Ok(Self(digits)),
            _ => Err(IdentifierError::Prefix {
                what: MCC,
                expected: "2 to 7, or be 001, 901, 991 or 999",
            }),
        }
    }

    /// The three digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

/// Mobile network code: two or three digits; "01" and "001" are different networks. Public.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mnc(Digits<3>);

impl Mnc {
    /// Two or three ASCII digits.
    ///
    /// # Errors
    /// [`IdentifierError`] when it is anything else.
    pub fn parse(text: &str) -> Result<Self, IdentifierError> {
        Ok(Self(Digits::plain(MNC, 2, text.as_bytes())?))
    }

    /// The two or three digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

/// A network: written "456-01". Public, shown in the clear.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Plmn {
    mcc: Mcc,
    mnc: Mnc,
}

impl Plmn {
    /// Out of its two parts.
    #[must_use]
    pub const fn new(mcc: Mcc, mnc: Mnc) -> Self {
        Self { mcc, mnc }
    }

    /// MCC, hyphen, MNC: "456-01"; or without the hyphen, "45601".
    ///
    /// # Errors
    /// [`IdentifierError`] when it is anything else.
    pub fn parse(text: &str) -> Result<Self, IdentifierError> {
        let Some((mcc, rest)) = text.split_at_checked(3) else {
            return Err(IdentifierError::Length {
                what: PLMN,
                min: 5,
                max: 7,
                got: text.len().min(8),
            });
        };
        Ok(Self::new(
            Mcc::parse(mcc)?,
            Mnc::parse(rest.strip_prefix('-').unwrap_or(rest))?,
        ))
    }

    /// The country code.
    #[must_use]
    pub const fn mcc(&self) -> Mcc {
        self.mcc
    }

    /// The network code.
    #[must_use]
    pub const fn mnc(&self) -> Mnc {
        self.mnc
    }
}

impl std::fmt::Display for Plmn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.mcc.as_str(), self.mnc.as_str())
    }
}

/// Gives a public code the traits that write it in the clear.
macro_rules! public_code {
    ($($name:ident),+) => { $(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }
        impl std::str::FromStr for $name {
            type Err = IdentifierError;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::parse(text)
            }
        }
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(d)?;
                Self::parse(&text).map_err(serde::de::Error::custom)
            }
        }
    )+ };
}
public_code!(Mcc, Mnc, Plmn);

impl std::fmt::Display for Mcc {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

impl std::fmt::Display for Mnc {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::Plmn;

    #[test]
    fn reads_and_writes_codes() {
        let plmn: Plmn = "456-01".parse().unwrap();
        assert_eq!(
            (plmn.to_string(), plmn.mcc().as_str(), plmn.mnc().as_str()),
            ("456-01".into(), "456", "01")
        );
        assert_eq!(Plmn::parse("45601").unwrap(), plmn);
        assert_ne!(Plmn::parse("456-001").unwrap(), plmn);
        assert_eq!(serde_json::to_string(&plmn).unwrap(), "\"456-01\"");
        assert_eq!(serde_json::from_str::<Plmn>("\"456-01\"").unwrap(), plmn);
        for wrong in [
            "",
            "456",
            "456-",
            "456-1",
            "456-0001",
            "056-01",
            "45x-01",
            "៤៥៦-01",
            "456--01",
            " 456-01",
        ] {
            assert!(Plmn::parse(wrong).is_err(), "{wrong}");
        }
    }
}
