//! Holds answers against CAMARA's own descriptions.

use serde_json::{Map, Value};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::LazyLock;

/// Where the official files lie, when they do.
fn folder() -> Option<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/reference/camara");
    folder.is_dir().then_some(folder)
}

static FILES: LazyLock<HashMap<String, Value>> = LazyLock::new(|| {
    let Some(folder) = folder() else {
        println!(
            "skipped: the official descriptions are not beside the repository; answers are not held against them"
        );
        return HashMap::new();
    };
    let mut files = HashMap::new();
    for file in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = file.path();
        if path.extension().is_some_and(|ext| ext == "yaml") {
            let text = std::fs::read_to_string(&path).unwrap();
            let value: Value = serde_norway::from_str(&text).unwrap();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            files.insert(name, plain(value));
        }
    }
    assert!(files.len() >= 12);
    files
});

/// OpenAPI 3.0 as JSON Schema: `nullable` in its words, and without what only documentation needs.
fn plain(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let nullable = map.get("nullable") == Some(&Value::Bool(true));
            let mut out: Map<String, Value> = map
                .into_iter()
                .filter(|(key, _)| !matches!(key.as_str(), "discriminator" | "example" | "nullable"))
                .map(|(key, value)| (key, plain(value)))
                .collect();
            if nullable && let Some(Value::String(kind)) = out.get("type").cloned() {
                out.insert("type".to_owned(), serde_json::json!([kind, "null"]));
            }
            Value::Object(out)
        }
        Value::Array(list) => list.into_iter().map(plain).collect(),
        other => other,
    }
}

/// The API, and the path below its version.
fn split(path: &str) -> (&str, String) {
    let mut parts = path.splitn(4, '/');
    let (_, api, _, rest) = (parts.next(), parts.next(), parts.next(), parts.next());
    let rest = rest.unwrap_or("");
    let below = match rest.strip_prefix("subscriptions/") {
        Some(_) => "/subscriptions/{subscriptionId}".to_owned(),
        None => format!("/{rest}"),
    };
    (api.unwrap_or(""), below)
}

/// Statuses of the gateway as a whole, which the descriptions need not name.
const EVERYWHERE: [u16; 5] = [405, 413, 415, 429, 503];

/// Fails when an answer is not as the official description has it.
pub(super) fn hold(method: &str, path: &str, status: u16, body: &str) {
    let (api, below) = split(path);
    let Some(file) = FILES.get(api) else { return };
    let operation = &file["paths"][&below][method.to_lowercase()];
    let mut response = &operation["responses"][status.to_string()];
    if response.is_null() {
        let unknown_path = operation.is_null() && status == 404;
        assert!(
            unknown_path || EVERYWHERE.contains(&status),
            "{method} {path}: {status} is not described: {body}"
        );
        return;
    }
    if let Some(name) = response["$ref"].as_str() {
        response = &file["components"]["responses"][name.rsplit('/').next().unwrap()];
    }
    let schema = &response["content"]["application/json"]["schema"];
    if schema.is_null() {
        assert_eq!(body, "", "{method} {path}: {status} has a body");
        return;
    }
    hold_schema(file, schema, &serde_json::from_str(body).unwrap(), path);
}

/// Fails when an event is not as the official description has it.
pub(super) fn hold_event(event: &Value, schema: &str) {
    if let Some(file) = FILES.get("sim-swap-subscriptions") {
        hold_schema(file, &file["components"]["schemas"][schema], event, schema);
    }
}

fn hold_schema(file: &Value, schema: &Value, value: &Value, what: &str) {
    let mut wrong = Vec::new();
    look(file, schema, value, "$", &mut wrong);
    assert!(wrong.is_empty(), "{what}: {wrong:?} in {value}");
}

/// Words of JSON Schema that say nothing about a value.
const SILENT: [&str; 8] = [
    "description",
    "title",
    "default",
    "additionalProperties",
    "externalDocs",
    "examples",
    "example",
    "discriminator",
];

