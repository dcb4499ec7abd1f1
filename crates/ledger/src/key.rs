//! Keys of signed notes, C2SP signed-note "Signatures": the public `vkey` text, the private key's text, and the key
//! id that ties a signature line to its key.
//!
//! Two kinds are used, both Ed25519: a log's note signature (0x01) and a witness's timestamped cosignature (0x04).

use core::fmt;
use core::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest as _, Sha256};

use crate::error::{LedgerError, Result};

/// Longest key name accepted, in bytes.
pub const MAX_KEY_NAME_BYTES: usize = 255;

/// What a key signs with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// 0x01: Ed25519 over the note text; how a log signs its checkpoints.
    Note,
    /// 0x04: Ed25519 over a timestamp and the note text; how a witness cosigns, C2SP tlog-cosignature v1.
    Cosignature,
}

impl KeyKind {
    fn byte(self) -> u8 {
        match self {
            Self::Note => 0x01,
            Self::Cosignature => 0x04,
        }
    }

    fn from_byte(byte: u8) -> Result<Self> {
        match byte {
            0x01 => Ok(Self::Note),
            0x04 => Ok(Self::Cosignature),
            other => Err(LedgerError::Key(format!(
                "signature type {other:#04x} is not supported: give an Ed25519 key (0x01) or cosignature key (0x04)"
            ))),
        }
    }
}

/// A public key with its name. Its text is `name+hex(id)+base64(type ‖ key)`, known as a vkey.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    id: u32,
    kind: KeyKind,
    key: VerifyingKey,
}

impl VerifierKey {
    /// A key from its 32 bytes. Weak keys, under which anything verifies, are refused.
    pub fn new(name: &str, kind: KeyKind, key: &[u8; 32]) -> Result<Self> {
        check_name(name)?;
        let parsed = VerifyingKey::from_bytes(key)
            .map_err(|_| LedgerError::Key(format!("{name}: not a curve point")))?;
        if parsed.is_weak() {
            return Err(LedgerError::Key(format!(
                "{name}: a weak key, under which forgeries verify"
            )));
        }
        Ok(Self {
            name: name.to_owned(),
            id: key_id(name, kind, key),
            kind,
            key: parsed,
        })
    }

    /// The key name; for a log, its origin.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// First four bytes of SHA-256(name ‖ 0x0A ‖ type ‖ key).
    pub fn id(&self) -> u32 {
        self.id
    }

    /// What it signs.
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The 32 bytes of the public key.
    pub fn to_bytes(&self) -> [u8; 32] {
        self.key.to_bytes()
    }

    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let Ok(signature) = Signature::from_slice(signature) else {
            return false;
        };
        self.key.verify_strict(message, &signature).is_ok()
    }
}

impl FromStr for VerifierKey {
    type Err = LedgerError;

    fn from_str(text: &str) -> Result<Self> {
        let bad = || LedgerError::Key("expected name+hex(id)+base64(type and key)".into());
        // Base64 may contain plus signs, a name may not.
        let mut parts = text.splitn(3, '+');
        let (name, id, key) = (
            parts.next().ok_or_else(bad)?,
            parts.next().ok_or_else(bad)?,
            parts.next().ok_or_else(bad)?,
        );
        let (kind, key) = decode_key(key)?;
        let parsed = Self::new(name, kind, &key)?;
        if id != format!("{:08x}", parsed.id) {
            return Err(LedgerError::Key(format!(
                "{name}: the key id {id} does not belong to this key and name"
            )));
        }
        Ok(parsed)
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}+{:08x}+{}",
            self.name,
            self.id,
            encode_key(self.kind, &self.to_bytes())
        )
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifierKey({self})")
    }
}

/// A private key with its name. Debug output hides the secret; [`NoteSigner::to_secret_text`] reveals it.
#[derive(Clone)]
pub struct NoteSigner {
    verifier: VerifierKey,
    key: SigningKey,
}

impl NoteSigner {
    /// A key from 32 random bytes that the caller drew from a secure source.
    pub fn from_seed(name: &str, kind: KeyKind, seed: &[u8; 32]) -> Result<Self> {
        let key = SigningKey::from_bytes(seed);
        let verifier = VerifierKey::new(name, kind, &key.verifying_key().to_bytes())?;
        Ok(Self { verifier, key })
    }

    /// Reads `PRIVATE+KEY+name+hex(id)+base64(type ‖ seed)`, the form of Go's `sumdb/note`.
    pub fn from_secret_text(text: &str) -> Result<Self> {
        let bad = || LedgerError::Key("expected PRIVATE+KEY+name+hex(id)+base64(type and seed)".into());
        let rest = text.strip_prefix("PRIVATE+KEY+").ok_or_else(bad)?;
        let mut parts = rest.splitn(3, '+');
        let (name, id, seed) = (
            parts.next().ok_or_else(bad)?,
            parts.next().ok_or_else(bad)?,
            parts.next().ok_or_else(bad)?,
        );
        let (kind, seed) = decode_key(seed)?;
        let signer = Self::from_seed(name, kind, &seed)?;
        if id != format!("{:08x}", signer.verifier.id) {
            return Err(LedgerError::Key(format!(
                "{name}: the key id {id} does not belong to this key and name"
            )));
        }
        Ok(signer)
    }

    /// The text to store. It is the secret itself: write it with owner-only permissions, never log it.
    pub fn to_secret_text(&self) -> String {
        let v = &self.verifier;
        format!(
            "PRIVATE+KEY+{}+{:08x}+{}",
            v.name,
            v.id,
            encode_key(v.kind, &self.key.to_bytes())
        )
    }

    /// The public half.
    pub fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    pub(crate) fn sign_bytes(&self, message: &[u8]) -> [u8; 64] {
        self.key.sign(message).to_bytes()
    }
}

impl fmt::Debug for NoteSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NoteSigner({}, secret hidden)", self.verifier)
    }
}

fn encode_key(kind: KeyKind, key: &[u8; 32]) -> String {
    let mut bytes = vec![kind.byte()];
    bytes.extend_from_slice(key);
    STANDARD.encode(bytes)
}

fn decode_key(text: &str) -> Result<(KeyKind, [u8; 32])> {
    let bad = || LedgerError::Key("the last part is not base64 of a type byte and 32 bytes".into());
    // An ML-DSA-44 key has 1,752 characters; decoding it lets the message name its type.
    if text.len() > 4096 {
        return Err(bad());
    }
    let bytes = STANDARD.decode(text).map_err(|_| bad())?;
    let (kind, key) = bytes.split_first().ok_or_else(bad)?;
    let kind = KeyKind::from_byte(*kind)?;
    Ok((kind, key.try_into().map_err(|_| bad())?))
}

fn key_id(name: &str, kind: KeyKind, key: &[u8; 32]) -> u32 {
    let mut hasher = Sha256::new();
    hasher.update(name);
    hasher.update([b'\n', kind.byte()]);
    hasher.update(key);
    let digest: [u8; 32] = hasher.finalize().into();
    u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]])
}

/// Key names are not empty and have no Unicode space, plus or control character.
pub(crate) fn check_name(name: &str) -> Result<()> {
    let wrong = |c: char| c.is_whitespace() || c == '+' || c < ' ';
    if name.is_empty() || name.len() > MAX_KEY_NAME_BYTES || name.contains(wrong) {
        return Err(LedgerError::Key(
            "a key name has 1 to 255 bytes and no space, plus or control character".into(),
        ));
    }
    Ok(())
}
