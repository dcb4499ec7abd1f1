//! Cosignatures v1 (type 0x04), C2SP tlog-cosignature: a witness states that at a time this was the largest
//! consistent tree it had seen of that log.

use crate::error::{LedgerError, Result};
use crate::key::{KeyKind, NoteSigner, VerifierKey};
use crate::note::SignatureLine;

/// The latest time that the format can carry, in seconds since 1970-01-01 UTC.
const MAX_TIME: u64 = (1 << 63) - 1;

/// Cosigns a checkpoint's text (with its last newline, without signatures) as of `at` seconds since 1970-01-01 UTC.
/// Whether the tree may be cosigned is for [`crate::Witness`] to decide.
pub fn cosign(signer: &NoteSigner, text: &str, at: u64) -> Result<SignatureLine> {
    if signer.verifier().kind() != KeyKind::Cosignature {
        return Err(LedgerError::Key(
            "only a cosignature key (type 0x04) cosigns".into(),
        ));
    }
    if at > MAX_TIME {
        return Err(LedgerError::OutOfRange(
            "the time of a cosignature is over its range: check the clock".into(),
        ));
    }
    let mut signature = at.to_be_bytes().to_vec();
    signature.extend_from_slice(&signer.sign_bytes(&message(text, at)));
    Ok(SignatureLine::by(signer.verifier(), signature))
}

/// Checks one cosignature of a checkpoint's text and returns its time, in seconds since 1970-01-01 UTC.
pub fn verify_cosignature(key: &VerifierKey, text: &str, line: &SignatureLine) -> Result<u64> {
    if key.kind() != KeyKind::Cosignature || !line.is_by(key) {
        return Err(LedgerError::NotSigned {
            known: key.name().to_owned(),
        });
    }
    verify(key, text, line)
}

pub(crate) fn verify(key: &VerifierKey, text: &str, line: &SignatureLine) -> Result<u64> {
    let bad = || LedgerError::BadSignature {
        name: line.name().to_owned(),
        id: line.id(),
    };
    let (time, signature) = line.signature().split_first_chunk::<8>().ok_or_else(bad)?;
    let at = u64::from_be_bytes(*time);
    if at > MAX_TIME || !key.verifies(&message(text, at), signature) {
        return Err(bad());
    }
    Ok(at)
}

fn message(text: &str, at: u64) -> Vec<u8> {
    format!("cosignature/v1\ntime {at}\n{text}").into_bytes()
}
