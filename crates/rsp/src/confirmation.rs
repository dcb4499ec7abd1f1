//! The confirmation code: kept as a digest, compared in constant time (SGP.22 v2, 3.1.3 and 5.7.5).

use crate::session::TransactionId;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// SHA-256 of a confirmation code. The code is short, so whoever has this has the code: it belongs sealed.
#[derive(
    Clone, PartialEq, Eq, zeroize::Zeroize, zeroize::ZeroizeOnDrop, serde::Serialize, serde::Deserialize,
)]
pub struct ConfirmationDigest(#[serde(with = "crate::wire::bytes")] [u8; 32]);

/// The most characters of a confirmation code.
pub const CONFIRMATION_CODE_CHARS_MAX: usize = 64;

impl ConfirmationDigest {
    /// Of the code as the person types it.
    #[must_use]
    pub fn of(code: &str) -> Self {
        Self(Sha256::digest(code.as_bytes()).into())
    }

    /// What the chip must send in this session: SHA-256 of this digest and the transaction id.
    #[must_use]
    pub fn expected(&self, transaction: &TransactionId) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(self.0);
        hash.update(transaction.as_bytes());
        hash.finalize().into()
    }

    /// Whether the chip sent what belongs to the code, in constant time.
    #[must_use]
    pub fn matches(&self, transaction: &TransactionId, hash_cc: &[u8; 32]) -> bool {
        self.expected(transaction).ct_eq(hash_cc).into()
    }
}

impl core::fmt::Debug for ConfirmationDigest {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("ConfirmationDigest(…)")
    }
}