/// Holds a value against the words of JSON Schema that the official files use; a word that is not known fails.
fn look(file: &Value, schema: &Value, value: &Value, at: &str, wrong: &mut Vec<String>) {
    let Some(words) = schema.as_object() else {
        wrong.push(format!("{at}: no schema"));
        return;
    };
    for (word, said) in words {
        let fine = match word.as_str() {
            "$ref" => {
                let found = file.pointer(said.as_str().unwrap().trim_start_matches('#'));
                look(file, found.unwrap_or(&Value::Null), value, at, wrong);
                true
            }
            "allOf" => {
                for part in said.as_array().unwrap() {
                    look(file, part, value, at, wrong);
                }
                true
            }
            "type" => is_of(said, value),
            "nullable" => true,
            "enum" => said.as_array().unwrap().contains(value),
            "required" => {
                let there = |name: &Value| value.get(name.as_str().unwrap()).is_some();
                !value.is_object() || said.as_array().unwrap().iter().all(there)
            }
            "properties" => {
                for (name, part) in said.as_object().unwrap() {
                    if let Some(inner) = value.get(name) {
                        look(file, part, inner, &format!("{at}.{name}"), wrong);
                    }
                }
                true
            }
            "items" => {
                for (n, inner) in value.as_array().into_iter().flatten().enumerate() {
                    look(file, said, inner, &format!("{at}[{n}]"), wrong);
                }
                true
            }
            "minimum" => value
                .as_f64()
                .is_none_or(|number| number >= said.as_f64().unwrap()),
            "maximum" => value
                .as_f64()
                .is_none_or(|number| number <= said.as_f64().unwrap()),
            "minItems" => value
                .as_array()
                .is_none_or(|list| list.len() as u64 >= said.as_u64().unwrap()),
            "maxItems" => value
                .as_array()
                .is_none_or(|list| list.len() as u64 <= said.as_u64().unwrap()),
            "minLength" => value
                .as_str()
                .is_none_or(|text| text.chars().count() as u64 >= said.as_u64().unwrap()),
            "maxLength" => value
                .as_str()
                .is_none_or(|text| text.chars().count() as u64 <= said.as_u64().unwrap()),
            "pattern" => value
                .as_str()
                .is_none_or(|text| fits(said.as_str().unwrap(), text)),
            "format" => value
                .as_str()
                .is_none_or(|text| is_formatted(said.as_str().unwrap(), text)),
            silent => SILENT.contains(&silent),
        };
        if !fine {
            wrong.push(format!("{at}: {word} {said}"));
        }
    }
}

fn is_of(kinds: &Value, value: &Value) -> bool {
    let is = |kind: &str| match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "null" => value.is_null(),
        _ => false,
    };
    match kinds {
        Value::String(kind) => is(kind),
        Value::Array(list) => list.iter().any(|kind| is(kind.as_str().unwrap())),
        _ => false,
    }
}

/// The patterns that stand in the official files over what we answer.
fn fits(pattern: &str, text: &str) -> bool {
    match pattern {
        r"^\+[1-9][0-9]{4,14}$" => crate::camara::fields::is_phone(text),
        r"^https:\/\/.+$" => text.starts_with("https://") && text.len() > 8,
        "^dpv:[a-zA-Z0-9]+$" => simwarden_app::gateway::is_purpose(text),
        _ => false,
    }
}

fn is_formatted(format: &str, text: &str) -> bool {
    match format {
        "date-time" => simwarden_app::gateway::time_from(text).is_some(),
        "date" => simwarden_app::gateway::day_from(text).is_some(),
        "uri" | "url" | "uri-reference" => text.bytes().all(|b| b.is_ascii_graphic()),
        _ => true,
    }
}

/// Scopes by which the official description opens an operation; none where it is not there.
pub(super) fn scopes(method: &str, path: &str) -> Option<Vec<String>> {
    let (api, below) = split(path);
    let operation = &FILES.get(api)?["paths"][&below][method.to_lowercase()];
    let words = operation["security"].as_array()?.iter().flat_map(|way| {
        way["openId"]
            .as_array()
            .unwrap()
            .iter()
            .map(|word| word.as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    });
    Some(words.collect())
}
