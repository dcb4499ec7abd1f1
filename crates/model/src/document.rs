//! The document on which a line is registered.

use crate::digits::Digits;
use crate::named::named_enum;
use crate::{IdentifierError, masked};

named_enum! {
    /// The kind of document on which a person or company is registered.
    pub enum DocumentKind ("kind of document") {
        /// A national identity card.
        NationalId = "national_id",
        /// A passport.
        Passport = "passport",
        /// A driving licence.
        DrivingLicence = "driving_licence",
        /// A company's entry in its register.
        CompanyRegistration = "company_registration",
        /// Anything else that the operator accepts.
        Other = "other",
    }
}

const NUMBER: &str = "a document number";
const COUNTRY: &str = "the country of a document";

/// What makes a document one of a kind: issuing country, kind, number. The key for "how many lines on this
/// document, over all operators".
///
/// Country and number stand as in a machine-readable zone (ICAO 9303): three capital letters ("KHM"; "D" for
/// Germany is written "DEU" here), and 4 to 24 capital letters and digits without spaces, hyphens and fillers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DocumentKey {
    country: Digits<3>,
    kind: DocumentKind,
    number: Digits<24>,
}

impl DocumentKey {
    /// Out of its three parts, normalised: small letters become capitals, Khmer digits become ASCII, separators
    /// and the filler `<` go.
    ///
    /// # Errors
    /// [`IdentifierError`] when the country is not three letters or the number not 4 to 24 letters and digits.
    pub fn new(country: &str, kind: DocumentKind, number: &str) -> Result<Self, IdentifierError> {
        let country = Digits::collect(COUNTRY, 3, country, |c| {
            c.is_ascii_alphabetic().then(|| c.to_ascii_uppercase())
        })
        .map_err(|_| IdentifierError::Region {
            what: COUNTRY,
            expected: "ISO 3166-1 with three letters",
        })?;
        let number = Digits::collect(NUMBER, 4, number.trim_end_matches('<'), |c| {
            c.is_ascii_alphanumeric().then(|| c.to_ascii_uppercase())
        })?;
        Ok(Self {
            country,
            kind,
            number,
        })
    }

    /// The issuing country, three capital letters.
    #[must_use]
    pub fn country(&self) -> &str {
        self.country.as_str()
    }

    /// The kind of document.
    #[must_use]
    pub const fn kind(&self) -> DocumentKind {
        self.kind
    }

    /// The number in the clear.
    #[must_use]
    pub fn reveal_number(&self) -> &str {
        self.number.as_str()
    }

    /// The whole key in the clear, `KHM:national_id:012345678`: what a keyed hash for look-ups is taken over.
    #[must_use]
    pub fn reveal(&self) -> String {
        format!("{}:{}:{}", self.country(), self.kind, self.reveal_number())
    }
}

impl std::fmt::Display for DocumentKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:", self.country(), self.kind)?;
        masked::write_masked(f, self.reveal_number(), 0, 2)
    }
}

impl std::fmt::Debug for DocumentKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DocumentKey({self})")
    }
}

impl std::str::FromStr for DocumentKey {
    type Err = IdentifierError;
    /// Reads what [`DocumentKey::reveal`] writes.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.splitn(3, ':');
        let (Some(country), Some(kind), Some(number)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(IdentifierError::Prefix {
                what: "a document key",
                expected: "country:kind:",
            });
        };
        let kind = kind.parse().map_err(|_| IdentifierError::Region {
            what: "the kind of document",
            expected: "national_id, passport, driving_licence, company_registration, other",
        })?;
        Self::new(country, kind, number)
    }
}

#[cfg(test)]
mod tests {
    use super::{DocumentKey, DocumentKind};

    #[test]
    fn one_document_has_one_key_however_it_is_written() {
        let key = DocumentKey::new("KHM", DocumentKind::NationalId, "012345678").unwrap();
        for other in ["០១២ ៣៤៥ ៦៧៨", "012-345-678", "012345678<<"] {
            assert_eq!(
                DocumentKey::new("khm", DocumentKind::NationalId, other).unwrap(),
                key
            );
        }
        assert_ne!(
            DocumentKey::new("KHM", DocumentKind::Passport, "012345678").unwrap(),
            key
        );
        assert_eq!(key.reveal(), "KHM:national_id:012345678");
        assert_eq!(key.reveal().parse::<DocumentKey>().unwrap(), key);
        assert_eq!(key.to_string(), "KHM:national_id:•••••••78");
        assert_eq!(
            DocumentKey::new("FRA", DocumentKind::Passport, "n 1234567")
                .unwrap()
                .reveal_number(),
            "N1234567"
        );
        for (country, number) in [
            ("KH", "12345"),
            ("KHMX", "12345"),
            ("KHM", "123"),
            ("KHM", "12é45"),
            ("K1M", "12345"),
        ] {
            assert!(
                DocumentKey::new(country, DocumentKind::Other, number).is_err(),
                "{country} {number}"
            );
        }
        assert!(DocumentKey::new("KHM", DocumentKind::Other, &"1".repeat(25)).is_err());
        assert!("KHM:national_id".parse::<DocumentKey>().is_err());
    }
}
