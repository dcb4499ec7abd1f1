//! Reads the fields of a body, strictly. What is malformed is told at once; what is only out of range, after all else
//! was found well-formed, as CAMARA's tests want it.

use super::error::CamaraError;
use axum::http::StatusCode;
use serde_json::{Map, Value};
use simwarden_app::gateway::{Day, day_from, time_from};
use simwarden_model::Timestamp;

/// The fields of one object.
pub(super) struct Fields<'a> {
    map: &'a Map<String, Value>,
    out_of_range: Option<String>,
}

type Read<T> = Result<T, CamaraError>;

/// A number, as CAMARA writes it.
pub(super) fn is_phone(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (5..=15).contains(&digits.len())
            && !digits.starts_with('0')
            && digits.bytes().all(|b| b.is_ascii_digit())
    })
}

impl<'a> Fields<'a> {
    pub const fn of(map: &'a Map<String, Value>) -> Self {
        Self {
            map,
            out_of_range: None,
        }
    }

    fn wrong<T>(name: &str, what: &str) -> Read<T> {
        Err(CamaraError::argument(format!("`{name}` must be {what}")))
    }

    pub fn text(&self, name: &str) -> Read<Option<&'a str>> {
        match self.map.get(name) {
            None => Ok(None),
            Some(Value::String(text)) if !text.contains('\0') => Ok(Some(text)),
            Some(_) => Self::wrong(name, "a text"),
        }
    }

    pub fn text_up_to(&self, name: &str, chars_max: usize) -> Read<Option<&'a str>> {
        match self.text(name)? {
            Some(text) if text.chars().count() > chars_max => {
                Self::wrong(name, &format!("a text of at most {chars_max} characters"))
            }
            other => Ok(other),
        }
    }

    pub fn phone(&self) -> Read<Option<&'a str>> {
        match self.text("phoneNumber")? {
            Some(phone) if !is_phone(phone) => {
                Self::wrong("phoneNumber", "`+` and 5 to 15 digits, the first not 0")
            }
            other => Ok(other),
        }
    }

    /// A whole number; one outside of the range is told at the end.
    pub fn integer(&mut self, name: &str, least: i64, most: i64) -> Read<Option<i64>> {
        let number = match self.map.get(name) {
            None => return Ok(None),
            Some(Value::Number(number)) => number,
            Some(_) => return Self::wrong(name, "a whole number"),
        };
        let whole = match number.as_i64() {
            Some(whole) => Some(whole),
            // JSON Schema takes 240.0 for a whole number too.
            None => match number.as_f64() {
                Some(float) if float.fract() != 0.0 => return Self::wrong(name, "a whole number"),
                Some(float) => format!("{float:.0}").parse().ok(),
                None => None,
            },
        };
        match whole {
            Some(whole) if (least..=most).contains(&whole) => Ok(Some(whole)),
            _ => {
                self.range(format!("`{name}` must lie between {least} and {most}"));
                Ok(None)
            }
        }
    }

    pub fn flag(&self, name: &str) -> Read<Option<bool>> {
        match self.map.get(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(_) => Self::wrong(name, "true or false"),
        }
    }

    pub fn day(&self, name: &str) -> Read<Option<Day>> {
        match self.text(name)? {
            None => Ok(None),
            Some(text) => match day_from(text) {
                Some(day) => Ok(Some(day)),
                None => Self::wrong(name, "a day, YYYY-MM-DD"),
            },
        }
    }

    pub fn time(&self, name: &str) -> Read<Option<Timestamp>> {
        match self.text(name)? {
            None => Ok(None),
            Some(text) => match time_from(text) {
                Some(time) => Ok(Some(time)),
                None => Self::wrong(name, "a time with its zone (RFC 3339)"),
            },
        }
    }

    pub fn email(&self, name: &str) -> Read<Option<&'a str>> {
        let fine = |text: &str| {
            text.rsplit_once('@').is_some_and(|(local, domain)| {
                !local.is_empty()
                    && !domain.is_empty()
                    && text.len() <= 320
                    && !text.contains(|c: char| c.is_whitespace() || c.is_control())
            })
        };
        match self.text(name)? {
            Some(text) if !fine(text) => Self::wrong(name, "a mail address"),
            other => Ok(other),
        }
    }

    pub fn one_of(&self, name: &str, words: &[&str]) -> Read<Option<&'a str>> {
        match self.text(name)? {
            Some(text) if !words.contains(&text) => {
                Self::wrong(name, &format!("one of {}", words.join(", ")))
            }
            other => Ok(other),
        }
    }

    pub fn texts(&self, name: &str, most: usize) -> Read<Option<Vec<&'a str>>> {
        let list = match self.map.get(name) {
            None => return Ok(None),
            Some(Value::Array(list)) => list,
            Some(_) => return Self::wrong(name, "a list of texts"),
        };
        let texts: Option<Vec<&str>> = list.iter().map(Value::as_str).collect();
        match texts {
            Some(texts) if !texts.is_empty() && texts.len() <= most => Ok(Some(texts)),
            _ => Self::wrong(name, &format!("a list of 1 to {most} texts")),
        }
    }

    pub fn object(&self, name: &str) -> Read<Option<Fields<'a>>> {
        match self.map.get(name) {
            None => Ok(None),
            Some(Value::Object(map)) => Ok(Some(Fields::of(map))),
            Some(_) => Self::wrong(name, "an object"),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.map.is_empty()
    }

    pub fn names(&self) -> impl Iterator<Item = &'a str> {
        self.map.keys().map(String::as_str)
    }

    /// Keeps what is out of range until the end.
    pub fn range(&mut self, message: String) {
        self.out_of_range.get_or_insert(message);
    }

    /// All was well-formed: now what is out of range.
    pub fn done(self) -> Read<()> {
        match self.out_of_range {
            None => Ok(()),
            Some(message) => Err(CamaraError::new(StatusCode::BAD_REQUEST, "OUT_OF_RANGE", message)),
        }
    }
}

/// A field that must be there.
pub(super) fn needed<T>(name: &str, value: Option<T>) -> Read<T> {
    value.ok_or_else(|| CamaraError::argument(format!("`{name}` is missing")))
}

#[cfg(test)]
mod tests {
    use super::{Fields, is_phone};
    use serde_json::json;

    #[test]
    fn numbers_are_read_strictly() {
        for (value, expected) in [
            (json!(240), Some(Some(240))),
            (json!(240.0), Some(Some(240))),
            (json!("240"), None),
            (json!(1.5), None),
            (json!(true), None),
            (json!(null), None),
            (json!([240]), None),
        ] {
            let body = json!({ "maxAge": value });
            let mut fields = Fields::of(body.as_object().unwrap());
            assert_eq!(fields.integer("maxAge", 1, 2400).ok(), expected, "{value}");
        }
        for value in [json!(0), json!(2401), json!(-1), json!(u64::MAX), json!(1e300)] {
            let body = json!({ "maxAge": value });
            let mut fields = Fields::of(body.as_object().unwrap());
            assert_eq!(fields.integer("maxAge", 1, 2400).unwrap(), None);
            assert_eq!(fields.done().unwrap_err().code, "OUT_OF_RANGE", "{value}");
        }
    }

    #[test]
    fn a_phone_number_has_a_plus_and_digits() {
        assert!(is_phone("+855120000001") && is_phone("+12345"));
        for wrong in [
            "",
            "+",
            "855120000001",
            "+0855120000",
            "+1234",
            "+1234567890123456",
            "+85512a00001",
            "+12345\n",
        ] {
            assert!(!is_phone(wrong), "{wrong:?}");
        }
    }
}
