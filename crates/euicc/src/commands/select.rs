//! Which profile a command means: by ICCID (5A) or by the AID of its security domain (4F).

use crate::error::{EuiccError, Result};
use crate::state::Profile;
use crate::tlv::Tlv;

/// The place of the profile, if there is one.
pub(crate) fn find(profiles: &[Profile], by: Tlv<'_>) -> Result<Option<usize>> {
    let matches: &dyn Fn(&Profile) -> bool = match by.tag {
        0x5A => &|it| it.metadata.iccid == by.value,
        0x4F => &|it| it.aid == by.value,
        other => {
            return Err(EuiccError::Unexpected {
                wanted: 0x5A,
                got: Some(other),
            });
        }
    };
    Ok(profiles.iter().position(matches))
}

/// `A0{5A or 4F} 81 refreshFlag`, as enabling and disabling are asked for.
pub(crate) fn find_with_refresh(profiles: &[Profile], request: Tlv<'_>) -> Result<Option<usize>> {
    let mut fields = request.inside();
    let mut choice = fields.expect(0xA0)?.inside();
    let by = choice
        .next()?
        .ok_or(EuiccError::Malformed("no profile is named"))?;
    choice.end()?;
    fields.expect(0x81)?.array::<1>()?;
    fields.end()?;
    find(profiles, by)
}
