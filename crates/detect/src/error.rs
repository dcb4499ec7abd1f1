//! What is wrong with a rule, where, and what to write instead.

/// A rule that cannot be loaded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {text}")]
pub struct RuleError {
    /// The file as it was named.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong and what to write instead.
    pub text: String,
}

/// Everything that is wrong with a set of rules.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct RuleErrors(pub Vec<RuleError>);

/// A snapshot that cannot be restored.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The bytes are no snapshot of this version.
    #[error("the snapshot cannot be read ({0}); replay the events instead")]
    Unreadable(String),
    /// It was taken with other rules.
    #[error("the snapshot was taken with other rules; replay the events of the longest window instead")]
    OtherRules,
}
