//! What can be told wrong about a document before it is compiled, with the line and what to write instead.

use super::document::Document;
use crate::builtin::parse_span;
use crate::near::nearest;
use crate::{RuleError, builtin};
use rsigma_parser::{LintRule, Severity};
use yaml_serde::{Mapping, Value};

const LEVELS: [&str; 5] = ["informational", "low", "medium", "high", "critical"];
const TYPES: [&str; 6] = [
    "event_count",
    "value_count",
    "temporal",
    "temporal_ordered",
    "value_sum",
    "value_avg",
];
const TOP: [&str; 25] = [
    "title",
    "id",
    "name",
    "status",
    "description",
    "references",
    "author",
    "date",
    "modified",
    "tags",
    "level",
    "falsepositives",
    "logsource",
    "detection",
    "correlation",
    "builtin",
    "fields",
    "related",
    "license",
    "taxonomy",
    "scope",
    "advice",
    "generate",
    "sigma-version",
    "custom_attributes",
];
const CORRELATION: [&str; 8] = [
    "type",
    "rules",
    "group-by",
    "timespan",
    "timeframe",
    "condition",
    "aliases",
    "generate",
];
const BUILTIN: [&str; 4] = ["type", "rules", "group-by", "with"];
const DETECTION_HINT: &str =
    "write `detection:` with named selections and a `condition:`, or `correlation:`, or `builtin:`";

/// Everything wrong that can be seen without the other documents.
pub(crate) fn check(document: &Document) -> Vec<RuleError> {
    let mut errors = Vec::new();
    top(document, &mut errors);
    if let Some(value) = document.get("correlation") {
        section(document, "correlation", value, &CORRELATION, &mut errors);
        if let Some(map) = value.as_mapping() {
            correlation(document, map, &mut errors);
        }
    }
    if let Some(value) = document.get("builtin") {
        section(document, "builtin", value, &BUILTIN, &mut errors);
        if let Some(name) = value.as_mapping().and_then(|map| word(map, "type"))
            && !builtin::NAMES.contains(&name)
        {
            let near = nearest(name, builtin::NAMES).map_or_else(|| builtin::NAMES.join(", "), str::to_owned);
            errors.push(document.error(name, format!("there is no built-in `{name}`; write {near}")));
        }
    } else if errors.is_empty() {
        lint(document, &mut errors);
    }
    errors
}

fn top(document: &Document, errors: &mut Vec<RuleError>) {
    for key in document
        .value
        .as_mapping()
        .into_iter()
        .flat_map(Mapping::keys)
        .filter_map(Value::as_str)
    {
        if let Some(meant) = nearest(key, TOP) {
            errors.push(document.error(
                &format!("{key}:"),
                format!("a rule has no `{key}`; write `{meant}`"),
            ));
        }
    }
    if document.get("action").is_some() {
        errors.push(document.error(
            "action:",
            "`action` is not known here; write each rule out in full".into(),
        ));
        return;
    }
    if document.get("filter").is_some() {
        let text = "filters are not known here; write the exclusion into the rule: `condition: selection and not filter`";
        errors.push(document.error("filter:", text.into()));
        return;
    }
    if document.str("title").is_none_or(|title| title.trim().is_empty()) {
        errors.push(document.error(
            "title:",
            "the rule has no title; begin with `title: what it finds`".into(),
        ));
    }
    if let Some(level) = document.get("level") {
        let said = level.as_str().unwrap_or("");
        if !LEVELS.contains(&said) {
            errors.push(document.error(
                "level:",
                format!("`{said}` is no level; write one of {}", LEVELS.join(", ")),
            ));
        }
    }
    let kinds = ["detection", "correlation", "builtin"]
        .iter()
        .filter(|kind| document.get(kind).is_some())
        .count();
    if kinds != 1 {
        let text = if kinds == 0 {
            "the rule says nothing to look for"
        } else {
            "the rule says several things at once"
        };
        errors.push(document.error("", format!("{text}; {DETECTION_HINT}")));
    }
    if document.get("detection").is_some_and(|it| {
        it.as_mapping().is_some_and(|map| {
            word(map, "condition").is_none() && map.get(Value::from("condition")).is_none()
        })
    }) {
        errors.push(document.error(
            "detection:",
            "`detection` has no condition; add `condition: selection`".into(),
        ));
    }
}

