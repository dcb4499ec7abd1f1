//! What the opened parts of a package do on the chip, and the signed result of an installation (SGP.22 5.5, 2.5.6).

use crate::bsp::SecureChannel;
use crate::chip::{Euicc, NOTIFICATIONS_MAX};
use crate::error::{EuiccError, Result};
use crate::faults::Signed;
use crate::metadata::{Metadata, PPR1_DISABLING_NOT_ALLOWED, event};
use crate::state::{Notification, Profile};
use crate::tlv::{self, Reader, bits, join, number, tlv};
use simwarden_model::Iccid;

/// `BppCommandId`: in which command it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CommandId {
    InitialiseSecureChannel = 0,
    ConfigureIsdp = 1,
    StoreMetadata = 2,
    ReplaceSessionKeys = 4,
    LoadProfileElements = 5,
}

/// `ErrorReason`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    IncorrectInput = 1,
    InvalidSignature = 2,
    InvalidTransaction = 3,
    UnsupportedControlReference = 4,
    UnsupportedOperation = 5,
    SegmentStructure = 7,
    SegmentSecurity = 8,
    IccidExists = 9,
    InsufficientMemory = 10,
    Interruption = 11,
    ProfileElement = 12,
    DataMismatch = 13,
    PolicyRule = 15,
}

/// A failed installation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Failed {
    pub command: CommandId,
    pub reason: Reason,
}

/// The simulated answer of the profile interpreter: one status, "ok" (SIMalliance `EUICCResponse`).
const PACKAGE_OK: [u8; 9] = [0x30, 7, 0xA0, 5, 0x30, 3, 0x80, 1, 0];

/// A sequence has arrived whole: do what it says. (The profile itself waits for [`install`].)
pub(crate) fn sequence_complete(chip: &mut Euicc) -> Result<(), Reason> {
    let loading = chip.session.as_mut().and_then(|it| it.loading.as_mut());
    let Some(loading) = loading else {
        return Err(Reason::IncorrectInput);
    };
    match loading.sequence {
        0xA0 => configure(&loading.clear),
        0xA1 => {
            let metadata = Metadata::parse(&loading.clear).map_err(|_| Reason::IncorrectInput)?;
            loading.metadata = Some(metadata.clone());
            accept(chip, &metadata)
        }
        0xA2 => {
            loading.channel = new_keys(&loading.clear).map_err(|_| Reason::IncorrectInput)?;
            Ok(())
        }
        _ => Ok(()),
    }
}

/// `ConfigureISDP`: proprietary data of the SM-DP+ of at most 128 bytes, beginning with its OID.
fn configure(clear: &[u8]) -> Result<(), Reason> {
    let read = || -> Result<()> {
        let mut fields = tlv::only(clear, 0xBF24)?.inside();
        if let Some(data) = fields.optional(0xB8)? {
            data.inside().expect(0x80)?;
            if data.raw.len() > 128 {
                return Err(EuiccError::Malformed("proprietary data over 128 bytes"));
            }
        }
        fields.end()
    };
    read().map_err(|_| Reason::IncorrectInput)
}

/// `ReplaceSessionKeys`: the keys under which the profile was sealed beforehand; counting begins anew.
fn new_keys(clear: &[u8]) -> Result<SecureChannel> {
    let mut fields = tlv::only(clear, 0xBF26)?.inside();
    let chaining = fields.expect(0x80)?.array()?;
    let enc = fields.expect(0x81)?.array()?;
    let mac = fields.expect(0x82)?.array()?;
    fields.end()?;
    Ok(SecureChannel::with_keys(enc, mac, chaining))
}

/// `StoreMetadata`: may this profile come onto this chip?
fn accept(chip: &Euicc, metadata: &Metadata) -> Result<(), Reason> {
    if Iccid::from_bcd(metadata.iccid).is_err() {
        return Err(Reason::IncorrectInput);
    }
    if chip.profiles.iter().any(|it| it.metadata.iccid == metadata.iccid) {
        return Err(Reason::IccidExists);
    }
    if chip.profiles.len() >= chip.settings.profiles_max {
        return Err(Reason::InsufficientMemory);
    }
    let operational = chip.profiles.iter().any(|it| it.metadata.class == 2);
    let rules = metadata.policy_rules;
    if rules & chip.settings.forbidden_policy_rules != 0
        || rules & PPR1_DISABLING_NOT_ALLOWED != 0 && operational
    {
        return Err(Reason::PolicyRule);
    }
    Ok(())
}

