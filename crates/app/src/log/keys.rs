//! Key files: one line of text, readable by its owner only, in the form of Go's note package.

use super::LogError;
use super::files::sync_folders;
use simwarden_ledger::{KeyKind, NoteSigner};
use simwarden_model::Entropy;
use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

/// Longest key file read, in bytes.
const FILE_BYTES_MAX: u64 = 1024;

/// Makes a key and writes it to a new file with mode 0600. `name` is the log's origin, or the witness's name.
///
/// # Errors
/// When the file is there already (a key is never overwritten), cannot be made durable, or the name cannot be one.
pub fn make_key(
    file: &Path,
    name: &str,
    kind: KeyKind,
    entropy: &mut dyn Entropy,
) -> Result<NoteSigner, LogError> {
    let mut seed = [0; 32];
    entropy.fill(&mut seed);
    let signer = NoteSigner::from_seed(name, kind, &seed)?;
    let failed = |e| LogError::file("make the key file", file, e);
    let mut opened = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)
        .map_err(failed)?;
    writeln!(opened, "{}", signer.to_secret_text()).map_err(failed)?;
    opened.sync_all().map_err(failed)?;
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    sync_folders(&BTreeSet::from([folder.unwrap_or(Path::new(".")).to_owned()]))?;
    Ok(signer)
}

/// Reads a key file and checks its kind and, if one is asked for, its name.
///
/// # Errors
/// When it is not there, others than its owner may read it, or it is not a key of that kind and name.
pub fn load_key(file: &Path, name: Option<&str>, kind: KeyKind) -> Result<NoteSigner, LogError> {
    let failed = |e| LogError::file("read the key file", file, e);
    let opened = File::open(file).map_err(failed)?;
    let mode = opened.metadata().map_err(failed)?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(LogError::Setup(format!(
            "{} may be read by others (mode {:03o}): `chmod 600` it, and make a new key if somebody could have read it",
            file.display(),
            mode & 0o777
        )));
    }
    let mut text = String::new();
    opened
        .take(FILE_BYTES_MAX)
        .read_to_string(&mut text)
        .map_err(failed)?;
    let signer = NoteSigner::from_secret_text(text.trim_end())?;
    if signer.verifier().kind() != kind {
        return Err(LogError::Setup(format!(
            "{} holds a key of the wrong kind: a log signs with type 0x01, a witness with 0x04",
            file.display()
        )));
    }
    if name.is_some_and(|name| name != signer.verifier().name()) {
        return Err(LogError::Setup(format!(
            "{} holds the key of `{}`: a log keeps its origin for ever",
            file.display(),
            signer.verifier().name()
        )));
    }
    Ok(signer)
}

/// Reads a key file, or makes it when it is not there.
///
/// # Errors
/// As [`load_key`] and [`make_key`].
pub fn load_or_make_key(
    file: &Path,
    name: &str,
    kind: KeyKind,
    entropy: &mut dyn Entropy,
) -> Result<NoteSigner, LogError> {
    match load_key(file, Some(name), kind) {
        Err(LogError::File { cause, .. }) if cause.kind() == io::ErrorKind::NotFound => {
            make_key(file, name, kind, entropy)
        }
        other => other,
    }
}
