//! Tells the subscriber of what happened to a download, where an operation stands behind the order.

use super::settle::Settle;
use crate::Error;
use crate::decide::Work;
use crate::draft::Draft;
use crate::notice::Occasion;
use simwarden_guard::Notify;
use simwarden_rsp::Order;
use simwarden_rsp::effect::{Effect, Notice};
use simwarden_store::records::smdp_order::SmdpOrder;

/// The written name, for ledger entries.
pub(super) const fn notice_name(notice: Notice) -> &'static str {
    match notice {
        Notice::OtherDeviceTried => "other_device_tried",
        Notice::WrongCode => "wrong_code",
        Notice::CodesExhausted => "codes_exhausted",
        Notice::Held => "held",
        Notice::Cancelled => "cancelled",
        Notice::Installed => "installed",
        Notice::InstallFailed => "install_failed",
    }
}

/// What is said on which notice, and the bit by which the order remembers that it was. A code mistyped once is nobody's
/// business, and that the profile is installed is told with the end of the operation.
const fn occasion(notice: Notice) -> Option<(Occasion, u8)> {
    match notice {
        Notice::OtherDeviceTried => Some((Occasion::DownloadElsewhere, 1)),
        Notice::CodesExhausted => Some((Occasion::DownloadCodes, 2)),
        Notice::Held => Some((Occasion::DownloadHeld, 4)),
        Notice::Cancelled | Notice::InstallFailed => Some((Occasion::DownloadFailed, 8)),
        Notice::WrongCode | Notice::Installed => None,
    }
}

/// Queues notices, each kind once in an order's life: whoever holds a stolen code must not be able to flood its owner.
/// Answers of what the subscriber was told by now.
pub(super) fn tell_subscriber(
    settle: &Settle<'_>,
    row: &SmdpOrder,
    order: &Order,
    draft: &mut Draft<'_>,
) -> Result<u8, Error> {
    let mut told = order.told;
    let Some(operation) = row.operation_id else {
        return Ok(told);
    };
    let Ok(work) = Work::load(settle.shared, settle.world, operation) else {
        // Erased, or not read: there is nobody to tell.
        return Ok(told);
    };
    for effect in settle.effects {
        let Effect::Tell(notice) = effect else { continue };
        if let Some((occasion, bit)) = occasion(*notice)
            && told & bit == 0
        {
            work.tell(occasion, &[Notify::OldSim, Notify::App, Notify::Contact], draft)?;
            told |= bit;
        }
    }
    Ok(told)
}
