//! ES10c: `DeleteProfile` (SGP.22 5.7.18): the profile is gone for ever.

use crate::chip::Euicc;
use crate::error::{EuiccError, Result};
use crate::metadata::{PPR2_DELETION_NOT_ALLOWED, event};
use crate::tlv::{Tlv, number, tlv};

/// 0 done; 1 no such profile; 2 it is enabled; 3 a policy rule forbids it.
pub(crate) fn answer(chip: &mut Euicc, request: Tlv<'_>) -> Result<Vec<u8>> {
    let mut fields = request.inside();
    let by = fields
        .next()?
        .ok_or(EuiccError::Malformed("no profile is named"))?;
    fields.end()?;
    let code = match super::select::find(&chip.profiles, by)? {
        None => 1,
        Some(at) if chip.profiles[at].enabled => 2,
        Some(at) if chip.profiles[at].metadata.policy_rules & PPR2_DELETION_NOT_ALLOWED != 0 => 3,
        Some(at) => {
            let gone = chip.profiles.remove(at).metadata;
            super::notifications::tell(chip, event::DELETE, gone.iccid, &gone.notify);
            0
        }
    };
    Ok(tlv(0xBF33, number(0x80, code)))
}