/// Installs the profile and answers with the signed result.
pub(crate) fn install(chip: &mut Euicc) -> Result<Vec<u8>> {
    let session = chip.session.as_ref();
    let loading = session.and_then(|it| it.loading.as_ref());
    let Some((loading, metadata)) = loading.and_then(|it| Some((it, it.metadata.clone()?))) else {
        return Err(EuiccError::OutOfOrder("no package is being loaded"));
    };
    let package = loading.clear.clone();
    if let Err(reason) = check_package(&package, &metadata) {
        let command = CommandId::LoadProfileElements;
        return tell_failure(chip, Failed { command, reason });
    }
    let aid = next_aid(chip);
    let notify = metadata.notify.clone();
    let iccid = metadata.iccid;
    chip.profiles.push(Profile {
        aid,
        enabled: false,
        nickname: None,
        metadata,
        package,
    });
    if let Some(prepared) = chip.session.as_ref().and_then(|it| it.prepared.as_ref()) {
        let used = prepared.key.public();
        let reuse = chip.faults.reuse_otpk;
        chip.kept_keys.retain(|it| reuse || it.key.public() != used);
    }
    if chip.faults.no_install_result {
        chip.session = None;
        return Ok(Vec::new());
    }
    let success = join(0xA0, &[&tlv(0x4F, aid), &tlv(0x04, PACKAGE_OK)]);
    let answer = result(chip, Some(iccid), &success)?;
    super::notifications::tell(chip, event::INSTALL, iccid, &notify);
    Ok(answer)
}

/// The session ends; the signed result says where and why.
pub(crate) fn tell_failure(chip: &mut Euicc, failed: Failed) -> Result<Vec<u8>> {
    let loading = chip.session.as_ref().and_then(|it| it.loading.as_ref());
    let iccid = loading.and_then(|it| Some(it.metadata.as_ref()?.iccid));
    let error = [
        number(0x80, failed.command as u64),
        number(0x81, failed.reason as u64),
    ];
    result(chip, iccid, &tlv(0xA1, error.concat()))
}

/// `ProfileInstallationResult`, kept until it is told that it was sent; the session ends.
fn result(chip: &mut Euicc, iccid: Option<[u8; 10]>, outcome: &[u8]) -> Result<Vec<u8>> {
    let session = chip.session.take();
    let Some(known) = session.and_then(|it| it.authenticated) else {
        return Err(EuiccError::OutOfOrder("no session"));
    };
    let seq = chip.next_seq;
    chip.next_seq += 1;
    let number_of_profile = iccid.map(|it| tlv(0x5A, it)).unwrap_or_default();
    let about = join(
        0xBF2F,
        &[
            &number(0x80, seq),
            &bits(0x81, event::INSTALL),
            &tlv(0x0C, &known.address),
            &number_of_profile,
        ],
    );
    let data = join(
        0xBF27,
        &[
            &tlv(0x80, &known.transaction_id),
            &about,
            &tlv(0x06, &known.smdp_oid),
            &tlv(0xA2, outcome),
        ],
    );
    let signature = chip.sign(Signed::InstallResult, &[&data]);
    let der = join(0xBF37, &[&data, &signature]);
    keep(
        chip,
        Notification {
            seq,
            event: event::INSTALL,
            address: known.address,
            iccid,
            der: der.clone(),
        },
    );
    Ok(der)
}

/// Keeps a notification until it is removed; the oldest goes when there are too many.
pub(crate) fn keep(chip: &mut Euicc, notification: Notification) {
    if chip.faults.duplicate_notifications {
        chip.notifications.push(notification.clone());
    }
    chip.notifications.push(notification);
    let over = chip.notifications.len().saturating_sub(NOTIFICATIONS_MAX);
    chip.notifications.drain(..over);
}

/// The elements of the package stand in a row, the first is the header with the ICCID of the metadata, the last ends
/// it.
fn check_package(package: &[u8], metadata: &Metadata) -> Result<(), Reason> {
    let bad = |_: EuiccError| Reason::ProfileElement;
    let mut elements = Reader::new(package);
    let header = elements.expect(0xA0).map_err(bad)?;
    let mut last = header.tag;
    while let Some(element) = elements.next().map_err(bad)? {
        if last == 0xAA {
            return Err(Reason::ProfileElement);
        }
        last = element.tag;
    }
    if last != 0xAA {
        return Err(Reason::ProfileElement);
    }
    let mut fields = header.inside();
    while let Some(field) = fields.next().map_err(bad)? {
        if field.tag == 0x83 {
            let packed = field.array().map_err(bad)?;
            let (inner, _) = Iccid::from_packed(packed).map_err(|_| Reason::ProfileElement)?;
            return if inner.to_bcd() == metadata.iccid {
                Ok(())
            } else {
                Err(Reason::DataMismatch)
            };
        }
    }
    Err(Reason::ProfileElement)
}

fn next_aid(chip: &mut Euicc) -> [u8; 16] {
    let [high, low] = chip.next_isdp.to_be_bytes();
    chip.next_isdp = chip.next_isdp.wrapping_add(1);
    [
        0xA0, 0, 0, 5, 0x59, 0x10, 0x10, 0xFF, 0xFF, 0xFF, 0xFF, 0x89, 0, high, low, 0,
    ]
}
