//! ES9+ HandleNotification: what the chip reports afterwards (SGP.22 v2, 5.6.4 and 3.1.3.3).
//!
//! The answer to the client is always the same; here is found out who signed and what follows. Nothing unsigned
//! moves a state.

use crate::chain::{self, Chip, Screen};
use crate::clone_signs::{CloneSign, compare_sequence};
use crate::curve::{Curve, PublicKey};
use crate::der::{DerError, Tlv, check_tree};
use crate::effect::{Effect, Notice, NotificationPoint, Step, digest};
use crate::order::Order;
use crate::server::Server;
use crate::session::{Phase, Session, TransactionId};
use crate::status::Refusal;
use simwarden_model::{Iccid, ProfileEvent, ProfileState, Timestamp};

/// How an installation went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The profile is on the chip, disabled.
    Installed,
    /// It is not; reason and command as the chip says them.
    Failed {
        /// Which command of the package failed.
        command: u32,
        /// The error reason of SGP.22: 9 the ICCID is there already, 10 no memory, 11 interrupted, 15 policy rules.
        reason: u32,
    },
}

/// NotificationMetadata, `BF2F`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The chip's own count.
    pub sequence: u32,
    /// Bits of the event: 80 install, 40 enable, 20 disable, 10 delete.
    pub event: u8,
    /// The server that it is meant for.
    pub address: String,
    /// The profile, when it is named.
    pub iccid: Option<Iccid>,
}

impl Head {
    fn read(head: Tlv<'_>) -> Result<Self, DerError> {
        let mut fields = head.inner();
        let sequence = fields.expect(0x80)?.unsigned()?;
        let event = match fields.expect(0x81)?.value {
            [0..=7, first, ..] => *first,
            _ => return Err(DerError::Value),
        };
        let address = fields.expect(0x0C)?.text()?.to_owned();
        let iccid = match fields.optional(0x5A)? {
            None => None,
            Some(field) => Some(Iccid::from_bcd(field.array()?).map_err(|_| DerError::Value)?.0),
        };
        Ok(Self {
            sequence,
            event,
            address,
            iccid,
        })
    }
}

/// The result of an installation, not verified yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstallResult {
    /// The bytes of the session's identifier; look the session up by it.
    pub transaction: Option<TransactionId>,
    /// Its head.
    pub head: Head,
    /// How it went.
    pub outcome: Outcome,
    /// SHA-256 of the signed bytes: two of the same are one that was sent again.
    pub signed_digest: [u8; 32],
    smdp_oid: Vec<u8>,
    signed: Vec<u8>,
    signature: Vec<u8>,
}

/// Another report (enable, disable, delete, and install seen by another server), not verified yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherReport {
    /// Its head.
    pub head: Head,
    /// SHA-256 of the signed bytes.
    pub signed_digest: [u8; 32],
    signed: Vec<u8>,
    signature: Vec<u8>,
    euicc: Vec<u8>,
    eum: Vec<u8>,
}

/// A pending notification, read but not verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pending {
    /// `BF37`.
    Install(InstallResult),
    /// `30`.
    Other(OtherReport),
}

/// Reads a pending notification.
///
/// # Errors
/// [`DerError`] when it is malformed; the client is answered as if it were not.
pub fn read(bytes: &[u8]) -> Result<Pending, DerError> {
    let outer = Tlv::parse(bytes)?;
    check_tree(&outer)?;
    match outer.tag {
        0xBF37 => read_install(outer).map(Pending::Install),
        0x30 => read_other(outer).map(Pending::Other),
        found => Err(DerError::Unexpected {
            expected: 0xBF37,
            found,
        }),
    }
}

