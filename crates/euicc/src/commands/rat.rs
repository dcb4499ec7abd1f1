//! ES10b: `GetRAT` (SGP.22 5.7.22): which operators may set which profile policy rules.

use crate::chip::Euicc;
use crate::error::Result;
use crate::metadata::{PPR1_DISABLING_NOT_ALLOWED, PPR2_DELETION_NOT_ALLOWED};
use crate::tlv::{Tlv, bits, join, tlv};

/// One rule: any operator (`EEEEEE`) may set what the chip does not forbid, if the user agrees.
pub(crate) fn answer(chip: &Euicc, request: Tlv<'_>) -> Result<Vec<u8>> {
    request.inside().end()?;
    let both = PPR1_DISABLING_NOT_ALLOWED | PPR2_DELETION_NOT_ALLOWED;
    let allowed = both & !chip.settings.forbidden_policy_rules;
    let any_operator = tlv(0x30, tlv(0x80, [0xEE; 3]));
    let rule = join(
        0x30,
        &[&bits(0x80, allowed), &tlv(0xA1, any_operator), &bits(0x82, 0x80)],
    );
    let table = if allowed == 0 { Vec::new() } else { rule };
    Ok(tlv(0xBF43, tlv(0xA0, table)))
}
