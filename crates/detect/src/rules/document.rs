//! One YAML document of a rule file, with the line it begins at.

use crate::RuleError;
use yaml_serde::Value;

/// A document between two `---`.
#[derive(Debug, Clone)]
pub(crate) struct Document {
    pub file: String,
    first_line: usize,
    pub text: String,
    pub value: Value,
}

impl Document {
    /// Cuts a file into its documents.
    pub(crate) fn cut(file: &str, text: &str) -> Result<Vec<Self>, RuleError> {
        let mut documents = Vec::new();
        let (mut part, mut first_line) = (String::new(), 1);
        for (at, line) in text.lines().chain(std::iter::once("---")).enumerate() {
            if line.trim_end() != "---" {
                part.push_str(line);
                part.push('\n');
                continue;
            }
            let filled = part
                .lines()
                .any(|line| !line.trim().is_empty() && !line.trim().starts_with('#'));
            if filled {
                documents.push(Self::parse(file, first_line, std::mem::take(&mut part))?);
            }
            part.clear();
            first_line = at + 2;
        }
        Ok(documents)
    }

    fn parse(file: &str, first_line: usize, text: String) -> Result<Self, RuleError> {
        let value: Value = yaml_serde::from_str(&text).map_err(|error| RuleError {
            file: file.to_owned(),
            line: first_line + error.location().map_or(0, |at| at.line().saturating_sub(1)),
            text: format!("this is no YAML: {error}"),
        })?;
        let this = Self {
            file: file.to_owned(),
            first_line,
            text,
            value,
        };
        if this.value.is_mapping() {
            Ok(this)
        } else {
            Err(this.error(
                "",
                "a rule is a list of `name: value` lines; begin with `title:`".to_owned(),
            ))
        }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Value> {
        self.value.as_mapping()?.get(Value::String(key.to_owned()))
    }

    pub(crate) fn str(&self, key: &str) -> Option<&str> {
        self.get(key)?.as_str()
    }

    /// The least number that a correlation's condition asks for, if it is written with numbers.
    pub(crate) fn least(&self) -> Option<u64> {
        let condition = self.get("correlation")?.get("condition")?.as_mapping()?;
        let bound = condition.get(Value::from("gte")).and_then(Value::as_u64);
        Some(bound.filter(|_| condition.len() == 1).unwrap_or(0))
    }

    /// An error at the line that a word stands in, the first line if it stands nowhere. A word with a colon is a key.
    pub(crate) fn error(&self, word: &str, text: String) -> RuleError {
        let stands = |line: &str| {
            let line = line.trim_start().trim_start_matches("- ");
            if word.ends_with(':') {
                line.starts_with(word)
            } else {
                line.contains(word)
            }
        };
        let inside = || self.text.lines().position(|line| line.contains(word));
        let at = if word.is_empty() {
            None
        } else {
            self.text.lines().position(stands).or_else(inside)
        };
        RuleError {
            file: self.file.clone(),
            line: self.first_line + at.unwrap_or(0),
            text,
        }
    }

    /// An error at a line counted from the document's first, from 0.
    pub(crate) fn error_at(&self, line: usize, text: String) -> RuleError {
        RuleError {
            file: self.file.clone(),
            line: self.first_line + line,
            text,
        }
    }
}
