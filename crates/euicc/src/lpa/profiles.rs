//! Profiles and notifications on the chip, as a device asks for them.

use super::{Es10, Request, es9plus};
use crate::error::{EuiccError, Result};
use crate::tlv::{self, join, number};
use simwarden_model::Iccid;

/// A notification that waits on the chip, and the call that delivers it.
#[derive(Debug, Clone, PartialEq)]
pub struct Pending {
    /// Its number, for [`notification_sent`].
    pub seq: u64,
    /// The host that it is for.
    pub address: String,
    /// `handleNotification` with it.
    pub request: Request,
}

/// `EnableProfile`: 0 is done, anything else the chip's reason (SGP.22 5.7.16).
///
/// # Errors
/// [`EuiccError`] when the chip does not answer as it should.
pub fn enable(es10: Es10<'_>, iccid: &Iccid) -> Result<u64> {
    change(es10, 0xBF31, iccid)
}

/// `DisableProfile`: 0 is done, anything else the chip's reason (SGP.22 5.7.17).
///
/// # Errors
/// As [`enable`].
pub fn disable(es10: Es10<'_>, iccid: &Iccid) -> Result<u64> {
    change(es10, 0xBF32, iccid)
}

/// `DeleteProfile`: 0 is done, anything else the chip's reason (SGP.22 5.7.18).
///
/// # Errors
/// As [`enable`].
pub fn delete(es10: Es10<'_>, iccid: &Iccid) -> Result<u64> {
    let answer = es10(&tlv::tlv(0xBF33, tlv::tlv(0x5A, iccid.to_bcd())))?;
    code(&answer, 0xBF33)
}

/// Everything that waits to be sent, the oldest first.
///
/// # Errors
/// As [`enable`].
pub fn pending_notifications(es10: Es10<'_>) -> Result<Vec<Pending>> {
    let answer = es10(&tlv::tlv(0xBF2B, []))?;
    let Some(list) = tlv::only(&answer, 0xBF2B)?.inside().optional(0xA0)? else {
        return Ok(Vec::new());
    };
    let mut notifications = list.inside();
    let mut pending = Vec::new();
    while let Some(notification) = notifications.next()? {
        let mut inside = notification.inside();
        let about = match notification.tag {
            0xBF37 => {
                let mut data = inside.expect(0xBF27)?.inside();
                data.expect(0x80)?;
                data.expect(0xBF2F)?
            }
            _ => inside.expect(0xBF2F)?,
        };
        let mut about = about.inside();
        let seq = about.expect(0x80)?.number()?;
        about.expect(0x81)?;
        pending.push(Pending {
            seq,
            address: about.expect(0x0C)?.text()?.to_owned(),
            request: es9plus::notification(notification.raw),
        });
    }
    Ok(pending)
}

/// Takes a notification off the chip; false when it is not there.
///
/// # Errors
/// As [`enable`].
pub fn notification_sent(es10: Es10<'_>, seq: u64) -> Result<bool> {
    let answer = es10(&tlv::tlv(0xBF30, number(0x80, seq)))?;
    Ok(code(&answer, 0xBF30)? == 0)
}

fn change(es10: Es10<'_>, tag: u32, iccid: &Iccid) -> Result<u64> {
    let profile = tlv::tlv(0xA0, tlv::tlv(0x5A, iccid.to_bcd()));
    let answer = es10(&join(tag, &[&profile, &tlv::tlv(0x81, [0])]))?;
    code(&answer, tag)
}

fn code(answer: &[u8], tag: u32) -> Result<u64> {
    let mut fields = tlv::only(answer, tag)?.inside();
    let code = fields
        .next()?
        .ok_or(EuiccError::Malformed("an answer without result"))?;
    code.number()
}
