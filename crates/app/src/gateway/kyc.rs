//! Compares what a client says of a customer with the owner's record. Pure.
//!
//! Texts are compared without regard to case and spacing. What does not match gets a score, Jaro-Winkler, 0 to 99.

use super::Denied;
use super::line::LineFacts;
use std::collections::BTreeMap;

/// A record, by CAMARA's names of attributes.
pub type Record = BTreeMap<String, String>;

/// Every attribute that can be compared, and whether a score is given for it.
pub const ATTRIBUTES: &[(&str, bool)] = &[
    ("idDocument", false),
    ("idDocumentType", false),
    ("idDocumentExpiryDate", false),
    ("name", true),
    ("givenName", true),
    ("familyName", true),
    ("nameKanaHankaku", true),
    ("nameKanaZenkaku", true),
    ("middleNames", true),
    ("familyNameAtBirth", true),
    ("address", true),
    ("streetName", true),
    ("streetNumber", true),
    ("postalCode", false),
    ("region", true),
    ("locality", true),
    ("country", false),
    ("houseNumberExtension", false),
    ("birthdate", false),
    ("email", true),
    ("gender", false),
    ("cityOfBirth", true),
    ("countryOfBirth", false),
    ("nationality", false),
];

/// What is said of one attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The same.
    Same,
    /// Another, and how alike they are, 0 to 99.
    Other(u8),
    /// Nothing is on file.
    NotAvailable,
}

/// The characters that count, alike for alike texts.
fn plain(name: &str, value: &str) -> String {
    let folded = value.to_lowercase();
    match name {
        "idDocument" | "postalCode" => folded.chars().filter(|c| c.is_alphanumeric()).collect(),
        _ => folded.split_whitespace().collect::<Vec<_>>().join(" "),
    }
}

/// Compares one attribute.
#[must_use]
pub fn compare(name: &str, said: &str, record: &Record) -> Verdict {
    let Some(own) = record.get(name).filter(|own| !own.trim().is_empty()) else {
        return Verdict::NotAvailable;
    };
    let (said, own) = (plain(name, said), plain(name, own));
    if said == own {
        return Verdict::Same;
    }
    Verdict::Other(alike(&said, &own))
}

/// 0 to 99: what is not the same is never a hundred.
fn alike(one: &str, other: &str) -> u8 {
    let score = (strsim::jaro_winkler(one, other) * 100.0)
        .floor()
        .clamp(0.0, 99.0);
    // The clamp has made it fit.
    (0..=99_u8).rev().find(|n| f64::from(*n) <= score).unwrap_or(0)
}

/// Whether the record may be compared at all, given the document that was sent.
///
/// # Errors
/// [`Denied::IdDocumentRequired`] and [`Denied::IdDocumentMismatch`], for lines that ask for it.
pub fn may_compare(line: &LineFacts, document: Option<&str>, record: &Record) -> Result<(), Denied> {
    if !line.id_document_required {
        return Ok(());
    }
    match document {
        None => Err(Denied::IdDocumentRequired),
        Some(document) if compare("idDocument", document, record) == Verdict::Same => Ok(()),
        Some(_) => Err(Denied::IdDocumentMismatch),
    }
}

/// What is said about an owner's age.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AgeAnswer {
    /// Whether they are that old; unknown without a date of birth.
    pub old_enough: Option<bool>,
    /// Whether the record stands on an official document.
    pub verified: bool,
    /// How alike what was sent and the record are, 0 to 100; none where nothing could be compared.
    pub score: Option<u8>,
}

/// Whether the owner is at least so many years old.
#[must_use]
pub fn age(years: i64, said: &Record, record: &Record, today: jiff::civil::Date) -> AgeAnswer {
    let birth = record
        .get("birthdate")
        .and_then(|date| date.parse::<jiff::civil::Date>().ok());
    let old_enough = birth.map(|birth| {
        let mut age = i64::from(today.year()) - i64::from(birth.year());
        if (today.month(), today.day()) < (birth.month(), birth.day()) {
            age -= 1;
        }
        age >= years
    });
    let scores: Vec<u32> = said
        .iter()
        .filter_map(|(name, said)| match compare(name, said, record) {
            Verdict::Same => Some(100),
            Verdict::Other(score) => Some(u32::from(score)),
            Verdict::NotAvailable => None,
        })
        .collect();
    let count = u32::try_from(scores.len()).unwrap_or(u32::MAX);
    let mean = scores.iter().sum::<u32>().checked_div(count);
    AgeAnswer {
        old_enough,
        verified: record.contains_key("idDocument") && old_enough.is_some(),
        score: mean.and_then(|mean| u8::try_from(mean).ok()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Record, Verdict, age, compare};

    fn record() -> Record {
        [
            ("name", "Sokha Chan Dara"),
            ("birthdate", "1988-04-14"),
            ("idDocument", "K01234567"),
            ("locality", "ភ្នំពេញ"),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
    }

    #[test]
    fn case_and_spacing_do_not_count_and_the_rest_is_scored() {
        let record = record();
        assert_eq!(compare("name", " sokha  CHAN dara", &record), Verdict::Same);
        assert_eq!(compare("idDocument", "k-0123 4567", &record), Verdict::Same);
        assert_eq!(compare("locality", "ភ្នំពេញ", &record), Verdict::Same);
        assert_eq!(compare("region", "Phnom Penh", &record), Verdict::NotAvailable);
        assert!(matches!(
            compare("name", "Sokha Chan Dora", &record),
            Verdict::Other(90..=99)
        ));
        assert!(matches!(compare("name", "zzz", &record), Verdict::Other(0..=40)));
    }

    #[test]
    fn somebody_is_as_old_as_the_day_says() {
        let day = |text: &str| text.parse().unwrap();
        let said = Record::from([("name".to_owned(), "Sokha Chan Dara".to_owned())]);
        let before = age(38, &said, &record(), day("2026-04-13"));
        assert_eq!(
            (before.old_enough, before.score, before.verified),
            (Some(false), Some(100), true)
        );
        assert_eq!(
            age(38, &said, &record(), day("2026-04-14")).old_enough,
            Some(true)
        );
        assert_eq!(age(18, &said, &Record::new(), day("2026-04-14")).old_enough, None);
        assert_eq!(age(18, &Record::new(), &record(), day("2026-04-14")).score, None);
    }
}