fn word<'a>(map: &'a Mapping, key: &str) -> Option<&'a str> {
    map.get(Value::from(key))?.as_str()
}

fn section(document: &Document, name: &str, value: &Value, allowed: &[&str], errors: &mut Vec<RuleError>) {
    let Some(map) = value.as_mapping() else {
        errors.push(document.error(
            &format!("{name}:"),
            format!("`{name}` is a list of `name: value`; begin with `type:`"),
        ));
        return;
    };
    for key in map
        .keys()
        .filter_map(Value::as_str)
        .filter(|key| !allowed.contains(key))
    {
        let text = match key {
            "window" | "gap" => "windows slide, nothing else; leave it out".to_owned(),
            _ => format!("`{name}` has no `{key}`; it has {}", allowed.join(", ")),
        };
        errors.push(document.error(&format!("{key}:"), text));
    }
    for needed in ["type", "rules"] {
        if map.get(Value::from(needed)).is_none() {
            errors.push(document.error(&format!("{name}:"), format!("`{name}` lacks `{needed}`; add it")));
        }
    }
    let rules = map.get(Value::from("rules"));
    if rules.is_some_and(|rules| {
        rules.as_str().is_none()
            && rules
                .as_sequence()
                .is_none_or(|many| many.is_empty() || many.iter().any(|one| one.as_str().is_none()))
    }) {
        errors.push(document.error(
            "rules:",
            "`rules` names other rules; write `rules: [name]`".into(),
        ));
    }
}

fn correlation(document: &Document, map: &Mapping, errors: &mut Vec<RuleError>) {
    let said = word(map, "type").unwrap_or("event_count");
    if !TYPES.contains(&said) {
        let text = match said {
            "value_percentile" | "value_median" => {
                format!("`{said}` is not known here; use value_avg, or value_count with a threshold")
            }
            _ => format!(
                "`{said}` is no type of correlation; write one of {}",
                TYPES.join(", ")
            ),
        };
        errors.push(document.error("type:", text));
    }
    let span = map
        .get(Value::from("timespan"))
        .or_else(|| map.get(Value::from("timeframe")));
    match span.map(|span| span.as_str().and_then(parse_span)) {
        Some(Some(_)) => {}
        Some(None) => {
            let key = if map.contains_key(Value::from("timespan")) {
                "timespan:"
            } else {
                "timeframe:"
            };
            errors.push(document.error(
                key,
                "no span of time; write for example `timespan: 15m` (s, m, h, d or w)".into(),
            ));
        }
        None => errors.push(document.error(
            "correlation:",
            "`timespan` is missing; add for example `timespan: 15m`".into(),
        )),
    }
    let counts = !said.starts_with("temporal");
    match map.get(Value::from("condition")) {
        None if counts => {
            errors.push(document.error(
                "correlation:",
                "a count needs `condition:`; write for example `condition: {gte: 10}`".into(),
            ));
        }
        Some(Value::Mapping(condition)) => {
            for key in condition.keys().filter_map(Value::as_str) {
                if !["lt", "lte", "gt", "gte", "eq", "neq", "field"].contains(&key) {
                    errors.push(document.error(
                        &format!("{key}:"),
                        format!("`condition` has no `{key}`; it has gt, gte, lt, lte, eq, neq and field"),
                    ));
                }
            }
            if said.starts_with("value_") && !condition.contains_key(Value::from("field")) {
                errors.push(document.error(
                    "condition:",
                    format!("{said} needs the field it looks at; write `condition: {{gte: 3, field: name}}`"),
                ));
            }
        }
        _ => {}
    }
}

/// The findings of Sigma's own linter that make a rule wrong, not only unlovely.
fn lint(document: &Document, errors: &mut Vec<RuleError>) {
    for finding in rsigma_parser::lint_yaml_str(&document.text) {
        // Rules may be told apart by names; and what is of use only among thousands of files does no harm here.
        let harmless = matches!(
            finding.rule,
            LintRule::InvalidId
                | LintRule::ConditionReferencesUnknown
                | LintRule::InvalidTag
                | LintRule::MissingLogsource
                | LintRule::MissingGroupBy
                | LintRule::InvalidDate
                | LintRule::InvalidModified
                | LintRule::TitleTooLong
        );
        if finding.severity == Severity::Error && !harmless {
            let line = finding.span.map_or(0, |span| span.start_line as usize);
            errors.push(document.error_at(line, finding.message));
        }
    }
}
