//! Orders, sessions and packages of the core as rows, and back: everything sealed under the common key.

use crate::secrets::{Of, open_common, seal_common};
use crate::{Error, smdp::world::SmdpWrite};
use serde::{Deserialize, Serialize};
use simwarden_model::{Eid, Entropy, Iccid, OperationId, Timestamp};
use simwarden_rsp::clone_signs::Sighting;
use simwarden_rsp::order::Matching;
use simwarden_rsp::session::Phase;
use simwarden_rsp::{MatchingId, Order, Prepared, Session, TransactionId};
use simwarden_store::records::smdp_chip::SmdpChip;
use simwarden_store::records::smdp_order::SmdpOrder;
use simwarden_store::records::smdp_package::{PackageKind, SmdpPackage};
use simwarden_store::records::smdp_session::SmdpSession;
use simwarden_store::{BlindIndex, Indexed, Keyring, StoreError};

pub(crate) fn eid_index(keyring: &Keyring, eid: &Eid) -> BlindIndex {
    keyring.index(Indexed::Eid, eid.reveal().as_bytes())
}

pub(crate) fn iccid_index(keyring: &Keyring, iccid: &Iccid) -> BlindIndex {
    keyring.index(Indexed::Iccid, iccid.reveal().as_bytes())
}

pub(crate) fn matching_index(keyring: &Keyring, id: &MatchingId) -> BlindIndex {
    keyring.index(Indexed::MatchingId, id.reveal().as_bytes())
}

pub(crate) fn transaction_index(keyring: &Keyring, id: &TransactionId) -> BlindIndex {
    keyring.index(Indexed::Transaction, id.as_bytes())
}

/// An order as it is sealed: with the operation that it belongs to, so that neither can be taken from the other.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct SealedOrder {
    #[serde(flatten)]
    order: Order,
    #[serde(default)]
    operation: Option<OperationId>,
}

/// An order that was not in the database before.
pub(crate) fn new_order(
    keyring: &Keyring,
    order: &Order,
    operation: Option<OperationId>,
    now: Timestamp,
    entropy: &mut dyn Entropy,
) -> Result<SmdpOrder, Error> {
    let sealed = SealedOrder {
        order: order.clone(),
        operation,
    };
    Ok(SmdpOrder {
        id: order.reference.0,
        operator: order.owner.clone(),
        profile_type: order.profile_type.clone(),
        operation_id: operation,
        iccid_idx: iccid_index(keyring, &order.iccid),
        matching_idx: match &order.matching {
            Matching::Id(id) => Some(matching_index(keyring, id)),
            Matching::Unset | Matching::DefaultForEid => None,
        },
        eid_idx: order.eid.as_ref().map(|eid| eid_index(keyring, eid)),
        default_for_eid: order.matching == Matching::DefaultForEid,
        state: order.state,
        sealed: seal_common(keyring, Of::SmdpOrder, &order.reference.0, &sealed, entropy)?,
        expires_at: order.expires_at,
        created_at: now,
        version: 1,
    })
}

/// The next version of an order's row.
pub(crate) fn changed_order(
    keyring: &Keyring,
    before: &SmdpOrder,
    order: &Order,
    entropy: &mut dyn Entropy,
) -> Result<SmdpOrder, Error> {
    let row = new_order(keyring, order, before.operation_id, before.created_at, entropy)?;
    Ok(SmdpOrder {
        version: before.version + 1,
        ..row
    })
}

/// The order in a row. What stands in the row beside the seal must be what is sealed: an EID or state that somebody
/// changed in the database moves nothing.
pub(crate) fn open_order(keyring: &Keyring, row: &SmdpOrder) -> Result<Order, Error> {
    let SealedOrder { order, operation } = open_common(keyring, Of::SmdpOrder, &row.id, &row.sealed)?;
    let same = order.state == row.state
        && operation == row.operation_id
        && order.reference.0 == row.id
        && order.owner == row.operator
        && order.eid.as_ref().map(|eid| eid_index(keyring, eid)) == row.eid_idx;
    if same {
        Ok(order)
    } else {
        Err(StoreError::Corrupt("an order's columns are not those that were sealed".to_owned()).into())
    }
}

/// A session as it is kept: with what freezes are checked by.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct KeptSession {
    pub session: Session,
    /// The kind of phone, eight digits.
    pub tac: String,
    /// The key of the chip's maker, hexadecimal.
    pub eum: String,
}

const fn phase_name(phase: Phase) -> &'static str {
    match phase {
        Phase::Init => "init",
        Phase::Authenticated => "authenticated",
        Phase::Delivered => "delivered",
        Phase::Ended => "ended",
    }
}

pub(crate) fn session_row(
    keyring: &Keyring,
    kept: &KeptSession,
    eid: &Eid,
    entropy: &mut dyn Entropy,
) -> Result<SmdpSession, Error> {
    let tid_idx = transaction_index(keyring, &kept.session.transaction);
    Ok(SmdpSession {
        tid_idx,
        order_id: kept.session.authenticated.as_ref().map(|it| it.order.0),
        eid_idx: eid_index(keyring, eid),
        phase: phase_name(kept.session.phase).to_owned(),
        sealed: seal_common(keyring, Of::SmdpSession, tid_idx.as_bytes(), kept, entropy)?,
        expires_at: kept.session.expires_at,
    })
}

pub(crate) fn open_session(keyring: &Keyring, row: &SmdpSession) -> Result<KeptSession, Error> {
    open_common(keyring, Of::SmdpSession, row.tid_idx.as_bytes(), &row.sealed)
}

pub(crate) fn chip_row(
    keyring: &Keyring,
    sighting: &Sighting,
    now: Timestamp,
    entropy: &mut dyn Entropy,
) -> Result<SmdpChip, Error> {
    let eid_idx = eid_index(keyring, &sighting.eid);
    Ok(SmdpChip {
        eid_idx,
        sealed: seal_common(keyring, Of::SmdpChip, eid_idx.as_bytes(), sighting, entropy)?,
        seen_at: now,
    })
}

pub(crate) fn open_chip(keyring: &Keyring, row: &SmdpChip) -> Result<Sighting, Error> {
    open_common(keyring, Of::SmdpChip, row.eid_idx.as_bytes(), &row.sealed)
}

/// What a package is sealed for: which order, and in which form.
fn package_context(kind: PackageKind, order: &[u8; 16]) -> [u8; 17] {
    let of = match kind {
        PackageKind::Profile => Of::SmdpProfile,
        PackageKind::Prepared => Of::SmdpPrepared,
    };
    of.context(order)
}

pub(crate) fn package_write(
    keyring: &Keyring,
    kind: PackageKind,
    order: [u8; 16],
    bytes: &[u8],
    entropy: &mut dyn Entropy,
) -> SmdpWrite {
    SmdpWrite::Package(SmdpPackage {
        order_id: order,
        kind,
        sealed: keyring.seal_common(&package_context(kind, &order), bytes, entropy),
    })
}

pub(crate) fn prepared_write(
    keyring: &Keyring,
    order: [u8; 16],
    prepared: &Prepared,
    entropy: &mut dyn Entropy,
) -> SmdpWrite {
    package_write(
        keyring,
        PackageKind::Prepared,
        order,
        &prepared.to_bytes(),
        entropy,
    )
}

pub(crate) fn open_package(
    keyring: &Keyring,
    kind: PackageKind,
    order: &[u8; 16],
    sealed: &[u8],
) -> Result<Vec<u8>, Error> {
    Ok(keyring
        .open_common(&package_context(kind, order), sealed)
        .map_err(StoreError::Key)?)
}
