//! ES10a: `GetEuiccConfiguredAddresses` and `SetDefaultDpAddress` (SGP.22 5.7.3, 5.7.4).

use crate::chip::Euicc;
use crate::error::Result;
use crate::tlv::{Tlv, join, number, tlv};

const HOST_LENGTH_MAX: usize = 255;

/// The default SM-DP+, if one is set, and the root SM-DS.
pub(crate) fn configured(chip: &Euicc, request: Tlv<'_>) -> Result<Vec<u8>> {
    request.inside().end()?;
    let default = chip
        .default_smdp
        .as_deref()
        .map(|it| tlv(0x80, it))
        .unwrap_or_default();
    Ok(join(0xBF3C, &[&default, &tlv(0x81, &chip.settings.root_smds)]))
}

/// An empty address takes the default away. Result 0, or 127 for one that is no host name.
pub(crate) fn set_default(chip: &mut Euicc, request: Tlv<'_>) -> Result<Vec<u8>> {
    let mut fields = request.inside();
    let address = fields.expect(0x80)?.text()?;
    fields.end()?;
    let usable = address.len() <= HOST_LENGTH_MAX && address.bytes().all(|it| it.is_ascii_graphic());
    if usable {
        chip.default_smdp = (!address.is_empty()).then(|| address.to_owned());
    }
    Ok(tlv(0xBF3F, number(0x80, if usable { 0 } else { 127 })))
}
