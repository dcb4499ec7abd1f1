//! Packs of rules: how files become a pack, and how packs compose.
//!
//! A folder `policies/<pack>/` holds `pack.toml`, one `<slug>.cedar` for each rule and `cases.toml`. A pack may extend
//! others; composing is plain union: every rule of every pack applies, and since a `forbid` only tightens, adding a pack
//! never loosens what another forbids. Only `permit`s widen, and they say no more than who may ask.

use crate::problem::{LoadError, Problem};
use serde::Deserialize;
use std::collections::BTreeMap;

mod built_in {
    include!(concat!(env!("OUT_DIR"), "/packs.rs"));
}

/// Rules at most in one loaded source.
const RULES_MAX: usize = 2_000;
/// Bytes at most in one file.
const FILE_BYTES_MAX: usize = 64 * 1024;

/// One file of a pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackFile {
    /// `<pack>/<file name>`.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// What `pack.toml` says.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// What the pack is, in a few words.
    pub title: String,
    /// What it stands for and what it does not claim.
    pub summary: String,
    /// Packs whose rules apply as well.
    #[serde(default)]
    pub extends: Vec<String>,
}

/// Every pack at hand, in memory; the caller reads the files.
#[derive(Debug, Clone, Default)]
pub struct Shelf {
    packs: BTreeMap<String, Shelved>,
}

#[derive(Debug, Clone, Default)]
struct Shelved {
    manifest: Option<Manifest>,
    rules: Vec<PackFile>,
    cases: Vec<PackFile>,
}

/// The rules that shall decide: one pack or several, with all that they extend.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PackSource {
    /// The packs that were asked for, joined by `+`.
    pub name: String,
    /// The rule files, sorted by path.
    pub rules: Vec<PackFile>,
    /// The tables of cases of the packs that were asked for, not of those they extend.
    pub cases: Vec<PackFile>,
}

impl Shelf {
    /// The packs that the program carries.
    ///
    /// # Errors
    /// When a file of the source tree is malformed, which a test excludes.
    pub fn built_in() -> Result<Self, LoadError> {
        Self::from_files(built_in::FILES.iter().map(|(path, text)| PackFile {
            path: (*path).to_owned(),
            text: (*text).to_owned(),
        }))
    }

    /// Sorts files into packs by the folder in their path. Files other than `pack.toml`, `*.cedar` and `*cases.toml` are
    /// left alone.
    ///
    /// # Errors
    /// Every malformed or oversized file.
    pub fn from_files(files: impl IntoIterator<Item = PackFile>) -> Result<Self, LoadError> {
        let mut shelf = Self::default();
        let mut problems = Vec::new();
        for file in files {
            let Some((pack, name)) = file.path.split_once('/') else {
                continue;
            };
            if file.text.len() > FILE_BYTES_MAX {
                problems.push(Problem::new(&file.path, None, "is larger than 64 KiB; split it"));
                continue;
            }
            let shelved = shelf.packs.entry(pack.to_owned()).or_default();
            if name == "pack.toml" {
                match toml::from_str(&file.text) {
                    Ok(manifest) => shelved.manifest = Some(manifest),
                    Err(error) => problems.push(Problem::new(&file.path, None, error.to_string())),
                }
            } else if name.ends_with(".cedar") {
                shelved.rules.push(file);
            } else if name.ends_with("cases.toml") {
                shelved.cases.push(file);
            }
        }
        if problems.is_empty() {
            Ok(shelf)
        } else {
            Err(LoadError(problems))
        }
    }

    /// Adds another shelf; a pack of the same name replaces ours.
    #[must_use]
    pub fn with(mut self, other: Self) -> Self {
        self.packs.extend(other.packs);
        self
    }

    /// The names of the packs, with what they say of themselves.
    pub fn packs(&self) -> impl Iterator<Item = (&str, Option<&Manifest>)> {
        self.packs
            .iter()
            .map(|(name, pack)| (name.as_str(), pack.manifest.as_ref()))
    }

    /// Puts packs together with everything that they extend.
    ///
    /// # Errors
    /// A pack that is not there or lacks its `pack.toml`; too many rules.
    pub fn source(&self, names: &[&str]) -> Result<PackSource, LoadError> {
        let mut chosen: BTreeMap<&str, &Shelved> = BTreeMap::new();
        let mut open: Vec<&str> = names.to_vec();
        while let Some(name) = open.pop() {
            let Some((name, pack)) = self.packs.get_key_value(name) else {
                let known: Vec<&str> = self.packs.keys().map(String::as_str).collect();
                return Err(LoadError::one(
                    name,
                    format!("there is no such pack; there are: {}", known.join(", ")),
                ));
            };
            let Some(manifest) = &pack.manifest else {
                return Err(LoadError::one(
                    &format!("{name}/pack.toml"),
                    "is missing; it says title, summary and extends",
                ));
            };
            if chosen.insert(name, pack).is_none() {
                open.extend(manifest.extends.iter().map(String::as_str));
            }
        }
        let mut rules: Vec<PackFile> = chosen.values().flat_map(|pack| pack.rules.clone()).collect();
        rules.sort_by(|a, b| a.path.cmp(&b.path));
        if rules.len() > RULES_MAX {
            return Err(LoadError::one(
                &names.join("+"),
                format!("has {} rules; at most {RULES_MAX}", rules.len()),
            ));
        }
        let cases = names
            .iter()
            .filter_map(|name| self.packs.get(*name))
            .flat_map(|pack| pack.cases.clone());
        Ok(PackSource {
            name: names.join("+"),
            rules,
            cases: cases.collect(),
        })
    }
}

impl PackSource {
    /// A built-in pack with all that it extends.
    ///
    /// # Errors
    /// When there is no such pack.
    pub fn built_in(name: &str) -> Result<Self, LoadError> {
        Shelf::built_in()?.source(&[name])
    }
}