fn read_install(outer: Tlv<'_>) -> Result<InstallResult, DerError> {
    let mut parts = outer.inner();
    let signed = parts.expect(0xBF27)?;
    let signature = parts.expect(0x5F37)?;
    parts.finish()?;
    let mut fields = signed.inner();
    let transaction = fields.expect(0x80)?.array().ok().map(TransactionId::new);
    let head = Head::read(fields.expect(0xBF2F)?)?;
    let smdp_oid = fields.expect(0x06)?.value.to_vec();
    let mut choice = fields.expect(0xA2)?.inner();
    let result = choice.read()?;
    choice.finish()?;
    fields.finish()?;
    let outcome = match result.tag {
        0xA0 => Outcome::Installed,
        0xA1 => {
            let mut error = result.inner();
            Outcome::Failed {
                command: error.expect(0x80)?.unsigned()?,
                reason: error.expect(0x81)?.unsigned()?,
            }
        }
        found => {
            return Err(DerError::Unexpected {
                expected: 0xA0,
                found,
            });
        }
    };
    Ok(InstallResult {
        transaction,
        head,
        outcome,
        signed_digest: digest(signed.raw),
        smdp_oid,
        signed: signed.raw.to_vec(),
        signature: signature.value.to_vec(),
    })
}

fn read_other(outer: Tlv<'_>) -> Result<OtherReport, DerError> {
    let mut parts = outer.inner();
    let signed = parts.expect(0xBF2F)?;
    let signature = parts.expect(0x5F37)?;
    let (euicc, eum) = (parts.expect(0x30)?, parts.expect(0x30)?);
    parts.finish()?;
    Ok(OtherReport {
        head: Head::read(signed)?,
        signed_digest: digest(signed.raw),
        signed: signed.raw.to_vec(),
        signature: signature.value.to_vec(),
        euicc: euicc.raw.to_vec(),
        eum: eum.raw.to_vec(),
    })
}

/// Which failures leave the order open for the same chip, as data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstallPolicy {
    /// Error reasons after which the same chip may try again; after any other the order is dead.
    pub retry_reasons: Vec<u32>,
}

impl Default for InstallPolicy {
    /// No memory and interrupted: nothing of the profile is left on the chip then.
    fn default() -> Self {
        Self {
            retry_reasons: vec![10, 11],
        }
    }
}

/// Verifies an install result by the chip of its session.
///
/// # Errors
/// [`Refusal`]: no chip in the session, another signature, another transaction, another SM-DP+. Nothing changes.
pub fn verify_install(server: &Server, session: &Session, result: &InstallResult) -> Result<(), Refusal> {
    let authenticated = session
        .authenticated
        .as_ref()
        .ok_or(Refusal::UnknownTransaction)?;
    if result.transaction != Some(session.transaction) {
        return Err(Refusal::UnknownTransaction);
    }
    let key = PublicKey::parse(Curve::P256, &authenticated.euicc_key).map_err(|_| Refusal::EuiccSignature)?;
    if !key.verify(&result.signed, &result.signature) {
        return Err(Refusal::EuiccSignature);
    }
    let ours = server
        .identity(session.our_key_id())
        .ok_or(Refusal::NoCertificate)?;
    if ours.oid() != result.smdp_oid {
        return Err(Refusal::WrongSmdpOid);
    }
    Ok(())
}

