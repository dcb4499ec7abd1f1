//! Who signed a package: the certificate inside the APK Signing Block (v2, v3), found, not verified: the phone verifies.

use super::archive::{Archive, u32_at};
use sha2::{Digest, Sha256};

/// What is known of the signer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Signer {
    /// SHA-256 of the certificate, hex.
    pub digest: Option<String>,
    /// Whether it is the certificate that tools give to whoever is developing.
    pub debug: bool,
    /// Whether there is an old signature (v1).
    pub old: bool,
}

const MAGIC: &[u8] = b"APK Sig Block 42";

/// Finds the signer of a package.
pub(crate) fn signer(bytes: &[u8], archive: &Archive<'_>) -> Signer {
    let old = archive.entries.iter().any(|e| {
        let name = e.name.to_ascii_uppercase();
        name.starts_with("META-INF/") && [".RSA", ".DSA", ".EC"].iter().any(|end| name.ends_with(end))
    });
    let certificate = block(bytes, archive.directory).and_then(certificate);
    Signer {
        digest: certificate.map(|c| Sha256::digest(c).iter().map(|b| format!("{b:02x}")).collect()),
        debug: certificate.is_some_and(|c| c.windows(13).any(|w| w == b"Android Debug")),
        old,
    }
}

fn block(bytes: &[u8], directory: usize) -> Option<&[u8]> {
    if bytes.get(directory.checked_sub(16)?..directory)? != MAGIC {
        return None;
    }
    let size = u32_at(bytes, directory.checked_sub(24)?)? as usize;
    let start = directory.checked_sub(size)?;
    bytes.get(start..directory - 24)
}

/// The first certificate of the first signer. Every level is a length and what it counts.
fn certificate(mut pairs: &[u8]) -> Option<&[u8]> {
    for _ in 0..64 {
        let length = u32_at(pairs, 0)? as usize;
        let pair = pairs.get(8..8usize.checked_add(length)?)?;
        if matches!(u32_at(pair, 0)?, 0x7109_871a | 0xf053_68c0 | 0x1b93_ad61) {
            let signers = counted(pair.get(4..)?)?;
            let data = counted(counted(signers)?)?;
            let digests = 4 + u32_at(data, 0)? as usize;
            return counted(counted(data.get(digests..)?)?);
        }
        pairs = pairs.get(8 + length..)?;
    }
    None
}

fn counted(bytes: &[u8]) -> Option<&[u8]> {
    let length = u32_at(bytes, 0)? as usize;
    bytes.get(4..4usize.checked_add(length)?)
}
