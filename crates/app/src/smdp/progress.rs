//! Tells the operator's system how a download goes: ES2+ HandleDownloadProgressInfo, through the outbox.

use super::settle::Settle;
use crate::draft::Draft;
use crate::entry::hex;
use crate::ports::{OperatorLink, ProgressCall};
use crate::worker::Tried;
use crate::{App, Error};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use simwarden_model::{Eid, Iccid, OutboxId, Timestamp};
use simwarden_rsp::effect::{Effect, NotificationPoint};
use simwarden_rsp::json::{Caller, ProgressInfo};
use simwarden_rsp::{Order, Refusal};
use simwarden_store::StoreError;
use simwarden_store::records::outbox::OutboxItem;

/// What such effects are called.
pub(crate) const PROGRESS: &str = "progress";
/// Who calls, in the header of every call.
const REQUESTER: &str = "simwarden";

/// What stands in the outbox in the clear.
#[derive(Serialize, Deserialize)]
struct Payload {
    owner: String,
    order: String,
    point: u8,
    refusal: Option<String>,
    at: Timestamp,
}

/// And what is sealed.
#[derive(Serialize, Deserialize)]
struct Secret {
    iccid: String,
    eid: Option<String>,
    profile_type: String,
    /// Base64 of the chip's own words.
    result: Option<String>,
}

fn context(id: OutboxId) -> Vec<u8> {
    [b"progress", &id.as_bytes()[..]].concat()
}

/// Puts a call for every point that was reached into the outbox, if the owner of the profile wants to be told.
pub(super) fn queue_progress(settle: &Settle<'_>, order: &Order, draft: &mut Draft<'_>) -> Result<(), Error> {
    if !settle.world.smdp.told.contains(&order.owner) {
        return Ok(());
    }
    for effect in settle.effects {
        let Effect::Progress {
            point,
            refusal,
            result,
        } = effect
        else {
            continue;
        };
        let id = OutboxId::draw(draft.now, draft.entropy);
        let payload = Payload {
            owner: order.owner.clone(),
            order: hex(&order.reference.0),
            point: point.id(),
            refusal: refusal.map(|it| it.name().to_owned()),
            at: draft.now,
        };
        let secret = Secret {
            iccid: order.iccid.reveal().to_owned(),
            eid: settle.eid.map(|eid| eid.reveal().to_owned()),
            profile_type: order.profile_type.clone(),
            result: result.as_ref().map(|bytes| BASE64.encode(bytes)),
        };
        let plain = serde_json::to_vec(&secret).map_err(Error::internal)?;
        let sealed = settle
            .shared
            .keyring
            .seal_common(&context(id), &plain, draft.entropy);
        draft.outbox(OutboxItem {
            id,
            operation_id: None,
            party_id: None,
            kind: PROGRESS.to_owned(),
            payload: serde_json::to_string(&payload).map_err(Error::internal)?,
            sealed: Some(sealed),
            due_at: draft.now,
            attempts: 0,
            done_at: None,
            outcome: None,
            entry: draft.index(),
        });
    }
    Ok(())
}

const fn point(id: u8) -> Option<NotificationPoint> {
    match id {
        1 => Some(NotificationPoint::Eligibility),
        2 => Some(NotificationPoint::Confirmation),
        3 => Some(NotificationPoint::Download),
        4 => Some(NotificationPoint::Installation),
        5 => Some(NotificationPoint::Deletion),
        _ => None,
    }
}

/// Makes the call. Without anybody who wants to hear it any more it is done.
pub(crate) async fn tell_operator(
    app: &App,
    operators: &dyn OperatorLink,
    item: &OutboxItem,
) -> Result<Tried, Error> {
    let payload: Payload = serde_json::from_str(&item.payload).map_err(Error::internal)?;
    let unread = || Error::internal("a progress call that does not read");
    let sealed = item.sealed.as_ref().ok_or_else(unread)?;
    let plain = app.keyring().open_common(&context(item.id), sealed);
    let plain = plain.map_err(StoreError::Key)?;
    let secret: Secret = serde_json::from_slice(&plain).map_err(Error::internal)?;
    let result = secret.result.map(|text| BASE64.decode(text)).transpose();
    let result = result.map_err(Error::internal)?;
    let eid = secret.eid.map(|text| Eid::parse_vouched(&text).map(|it| it.0));
    let info = ProgressInfo {
        caller: Caller {
            requester: REQUESTER.to_owned(),
            call: item.id.to_string(),
        },
        eid: eid.transpose().map_err(Error::internal)?,
        iccid: Iccid::parse_vouched(&secret.iccid).map_err(Error::internal)?.0,
        profile_type: &secret.profile_type,
        at: payload.at,
        point: point(payload.point).ok_or_else(unread)?,
        refusal: payload.refusal.as_deref().and_then(Refusal::from_name),
        result: result.as_deref(),
    };
    let body = info.to_json();
    for caller in app.es2_callers(Some(&payload.owner)).await? {
        let Some(callback) = caller.callback else { continue };
        let call = ProgressCall {
            callback,
            body: body.clone(),
        };
        match Tried::from(operators.progress(item.id, &call).await) {
            Tried::Done => {}
            other => return Ok(other),
        }
    }
    Ok(Tried::Done)
}