/// Takes over a verified install result, inside the writing transaction. Sent again, it changes nothing.
///
/// `highest_sequence` is the highest sequence number seen of this chip, `is_resent` whether this very notification
/// was seen before.
#[must_use]
pub fn apply_install(
    session: &mut Session,
    order: &mut Order,
    result: &InstallResult,
    policy: &InstallPolicy,
    highest_sequence: Option<u32>,
    is_resent: bool,
) -> Vec<Effect> {
    let Some(authenticated) = &session.authenticated else {
        return Vec::new();
    };
    let eid = authenticated.eid;
    if is_resent {
        return Vec::new();
    }
    let mut effects = Vec::new();
    effects.extend(compare_sequence(highest_sequence, result.head.sequence, false).map(Effect::CloneSign));
    // A chip can report on what was sent to it and on nothing else. That it was installed counts whatever became of
    // session and order since; that it was not counts only while the session waits for it.
    let waits = match result.outcome {
        Outcome::Installed => session.delivered,
        Outcome::Failed { .. } => session.phase == Phase::Delivered,
    };
    let fits = waits
        && authenticated.order == order.reference
        && order.eid.is_none_or(|bound| bound == eid)
        && result.head.iccid.is_none_or(|iccid| iccid == order.iccid);
    if !fits {
        effects.push(Effect::refused(
            Refusal::EidMismatch,
            eid,
            result.signed_digest,
            None,
        ));
        if order.state == ProfileState::Installed && result.outcome == Outcome::Installed {
            effects.push(Effect::CloneSign(CloneSign::InstalledTwice));
        }
        return effects;
    }
    session.phase = Phase::Ended;
    effects.push(Effect::SessionChanged);
    let from = order.state;
    let (event, step, notice) = match result.outcome {
        Outcome::Installed => (ProfileEvent::Install, Step::Installed, Notice::Installed),
        Outcome::Failed { reason, .. } if policy.retry_reasons.contains(&reason) => {
            (ProfileEvent::Retry, Step::InstallFailed, Notice::InstallFailed)
        }
        Outcome::Failed { .. } => (ProfileEvent::Fail, Step::InstallFailed, Notice::InstallFailed),
    };
    effects.push(Effect::record(step, eid, result.signed_digest));
    if order.apply(event).is_ok() {
        effects.push(Effect::OrderMoved {
            from,
            to: order.state,
        });
        effects.push(Effect::Tell(notice));
        if event != ProfileEvent::Retry {
            order.erase_secrets();
            effects.push(Effect::EraseProfile);
        }
    } else if from == ProfileState::Installed && result.outcome == Outcome::Installed {
        effects.push(Effect::CloneSign(CloneSign::InstalledTwice));
    } else if result.outcome == Outcome::Installed {
        // The order died after its package was sent: the profile is on a chip all the same, and somebody must know.
        effects.push(Effect::Tell(notice));
    }
    effects.push(Effect::Progress {
        point: NotificationPoint::Installation,
        refusal: match result.outcome {
            Outcome::Installed => None,
            Outcome::Failed { reason: 10, .. } => Some(Refusal::NoMemory),
            Outcome::Failed { .. } => Some(Refusal::EuiccError),
        },
        result: Some(result.signed.clone()),
    });
    effects
}

/// Verifies another report by the certificates that come with it.
///
/// # Errors
/// [`Refusal`] of the chain, or of the signature. Nothing changes.
pub fn verify_other(
    server: &Server,
    report: &OtherReport,
    now: Timestamp,
    screen: &Screen,
) -> Result<Chip, Refusal> {
    let mut refusal = Refusal::UnknownCiKey;
    for identity in server.identities() {
        match chain::verify(identity.ci(), &report.eum, &report.euicc, now, screen) {
            Ok(chip) if chip.public_key.verify(&report.signed, &report.signature) => return Ok(chip),
            Ok(_) => return Err(Refusal::EuiccSignature),
            Err(Refusal::UnknownCiKey) => {}
            Err(other) => refusal = other,
        }
    }
    Err(refusal)
}

/// Takes over a verified report of a chip, inside the writing transaction.
///
/// `order` is the one of the profile that it names. A chip's own word that it enabled or disabled a profile is kept
/// as evidence and moves nothing; that it deleted it does. A report by another chip than the order's is a sign that
/// something is cloned.
#[must_use]
pub fn apply_other(
    order: Option<&mut Order>,
    chip: &Chip,
    report: &OtherReport,
    highest_sequence: Option<u32>,
    is_resent: bool,
) -> Vec<Effect> {
    if is_resent {
        return Vec::new();
    }
    let mut effects = Vec::new();
    effects.extend(compare_sequence(highest_sequence, report.head.sequence, false).map(Effect::CloneSign));
    let step = match report.head.event {
        0x80 => Step::Installed,
        0x40 => Step::EnabledOnChip,
        0x20 => Step::DisabledOnChip,
        0x10 => Step::DeletedOnChip,
        _ => Step::Refused,
    };
    effects.push(Effect::record(step, chip.eid, report.signed_digest));
    let Some(order) = order else {
        return effects;
    };
    if order.eid != Some(chip.eid) || report.head.iccid != Some(order.iccid) {
        effects.push(Effect::CloneSign(CloneSign::InstalledTwice));
        return effects;
    }
    let from = order.state;
    if step == Step::DeletedOnChip && order.apply(ProfileEvent::Delete).is_ok() {
        effects.push(Effect::OrderMoved {
            from,
            to: order.state,
        });
        effects.push(Effect::Progress {
            point: NotificationPoint::Deletion,
            refusal: None,
            result: Some(report.signed.clone()),
        });
    }
    effects
}
