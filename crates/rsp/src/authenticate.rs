//! ES9+ AuthenticateClient: the chip proves itself and asks for its profile (SGP.22 v2, 5.6.3).
//!
//! Three steps, so that the writing transaction stays short and no order is lost between two phones:
//! [`verify`] (cryptography, no order), [`draft`] (the signed answer, on a snapshot of the order), and [`claim`]
//! (inside the transaction, on the order and session as they are there).

use crate::chain::{self, Chip, Screen};
use crate::chip_info::{DeviceInfo, EuiccInfo2};
use crate::clone_signs::Sighting;
use crate::curve::{Point, Signature};
use crate::der::{Tlv, check_tree, push, tlv};
use crate::effect::{Denied, Effect, Notice, NotificationPoint, Step, digest};
use crate::gate::Gate;
use crate::matching_id::MatchingId;
use crate::metadata;
use crate::order::Order;
use crate::server::Server;
use crate::session::{Authenticated, Phase, Session, TransactionId};
use crate::status::Refusal;
use simwarden_model::{ReasonCode, Timestamp};

/// Which order the chip asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// The order of this matching id.
    Id(MatchingId),
    /// The default order of its EID.
    Default,
    /// A text that no order can have as its matching id.
    Nothing,
}

/// A chip that proved itself in a session, and what it signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The chip.
    pub chip: Chip,
    /// Which order it asks for: what the caller looks up, for a default order by `chip.eid`.
    pub wanted: Wanted,
    /// What the chip says of itself.
    pub info: EuiccInfo2,
    /// What it says of the phone.
    pub device: DeviceInfo,
    /// Its firmware is barred.
    pub firmware_barred: bool,
    /// SHA-256 of euiccSigned1.
    pub signed_digest: [u8; 32],
    transaction: TransactionId,
    euicc_signature1: Signature,
    device_digest: [u8; 32],
}

impl Verified {
    /// What is seen of the chip, for the comparison with what is known.
    #[must_use]
    pub fn sighting(&self) -> Sighting {
        Sighting {
            eid: self.chip.eid,
            certificate_digest: self.chip.certificate_digest,
            key_digest: digest(self.chip.public_key.point()),
            properties_digest: self.info.properties_digest,
            firmware: self.info.firmware,
            tac: self.device.tac,
            imei: self.device.imei,
        }
    }
}

/// Verifies the chip's answer: session, chain, EID range, signature, transaction, challenge, address.
///
/// `response` is `BF38`, decoded. Nothing changes when it fails.
///
/// # Errors
/// [`Refusal`] of the first check that fails, in the order of the tables.
pub fn verify(
    server: &Server,
    session: &Session,
    response: &[u8],
    now: Timestamp,
    screen: &Screen,
) -> Result<Verified, Refusal> {
    session.check_init(now)?;
    let outer = Tlv::parse_as(response, 0xBF38)?;
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
    let signed1 = parts.expect(0x30)?;
    check_tree(&signed1)?;
    let signature1 = parts.expect(0x5F37)?;
    let (euicc_der, eum_der) = (parts.expect(0x30)?, parts.expect(0x30)?);
    parts.finish()?;
    let identity = server
        .identity(session.ci_key_id())
        .ok_or(Refusal::UnknownCiKey)?;
    let chip = chain::verify(identity.ci(), eum_der.raw, euicc_der.raw, now, screen)?;
    if !chip.public_key.verify(signed1.raw, signature1.value) {
        return Err(Refusal::EuiccSignature);
    }
    let signed = Signed1::read(signed1)?;
    if signed.transaction != session.transaction.as_bytes() {
        return Err(Refusal::UnknownTransaction);
    }
    if signed.challenge != session.server_challenge || !signed.address.eq_ignore_ascii_case(server.address())
    {
        return Err(Refusal::EuiccSignature);
    }
    Ok(Verified {
        firmware_barred: screen.denied_firmware.contains(&signed.info.firmware),
        chip,
        wanted: signed.wanted,
        info: signed.info,
        device: signed.device,
        signed_digest: digest(signed1.raw),
        transaction: session.transaction,
        euicc_signature1: signature1.array().map_err(|_| Refusal::EuiccSignature)?,
        device_digest: signed.device_digest,
    })
}

/// euiccSigned1, read.
struct Signed1<'a> {
    transaction: &'a [u8],
    address: &'a str,
    challenge: &'a [u8],
    info: EuiccInfo2,
    wanted: Wanted,
    device: DeviceInfo,
    device_digest: [u8; 32],
}

