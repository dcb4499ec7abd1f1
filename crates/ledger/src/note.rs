//! Signed notes, C2SP signed-note: a text and the signatures under it. A note is only worth reading after
//! [`Note::verify`] with keys that the reader already trusts.

use core::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::cosignature;
use crate::error::{LedgerError, Result, at_most};
use crate::key::{KeyKind, NoteSigner, VerifierKey, check_name};

/// Longest note accepted, in bytes. Sixty-four post-quantum signatures do not fit, sixteen do (the least that the
/// specification asks for), beside a checkpoint.
pub const MAX_NOTE_BYTES: usize = 1 << 18;

/// Most signatures accepted on a note.
pub const MAX_SIGNATURES: usize = 64;

const WHAT: &str = "signed note";

/// One signature line, by a key that may be unknown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignatureLine {
    name: String,
    id: u32,
    signature: Vec<u8>,
}

impl SignatureLine {
    pub(crate) fn by(key: &VerifierKey, signature: Vec<u8>) -> Self {
        Self {
            name: key.name().to_owned(),
            id: key.id(),
            signature,
        }
    }

    /// Reads `— name base64(id ‖ signature)`, without its newline.
    pub fn parse(line: &str) -> Result<Self> {
        let bad = |reason: &str| LedgerError::malformed("signature line", reason);
        at_most("signature line, bytes", line.len(), MAX_NOTE_BYTES)?;
        let rest = line
            .strip_prefix("— ")
            .ok_or_else(|| bad("it does not begin with an em dash and a space"))?;
        let (name, value) = rest
            .split_once(' ')
            .ok_or_else(|| bad("expected a name and a signature"))?;
        check_name(name).map_err(|e| bad(&e.to_string()))?;
        let bytes = STANDARD.decode(value).map_err(|e| bad(&e.to_string()))?;
        match bytes.split_first_chunk::<4>() {
            Some((id, signature)) if !signature.is_empty() => Ok(Self {
                name: name.to_owned(),
                id: u32::from_be_bytes(*id),
                signature: signature.to_vec(),
            }),
            _ => Err(bad("the signature is empty")),
        }
    }

    /// Name of the key that is said to have signed.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Id of the key that is said to have signed.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// The bytes after the key id.
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    pub(crate) fn is_by(&self, key: &VerifierKey) -> bool {
        self.id == key.id() && self.name == key.name()
    }
}

impl fmt::Display for SignatureLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = self.id.to_be_bytes().to_vec();
        bytes.extend_from_slice(&self.signature);
        write!(f, "— {} {}", self.name, STANDARD.encode(bytes))
    }
}

/// A signature that verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Position of the key in the list given to [`Note::verify`].
    pub key: usize,
    /// When the cosigner signed, in seconds since 1970-01-01 UTC; `None` for a plain note signature.
    pub at: Option<u64>,
}

/// A text with signature lines. Parsing checks form only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<SignatureLine>,
}

impl Note {
    /// A text to sign: it ends in a newline and has no other control character.
    pub fn new(text: impl Into<String>) -> Result<Self> {
        let text = text.into();
        at_most("note, bytes", text.len(), MAX_NOTE_BYTES)?;
        if !text.ends_with('\n') {
            return Err(LedgerError::malformed(WHAT, "the text does not end in a newline"));
        }
        check_characters(&text)?;
        Ok(Self {
            text,
            signatures: Vec::new(),
        })
    }

    /// Reads a note with at least one signature line.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        at_most("note, bytes", bytes.len(), MAX_NOTE_BYTES)?;
        let whole =
            core::str::from_utf8(bytes).map_err(|_| LedgerError::malformed(WHAT, "it is not UTF-8"))?;
        check_characters(whole)?;
        // The last empty line parts text and signatures; the text keeps its own newline.
        let cut = whole
            .rfind("\n\n")
            .ok_or_else(|| LedgerError::malformed(WHAT, "it has no signatures"))?;
        let (text, block) = (&whole[..=cut], &whole[cut + 2..]);
        let block = block
            .strip_suffix('\n')
            .ok_or_else(|| LedgerError::malformed(WHAT, "the last signature does not end in a newline"))?;
        at_most("signatures on a note", block.split('\n').count(), MAX_SIGNATURES)?;
        let signatures = block
            .split('\n')
            .map(SignatureLine::parse)
            .collect::<Result<_>>()?;
        Ok(Self {
            text: text.to_owned(),
            signatures,
        })
    }

    /// The signed text, with its last newline.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// All signature lines, verified or not.
    pub fn signatures(&self) -> &[SignatureLine] {
        &self.signatures
    }

    /// Signs with a key of kind [`KeyKind::Note`], replacing an earlier signature by the same key.
    pub fn sign(&mut self, signer: &NoteSigner) -> Result<()> {
        if signer.verifier().kind() != KeyKind::Note {
            return Err(LedgerError::Key(
                "a cosignature key signs with a timestamp: use `cosign`".into(),
            ));
        }
        let signature = signer.sign_bytes(self.text.as_bytes());
        self.add(SignatureLine::by(signer.verifier(), signature.to_vec()))
    }

    /// Adds a signature line, replacing an earlier one by the same key.
    pub fn add(&mut self, line: SignatureLine) -> Result<()> {
        self.signatures
            .retain(|s| (s.id, &s.name) != (line.id, &line.name));
        at_most("signatures on a note", self.signatures.len() + 1, MAX_SIGNATURES)?;
        self.signatures.push(line);
        at_most("note, bytes", self.to_string().len(), MAX_NOTE_BYTES)
    }

    /// Drops the signatures that none of `keys` made, e.g. before storing a note that others may have padded.
    pub fn retain_known(&mut self, keys: &[VerifierKey]) {
        self.signatures
            .retain(|line| keys.iter().any(|key| line.is_by(key)));
    }

    /// Checks every signature by a known key; signatures by unknown keys are ignored.
    ///
    /// # Errors
    /// [`LedgerError::BadSignature`] when one by a known key fails, [`LedgerError::NotSigned`] when there is none.
    pub fn verify(&self, known: &[VerifierKey]) -> Result<Vec<Verified>> {
        let mut verified = Vec::new();
        for line in &self.signatures {
            for (position, key) in known.iter().enumerate().filter(|(_, key)| line.is_by(key)) {
                let at = match key.kind() {
                    KeyKind::Note if key.verifies(self.text.as_bytes(), &line.signature) => None,
                    KeyKind::Cosignature => Some(cosignature::verify(key, &self.text, line)?),
                    KeyKind::Note => {
                        return Err(LedgerError::BadSignature {
                            name: line.name.clone(),
                            id: line.id,
                        });
                    }
                };
                verified.push(Verified { key: position, at });
            }
        }
        if verified.is_empty() {
            let names: Vec<&str> = known.iter().map(VerifierKey::name).collect();
            return Err(LedgerError::NotSigned {
                known: names.join(", "),
            });
        }
        Ok(verified)
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

fn check_characters(text: &str) -> Result<()> {
    if text.bytes().any(|b| b < 0x20 && b != b'\n') {
        return Err(LedgerError::malformed(
            WHAT,
            "it has a control character other than newline",
        ));
    }
    Ok(())
}
