//! ES9+ GetBoundProfilePackage: the profile for this chip, and the point where an order is bound to it for good
//! (SGP.22 v2, 5.6.2 and 3.1.3).
//!
//! Three steps as in `authenticate`: [`verify`] (cryptography), [`build`] (the package, on a snapshot of the order),
//! [`claim`] (inside the writing transaction). The package leaves only after the claim is durable.

use crate::authenticate::{Granted, NotGranted};
use crate::clone_signs::CloneSign;
use crate::curve::{Curve, Point, PublicKey};
use crate::der::{Tlv, check_tree, tlv};
use crate::effect::{Denied, Effect, Notice, NotificationPoint, Step, digest};
use crate::gate::Gate;
use crate::key::OneTimeKey;
use crate::order::{Binding, Order};
use crate::package::{self, Prepared};
use crate::server::Server;
use crate::session::{LastCall, Phase, Session, TransactionId};
use crate::status::Refusal;
use simwarden_model::{Entropy, ProfileEvent, ReasonCode, Timestamp};

/// A request that the chip of the session has signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The one-time key of the chip, a point of the curve.
    pub ot_pk_euicc: PublicKey,
    /// The hash of the confirmation code, when one was entered.
    pub hash_cc: Option<[u8; 32]>,
    /// SHA-256 of euiccSigned2.
    pub signed_digest: [u8; 32],
    transaction: TransactionId,
    device: [u8; 32],
}

/// Verifies `BF21`: session, signature over euiccSigned2 and our smdpSignature2, transaction, one-time key.
///
/// # Errors
/// [`Refusal`] of the first check that fails. Nothing changes.
pub fn verify(session: &Session, response: &[u8], now: Timestamp) -> Result<Verified, Refusal> {
    let authenticated = session.check_authenticated(now)?;
    let outer = Tlv::parse_as(response, 0xBF21)?;
    let mut choice = outer.inner();
    let ok = choice.read()?;
    choice.finish()?;
    if ok.tag == 0xA1 {
        return Err(Refusal::EuiccError);
    }
    if ok.tag != 0xA0 {
        return Err(Refusal::Malformed);
    }
    let mut parts = ok.inner();
    let signed2 = parts.expect(0x30)?;
    check_tree(&signed2)?;
    let signature2 = parts.expect(0x5F37)?;
    parts.finish()?;
    let key = PublicKey::parse(Curve::P256, &authenticated.euicc_key).map_err(|_| Refusal::EuiccSignature)?;
    let message = [signed2.raw, &tlv(0x5F37, &[&authenticated.smdp_signature2])].concat();
    if !key.verify(&message, signature2.value) {
        return Err(Refusal::EuiccSignature);
    }
    let mut fields = signed2.inner();
    if fields.expect(0x80)?.value != session.transaction.as_bytes() {
        return Err(Refusal::UnknownTransaction);
    }
    let ot_pk = fields.expect(0x5F49)?;
    let hash_cc = fields.optional(0x04)?.map(|hash| hash.array()).transpose()?;
    fields.finish()?;
    Ok(Verified {
        ot_pk_euicc: PublicKey::parse(Curve::P256, ot_pk.value).map_err(|_| Refusal::EuiccSignature)?,
        hash_cc,
        signed_digest: digest(signed2.raw),
        transaction: session.transaction,
        device: authenticated.device,
    })
}

/// Which prepared package a build needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// The one that is kept with the order; nothing was sent yet.
    Kept,
    /// The one that is kept with the order; the same bytes go out again.
    Same,
    /// A new one, made from the unprotected profile: the chip comes with another one-time key, in the same phone.
    Fresh,
    /// None: the order was bound anew too often, or the chip sits in another phone than the one that fetched it first.
    /// Whoever holds a copied chip key could else fetch the package after its owner.
    Refused,
}

/// Says which prepared package to bring to [`build`].
#[must_use]
pub fn need(order: &Order, verified: &Verified) -> Need {
    match &order.binding {
        None => Need::Kept,
        Some(binding) if binding.ot_pk_euicc == *verified.ot_pk_euicc.point() => Need::Same,
        Some(binding)
            if order.rebindings < order.limits.rebindings_max && binding.device == verified.device =>
        {
            Need::Fresh
        }
        Some(_) => Need::Refused,
    }
}

/// A package that is not to be sent before the order was claimed for it.
#[derive(Clone, PartialEq, Eq)]
pub struct Built {
    package: Vec<u8>,
    binding: Binding,
    of: (crate::OrderRef, Option<Point>),
}

impl core::fmt::Debug for Built {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Built({} bytes)", self.package.len())
    }
}

fn bound_to(order: &Order) -> (crate::OrderRef, Option<Point>) {
    (order.reference, order.binding.as_ref().map(|it| it.ot_pk_euicc))
}

