//! ES10b: `LoadBoundProfilePackage` (SGP.22 5.7.6, 2.5.4): a package arrives piece by piece, as the profile assistant
//! cuts it: BF36 with BF23; A0 whole; the head of A1, then each 88; A2 whole; the head of A3, then each 86.
//!
//! Any other cut between elements is taken too. What the opened parts mean stands in `load_effects`.

use super::load_effects::{self, CommandId, Failed};
use crate::bsp::{SecureChannel, SegmentError};
use crate::chip::Euicc;
use crate::crypto;
use crate::error::{EuiccError, Result};
use crate::state::{Authenticated, Loading, Prepared};
use crate::tlv::{self, Reader, Tlv};

/// One piece. No answer until the last piece or the first failure, then the signed result (BF37).
pub(crate) fn piece(chip: &mut Euicc, command: &[u8]) -> Result<Vec<u8>> {
    let (tag, ..) = tlv::header(command)?;
    let loaded = match tag {
        0xBF36 => begin(chip, command)?,
        _ => proceed(chip, command)?,
    };
    match loaded {
        Ok(()) if chip.without_power => Err(EuiccError::NoPower),
        Ok(()) => finish(chip),
        Err(failed) => load_effects::tell_failure(chip, failed),
    }
}

/// A package that was being loaded is given up: the result says so.
pub(crate) fn interrupted(chip: &mut Euicc) {
    let Some(loading) = chip.session.as_ref().and_then(|it| it.loading.as_ref()) else {
        return;
    };
    let failed = Failed {
        command: command_of(loading.sequence),
        reason: load_effects::Reason::Interruption,
    };
    // Nobody waits for the answer; the result is kept among the notifications.
    let _ = load_effects::tell_failure(chip, failed);
}

/// BF36 and, inside it, BF23 (`InitialiseSecureChannel`).
fn begin(chip: &mut Euicc, command: &[u8]) -> Result<Result<(), Failed>> {
    let (_, header, length) = tlv::header(command)?;
    let mut rest = Reader::new(&command[header..]);
    let initialise = rest.expect(0xBF23)?;
    let session = chip
        .session
        .as_mut()
        .ok_or(EuiccError::OutOfOrder("no session"))?;
    if session.loading.is_some() {
        return Err(EuiccError::OutOfOrder("a package is being loaded already"));
    }
    let (Some(known), Some(prepared)) = (&session.authenticated, &session.prepared) else {
        return Err(EuiccError::OutOfOrder("PrepareDownload comes first"));
    };
    let failed = |reason| Failed {
        command: CommandId::InitialiseSecureChannel,
        reason,
    };
    let eid = chip.identity.eid_bytes();
    let channel = match secure_channel(initialise, known, prepared, &eid) {
        Ok(channel) => channel,
        Err(reason) => return Ok(Err(failed(reason))),
    };
    let Some(left) = length.checked_sub(initialise.raw.len()) else {
        return Ok(Err(failed(load_effects::Reason::IncorrectInput)));
    };
    session.loading = Some(Loading {
        channel,
        left,
        sequence: 0,
        sequence_left: 0,
        segments: 0,
        clear: Vec::new(),
        metadata: None,
    });
    if rest.rest().is_empty() {
        return Ok(Ok(()));
    }
    proceed(chip, rest.rest())
}

fn secure_channel(
    initialise: Tlv<'_>,
    known: &Authenticated,
    prepared: &Prepared,
    eid: &[u8; 16],
) -> Result<SecureChannel, load_effects::Reason> {
    use load_effects::Reason;
    let malformed = |_| Reason::IncorrectInput;
    let mut fields = initialise.inside();
    let operation = fields.expect(0x82).map_err(malformed)?;
    let transaction = fields.expect(0x80).map_err(malformed)?;
    let control = fields.expect(0xA6).map_err(malformed)?;
    let server_key = fields.expect(0x5F49).map_err(malformed)?;
    let signed = &initialise.value[..initialise.value.len() - fields.rest().len()];
    let signature = fields.expect(0x5F37).map_err(malformed)?;
    fields.end().map_err(malformed)?;
    let own_key = tlv::tlv(0x5F49, &prepared.shown);
    if !crypto::verify(prepared.dppb.public_key(), &[signed, &own_key], signature.value) {
        return Err(Reason::InvalidSignature);
    }
    if operation.value != [1] {
        return Err(Reason::UnsupportedOperation);
    }
    if transaction.value != known.transaction_id {
        return Err(Reason::InvalidTransaction);
    }
    let mut control = control.inside();
    let key_type = control.expect(0x80).map_err(malformed)?;
    let key_length = control.expect(0x81).map_err(malformed)?;
    let host = control.expect(0x84).map_err(malformed)?;
    if key_type.value != [0x88]
        || key_length.value != [0x10]
        || host.value.is_empty()
        || host.value.len() > 16
    {
        return Err(Reason::UnsupportedControlReference);
    }
    let secret = prepared.key.agree(server_key.value).map_err(malformed)?;
    Ok(SecureChannel::derive(&secret, host.value, eid))
}

