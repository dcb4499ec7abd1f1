//! Checking a log as a stranger would: with its files and keys alone.

use super::LogError;
use super::files::{Fetch, Source};
use simwarden_ledger::{
    AuditDepth, AuditReport, Checkpoint, MAX_NOTE_BYTES, Policy, TrustedCheckpoint, VerifierKey, verify_tree,
};

/// The largest log that is audited unless the caller allows more: keeps a source that never ends from being followed.
pub const ENTRIES_MAX: u64 = 1_000_000_000;

/// How a log is to be checked.
#[derive(Debug, Clone)]
pub struct VerifyOptions {
    /// The log's key, and the witnesses that must have cosigned.
    pub policy: Policy,
    /// Whether the entries are read too, or hash tiles only.
    pub entries: bool,
    /// A checkpoint kept from earlier: the log must continue it. This is what finds a log that was written anew and
    /// signed with its own key.
    pub remembered: Option<Vec<u8>>,
    /// The largest log to follow, [`ENTRIES_MAX`] as a rule.
    pub entries_max: u64,
}

impl VerifyOptions {
    /// Everything is checked, and nothing is remembered.
    #[must_use]
    pub fn all(policy: Policy) -> Self {
        Self {
            policy,
            entries: true,
            remembered: None,
            entries_max: ENTRIES_MAX,
        }
    }
}

/// A log without findings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audited {
    /// Its checkpoint, and who cosigned it when.
    pub trusted: TrustedCheckpoint,
    /// The checkpoint's file: remember it for the next time.
    pub note: Vec<u8>,
    /// What was read.
    pub report: AuditReport,
}

/// Checks a whole log against its checkpoint. Blocks while it reads.
///
/// # Errors
/// [`LogError::Ledger`] names the file, and where it can the entry, that was altered or is missing.
pub fn verify(source: &(impl Fetch + ?Sized), options: &VerifyOptions) -> Result<Audited, LogError> {
    let note = fetch_checkpoint(source)?;
    let trusted = options.policy.check(&note)?;
    bounded(&trusted.checkpoint, options.entries_max)?;
    let old = options
        .remembered
        .as_deref()
        .map(|old| remembered(old, &options.policy))
        .transpose()?;
    let depth = if options.entries {
        AuditDepth::Entries
    } else {
        AuditDepth::Hashes
    };
    let report = verify_tree(&mut Source(source), &trusted.checkpoint, old.as_ref(), depth)?;
    Ok(Audited {
        trusted,
        note,
        report,
    })
}

/// A checkpoint kept from earlier. The log's own signature suffices: the witnesses may have been others then.
fn remembered(note: &[u8], policy: &Policy) -> Result<Checkpoint, LogError> {
    let keys: Vec<VerifierKey> = policy.logs().iter().map(|log| log.key.clone()).collect();
    Ok(Checkpoint::open(note, &keys)?.0)
}

pub(crate) fn fetch_checkpoint(source: &(impl Fetch + ?Sized)) -> Result<Vec<u8>, LogError> {
    let failed = |reason: String| LogError::Fetch {
        path: "checkpoint".into(),
        reason,
    };
    match source.fetch("checkpoint", MAX_NOTE_BYTES) {
        Ok(Some(note)) => Ok(note),
        Ok(None) => Err(failed("there is none: is this the prefix of a log?".into())),
        Err(error) => Err(failed(error.to_string())),
    }
}

pub(crate) fn bounded(checkpoint: &Checkpoint, entries_max: u64) -> Result<(), LogError> {
    if checkpoint.size > entries_max {
        let reason = format!(
            "{} entries are more than the {entries_max} allowed",
            checkpoint.size
        );
        return Err(LogError::Fetch {
            path: "checkpoint".into(),
            reason,
        });
    }
    Ok(())
}