/// Makes the package on a snapshot of the order, outside of any transaction.
///
/// With [`Need::Fresh`], `prepared` must be a new one ([`Prepared::make`] from the kept profile), and it must be kept
/// with the order in the transaction of the claim.
///
/// # Errors
/// [`Refusal`] when the order is not to be had anyway, the code is wrong, the prepared package is not the one that is
/// needed, or signing failed. Go on to [`claim`] all the same: it counts and records.
pub fn build(
    server: &Server,
    session: &Session,
    order: &Order,
    verified: &Verified,
    prepared: &Prepared,
    now: Timestamp,
    entropy: &mut dyn Entropy,
) -> Result<Built, Refusal> {
    let authenticated = session.check_authenticated(now)?;
    check(order, session, now)?;
    check_code(order, session, verified)?;
    let identity = server
        .identity(session.our_key_id())
        .ok_or(Refusal::NoCertificate)?;
    let binding = match (need(order, verified), &order.binding) {
        (Need::Same, Some(binding)) if binding.prepared == prepared.id() => binding.clone(),
        (Need::Kept, _) => first(server, authenticated, order, verified, prepared, entropy)?,
        (Need::Fresh, Some(binding)) if binding.prepared != prepared.id() => {
            first(server, authenticated, order, verified, prepared, entropy)?
        }
        _ => return Err(Refusal::PackageUnavailable),
    };
    let package = package::assemble(
        identity.dp_pb(),
        server.host_id(),
        &session.transaction,
        &binding,
        prepared,
    )?;
    Ok(Built {
        package,
        binding,
        of: bound_to(order),
    })
}

fn first(
    server: &Server,
    authenticated: &crate::session::Authenticated,
    order: &Order,
    verified: &Verified,
    prepared: &Prepared,
    entropy: &mut dyn Entropy,
) -> Result<Binding, Refusal> {
    let binding = package::bind(
        &OneTimeKey::draw(entropy),
        &verified.ot_pk_euicc,
        server.host_id(),
        &authenticated.eid,
        &order.metadata,
        prepared,
    );
    let device = verified.device;
    binding
        .map(|it| Binding { device, ..it })
        .ok_or(Refusal::EuiccSignature)
}

/// Whether the order is (still) this session's chip's, released, in time and open.
fn check(order: &Order, session: &Session, now: Timestamp) -> Result<(), Refusal> {
    let authenticated = session.check_authenticated(now)?;
    if authenticated.order != order.reference {
        return Err(Refusal::UnknownTransaction);
    }
    order.check_chip(&authenticated.eid)?;
    order.check_released()?;
    order.check_time(now)?;
    order.check_open()
}

/// Whether the code fits, without counting.
fn check_code(order: &Order, session: &Session, verified: &Verified) -> Result<(), Refusal> {
    let Some(code) = &order.confirmation else {
        return Ok(());
    };
    if order.code_tries >= order.limits.code_tries_max {
        return Err(Refusal::CodeExhausted);
    }
    let given = verified.hash_cc.as_ref().ok_or(Refusal::CodeMissing)?;
    if code.matches(&session.transaction, given) {
        Ok(())
    } else {
        Err(Refusal::CodeWrong)
    }
}

/// The answer.
#[derive(Clone, PartialEq, Eq)]
pub struct PackageAnswer {
    /// The session.
    pub transaction: TransactionId,
    /// `BF36`.
    pub bound_profile_package: Vec<u8>,
}

impl core::fmt::Debug for PackageAnswer {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(
            f,
            "PackageAnswer({}, {} bytes)",
            self.transaction,
            self.bound_profile_package.len()
        )
    }
}

/// Different requests for the package in one session: the tries of a code, and a few broken lines.
const CALLS_MAX: u8 = 8;

/// Claims the order for good, inside the writing transaction: binds it to the chip, checks the code and counts.
///
/// Session and order must be read in the same transaction; `gate` is asked in it, too: a freeze works inside running
/// sessions. A refusal does not end the session, except that too many requests do. The very same request once more is
/// answered alike without any effect, so that a replayed one fills no ledger; only a wrong code counts each time.
///
/// # Errors
/// [`NotGranted`].
pub fn claim(
    session: &mut Session,
    order: &mut Order,
    verified: &Verified,
    built: Result<Built, Refusal>,
    gate: &Gate,
    now: Timestamp,
) -> Result<Granted<PackageAnswer>, NotGranted> {
    if verified.transaction != session.transaction {
        return Err(NotGranted::Denied(Refusal::UnknownTransaction.into()));
    }
    let before = session.last_call.clone();
    let repeated = session.is_repeated(&verified.signed_digest);
    if !repeated && session.calls >= CALLS_MAX {
        return Err(NotGranted::Denied(end(session, verified)));
    }
    let mut outcome = decide(session, order, verified, built, gate, now);
    let refused = match &outcome {
        Ok(_) => None,
        Err(NotGranted::Denied(denied)) => Some(denied.refusal),
        Err(NotGranted::Stale) => return outcome,
    };
    let call = LastCall {
        signed_digest: verified.signed_digest,
        refused: refused.map(|refusal| refusal.name().to_owned()),
    };
    let counts = matches!(refused, Some(Refusal::CodeWrong | Refusal::CodeExhausted));
    let effects = match &mut outcome {
        Ok(granted) => &mut granted.effects,
        Err(NotGranted::Denied(denied)) => &mut denied.effects,
        Err(NotGranted::Stale) => return outcome,
    };
    if before.as_ref() == Some(&call) && !counts {
        effects.clear();
        return outcome;
    }
    session.last_call = Some(call);
    session.calls = session.calls.saturating_add(1);
    if !effects.contains(&Effect::SessionChanged) {
        effects.push(Effect::SessionChanged);
    }
    outcome
}