impl<'a> Signed1<'a> {
    fn read(signed: Tlv<'a>) -> Result<Self, Refusal> {
        let mut fields = signed.inner();
        let transaction = fields.expect(0x80)?.value;
        let address = fields.expect(0x83)?.text()?;
        let challenge = fields.expect(0x84)?.value;
        let info = EuiccInfo2::read(fields.expect(0xBF22)?)?;
        let mut context = fields.expect(0xA0)?.inner();
        let wanted = match context.optional(0x80)? {
            None => Wanted::Default,
            Some(id) if id.value.is_empty() => Wanted::Default,
            Some(id) => {
                let id = id.text().ok().and_then(|text| MatchingId::parse(text).ok());
                id.map_or(Wanted::Nothing, Wanted::Id)
            }
        };
        let device = context.expect(0xA1)?;
        let device_digest = digest(device.raw);
        let device = DeviceInfo::read(device)?;
        Ok(Self {
            transaction,
            address,
            challenge,
            info,
            wanted,
            device,
            device_digest,
        })
    }
}

/// The answer, as bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthenticateAnswer {
    /// The session.
    pub transaction: TransactionId,
    /// `BF25`.
    pub profile_metadata: Vec<u8>,
    /// `30 …`.
    pub smdp_signed2: Vec<u8>,
    /// `5F37 40 …`.
    pub smdp_signature2: Vec<u8>,
    /// CERT.DPpb.
    pub smdp_certificate: Vec<u8>,
}

/// A signed answer that is not to be sent before the order was claimed for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    answer: AuthenticateAnswer,
    signature: Signature,
    /// What of the order went into it.
    of: (crate::OrderRef, bool, Option<Point>),
}

fn signed_facts(order: &Order) -> (crate::OrderRef, bool, Option<Point>) {
    let key = order.binding.as_ref().map(|binding| binding.ot_pk_euicc);
    (order.reference, order.needs_code(), key)
}

/// smdpSigned2, the bytes that are signed.
pub(crate) fn smdp_signed2(
    transaction: &TransactionId,
    code_required: bool,
    ot_pk: Option<&Point>,
) -> Vec<u8> {
    let mut fields = Vec::with_capacity(96);
    push(&mut fields, 0x80, transaction.as_bytes());
    push(&mut fields, 0x01, &[if code_required { 0xFF } else { 0x00 }]);
    if let Some(point) = ot_pk {
        push(&mut fields, 0x5F49, point);
    }
    tlv(0x30, &[&fields])
}

/// Signs the answer for a snapshot of the order, outside of any transaction.
///
/// # Errors
/// [`Refusal`] when the order is not to be had by this chip anyway (nothing is signed then), or signing failed. Go on
/// to [`claim`] all the same: it counts and records.
pub fn draft(
    server: &Server,
    session: &Session,
    order: Option<&Order>,
    verified: &Verified,
    now: Timestamp,
) -> Result<Draft, Refusal> {
    let order = find(order, verified)?;
    check(order, verified, now)?;
    let identity = server
        .identity(session.our_key_id())
        .ok_or(Refusal::NoCertificate)?;
    let of = signed_facts(order);
    let signed2 = smdp_signed2(&session.transaction, of.1, of.2.as_ref());
    let message = [&signed2[..], &tlv(0x5F37, &[&verified.euicc_signature1])].concat();
    let signature = identity.dp_pb().sign(&message)?;
    Ok(Draft {
        answer: AuthenticateAnswer {
            transaction: session.transaction,
            profile_metadata: order.metadata.clone(),
            smdp_signed2: signed2,
            smdp_signature2: tlv(0x5F37, &[&signature]),
            smdp_certificate: identity.dp_pb().certificate().der().to_vec(),
        },
        signature,
        of,
    })
}

/// Check 9: the order that was looked up, if there is one and it is the one that was asked for.
fn find<T: std::borrow::Borrow<Order>>(order: Option<T>, verified: &Verified) -> Result<T, Refusal> {
    use crate::order::Matching;
    let unknown = match verified.wanted {
        Wanted::Default => Refusal::OtherEid,
        Wanted::Id(_) | Wanted::Nothing => Refusal::MatchingId,
    };
    let order = order.ok_or(unknown)?;
    match (&order.borrow().matching, &verified.wanted) {
        (Matching::Id(id), Wanted::Id(wanted)) if id == wanted => Ok(order),
        // A default order is always named for its chip; one that is not is nobody's.
        (Matching::DefaultForEid, Wanted::Default) if order.borrow().eid.is_some() => Ok(order),
        _ => Err(unknown),
    }
}

/// Checks 10 to 14, without counting.
fn check(order: &Order, verified: &Verified, now: Timestamp) -> Result<(), Refusal> {
    order.check_chip(&verified.chip.eid)?;
    order.check_released()?;
    order.check_time(now)?;
    if order.attempts >= order.limits.attempts_max {
        return Err(Refusal::TooManyAttempts);
    }
    order.check_open()
}

