//! Leaf and node hashing, RFC 6962 §2.1 (the same in RFC 9162 §2.1.1): SHA-256 with a prefix that keeps leaves
//! and nodes apart. Nothing is padded and no leaf is doubled.

use core::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use crate::error::{LedgerError, Result};

/// Length of a hash in bytes.
pub const HASH_BYTES: usize = 32;

/// A SHA-256 value: a leaf, a node, or a root. Prints as standard base64, the form used in checkpoints and proofs.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hash(pub [u8; HASH_BYTES]);

impl Hash {
    /// Reads the 44 characters of standard, padded base64.
    pub fn from_base64(text: &str) -> Result<Self> {
        // The length is checked first so that an endless line costs nothing.
        if text.len() != 44 {
            return Err(LedgerError::malformed("hash", "expected 44 characters of base64"));
        }
        let bytes = STANDARD
            .decode(text)
            .map_err(|e| LedgerError::malformed("hash", e.to_string()))?;
        Self::from_slice(&bytes)
    }

    /// Standard, padded base64.
    pub fn to_base64(self) -> String {
        STANDARD.encode(self.0)
    }

    /// Reads 64 hexadecimal digits, either case.
    pub fn from_hex(text: &str) -> Result<Self> {
        let bad = || LedgerError::malformed("hash", "expected 64 hexadecimal digits");
        let digits = text.as_bytes();
        if digits.len() != 2 * HASH_BYTES {
            return Err(bad());
        }
        let mut out = [0; HASH_BYTES];
        for (byte, pair) in out.iter_mut().zip(digits.chunks_exact(2)) {
            let value = |d: u8| char::from(d).to_digit(16).and_then(|v| u8::try_from(v).ok());
            *byte = (value(pair[0]).ok_or_else(bad)? << 4) | value(pair[1]).ok_or_else(bad)?;
        }
        Ok(Self(out))
    }

    /// 64 lower-case hexadecimal digits.
    pub fn to_hex(self) -> String {
        self.0.iter().map(|b| format!("{b:02x}")).collect()
    }

    /// Takes exactly 32 bytes.
    pub fn from_slice(bytes: &[u8]) -> Result<Self> {
        let array = bytes
            .try_into()
            .map_err(|_| LedgerError::malformed("hash", "expected 32 bytes"))?;
        Ok(Self(array))
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_base64())
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({self})")
    }
}

/// SHA-256(0x00 ‖ entry).
pub fn leaf_hash(entry: &[u8]) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update([0x00]);
    hasher.update(entry);
    Hash(hasher.finalize().into())
}

/// SHA-256(0x01 ‖ left ‖ right).
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut block = [0x01; 1 + 2 * HASH_BYTES];
    block[1..=HASH_BYTES].copy_from_slice(&left.0);
    block[1 + HASH_BYTES..].copy_from_slice(&right.0);
    Hash(Sha256::digest(block).into())
}

/// The root of the empty tree: SHA-256 of nothing.
pub fn empty_root() -> Hash {
    Hash(Sha256::digest([]).into())
}

/// Merkle tree hash over subtrees of equal height, of which only the last may be lower than the others
/// (the ragged right edge). `None` for no subtrees.
///
/// Pairing neighbours and carrying an odd last one up gives the split at the largest power of two of RFC 6962.
pub(crate) fn merge(mut layer: Vec<Hash>) -> Option<Hash> {
    while layer.len() > 1 {
        let half = layer.len() / 2;
        for i in 0..half {
            layer[i] = node_hash(&layer[2 * i], &layer[2 * i + 1]);
        }
        if layer.len() % 2 == 1 {
            layer[half] = layer[2 * half];
            layer.truncate(half + 1);
        } else {
            layer.truncate(half);
        }
    }
    layer.pop()
}
