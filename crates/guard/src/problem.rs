//! What is wrong with a policy pack: the file, the line, and what to write instead.

use miette::Diagnostic;

/// One problem in one file of a pack.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Problem {
    /// The file, relative to the folder of packs.
    pub file: String,
    /// The line, from 1, where it is known.
    pub line: Option<usize>,
    /// What is wrong and what to do.
    pub what: String,
}

impl Problem {
    pub(crate) fn new(file: &str, line: Option<usize>, what: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            line,
            what: what.into(),
        }
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.file, self.what),
            None => write!(f, "{}: {}", self.file, self.what),
        }
    }
}

/// A pack was refused; nothing of it is in force.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the policies were refused:\n{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct LoadError(pub Vec<Problem>);

impl LoadError {
    pub(crate) fn one(file: &str, what: impl Into<String>) -> Self {
        Self(vec![Problem::new(file, None, what)])
    }
}

/// The line on which `needle` first stands outside a comment.
pub(crate) fn line_with(text: &str, needle: &str) -> Option<usize> {
    text.lines()
        .position(|line| !line.trim_start().starts_with("//") && line.contains(needle))
        .map(|index| index + 1)
}

/// The line that an error of Cedar points at.
pub(crate) fn line_of_error(error: &dyn Diagnostic, text: &str) -> Option<usize> {
    let offset = error.labels()?.next()?.offset();
    Some(text.get(..offset)?.matches('\n').count() + 1)
}
