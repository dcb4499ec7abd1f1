//! Checkpoints, C2SP tlog-checkpoint: which log, how many entries, which root. Signed as a note by the log's key,
//! whose name is the origin.

use core::fmt;
use core::str::FromStr;

use crate::error::{LedgerError, Result};
use crate::hash::Hash;
use crate::key::{NoteSigner, VerifierKey};
use crate::note::Note;
use crate::tile::decimal;

/// The state of a log at one size. `Display` gives the note text that is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Unique name of the log, e.g. `ledger.simwarden.example/kh`.
    pub origin: String,
    /// Number of entries.
    pub size: u64,
    /// Root of the Merkle tree of that size.
    pub root: Hash,
    /// Extension lines: opaque, not recommended, and empty in our own logs.
    pub extensions: Vec<String>,
}

impl Checkpoint {
    /// A checkpoint without extension lines.
    pub fn new(origin: impl Into<String>, size: u64, root: Hash) -> Self {
        Self {
            origin: origin.into(),
            size,
            root,
            extensions: Vec::new(),
        }
    }

    /// The note, signed by the log. The signer's name must be the origin.
    ///
    /// A log must never sign two checkpoints that are inconsistent: call this only for a tree that durably grew out
    /// of the one signed before.
    pub fn sign(&self, signer: &NoteSigner) -> Result<Note> {
        if signer.verifier().name() != self.origin {
            return Err(LedgerError::Key(format!(
                "the key {} does not sign for the log {}",
                signer.verifier().name(),
                self.origin
            )));
        }
        let text = self.to_string();
        // What does not read back as the same checkpoint (an origin with a newline, say) is never signed.
        if text.parse::<Self>()? != *self {
            return Err(LedgerError::malformed(
                "checkpoint",
                "it cannot be written: check origin and extensions",
            ));
        }
        let mut note = Note::new(text)?;
        note.sign(signer)?;
        Ok(note)
    }

    /// Reads a signed checkpoint and checks it with the log's keys, of which at least one must have signed and whose
    /// name must be the origin.
    pub fn open(bytes: &[u8], log_keys: &[VerifierKey]) -> Result<(Self, Note)> {
        let note = Note::parse(bytes)?;
        let checkpoint: Self = note.text().parse()?;
        let keys: Vec<VerifierKey> = log_keys
            .iter()
            .filter(|k| k.name() == checkpoint.origin)
            .cloned()
            .collect();
        if keys.is_empty() {
            let known: Vec<&str> = log_keys.iter().map(VerifierKey::name).collect();
            return Err(LedgerError::NotSigned {
                known: known.join(", "),
            });
        }
        note.verify(&keys)?;
        Ok((checkpoint, note))
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}\n{}", self.origin, self.size, self.root)?;
        self.extensions.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

impl FromStr for Checkpoint {
    type Err = LedgerError;

    fn from_str(text: &str) -> Result<Self> {
        let bad = |reason: &str| LedgerError::malformed("checkpoint", reason);
        let body = text
            .strip_suffix('\n')
            .ok_or_else(|| bad("the text does not end in a newline"))?;
        let mut lines = body.split('\n');
        let mut line = |what: &str| lines.next().filter(|l| !l.is_empty()).ok_or_else(|| bad(what));
        let origin = line("the origin line is missing")?;
        let size = line("the size line is missing")?;
        let root = line("the root line is missing")?;
        let size =
            decimal(size).ok_or_else(|| bad("the size is not a decimal number without leading zeros"))?;
        let extensions: Vec<String> = lines.map(str::to_owned).collect();
        if extensions.iter().any(String::is_empty) {
            return Err(bad("an extension line is empty"));
        }
        Ok(Self {
            origin: origin.to_owned(),
            size,
            root: Hash::from_base64(root)?,
            extensions,
        })
    }
}