/// Checks 15 and 16: whether the profile suits the chip.
fn check_eligible(order: &Order, verified: &Verified, profiles_on_chip: Option<u32>) -> Result<(), Refusal> {
    let rules = metadata::policy_rules(&order.metadata);
    if verified.firmware_barred || rules & verified.info.forbidden_rules != 0 {
        return Err(Refusal::NotEligible);
    }
    let too_small = verified
        .info
        .free_nvm_bytes
        .is_some_and(|free| free < order.nvm_bytes_min);
    let full = !verified.info.additional_profile && profiles_on_chip.is_some_and(|count| count > 0);
    if too_small || full {
        return Err(Refusal::NoMemory);
    }
    Ok(())
}

/// How a claim ends when it is not granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotGranted {
    /// Refused; the effects are to be carried out, changed session and order to be written.
    Denied(Denied),
    /// The order changed since the draft: draft anew and claim again. Nothing was changed.
    Stale,
}

/// A granted claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granted<A> {
    /// To be sent when the effects are durable.
    pub answer: A,
    /// To be carried out.
    pub effects: Vec<Effect>,
}

/// What a claim is decided by, besides session and order.
#[derive(Debug, Clone, Copy)]
pub struct ClaimFacts<'a> {
    /// What guard and freezes say, asked in the same transaction.
    pub gate: &'a Gate,
    /// How many profiles the chip is known to hold; `None` when nothing is known.
    pub profiles_on_chip: Option<u32>,
    /// The time.
    pub now: Timestamp,
}

/// Claims the order for the session, inside the writing transaction: checks 9 to 16 on the order as it is now.
///
/// The session must be read in the same transaction. The order is not bound to the chip yet: that happens when the
/// package is fetched, so that a thief who only knocks does not lock the owner out.
///
/// # Errors
/// [`NotGranted`].
pub fn claim(
    session: &mut Session,
    order: Option<&mut Order>,
    verified: &Verified,
    draft: Result<Draft, Refusal>,
    facts: ClaimFacts<'_>,
) -> Result<Granted<AuthenticateAnswer>, NotGranted> {
    let deny = |session: &mut Session, refusal, reason, touched| {
        session.phase = Phase::Ended;
        Err(NotGranted::Denied(denied(verified, refusal, reason, touched)))
    };
    if verified.transaction != session.transaction {
        return Err(NotGranted::Denied(Refusal::UnknownTransaction.into()));
    }
    if let Err(refusal) = session.check_init(facts.now) {
        return Err(NotGranted::Denied(refusal.into()));
    }
    let order = match find(order, verified) {
        Ok(order) => order,
        Err(refusal) => return deny(session, refusal, None, false),
    };
    if let Err(refusal) = check(order, verified, facts.now) {
        return deny(session, refusal, None, false);
    }
    if let Gate::Closed { refusal, reason } = facts.gate {
        return deny(session, *refusal, Some(reason.clone()), false);
    }
    let draft = match draft {
        Ok(draft) if draft.of == signed_facts(order) && draft.answer.profile_metadata == order.metadata => {
            draft
        }
        Ok(_) => return Err(NotGranted::Stale),
        Err(refusal @ (Refusal::SigningFailed | Refusal::NoCertificate)) => {
            return deny(session, refusal, None, false);
        }
        Err(_) => return Err(NotGranted::Stale),
    };
    order.attempts = order.attempts.saturating_add(1);
    if let Err(refusal) = check_eligible(order, verified, facts.profiles_on_chip) {
        return deny(session, refusal, None, true);
    }
    session.phase = Phase::Authenticated;
    session.authenticated = Some(Authenticated {
        eid: verified.chip.eid,
        euicc_key: *verified.chip.public_key.point(),
        certificate_digest: verified.chip.certificate_digest,
        order: order.reference,
        smdp_signature2: draft.signature,
        code_required: draft.of.1,
        device: verified.device_digest,
    });
    Ok(Granted {
        answer: draft.answer,
        effects: vec![
            Effect::OrderTouched,
            Effect::SessionChanged,
            Effect::record(Step::Authenticated, verified.chip.eid, verified.signed_digest),
            Effect::Progress {
                point: NotificationPoint::Eligibility,
                refusal: None,
                result: None,
            },
        ],
    })
}

fn denied(verified: &Verified, refusal: Refusal, reason: Option<ReasonCode>, touched: bool) -> Denied {
    let held = reason.is_some();
    let mut effects = vec![Effect::SessionChanged];
    if touched {
        effects.push(Effect::OrderTouched);
    }
    effects.push(Effect::refused(
        refusal,
        verified.chip.eid,
        verified.signed_digest,
        reason,
    ));
    match refusal {
        Refusal::OtherEid if matches!(verified.wanted, Wanted::Id(_)) => {
            effects.push(Effect::Tell(Notice::OtherDeviceTried));
        }
        Refusal::TooManyAttempts | Refusal::NotEligible | Refusal::NoMemory => {
            effects.push(Effect::Progress {
                point: NotificationPoint::Eligibility,
                refusal: Some(refusal),
                result: None,
            });
        }
        _ => {}
    }
    if held {
        effects.push(Effect::Tell(Notice::Held));
    }
    Denied { refusal, effects }
}
