//! The files' side of [`super::fsck()`]: every published file against the signed checkpoint.

use super::files::{Folder, Source, read_bounded};
use super::fsck::Finding;
use simwarden_ledger::{
    AuditDepth, Checkpoint, LedgerError, LogPath, VerifierKey, verify_leftover, verify_tree,
};
use std::path::Path;

/// Files that are listed at most.
const FILES_MAX: u64 = 50_000_000;

/// Answers the number of files read, and what is wrong with them.
pub(crate) fn check_files(folder: &Folder, stored: &Checkpoint, key: &VerifierKey) -> (u64, Vec<Finding>) {
    let mut findings = Vec::new();
    match folder.read(LogPath::Checkpoint) {
        Ok(None) => findings.push(file(
            "checkpoint",
            "checkpoint is missing: it is made again at the next start",
        )),
        Ok(Some(bytes)) => {
            if let Err(error) = Checkpoint::open(&bytes, std::slice::from_ref(key)) {
                findings.push(file("checkpoint", &format!("checkpoint was altered: {error}")));
            }
        }
        Err(error) => findings.push(file("checkpoint", &error.to_string())),
    }
    let mut read = 1;
    match verify_tree(&mut Source(folder), stored, None, AuditDepth::Entries) {
        Ok(report) => read += report.bundles + report.tiles,
        Err(error) => findings.push(file(&path_in(&error), &error.to_string())),
    }
    let mut listed = Listed {
        folder,
        size: stored.size,
        read: 0,
        findings: Vec::new(),
    };
    listed.list(folder.root(), "");
    findings.append(&mut listed.findings);
    (read + listed.read, findings)
}

fn file(path: &str, reason: &str) -> Finding {
    Finding::File {
        path: path.to_owned(),
        reason: reason.to_owned(),
    }
}

fn path_in(error: &LedgerError) -> String {
    match error {
        LedgerError::Missing { path }
        | LedgerError::Source { path, .. }
        | LedgerError::Altered { path, .. } => path.clone(),
        _ => String::new(),
    }
}

/// What lies in the folder beside the files that the tree needs.
struct Listed<'f> {
    folder: &'f Folder,
    size: u64,
    read: u64,
    findings: Vec<Finding>,
}

impl Listed<'_> {
    fn list(&mut self, at: &Path, path: &str) {
        let Ok(entries) = std::fs::read_dir(at) else {
            return;
        };
        for entry in entries.flatten() {
            let Some(name) = entry.file_name().to_str().map(str::to_owned) else {
                self.findings
                    .push(file(path, &format!("{path} holds a name that is not text")));
                continue;
            };
            if name.starts_with('.') || self.read > FILES_MAX {
                continue;
            }
            let below = if path.is_empty() {
                name
            } else {
                format!("{path}/{name}")
            };
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                self.list(&entry.path(), &below);
            } else {
                self.one(&entry.path(), &below);
            }
        }
    }

    fn one(&mut self, at: &Path, path: &str) {
        let Ok(known) = path.parse::<LogPath>() else {
            self.findings
                .push(file(path, &format!("{path} does not belong to the log")));
            return;
        };
        let partial = match known {
            LogPath::Checkpoint => false,
            LogPath::Tile(id) => !id.is_full(),
            LogPath::Bundle(id) => !id.is_full(),
        };
        if !partial {
            return;
        }
        self.read += 1;
        let Ok(Some(bytes)) = read_bounded(at, super::files::bytes_max(known)) else {
            self.findings.push(file(
                path,
                &format!("{path} cannot be read, or has more bytes than belong there"),
            ));
            return;
        };
        match verify_leftover(&mut Source(self.folder), known, &bytes, self.size) {
            // What lies beyond the signed tree was left by a stop before the signature, and is written anew.
            Ok(()) | Err(LedgerError::OutOfRange(_)) => {}
            Err(error) => self.findings.push(file(path, &error.to_string())),
        }
    }
}
