//! Fields of requests, checked: each error names its field and what would be right, never what was given.

use crate::Problem;
use serde::{Deserialize, Serialize};
use simwarden_app::NewOwner;
use simwarden_model::{DocumentKey, DocumentKind, Msisdn, Region};
use utoipa::ToSchema;

/// The longest name of a person or company.
const NAME_CHARS_MAX: usize = 200;
/// The longest mail address, RFC 5321.
const MAIL_BYTES_MAX: usize = 254;

/// An identity document.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// Issuing country, ISO 3166-1 with three letters.
    #[schema(example = "KHM")]
    pub country: String,
    /// `national_id`, `passport`, `driving_licence`, `company_registration` or `other`.
    #[schema(value_type = String, example = "national_id")]
    pub kind: DocumentKind,
    /// Its number.
    #[schema(example = "012345678")]
    pub number: String,
}

/// A person or company.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// Full name.
    #[schema(example = "Sok Dara")]
    pub name: String,
    /// The document they are registered on.
    pub document: Document,
}

impl Document {
    pub(crate) fn key(&self, field: &str) -> Result<DocumentKey, Problem> {
        DocumentKey::new(&self.country, self.kind, &self.number).map_err(|why| Problem::field(field, why))
    }
}

impl Person {
    pub(crate) fn owner(&self, field: &str) -> Result<NewOwner, Problem> {
        Ok(NewOwner {
            name: person_name(&format!("{field}.name"), &self.name)?,
            document: self.document.key(&format!("{field}.document"))?,
        })
    }
}

/// A value through its parser.
pub(crate) fn parsed<T, E: std::fmt::Display>(
    field: &str,
    text: Option<&str>,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Result<Option<T>, Problem> {
    text.map(|text| parse(text).map_err(|why| Problem::field(field, why)))
        .transpose()
}

/// A phone number, with country code or as it is dialled in the country.
pub(crate) fn number(field: &str, text: &str, region: Region) -> Result<Msisdn, Problem> {
    Msisdn::parse(text, region).map_err(|why| Problem::field(field, why))
}

/// A mail address, as far as it can be told without sending to it.
pub(crate) fn mail(field: &str, text: &str) -> Result<String, Problem> {
    let plain = text.len() <= MAIL_BYTES_MAX
        && text.split_once('@').is_some_and(|(local, host)| {
            !local.is_empty() && host.contains('.') && !host.contains('@') && !host.ends_with('.')
        })
        && text
            .chars()
            .all(|c| c.is_alphanumeric() || ".!#$%&'*+-/=?^_`{|}~@".contains(c));
    if plain {
        Ok(text.to_owned())
    } else {
        Err(Problem::field(
            field,
            "this is no mail address; write it as name@example.org",
        ))
    }
}

/// A name in any script: letters, marks, digits, and the punctuation that names have.
pub(crate) fn person_name(field: &str, text: &str) -> Result<String, Problem> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > NAME_CHARS_MAX {
        return Err(Problem::field(field, "a name has 1 to 200 characters"));
    }
    let fits = |c: char| match c {
        ' ' | '\'' | '-' | '.' | ',' | '(' | ')' | '/' | '&' | '+' => true,
        c if c.is_ascii() => c.is_ascii_alphanumeric(),
        // Direction overrides and other unseen marks make one name look like another.
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{2028}' | '\u{2029}' => false,
        c => !c.is_control(),
    };
    if text.chars().all(fits) && !text.contains("--") {
        Ok(text.to_owned())
    } else {
        Err(Problem::field(
            field,
            "a name has letters of any script, digits, spaces and ' - . , ( ) / & +; leave other signs out",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::{mail, person_name};

    #[test]
    fn names_of_people_pass_and_statements_do_not() {
        for name in [
            "Sok Dara",
            "ភិរម្យ ចាន់ធីតា",
            "O'Neill-Müller, Jr.",
            "Công ty TNHH 9",
            "王小明",
            "หม่อมราชวงศ์",
        ] {
            assert_eq!(person_name("name", name).unwrap(), name);
        }
        for name in [
            "",
            "  ",
            "Robert'); DROP TABLE party;--",
            "a -- b",
            "<script>",
            "a\0b",
            "a\nb",
            "\u{202e}nosam",
            &"a".repeat(201),
            "x=1",
        ] {
            let problem = person_name("new_owner.name", name).unwrap_err();
            assert_eq!(problem.status.as_u16(), 400);
            assert!(problem.detail.starts_with("`new_owner.name`"));
            assert!(!problem.detail.contains("DROP"));
        }
    }

    #[test]
    fn mail_addresses() {
        assert!(mail("m", "dara@example.org").is_ok());
        for bad in [
            "dara",
            "@example.org",
            "a@b",
            "a@b@c.d",
            "a b@c.d",
            "a@b.c\r\nBcc: x@y.z",
            "a@b.",
        ] {
            assert!(mail("m", bad).is_err(), "{bad}");
        }
    }
}
