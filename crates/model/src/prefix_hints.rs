//! Which operator a number was probably handed out by: a hint for people, never a ground for a decision.
//!
//! Prefixes are handed on with the companies that held them, and a ported number keeps its own.

use crate::operators::Confidence;
use crate::{Msisdn, UnknownName};

const HEADER: &str = "country_code,prefix,digits,brand,confidence";
const SHIPPED: &str = include_str!("../data/prefixes.csv");

/// A row of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Hint {
    country_code: Box<str>,
    prefix: Box<str>,
    digits: Vec<usize>,
    brand: Box<str>,
    confidence: Confidence,
}

/// A table of prefixes that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the table of prefixes: {problem}; its header is `{HEADER}`")]
pub struct PrefixTableError {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong.
    pub problem: String,
}

/// Prefixes of national numbers and who handed them out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrefixHints(Vec<Hint>);

impl PrefixHints {
    /// Most rows of a table.
    pub const ROWS_MAX: usize = 20_000;

    /// The table that comes with the program: Cambodia.
    ///
    /// # Panics
    /// Never: a test reads the table.
    #[must_use]
    pub fn shipped() -> Self {
        Self::parse(SHIPPED).expect("the shipped table is read by a test")
    }

    /// Reads a table of the form of the shipped one; lines that begin with # and empty ones do not count.
    ///
    /// # Errors
    /// [`PrefixTableError`] with the line that is wrong.
    pub fn parse(text: &str) -> Result<Self, PrefixTableError> {
        let mut hints: Vec<Hint> = Vec::new();
        let mut header = false;
        for (line, row) in (1..).zip(text.lines()) {
            let row = row.trim();
            if row.is_empty() || row.starts_with('#') {
                continue;
            }
            let wrong = |problem: String| PrefixTableError { line, problem };
            if !header {
                header = true;
                if row != HEADER {
                    return Err(wrong("the header is missing".into()));
                }
                continue;
            }
            if hints.len() == Self::ROWS_MAX {
                return Err(wrong("more than 20,000 rows".into()));
            }
            let hint = parse_row(row).map_err(wrong)?;
            if hints
                .iter()
                .any(|it| it.country_code == hint.country_code && it.prefix == hint.prefix)
            {
                return Err(wrong("the prefix stands there twice".into()));
            }
            hints.push(hint);
        }
        Ok(Self(hints))
    }

    /// The brand that probably handed the number out, and how good the guess is; the longest prefix counts.
    #[must_use]
    pub fn brand(&self, number: &Msisdn) -> Option<(&str, Confidence)> {
        let national = number.reveal_national();
        self.0
            .iter()
            .filter(|hint| {
                *hint.country_code == *number.country_code()
                    && national.starts_with(&*hint.prefix)
                    && hint.digits.contains(&national.len())
            })
            .max_by_key(|hint| hint.prefix.len())
            .map(|hint| (&*hint.brand, hint.confidence))
    }
}

fn parse_row(row: &str) -> Result<Hint, String> {
    let fields: Vec<&str> = row.split(',').map(str::trim).collect();
    let [country_code, prefix, digits, brand, confidence] = fields[..] else {
        return Err(format!("5 fields are wanted, {} found", fields.len()));
    };
    let all_digits =
        |text: &str| !text.is_empty() && text.len() <= 8 && text.bytes().all(|it| it.is_ascii_digit());
    if !all_digits(country_code) || !all_digits(prefix) || brand.is_empty() {
        return Err("country code and prefix are 1 to 8 digits, the brand is not empty".into());
    }
    let digits: Result<Vec<usize>, _> = digits.split(' ').map(str::parse).collect();
    Ok(Hint {
        country_code: country_code.into(),
        prefix: prefix.into(),
        digits: digits.map_err(|_| "lengths are numbers with a space between them".to_owned())?,
        brand: brand.into(),
        confidence: confidence
            .parse()
            .map_err(|error: UnknownName| error.to_string())?,
    })
}

#[cfg(test)]
mod tests {
    use super::{HEADER, PrefixHints};
    use crate::{Confidence, Msisdn};

    #[test]
    fn guesses_by_prefix_and_length() {
        let hints = PrefixHints::shipped();
        let brand = |text: &str| {
            hints
                .brand(&Msisdn::from_e164(text).unwrap())
                .map(|(brand, _)| brand.to_owned())
        };
        assert_eq!(brand("85512345678").as_deref(), Some("Cellcard"));
        assert_eq!(brand("855961234567").as_deref(), Some("Smart"));
        assert_eq!(brand("855971234567").as_deref(), Some("Metfone"));
        // The right prefix with a length that it does not have; a prefix nobody has; another country.
        assert_eq!(brand("85596123456"), None);
        assert_eq!(brand("85519345678"), None);
        assert_eq!(brand("8412345678"), None);
        assert_eq!(
            hints.brand(&Msisdn::from_e164("85513345678").unwrap()),
            Some(("qb", Confidence::Medium))
        );
    }

    #[test]
    fn refuses_a_malformed_table() {
        let parse = |row: &str| PrefixHints::parse(&format!("{HEADER}\n{row}\n"));
        assert!(parse("855,12,8 9,Cellcard,high").is_ok());
        for row in [
            "855,12,8,Cellcard",
            "855,1x,8,a,high",
            "855,12,8/9,a,high",
            "855,12,8,a,sure",
            "855,12,8,,high",
        ] {
            assert_eq!(parse(row).unwrap_err().line, 2, "{row}");
        }
        assert!(parse("855,12,8,a,high\n855,12,9,b,high").is_err());
        assert!(PrefixHints::parse("855,12,8,a,high").is_err());
    }
}
