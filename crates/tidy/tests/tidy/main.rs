//! Holds the house in order: which crate may depend on which, which licences come in, how files begin and how long
//! they grow, which words do not belong, and that the languages say the same. Each message says what to do.

#![expect(clippy::unwrap_used, reason = "tests panic where they cannot go on")]

mod content;
mod layers;
mod licences;
mod metadata;
mod sources;
mod tree;

/// Fails with every finding at once, not with the first.
fn report(what: &str, findings: &[String]) {
    assert!(findings.is_empty(), "{what}:\n  {}", findings.join("\n  "));
}
