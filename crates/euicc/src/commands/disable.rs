//! ES10c: `DisableProfile` (SGP.22 5.7.17): no profile is in use.

use crate::chip::Euicc;
use crate::error::Result;
use crate::metadata::{PPR1_DISABLING_NOT_ALLOWED, event};
use crate::tlv::{Tlv, number, tlv};

/// 0 done; 1 no such profile; 2 it is not enabled; 3 a policy rule forbids it.
pub(crate) fn answer(chip: &mut Euicc, request: Tlv<'_>) -> Result<Vec<u8>> {
    let found = super::select::find_with_refresh(&chip.profiles, request)?;
    let code = match found.map(|at| &mut chip.profiles[at]) {
        None => 1,
        Some(profile) if !profile.enabled => 2,
        Some(profile) if profile.metadata.policy_rules & PPR1_DISABLING_NOT_ALLOWED != 0 => 3,
        Some(profile) => {
            profile.enabled = false;
            let (iccid, notify) = (profile.metadata.iccid, profile.metadata.notify.clone());
            super::notifications::tell(chip, event::DISABLE, iccid, &notify);
            0
        }
    };
    Ok(tlv(0xBF32, number(0x80, code)))
}
