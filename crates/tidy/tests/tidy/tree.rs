//! The files of the repository, without what is built or fetched.

use std::fs;
use std::path::{Path, PathBuf};

/// Folders that hold nothing written by hand.
const SKIPPED: &[&str] = &["target", "node_modules", "dist", "data", ".git", ".ci"];

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

pub fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

pub fn exists(path: &str) -> bool {
    root().join(path).exists()
}

/// The names in a folder, sorted; those of folders end in `/`.
pub fn names(folder: &str) -> Vec<String> {
    let Ok(entries) = fs::read_dir(root().join(folder)) else {
        return Vec::new();
    };
    let mut names: Vec<String> = entries
        .map(|entry| {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            if entry.file_type().unwrap().is_dir() {
                name + "/"
            } else {
                name
            }
        })
        .collect();
    names.sort();
    names
}

/// Every file below a folder whose name ends in one of `ends`, as (path from the root, text).
pub fn files(folder: &str, ends: &[&str]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for name in names(folder) {
        let path = if folder.is_empty() {
            name.clone()
        } else {
            format!("{folder}/{name}")
        };
        if let Some(deeper) = path.strip_suffix('/') {
            if !SKIPPED
                .iter()
                .any(|skipped| name.trim_end_matches('/') == *skipped)
                && !name.starts_with("target-")
            {
                found.extend(files(deeper, ends));
            }
        } else if ends.iter().any(|end| name.ends_with(end)) {
            // What is not text has no words to look at.
            if let Ok(text) = fs::read_to_string(root().join(&path)) {
                found.push((path, text));
            }
        }
    }
    found
}
