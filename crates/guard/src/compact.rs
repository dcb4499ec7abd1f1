//! Facts in short: only what differs from an unremarkable request, so that every decision can be stored with them.

use crate::facts::Facts;
use serde_json::{Map, Value};
use std::sync::LazyLock;

static UNREMARKABLE: LazyLock<Map<String, Value>> = LazyLock::new(|| object(&Facts::unremarkable()));

fn object(facts: &Facts) -> Map<String, Value> {
    match serde_json::to_value(facts) {
        Ok(Value::Object(groups)) => groups,
        // Facts are a struct of structs of numbers and flags; they are an object.
        _ => Map::new(),
    }
}

impl Facts {
    /// JSON of the facts that differ from [`Facts::unremarkable`], group by group; unknown ones are `null`.
    #[must_use]
    pub fn to_compact(&self) -> String {
        let mut groups = object(self);
        groups.retain(|group, facts| {
            if let (Value::Object(facts), Some(Value::Object(plain))) = (facts, UNREMARKABLE.get(group)) {
                facts.retain(|name, value| plain.get(name) != Some(value));
                return !facts.is_empty();
            }
            true
        });
        Value::Object(groups).to_string()
    }

    /// Reads what [`Facts::to_compact`] wrote.
    ///
    /// # Errors
    /// When it is no JSON object of known facts.
    pub fn from_compact(text: &str) -> Result<Self, serde_json::Error> {
        let written: Map<String, Value> = serde_json::from_str(text)?;
        let mut groups = UNREMARKABLE.clone();
        for (group, facts) in written {
            match (groups.get_mut(&group), facts) {
                (Some(Value::Object(plain)), Value::Object(facts)) => plain.extend(facts),
                (_, facts) => {
                    groups.insert(group, facts);
                }
            }
        }
        serde_json::from_value(Value::Object(groups))
    }
}

#[cfg(test)]
mod tests {
    use crate::{Age, Facts};

    #[test]
    fn short_facts_read_back_as_they_were() {
        let mut facts = Facts::unremarkable();
        assert_eq!(facts.to_compact(), "{}");
        facts.line.swap_age = Age::Minutes(7);
        facts.session.new_network = None;
        facts.weak.knowledge = true;
        for facts in [facts, Facts::default(), Facts::unremarkable()] {
            assert_eq!(Facts::from_compact(&facts.to_compact()).unwrap(), facts);
        }
        assert!(Facts::from_compact(r#"{"line":{"moon":true}}"#).is_err());
        assert!(Facts::from_compact(r#"{"tides":{}}"#).is_err());
    }
}
