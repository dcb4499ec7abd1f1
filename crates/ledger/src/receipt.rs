//! Receipts, C2SP tlog-proof v1: everything that one needs to show, offline and for ever, that an entry is in the
//! log and that witnesses saw it there. The entry's bytes are kept beside it.

use core::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::checkpoint::Checkpoint;
use crate::error::{LedgerError, Result, at_most};
use crate::hash::{Hash, leaf_hash};
use crate::note::{MAX_NOTE_BYTES, Note};
use crate::policy::{Policy, TrustedCheckpoint};
use crate::proof::{MAX_PROOF_HASHES, verify_inclusion};
use crate::tile::decimal;

/// Most extra data that a receipt carries, in bytes.
pub const MAX_EXTRA_BYTES: usize = 1 << 16;

/// Longest receipt accepted, in bytes.
pub const MAX_RECEIPT_BYTES: usize = MAX_NOTE_BYTES + 2 * MAX_EXTRA_BYTES + 8192;

const HEADER: &str = "c2sp.org/tlog-proof@v1";

/// A proof of logging. `Display` gives its file, extension `.tlog-proof`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Opaque data for the application. Nothing vouches for it: never trust it.
    pub extra: Option<Vec<u8>>,
    /// Position of the entry in the log, from 0.
    pub index: u64,
    /// Inclusion proof in the tree of the checkpoint, the leaf's sibling first.
    pub proof: Vec<Hash>,
    /// The checkpoint, signed by the log and cosigned by witnesses.
    pub note: Note,
}

impl Receipt {
    /// Reads a receipt. Form only: see [`Receipt::verify_offline`].
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let bad = |reason: &str| LedgerError::malformed("receipt", reason);
        at_most("receipt, bytes", bytes.len(), MAX_RECEIPT_BYTES)?;
        let text = core::str::from_utf8(bytes).map_err(|_| bad("it is not UTF-8"))?;
        let (head, note) = text
            .split_once("\n\n")
            .ok_or_else(|| bad("it ends before the checkpoint"))?;
        let mut lines = head.split('\n').peekable();
        if lines.next() != Some(HEADER) {
            return Err(bad("the first line is not c2sp.org/tlog-proof@v1"));
        }
        let extra = match lines.next_if(|line| line.starts_with("extra ")) {
            Some(line) => Some(read_extra(&line["extra ".len()..])?),
            None => None,
        };
        let index = lines
            .next()
            .and_then(|line| line.strip_prefix("index "))
            .and_then(decimal);
        let index = index.ok_or_else(|| bad("the line `index` with a decimal number is missing"))?;
        let mut proof = Vec::new();
        for line in lines {
            at_most("inclusion proof, lines", proof.len() + 1, MAX_PROOF_HASHES)?;
            proof.push(Hash::from_base64(line)?);
        }
        Ok(Self {
            extra,
            index,
            proof,
            note: Note::parse(note.as_bytes())?,
        })
    }

    /// Checks that `entry` is what was logged: a log of `policy` signed the checkpoint, the quorum cosigned it, and
    /// the entry is in its tree at the receipt's index. Needs no network. Returns the checkpoint with the witnesses
    /// and their times.
    pub fn verify_offline(&self, entry: &[u8], policy: &Policy) -> Result<TrustedCheckpoint> {
        let trusted = policy.check_note(&self.note)?;
        let Checkpoint { size, root, .. } = &trusted.checkpoint;
        verify_inclusion(&leaf_hash(entry), self.index, *size, root, &self.proof)?;
        Ok(trusted)
    }
}

fn read_extra(text: &str) -> Result<Vec<u8>> {
    let bad = |reason: String| LedgerError::malformed("receipt", reason);
    let bytes = STANDARD
        .decode(text)
        .map_err(|e| bad(format!("the extra data: {e}")))?;
    at_most("extra data, bytes", bytes.len(), MAX_EXTRA_BYTES)?;
    if bytes.is_empty() {
        return Err(bad("a receipt without extra data has no line `extra`".into()));
    }
    Ok(bytes)
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}")?;
        if let Some(extra) = self.extra.as_ref().filter(|extra| !extra.is_empty()) {
            writeln!(f, "extra {}", STANDARD.encode(extra))?;
        }
        writeln!(f, "index {}", self.index)?;
        self.proof.iter().try_for_each(|hash| writeln!(f, "{hash}"))?;
        write!(f, "\n{}", self.note)
    }
}
