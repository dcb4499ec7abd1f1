//! How a bound profile package is cut for the chip, and what can be read of it without keys.

use crate::crypto::sha256;
use crate::error::{EuiccError, Result};
use crate::tlv::{self, Tlv};

const MAC_LENGTH: usize = 8;

/// The pieces for `LoadBoundProfilePackage`, as `lpac` cuts them: the head of BF36 with BF23; A0 whole; the head of
/// A1, then each of its segments; A2 whole, if there; the head of A3, then each of its segments.
///
/// # Errors
/// [`EuiccError`] when the package does not have this form.
pub fn segments(package: &[u8]) -> Result<Vec<Vec<u8>>> {
    let outer = tlv::only(package, 0xBF36)?;
    let head = &package[..package.len() - outer.value.len()];
    let mut parts = outer.inside();
    let initialise = parts.expect(0xBF23)?;
    let mut pieces = vec![[head, initialise.raw].concat(), parts.expect(0xA0)?.raw.to_vec()];
    cut(parts.expect(0xA1)?, &mut pieces)?;
    pieces.extend(parts.optional(0xA2)?.map(|it| it.raw.to_vec()));
    cut(parts.expect(0xA3)?, &mut pieces)?;
    parts.end()?;
    Ok(pieces)
}

/// The head of a sequence, then each of its segments.
fn cut(sequence: Tlv<'_>, pieces: &mut Vec<Vec<u8>>) -> Result<()> {
    pieces.push(sequence.raw[..sequence.raw.len() - sequence.value.len()].to_vec());
    let mut segments = sequence.inside();
    while let Some(segment) = segments.next()? {
        pieces.push(segment.raw.to_vec());
    }
    Ok(())
}

/// The metadata inside a package: its segments carry it in the clear, with a MAC after each.
///
/// # Errors
/// [`EuiccError`] when the package does not have the form of one.
pub fn sent_metadata(package: &[u8]) -> Result<Vec<u8>> {
    let mut parts = tlv::only(package, 0xBF36)?.inside();
    parts.expect(0xBF23)?;
    parts.expect(0xA0)?;
    let mut metadata = Vec::new();
    let mut segments = parts.expect(0xA1)?.inside();
    while let Some(segment) = segments.next()? {
        let end = segment.value.len().checked_sub(MAC_LENGTH);
        let end = end.ok_or(EuiccError::Malformed("a segment without MAC"))?;
        metadata.extend_from_slice(&segment.value[..end]);
    }
    Ok(metadata)
}

/// `hashCc`: SHA-256 over SHA-256 of the code as typed, and the transaction id (SGP.22 5.7.5).
#[must_use]
pub fn hash_confirmation_code(code: &str, transaction_id: &[u8]) -> [u8; 32] {
    sha256(&[&sha256(&[code.as_bytes()]), transaction_id])
}
