//! Rule packs come with their cases; every language says everything.

use crate::{report, tree};
use serde_json::Value;
use std::collections::BTreeSet;

#[test]
fn every_pack_of_rules_has_its_cases() {
    let mut findings = Vec::new();
    let packs = tree::names("policies");
    for pack in packs.iter().filter_map(|name| name.strip_suffix('/')) {
        let folder = format!("policies/{pack}");
        if tree::files(&folder, &[".cedar"]).is_empty() {
            findings.push(format!("{folder} holds no rule"));
        }
        for needed in ["pack.toml", "cases.toml"] {
            if !tree::exists(&format!("{folder}/{needed}")) {
                findings.push(format!("{folder}/{needed} is missing"));
            }
        }
    }
    if packs.is_empty() {
        findings.push("policies/ is missing".into());
    }
    report("packs of rules", &findings);
}

/// The keys of a JSON object, at every depth, as paths.
fn keys(value: &Value, at: &str, into: &mut BTreeSet<String>) {
    if let Value::Object(map) = value {
        for (key, value) in map {
            let path = format!("{at}.{key}");
            keys(value, &path, into);
            into.insert(path);
        }
    }
}

/// Everything that one language says: its files, and the keys inside its JSON.
fn said_in(language: &str) -> BTreeSet<String> {
    let folder = format!("content/{language}");
    let mut said = BTreeSet::new();
    for (path, text) in tree::files(&folder, &[".json", ".md", ".txt"]) {
        let name = path
            .trim_start_matches(&folder)
            .trim_start_matches('/')
            .to_owned();
        if name.ends_with(".json") {
            let value: Value = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{path}: {e}"));
            keys(&value, &name, &mut said);
        }
        said.insert(name);
    }
    said
}

#[test]
fn every_language_says_everything() {
    let languages = tree::names("content");
    let languages: Vec<&str> = languages
        .iter()
        .filter_map(|name| name.strip_suffix('/'))
        // A language is a code of two letters; other folders (campaigns) speak none.
        .filter(|name| name.len() == 2)
        .collect();
    let mut findings = Vec::new();
    for needed in ["en", "km", "zh"] {
        if !languages.contains(&needed) {
            findings.push(format!("content/{needed} is missing"));
        }
    }
    let everything: BTreeSet<String> = languages.iter().flat_map(|language| said_in(language)).collect();
    for language in languages {
        for missing in everything.difference(&said_in(language)) {
            findings.push(format!("content/{language} lacks {missing}"));
        }
    }
    report("things that one language says and another does not", &findings);
}