/// The rest of the package: heads of sequences, and segments.
fn proceed(chip: &mut Euicc, command: &[u8]) -> Result<Result<(), Failed>> {
    let mut rest = command;
    while !rest.is_empty() {
        if chip.without_power {
            return Ok(Ok(()));
        }
        let loading = loading(chip)?;
        let taken = if loading.sequence_left == 0 {
            open_sequence(loading, rest)
        } else {
            take_segment(chip, rest)?
        };
        match taken {
            Ok(length) => rest = &rest[length..],
            Err(failed) => return Ok(Err(failed)),
        }
    }
    Ok(Ok(()))
}

fn loading(chip: &mut Euicc) -> Result<&mut Loading> {
    let session = chip.session.as_mut();
    session
        .and_then(|it| it.loading.as_mut())
        .ok_or(EuiccError::OutOfOrder("no package is being loaded"))
}

/// The head of A0, A1, A2 or A3, in that order; A2 may be left out.
fn open_sequence(loading: &mut Loading, rest: &[u8]) -> Result<usize, Failed> {
    let follows = |tag: u32| match loading.sequence {
        0 => tag == 0xA0,
        0xA0 => tag == 0xA1,
        0xA1 => tag == 0xA2 || tag == 0xA3,
        0xA2 => tag == 0xA3,
        _ => false,
    };
    let wrong = |command| Failed {
        command,
        reason: load_effects::Reason::IncorrectInput,
    };
    let (tag, header, length) = tlv::header(rest).map_err(|_| wrong(command_of(loading.sequence)))?;
    if !follows(tag) || length == 0 {
        return Err(wrong(command_of(loading.sequence)));
    }
    let Some(left) = loading.left.checked_sub(header + length) else {
        return Err(wrong(command_of(tag)));
    };
    loading.left = left;
    loading.sequence = tag;
    loading.sequence_left = length;
    loading.clear.clear();
    Ok(header)
}

/// One whole segment of the open sequence; its effect, when it is the last of it.
fn take_segment(chip: &mut Euicc, rest: &[u8]) -> Result<Result<usize, Failed>> {
    let strict = chip.settings.strict_segments;
    let room = chip.memory_free();
    let cut = chip.faults.power_loss_after_segments;
    let loading = loading(chip)?;
    let command = command_of(loading.sequence);
    let failed = |reason| Ok(Err(Failed { command, reason }));
    let wanted = match loading.sequence {
        0xA1 => 0x88,
        0xA3 => 0x86,
        _ => 0x87,
    };
    let mut reader = Reader::new(rest);
    let segment = match reader.next() {
        Ok(Some(it)) if it.tag == wanted && it.raw.len() <= loading.sequence_left => it,
        _ => return failed(load_effects::Reason::SegmentStructure),
    };
    let clear = match loading.channel.open(segment, strict) {
        Ok(clear) => clear,
        Err(SegmentError::Structure) => return failed(load_effects::Reason::SegmentStructure),
        Err(SegmentError::Security) => return failed(load_effects::Reason::SegmentSecurity),
    };
    loading.clear.extend(clear);
    loading.sequence_left -= segment.raw.len();
    loading.segments += 1;
    if loading.clear.len() > room {
        return failed(load_effects::Reason::InsufficientMemory);
    }
    if cut == Some(loading.segments) {
        chip.without_power = true;
        return Ok(Ok(segment.raw.len()));
    }
    if loading.sequence_left == 0
        && let Err(reason) = load_effects::sequence_complete(chip)
    {
        return failed(reason);
    }
    Ok(Ok(segment.raw.len()))
}

/// After the last segment of A3: the profile is installed. Before it: nothing to say.
fn finish(chip: &mut Euicc) -> Result<Vec<u8>> {
    let loading = loading(chip)?;
    if loading.sequence == 0xA3 && loading.sequence_left == 0 {
        if loading.left != 0 {
            let failed = Failed {
                command: CommandId::LoadProfileElements,
                reason: load_effects::Reason::IncorrectInput,
            };
            return load_effects::tell_failure(chip, failed);
        }
        return load_effects::install(chip);
    }
    Ok(Vec::new())
}

fn command_of(sequence: u32) -> CommandId {
    match sequence {
        0 => CommandId::InitialiseSecureChannel,
        0xA0 => CommandId::ConfigureIsdp,
        0xA1 => CommandId::StoreMetadata,
        0xA2 => CommandId::ReplaceSessionKeys,
        _ => CommandId::LoadProfileElements,
    }
}
