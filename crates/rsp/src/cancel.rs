//! ES9+ CancelSession: the person or the phone ends a session (SGP.22 v2, 5.6.5 and 3.1.3).

use crate::authenticate::{Granted, NotGranted};
use crate::curve::{Curve, PublicKey};
use crate::der::{Tlv, check_tree};
use crate::effect::{Denied, Effect, Notice, NotificationPoint, Step, digest};
use crate::order::Order;
use crate::server::Server;
use crate::session::{Phase, Session};
use crate::status::Refusal;
use simwarden_model::{ProfileEvent, Timestamp};

/// Why a session is ended, as the chip signs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CancelReason {
    /// The person declined.
    EndUserRejection,
    /// The person wants it later.
    Postponed,
    /// Nobody answered.
    Timeout,
    /// Profile policy rules are not allowed on this phone.
    PolicyRule,
    /// The metadata of the package differed from what was shown.
    MetadataMismatch,
    /// The package could not be loaded.
    LoadError,
    /// Any other.
    Undefined,
}

impl CancelReason {
    const fn from_code(code: u32) -> Self {
        match code {
            0 => Self::EndUserRejection,
            1 => Self::Postponed,
            2 => Self::Timeout,
            3 => Self::PolicyRule,
            4 => Self::MetadataMismatch,
            5 => Self::LoadError,
            _ => Self::Undefined,
        }
    }

    /// Whether the order stays open after it.
    #[must_use]
    pub const fn keeps_order(self) -> bool {
        matches!(self, Self::Postponed | Self::Timeout)
    }
}

/// A cancellation that the chip of the session has signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// Why.
    pub reason: CancelReason,
    /// SHA-256 of euiccCancelSessionSigned.
    pub signed_digest: [u8; 32],
}

/// Verifies `BF41`: session, signature, transaction, SM-DP+ OID.
///
/// # Errors
/// [`Refusal`] of the first check that fails. Nothing changes.
pub fn verify(
    server: &Server,
    session: &Session,
    response: &[u8],
    now: Timestamp,
) -> Result<Verified, Refusal> {
    let authenticated = session.check_authenticated(now)?;
    let outer = Tlv::parse_as(response, 0xBF41)?;
    let mut choice = outer.inner();
    let ok = choice.read()?;
    choice.finish()?;
    if ok.tag == 0x81 {
        return Err(Refusal::EuiccError);
    }
    if ok.tag != 0xA0 {
        return Err(Refusal::Malformed);
    }
    let mut parts = ok.inner();
    let signed = parts.expect(0x30)?;
    check_tree(&signed)?;
    let signature = parts.expect(0x5F37)?;
    parts.finish()?;
    let key = PublicKey::parse(Curve::P256, &authenticated.euicc_key).map_err(|_| Refusal::EuiccSignature)?;
    if !key.verify(signed.raw, signature.value) {
        return Err(Refusal::EuiccSignature);
    }
    let mut fields = signed.inner();
    if fields.expect(0x80)?.value != session.transaction.as_bytes() {
        return Err(Refusal::UnknownTransaction);
    }
    let oid = fields.expect(0x81)?.value;
    let ours = server
        .identity(session.our_key_id())
        .ok_or(Refusal::NoCertificate)?;
    if oid != ours.oid() {
        return Err(Refusal::WrongSmdpOid);
    }
    let reason = fields.expect(0x82)?.unsigned()?;
    fields.finish()?;
    Ok(Verified {
        reason: CancelReason::from_code(reason),
        signed_digest: digest(signed.raw),
    })
}

/// What a cancellation is decided by, besides session and order.
#[derive(Debug, Clone, Copy)]
pub struct CancelFacts {
    /// A call of the session may have gone without an answer, or with "not now": clients cancel after that as well.
    pub put_off: bool,
    /// The time.
    pub now: Timestamp,
}

/// Ends the session, inside the writing transaction.
///
/// SGP.22 lets an order die of every reason but "postponed" and "timeout". It speaks of a person's word; clients send
/// "rejected" after any failure as well (their own, ours, a mistyped code), and a cancellation that arrives after the
/// package cannot take it back. So the order stays open, for the chip that it is bound to, when
///
/// * the package was sent in this session: what became of it is said by the chip's signed install result, which counts
///   after this as before;
/// * the last request for the package was refused in this session, or put off by us ([`CancelFacts::put_off`]);
/// * it waits for its confirmation code from a chip it does not know yet: whoever holds only the activation code must
///   not be able to burn it.
///
/// In all other cases it is the person who declined, or a phone that the profile does not suit: the order is dead, and
/// the subscriber is told.
///
/// # Errors
/// [`NotGranted`] when the session or the order is not what it was verified for.
pub fn claim(
    session: &mut Session,
    order: &mut Order,
    verified: &Verified,
    facts: CancelFacts,
) -> Result<Granted<()>, NotGranted> {
    let denied = |refusal: Refusal| NotGranted::Denied(Denied::from(refusal));
    let authenticated = session.check_authenticated(facts.now).map_err(denied)?;
    if authenticated.order != order.reference {
        return Err(denied(Refusal::UnknownTransaction));
    }
    let eid = authenticated.eid;
    let mut effects = vec![
        Effect::SessionChanged,
        Effect::record(Step::Cancelled, eid, verified.signed_digest),
    ];
    let unproven = order.confirmation.is_some() && order.eid.is_none();
    let failed = session.was_refused() || facts.put_off;
    let keeps = verified.reason.keeps_order() || session.delivered || failed || unproven;
    session.phase = Phase::Ended;
    let from = order.state;
    // Another chip's cancellation never touches an order that was bound meanwhile.
    if !keeps && order.check_chip(&eid).is_ok() && order.apply(ProfileEvent::Fail).is_ok() {
        order.erase_secrets();
        effects.extend([
            Effect::OrderMoved {
                from,
                to: order.state,
            },
            Effect::Tell(Notice::Cancelled),
            Effect::EraseProfile,
        ]);
    }
    effects.push(Effect::Progress {
        point: NotificationPoint::Download,
        refusal: Some(Refusal::EuiccError),
        result: None,
    });
    Ok(Granted { answer: (), effects })
}
