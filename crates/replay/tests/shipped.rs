//! The rules that are shipped load, say what a rule must say, and do what their test events ask.

use simwarden_detect::{Program, run_cases};
use simwarden_replay::rules_in;
use std::path::Path;
use std::sync::Arc;

#[test]
fn every_shipped_rule_has_its_words_and_its_cases() {
    let rules = rules_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../detections")).unwrap();
    let whole = rules.program().unwrap_or_else(|error| panic!("{error}"));
    for rule in whole.rules().iter().filter(|rule| rule.alerts) {
        assert!(
            rule.unsaid().is_empty(),
            "{}: {} does not say {:?}",
            rule.file,
            rule.title,
            rule.unsaid()
        );
    }
    // The catalogue has 22 attacks; the last, within a household, shows in no event.
    for attack in 1..=21 {
        let tag = format!("simwarden.a{attack:02}");
        assert!(
            whole
                .rules()
                .iter()
                .any(|rule| rule.alerts && rule.tags.contains(&tag)),
            "no rule for {tag}"
        );
    }
    for file in &rules.files {
        let name = file.0.replace(".yml", ".cases.yml");
        let cases = rules.cases.iter().find(|(cases, _)| *cases == name);
        let (_, text) = cases.unwrap_or_else(|| panic!("{} has no cases beside it", file.0));
        let program = Arc::new(Program::load(std::slice::from_ref(file)).unwrap());
        let (count, failures) = run_cases(&program, &name, text).unwrap_or_else(|error| panic!("{error}"));
        assert!(failures.is_empty(), "{failures:#?}");
        assert!(
            count >= 2,
            "{name} has {count} cases; give one that fires and one that does not"
        );
        for rule in program.rules().iter().filter(|rule| rule.alerts) {
            let called = rule.name.clone().unwrap_or_else(|| rule.id.clone());
            assert!(
                text.contains(&format!("{called}:")),
                "no case of {name} fires {called}"
            );
        }
        assert!(text.contains("fires: {}"), "no case of {name} stays silent");
    }
}
