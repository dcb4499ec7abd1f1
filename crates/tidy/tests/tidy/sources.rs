//! How files begin, how long they grow, which words do not belong, and which documents must be there.

use crate::{report, tree};

const LINES_MAX: usize = 600;
const LINES_WARN: usize = 500;

#[test]
fn every_rust_file_says_what_it_is_for() {
    let findings: Vec<String> = tree::files("crates", &[".rs"])
        .into_iter()
        .filter(|(_, text)| !text.trim_start().starts_with("//!"))
        .map(|(path, _)| format!("{path} does not begin with `//!`: say what it is responsible for"))
        .collect();
    report("files that do not say what they are for", &findings);
}

#[test]
fn no_file_is_two_things() {
    let mut findings = Vec::new();
    for (path, text) in tree::files("", &[".rs", ".ts", ".tsx", ".css", ".sh"]) {
        let lines = text.lines().count();
        if lines > LINES_MAX {
            findings.push(format!(
                "{path} has {lines} lines; over {LINES_MAX} it is two things: split it"
            ));
        } else if lines > LINES_WARN {
            println!("note: {path} has {lines} lines and nears {LINES_MAX}");
        }
    }
    report("files that grew too long", &findings);
}

/// A word that does not belong, and what to do about it. Put together here, so that this file does not hold them.
fn banned() -> Vec<(String, &'static str)> {
    let path = |name: &str| {
        (
            format!("/{name}/"),
            "the path of one machine: take it as an argument",
        )
    };
    vec![
        path(&["ho", "me"].concat()),
        path(&["ro", "ot"].concat()),
        path(&["Us", "ers"].concat()),
        path(&["wo", "rk"].concat()),
        path(&["fa", "rm"].concat()),
        (
            ["FIX", "ME"].concat(),
            "fix it, or write an issue and name its number: TODO(#12)",
        ),
        (
            ["XX", "X:"].concat(),
            "fix it, or write an issue and name its number: TODO(#12)",
        ),
        (["to", "do!("].concat(), "write it"),
        (["unimple", "mented!("].concat(), "write it"),
        (["#[igno", "re"].concat(), "a test that does not run is no test"),
        ([".ski", "p(\""].concat(), "a test that does not run is no test"),
        (
            ["test.on", "ly("].concat(),
            "the other tests of the file would not run",
        ),
    ]
}

#[test]
fn no_word_that_does_not_belong() {
    let banned = banned();
    let open = ["TO", "DO"].concat();
    let numbered = format!("{open}(#");
    let mut findings = Vec::new();
    let ends = [
        ".rs", ".ts", ".tsx", ".css", ".html", ".sh", ".toml", ".md", ".cedar", ".sql", ".yml", "Makefile",
    ];
    for (path, text) in tree::files("", &ends) {
        for (n, line) in text.lines().enumerate() {
            for (word, why) in &banned {
                if line.contains(word.as_str()) {
                    findings.push(format!("{path}:{}: `{word}`: {why}", n + 1));
                }
            }
            if line.contains(&open) && !line.contains(&numbered) {
                findings.push(format!(
                    "{path}:{}: name the number of the issue: {numbered}12)",
                    n + 1
                ));
            }
        }
    }
    report("words that do not belong", &findings);
}

#[test]
fn what_a_newcomer_reads_is_there() {
    let findings: Vec<String> = [
        "README.md",
        "CHANGELOG.md",
        "SECURITY.md",
        "LICENSE",
        "docs/ARCHITECTURE.md",
        "docs/adr",
        "docs/add",
        "Makefile",
        ".ci/run",
    ]
    .into_iter()
    .filter(|path| !tree::exists(path))
    .map(|path| format!("{path} is missing"))
    .collect();
    report("documents", &findings);
}

#[test]
fn every_crate_takes_the_lints_of_the_house() {
    let findings: Vec<String> = tree::files("crates", &["Cargo.toml"])
        .into_iter()
        .filter(|(_, text)| !text.contains("[lints]\nworkspace = true"))
        .map(|(path, _)| format!("{path} lacks `[lints] workspace = true`"))
        .collect();
    report("crates without lints", &findings);
}
