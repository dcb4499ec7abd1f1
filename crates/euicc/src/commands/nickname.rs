//! ES10c: `SetNickname` (SGP.22 5.7.21).

use crate::chip::Euicc;
use crate::error::Result;
use crate::tlv::{Tlv, number, tlv};

const NICKNAME_LENGTH_MAX: usize = 64;

/// 0 done (an empty name takes it away); 1 no such profile; 127 over 64 bytes.
pub(crate) fn answer(chip: &mut Euicc, request: Tlv<'_>) -> Result<Vec<u8>> {
    let mut fields = request.inside();
    let by = fields.expect(0x5A)?;
    let name = fields.expect(0x90)?.text()?;
    fields.end()?;
    let code = match super::select::find(&chip.profiles, by)? {
        None => 1,
        Some(_) if name.len() > NICKNAME_LENGTH_MAX => 127,
        Some(at) => {
            chip.profiles[at].nickname = (!name.is_empty()).then(|| name.to_owned());
            0
        }
    };
    Ok(tlv(0xBF29, number(0x80, code)))
}
