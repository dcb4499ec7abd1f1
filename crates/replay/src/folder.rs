//! Rule folders: every `.yml` is a rule file, `NAME.cases.yml` holds the test events of `NAME.yml`.

use simwarden_detect::{Program, RuleErrors};
use std::path::{Path, PathBuf};

/// Rule files and the test events beside them, as name and contents, sorted by name.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// Rule files.
    pub files: Vec<(String, String)>,
    /// Files of cases.
    pub cases: Vec<(String, String)>,
}

/// A folder that cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// It cannot be read.
    #[error("{path}: {source}; name a folder with rule files (.yml)")]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A rule in it is wrong.
    #[error(transparent)]
    Rules(#[from] RuleErrors),
}

/// Folders in folders, at most.
const DEPTH_MAX: usize = 8;

/// Reads a folder and the folders in it.
///
/// # Errors
/// [`FolderError::Unreadable`].
pub fn rules_in(folder: &Path) -> Result<Rules, FolderError> {
    let mut rules = Rules::default();
    walk(folder, 0, &mut rules)?;
    rules.files.sort();
    rules.cases.sort();
    Ok(rules)
}

impl Rules {
    /// Compiles the rules.
    ///
    /// # Errors
    /// [`FolderError::Rules`] with every mistake.
    pub fn program(&self) -> Result<Program, FolderError> {
        Ok(Program::load(&self.files)?)
    }
}

fn walk(folder: &Path, depth: usize, rules: &mut Rules) -> Result<(), FolderError> {
    let unreadable = |path: &Path, source| FolderError::Unreadable {
        path: path.to_owned(),
        source,
    };
    for entry in std::fs::read_dir(folder).map_err(|e| unreadable(folder, e))? {
        let path = entry.map_err(|e| unreadable(folder, e))?.path();
        if path.is_dir() && depth < DEPTH_MAX {
            walk(&path, depth + 1, rules)?;
        } else if path.extension().is_some_and(|end| end == "yml" || end == "yaml") {
            let text = std::fs::read_to_string(&path).map_err(|e| unreadable(&path, e))?;
            let name = path.display().to_string();
            let is_cases = name.ends_with(".cases.yml") || name.ends_with(".cases.yaml");
            if is_cases {
                &mut rules.cases
            } else {
                &mut rules.files
            }
            .push((name, text));
        }
    }
    Ok(())
}
