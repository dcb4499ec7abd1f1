//! ES10c: `eUICCMemoryReset` (SGP.22 5.7.19): profiles of some kinds are deleted, whatever their state and rules.

use crate::chip::Euicc;
use crate::error::Result;
use crate::metadata::event;
use crate::tlv::{Tlv, number, tlv};

const OPERATIONAL: u8 = 0x80;
const TEST: u8 = 0x40;
const DEFAULT_SMDP: u8 = 0x20;

/// 0 done; 1 there was nothing to delete.
pub(crate) fn answer(chip: &mut Euicc, request: Tlv<'_>) -> Result<Vec<u8>> {
    let mut fields = request.inside();
    let options = fields.expect(0x82)?.bits()?;
    fields.end()?;
    let goes = |class: u8| options & if class == 0 { TEST } else { OPERATIONAL } != 0;
    let all = std::mem::take(&mut chip.profiles);
    let (gone, kept): (Vec<_>, Vec<_>) = all.into_iter().partition(|it| goes(it.metadata.class));
    chip.profiles = kept;
    let mut nothing = gone.is_empty();
    for profile in gone {
        let about = profile.metadata;
        super::notifications::tell(chip, event::DELETE, about.iccid, &about.notify);
    }
    if options & DEFAULT_SMDP != 0 {
        nothing &= chip.default_smdp.take().is_none();
    }
    Ok(tlv(0xBF34, number(0x80, u64::from(nothing))))
}