/// Ends a session in which the package was asked for too often. What the chip reports on it still counts.
#[must_use]
pub fn end(session: &mut Session, verified: &Verified) -> Denied {
    session.phase = Phase::Ended;
    let mut denied = denied(session, verified, Refusal::UnknownTransaction, None);
    denied.effects.push(Effect::SessionChanged);
    denied
}

fn decide(
    session: &mut Session,
    order: &mut Order,
    verified: &Verified,
    built: Result<Built, Refusal>,
    gate: &Gate,
    now: Timestamp,
) -> Result<Granted<PackageAnswer>, NotGranted> {
    if let Err(refusal) = check(order, session, now) {
        return Err(NotGranted::Denied(denied(session, verified, refusal, None)));
    }
    if let Gate::Closed { refusal, reason } = gate {
        return Err(NotGranted::Denied(denied(
            session,
            verified,
            *refusal,
            Some(reason.clone()),
        )));
    }
    if let Err(refusal) = check_code(order, session, verified) {
        return Err(NotGranted::Denied(count_code(session, order, verified, refusal)));
    }
    let built = match built {
        Ok(built) if built.of == bound_to(order) => built,
        Err(refusal @ (Refusal::SigningFailed | Refusal::PackageUnavailable | Refusal::NoCertificate)) => {
            return Err(NotGranted::Denied(denied(session, verified, refusal, None)));
        }
        Ok(_) | Err(_) => return Err(NotGranted::Stale),
    };
    let eid = session
        .check_authenticated(now)
        .map_err(|refusal| NotGranted::Denied(refusal.into()))?
        .eid;
    let from = order.state;
    if order.apply(ProfileEvent::Download).is_err() {
        return Err(NotGranted::Denied(denied(
            session,
            verified,
            Refusal::MatchingId,
            None,
        )));
    }
    let rebound = order
        .binding
        .as_ref()
        .is_some_and(|before| before.ot_pk_euicc != built.binding.ot_pk_euicc);
    order.rebindings = order.rebindings.saturating_add(u8::from(rebound));
    order.eid = Some(eid);
    order.binding = Some(built.binding);
    session.phase = Phase::Delivered;
    session.delivered = true;
    let moved = if from == order.state {
        Effect::OrderTouched
    } else {
        Effect::OrderMoved {
            from,
            to: order.state,
        }
    };
    let mut effects = vec![
        moved,
        Effect::SessionChanged,
        Effect::record(Step::Delivered, eid, verified.signed_digest),
        Effect::Progress {
            point: NotificationPoint::Download,
            refusal: None,
            result: None,
        },
    ];
    effects.extend(rebound.then_some(Effect::CloneSign(CloneSign::Rebound)));
    Ok(Granted {
        answer: PackageAnswer {
            transaction: session.transaction,
            bound_profile_package: built.package,
        },
        effects,
    })
}

/// Counts a refused code; the last one kills the order.
fn count_code(session: &Session, order: &mut Order, verified: &Verified, refusal: Refusal) -> Denied {
    let mut refusal = refusal;
    let mut effects = vec![Effect::SessionChanged];
    let from = order.state;
    if refusal == Refusal::CodeWrong {
        order.code_tries = order.code_tries.saturating_add(1);
        if order.code_tries >= order.limits.code_tries_max {
            refusal = Refusal::CodeExhausted;
        }
        effects.push(Effect::OrderTouched);
        effects.push(Effect::Tell(Notice::WrongCode));
    }
    if refusal == Refusal::CodeExhausted && order.apply(ProfileEvent::Fail).is_ok() {
        order.erase_secrets();
        effects.extend([
            Effect::OrderMoved {
                from,
                to: order.state,
            },
            Effect::Tell(Notice::CodesExhausted),
            Effect::EraseProfile,
        ]);
    }
    effects.push(Effect::Progress {
        point: NotificationPoint::Confirmation,
        refusal: Some(refusal),
        result: None,
    });
    let mut denied = denied(session, verified, refusal, None);
    denied.effects.extend(effects);
    denied
}

fn denied(session: &Session, verified: &Verified, refusal: Refusal, reason: Option<ReasonCode>) -> Denied {
    let Some(authenticated) = &session.authenticated else {
        return refusal.into();
    };
    let held = reason.is_some();
    let mut effects = vec![Effect::refused(
        refusal,
        authenticated.eid,
        verified.signed_digest,
        reason,
    )];
    if refusal == Refusal::OtherEid {
        effects.push(Effect::Tell(Notice::OtherDeviceTried));
    }
    if held {
        effects.push(Effect::Tell(Notice::Held));
    }
    Denied { refusal, effects }
}
