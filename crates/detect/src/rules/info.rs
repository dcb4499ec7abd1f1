//! What a rule says about itself.

use super::document::Document;
use yaml_serde::Value;

/// A rule as people see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleInfo {
    /// Sigma's `id`; without one, `name`, else the title as a word.
    pub id: String,
    /// Sigma's `name`, by which others refer to it.
    pub name: Option<String>,
    /// One line.
    pub title: String,
    /// `informational`, `low`, `medium`, `high` or `critical`; `medium` when the rule does not say.
    pub level: String,
    /// Why it exists.
    pub description: Option<String>,
    /// Sources.
    pub references: Vec<String>,
    /// Honest events that it may catch.
    pub falsepositives: Vec<String>,
    /// What to do about an alert.
    pub advice: Option<String>,
    /// ATT&CK techniques and our own `simwarden.a01` … of the catalogue of attacks.
    pub tags: Vec<String>,
    /// The file it came from.
    pub file: String,
    /// Whether it gives alerts itself, or only feeds others.
    pub alerts: bool,
}

impl RuleInfo {
    pub(crate) fn of(document: &Document) -> Self {
        let text = |key| document.str(key).map(str::to_owned);
        let list = |key| match document.get(key) {
            Some(Value::String(one)) => vec![one.clone()],
            Some(Value::Sequence(many)) => many.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            _ => Vec::new(),
        };
        let title = text("title").unwrap_or_default();
        let word = title
            .to_lowercase()
            .split(|c: char| !c.is_alphanumeric())
            .collect::<Vec<_>>()
            .join("_");
        Self {
            id: text("id").or_else(|| text("name")).unwrap_or(word),
            name: text("name"),
            level: text("level").unwrap_or_else(|| "medium".into()),
            description: text("description"),
            references: list("references"),
            falsepositives: list("falsepositives"),
            advice: text("advice"),
            tags: list("tags"),
            file: document.file.clone(),
            alerts: true,
            title,
        }
    }

    /// What a shipped rule must say and this one does not.
    #[must_use]
    pub fn unsaid(&self) -> Vec<&'static str> {
        let mut unsaid = Vec::new();
        let mut want = |said: bool, what| {
            if !said {
                unsaid.push(what);
            }
        };
        want(self.description.is_some(), "description");
        want(!self.references.is_empty(), "references");
        want(!self.falsepositives.is_empty(), "falsepositives");
        want(self.advice.is_some(), "advice");
        want(
            self.tags.iter().any(|tag| tag.starts_with("attack.")),
            "tags (attack.…)",
        );
        unsaid
    }
}
