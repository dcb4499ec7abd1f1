//! ES10b: `CancelSession` (SGP.22 5.7.14): the device gives up; the chip signs that it did.

use crate::chip::Euicc;
use crate::error::{EuiccError, Result};
use crate::faults::Signed;
use crate::tlv::{Tlv, join, number, tlv};

/// The signed cancellation, or error 5 when the session is not the one named.
pub(crate) fn answer(chip: &mut Euicc, request: Tlv<'_>) -> Result<Vec<u8>> {
    let mut fields = request.inside();
    let transaction = fields.expect(0x80)?.value;
    let reason = fields.expect(0x81)?.number()?;
    fields.end()?;
    if !matches!(reason, 0..=5 | 127) {
        return Err(EuiccError::Malformed("an unknown reason to cancel"));
    }
    let known = chip.session.as_ref().and_then(|it| it.authenticated.as_ref());
    let Some(known) = known.filter(|it| it.transaction_id == transaction) else {
        return Ok(tlv(0xBF41, number(0x81, 5)));
    };
    let signed = join(
        0x30,
        &[
            &tlv(0x80, transaction),
            &tlv(0x81, &known.smdp_oid),
            &number(0x82, reason),
        ],
    );
    let signature = chip.sign(Signed::Cancel, &[&signed]);
    super::load::interrupted(chip);
    chip.session = None;
    Ok(tlv(0xBF41, join(0xA0, &[&signed, &signature])))
}
