//! Session keys out of the agreed secret (SGP.22 v2, annex G; BSI TR-03111 with SHA-256).

use sha2::{Digest, Sha256};
use simwarden_model::Eid;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// Keys that protect segments: encryption, message authentication, first chaining value.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct SegmentKeys {
    /// First MAC chaining value.
    pub mcv: [u8; 16],
    /// AES-128 for encryption.
    pub enc: [u8; 16],
    /// AES-128 for CMAC.
    pub mac: [u8; 16],
}

impl core::fmt::Debug for SegmentKeys {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("SegmentKeys(…)")
    }
}

/// Derives the session keys of a bound package.
///
/// The shared information is key type 88 (AES), key length 16, host id and EID, each of the last two with its
/// length before it.
#[must_use]
pub fn session_keys(secret: &[u8; 32], host_id: &[u8], eid: &Eid) -> SegmentKeys {
    let mut info = Vec::with_capacity(4 + host_id.len() + 16);
    info.extend_from_slice(&[0x88, 0x10, u8::try_from(host_id.len()).unwrap_or(u8::MAX)]);
    info.extend_from_slice(host_id);
    info.push(0x10);
    info.extend(
        eid.reveal()
            .as_bytes()
            .chunks_exact(2)
            .map(|pair| (pair[0] - b'0') << 4 | (pair[1] - b'0')),
    );
    let block = |counter: u32| {
        let mut hash = Sha256::new();
        hash.update(secret);
        hash.update(counter.to_be_bytes());
        hash.update(&info);
        Zeroizing::new(<[u8; 32]>::from(hash.finalize()))
    };
    let (first, second) = (block(1), block(2));
    let mut keys = SegmentKeys {
        mcv: [0; 16],
        enc: [0; 16],
        mac: [0; 16],
    };
    keys.mcv.copy_from_slice(&first[..16]);
    keys.enc.copy_from_slice(&first[16..]);
    keys.mac.copy_from_slice(&second[..16]);
    keys
}
