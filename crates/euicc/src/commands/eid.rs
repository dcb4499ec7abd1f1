//! ES10c: `GetEID` (SGP.22 5.7.20).

use crate::chip::Euicc;
use crate::error::{EuiccError, Result};
use crate::hex;
use crate::tlv::{Tlv, tlv};

/// The EID, 16 bytes, digits as printed; only tag 5A may be asked for.
pub(crate) fn answer(chip: &Euicc, request: Tlv<'_>) -> Result<Vec<u8>> {
    let mut fields = request.inside();
    if fields.expect(0x5C)?.value != [0x5A] {
        return Err(EuiccError::Malformed("only the EID (5A) can be asked for"));
    }
    fields.end()?;
    let claimed = chip
        .faults
        .claimed_eid
        .as_deref()
        .and_then(|it| hex::decode(it).ok());
    let eid = claimed.unwrap_or_else(|| chip.identity.eid_bytes().to_vec());
    Ok(tlv(0xBF3E, tlv(0x5A, eid)))
}
