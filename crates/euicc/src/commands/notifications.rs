//! ES10b: `ListNotification`, `RetrieveNotificationsList`, `RemoveNotificationFromList` (SGP.22 5.7.9 to 5.7.11), and
//! how notifications of enabling, disabling and deleting are made (3.5).

use super::load_effects::keep;
use crate::chip::Euicc;
use crate::error::Result;
use crate::faults::Signed;
use crate::state::Notification;
use crate::tlv::{Tlv, bits, join, number, tlv};

/// What waits to be sent: number, event, address and ICCID of each.
pub(crate) fn list(chip: &Euicc, request: Tlv<'_>) -> Result<Vec<u8>> {
    let mut fields = request.inside();
    let events = fields.optional(0x81)?.map_or(Ok(0xF0), |it| it.bits())?;
    fields.end()?;
    let waiting = chip.notifications.iter().filter(|it| it.event & events != 0);
    let all: Vec<u8> = waiting
        .flat_map(|it| about(it.seq, it.event, &it.address, it.iccid))
        .collect();
    Ok(tlv(0xBF28, tlv(0xA0, all)))
}

/// The signed notifications themselves: all, one by its number, or those of some events.
pub(crate) fn retrieve(chip: &Euicc, request: Tlv<'_>) -> Result<Vec<u8>> {
    let mut fields = request.inside();
    let mut by = match fields.optional(0xA0)? {
        Some(criteria) => {
            fields.end()?;
            criteria.inside()
        }
        None => fields,
    };
    let seq = by.optional(0x80)?.map(|it| it.number()).transpose()?;
    let events = by.optional(0x81)?.map_or(Ok(0xF0), |it| it.bits())?;
    by.end()?;
    let wanted = |it: &&Notification| seq.is_none_or(|seq| it.seq == seq) && it.event & events != 0;
    let found: Vec<u8> = chip
        .notifications
        .iter()
        .filter(wanted)
        .flat_map(|it| it.der.clone())
        .collect();
    Ok(if found.is_empty() {
        tlv(0xBF2B, number(0x81, 1))
    } else {
        tlv(0xBF2B, tlv(0xA0, found))
    })
}

/// Result 0, or 1 when no notification has this number.
pub(crate) fn remove(chip: &mut Euicc, request: Tlv<'_>) -> Result<Vec<u8>> {
    let mut fields = request.inside();
    let seq = fields.expect(0x80)?.number()?;
    fields.end()?;
    let found = chip.notifications.iter().position(|it| it.seq == seq);
    if let Some(at) = found {
        chip.notifications.remove(at);
    }
    Ok(tlv(0xBF30, number(0x80, u64::from(found.is_none()))))
}

/// Makes a notification for everyone whom the profile wants told of this event.
pub(crate) fn tell(chip: &mut Euicc, event: u8, iccid: [u8; 10], notify: &[(u8, String)]) {
    for (events, address) in notify {
        if events & event == 0 {
            continue;
        }
        let seq = chip.next_seq;
        chip.next_seq += 1;
        let signed = about(seq, event, address, Some(iccid));
        let signature = chip.sign(Signed::Notification, &[&signed]);
        let certificate = chip.shown_certificate();
        let der = join(
            0x30,
            &[&signed, &signature, &certificate, chip.identity.eum.der()],
        );
        keep(
            chip,
            Notification {
                seq,
                event,
                address: address.clone(),
                iccid: Some(iccid),
                der,
            },
        );
    }
}

/// `NotificationMetadata`.
fn about(seq: u64, event: u8, address: &str, iccid: Option<[u8; 10]>) -> Vec<u8> {
    let profile = iccid.map(|it| tlv(0x5A, it)).unwrap_or_default();
    join(
        0xBF2F,
        &[
            &number(0x80, seq),
            &bits(0x81, event),
            &tlv(0x0C, address),
            &profile,
        ],
    )
}
