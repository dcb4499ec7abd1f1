//! ES10c: `EnableProfile` (SGP.22 5.7.16): the profile comes into use, the one before goes out of it.

use crate::chip::Euicc;
use crate::error::Result;
use crate::metadata::{PPR1_DISABLING_NOT_ALLOWED, event};
use crate::tlv::{Tlv, number, tlv};

/// 0 done; 1 no such profile; 2 it is enabled already; 3 the profile in use must not be disabled.
pub(crate) fn answer(chip: &mut Euicc, request: Tlv<'_>) -> Result<Vec<u8>> {
    let code = match super::select::find_with_refresh(&chip.profiles, request)? {
        None => 1,
        Some(at) if chip.profiles[at].enabled => 2,
        Some(at) => enable(chip, at),
    };
    Ok(tlv(0xBF31, number(0x80, code)))
}

fn enable(chip: &mut Euicc, at: usize) -> u64 {
    if let Some(before) = chip.profiles.iter().position(|it| it.enabled) {
        let profile = &mut chip.profiles[before];
        if profile.metadata.policy_rules & PPR1_DISABLING_NOT_ALLOWED != 0 {
            return 3;
        }
        profile.enabled = false;
        let (iccid, notify) = (profile.metadata.iccid, profile.metadata.notify.clone());
        super::notifications::tell(chip, event::DISABLE, iccid, &notify);
    }
    let profile = &mut chip.profiles[at];
    profile.enabled = true;
    let (iccid, notify) = (profile.metadata.iccid, profile.metadata.notify.clone());
    super::notifications::tell(chip, event::ENABLE, iccid, &notify);
    0
}
