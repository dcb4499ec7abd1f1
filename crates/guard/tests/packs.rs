//! Every built-in pack loads, answers its table of cases, and says its reasons in three languages.

use simwarden_guard::{CaseResult, Engine, PackSource, Shelf, invariants, run_cases, schema_text};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

const PACKS: [&str; 8] = [
    "base",
    "kh-default",
    "fcc-23-95",
    "acma-2022",
    "in-dot",
    "vn-08-2026",
    "pk-mbvs",
    "br-anatel",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn results(pack: &str) -> (Engine, Vec<CaseResult>) {
    let source = PackSource::built_in(pack).unwrap_or_else(|error| panic!("{error}"));
    let engine = Engine::load(&source).unwrap_or_else(|error| panic!("{error}"));
    let results = run_cases(&engine, &source).unwrap_or_else(|error| panic!("{error}"));
    (engine, results)
}

#[test]
fn every_pack_answers_its_cases() {
    let mut failures = Vec::new();
    for pack in PACKS {
        for case in results(pack).1 {
            for failure in &case.failures {
                failures.push(format!("{} `{}`: {failure}", case.file, case.name));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn a_wrong_case_is_reported() {
    let mut source = PackSource::built_in("base").unwrap();
    let engine = Engine::load(&source).unwrap();
    let table = "[[case]]\nname = \"wrong\"\noperation = \"lock\"\nchannel = \"app\"\nrole = \"subscriber\"\n\
                 verdict = \"hold\"\nreasons = [\"line_frozen\"]\nrules = [\"base/frozen_line\"]\nrequirements = [\"totp\"]\n\
                 on_timeout = \"cancel\"\nrefer = [\"app\"]\nrestrictions = [\"sms in 1h\"]\n";
    table.clone_into(&mut source.cases[0].text);
    let results = run_cases(&engine, &source).unwrap();
    assert_eq!(results[0].failures.len(), 7, "{:?}", results[0].failures);
    for (wrong, says) in [
        ("lock\"", "recharge\""),
        ("[[case]]", "[facts]\n\"line.frozn\" = true\n[[case]]"),
    ]
    .map(|(from, to)| table.replace(from, to))
    .into_iter()
    .zip(["recharge", "line.frozn"])
    {
        source.cases[0].text = wrong;
        let error = run_cases(&engine, &source).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn no_pack_is_forgotten() {
    let shelf = Shelf::built_in().unwrap();
    let packs: BTreeSet<&str> = shelf.packs().map(|(name, _)| name).collect();
    assert_eq!(packs, PACKS.into_iter().collect());
}

#[test]
fn every_forbid_of_a_pack_decides_some_case_of_its_table() {
    let mut idle = Vec::new();
    for pack in PACKS {
        let (engine, results) = results(pack);
        let used: BTreeSet<&str> = results
            .iter()
            .flat_map(|case| case.decision.rules.iter().map(|rule| rule.as_str()))
            .collect();
        let own = format!("{pack}/");
        idle.extend(
            engine
                .rules()
                .iter()
                .filter(|rule| !rule.is_permit() && rule.id.as_str().starts_with(&own))
                .filter(|rule| !used.contains(rule.id.as_str()))
                .map(|rule| rule.id.to_string()),
        );
    }
    assert!(idle.is_empty(), "no case reaches: {}", idle.join(", "));
}

#[test]
fn kh_default_stops_the_named_thefts() {
    let (_, results) = results("kh-default");
    for threat in ["A1", "A2", "A3", "A5", "A8", "A14"] {
        let stopped = results
            .iter()
            .filter(|case| case.threat.as_deref() == Some(threat))
            .filter(|case| case.decision.verdict != simwarden_guard::Verdict::Allow)
            .count();
        assert!(
            stopped >= 3 || (threat == "A5" && stopped >= 2),
            "{threat}: {stopped}"
        );
    }
}

#[test]
fn kh_default_claims_law_only_where_a_source_was_read() {
    let (engine, _) = results("kh-default");
    for rule in engine
        .rules()
        .iter()
        .filter(|rule| rule.id.as_str().starts_with("kh-default/"))
    {
        let claims = rule.source.starts_with("Cambodia,");
        let house = rule.source.starts_with("House rule");
        assert!(claims != house, "{}: {}", rule.id, rule.source);
        assert_eq!(
            rule.confidence.as_str(),
            if claims { "seen" } else { "house" },
            "{}",
            rule.id
        );
    }
}

#[test]
fn every_reason_has_a_text_in_three_languages() {
    let mut used: BTreeSet<String> = invariants::REASONS.iter().map(ToString::to_string).collect();
    for pack in PACKS {
        for rule in results(pack).0.rules() {
            used.extend(rule.reason.as_ref().map(ToString::to_string));
        }
    }
    for (language, own_letters) in [
        ("en", 'a'..='z'),
        ("km", '\u{1780}'..='\u{17ff}'),
        ("zh", '\u{4e00}'..='\u{9fff}'),
    ] {
        let path = root().join(format!("content/{language}/reasons.json"));
        let texts: BTreeMap<String, String> =
            serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let known: BTreeSet<String> = texts.keys().cloned().collect();
        let missing: Vec<_> = used.difference(&known).collect();
        let unused: Vec<_> = known.difference(&used).collect();
        assert!(
            missing.is_empty() && unused.is_empty(),
            "{language}: without text {missing:?}, without rule {unused:?}"
        );
        for (code, text) in texts {
            assert!(
                text.chars().any(|c| own_letters.contains(&c)),
                "{language} {code}: {text}"
            );
            assert!(
                !text.contains('\u{fffd}') && text.chars().count() <= 160,
                "{language} {code}: {text}"
            );
        }
    }
}

/// `UPDATE_SCHEMA=1 cargo test -p simwarden-guard` writes it anew.
#[test]
fn the_schema_for_editors_is_the_one_that_is_used() {
    let path = root().join("policies/schema.cedarschema");
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(&path, schema_text()).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == schema_text(),
        "policies/schema.cedarschema is stale; run with UPDATE_SCHEMA=1"
    );
}

#[test]
fn all_packs_together_load() {
    let shelf = Shelf::built_in().unwrap();
    let engine = Engine::load(&shelf.source(&PACKS).unwrap()).unwrap();
    assert!(engine.rules().len() > 100);
}
