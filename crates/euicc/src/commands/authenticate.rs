//! ES10b: `AuthenticateServer` (SGP.22 5.7.13): the server shows who it is, the chip answers with who it is itself.

use crate::certificate::{Certificate, CertificateRole, NotBelieved};
use crate::chip::Euicc;
use crate::crypto;
use crate::device::Device;
use crate::error::{EuiccError, Result};
use crate::faults::{Info2Fault, Signed};
use crate::hex;
use crate::state::Authenticated;
use crate::tlv::{Reader, Tlv, join, number, tlv};

/// `AuthenticateErrorCode`.
#[derive(Debug, Clone, Copy)]
enum Refused {
    InvalidCertificate = 1,
    InvalidSignature = 2,
    UnsupportedCurve = 3,
    NoSession = 4,
    ChallengeMismatch = 6,
    UnknownIssuer = 7,
}

struct Request<'a> {
    signed: Tlv<'a>,
    transaction_id: &'a [u8],
    challenge: [u8; 16],
    address: &'a str,
    server_challenge: Tlv<'a>,
    signature: &'a [u8],
    ci_key_id: &'a [u8],
    certificate: &'a [u8],
    context: Tlv<'a>,
}

/// The answer BF38: signed, or an error code.
pub(crate) fn answer(chip: &mut Euicc, request: Tlv<'_>) -> Result<Vec<u8>> {
    let request = read(request)?;
    let smdp_oid = match check(chip, &request) {
        Ok(oid) => oid,
        Err(code) => {
            let error = [tlv(0x80, request.transaction_id), number(0x02, code as u64)];
            return Ok(tlv(0xBF38, tlv(0xA1, error.concat())));
        }
    };
    let context = match chip.faults.device {
        Some(device) => claim(request.context, device)?,
        None => request.context.raw.to_vec(),
    };
    let signed = join(
        0x30,
        &[
            &tlv(0x80, request.transaction_id),
            &tlv(0x83, request.address),
            request.server_challenge.raw,
            &super::info::info2(chip),
            &context,
        ],
    );
    let signature = chip.sign(Signed::Authenticate, &[&signed]);
    let shown = match chip.faults.info2 {
        Some(Info2Fault::AfterSigning) => bend_firmware(signed),
        _ => signed,
    };
    let answer = tlv(
        0xBF38,
        join(
            0xA0,
            &[
                &shown,
                &signature,
                &chip.shown_certificate(),
                chip.identity.eum.der(),
            ],
        ),
    );
    if let Some(session) = &mut chip.session {
        session.authenticated = Some(Authenticated {
            transaction_id: request.transaction_id.to_vec(),
            ci_key_id: request.ci_key_id.to_vec(),
            smdp_oid,
            address: request.address.to_owned(),
            signature1: signature,
        });
    }
    let before = chip.last_authenticate.replace(hex::encode(&answer));
    match before {
        Some(before) if chip.faults.replay_authenticate => hex::decode(&before),
        _ => Ok(answer),
    }
}

fn read<'a>(request: Tlv<'a>) -> Result<Request<'a>> {
    let mut fields = request.inside();
    let signed = fields.expect(0x30)?;
    let signature = fields.expect(0x5F37)?.value;
    let ci_key_id = fields.expect(0x04)?.value;
    let certificate = fields.expect(0x30)?.raw;
    let context = fields.expect(0xA0)?;
    fields.end()?;
    read_context(context.inside())?;
    let mut inner = signed.inside();
    let transaction_id = inner.expect(0x80)?.value;
    let challenge = inner.expect(0x81)?.array()?;
    let address = inner.expect(0x83)?.text()?;
    let server_challenge = inner.expect(0x84)?;
    inner.end()?;
    server_challenge.array::<16>()?;
    if transaction_id.is_empty() || transaction_id.len() > 16 || address.len() > 255 {
        return Err(EuiccError::Malformed(
            "a transaction id or address of the wrong length",
        ));
    }
    Ok(Request {
        signed,
        transaction_id,
        challenge,
        address,
        server_challenge,
        signature,
        ci_key_id,
        certificate,
        context,
    })
}

/// `CtxParamsForCommonAuthentication`: an optional matching id, and the device.
fn read_context(mut context: Reader<'_>) -> Result<()> {
    if let Some(matching_id) = context.optional(0x80)? {
        matching_id.text()?;
    }
    let mut device = context.expect(0xA1)?.inside();
    context.end()?;
    device.expect(0x80)?.array::<4>()?;
    device.expect(0xA1)?;
    if let Some(imei) = device.optional(0x82)? {
        imei.array::<8>()?;
    }
    device.end()
}

fn check(chip: &Euicc, request: &Request<'_>) -> Result<Vec<u8>, Refused> {
    let session = chip.session.as_ref().ok_or(Refused::NoSession)?;
    if session.authenticated.is_some() {
        return Err(Refused::NoSession);
    }
    let ci = chip
        .identity
        .ci(request.ci_key_id)
        .ok_or(Refused::UnknownIssuer)?;
    let certificate = Certificate::from_der(request.certificate).map_err(|_| Refused::InvalidCertificate)?;
    certificate
        .believe_server(ci, CertificateRole::DpAuth)
        .map_err(|why| match why {
            NotBelieved::Curve => Refused::UnsupportedCurve,
            NotBelieved::Invalid => Refused::InvalidCertificate,
        })?;
    if !crypto::verify(certificate.public_key(), &[request.signed.raw], request.signature) {
        return Err(Refused::InvalidSignature);
    }
    if request.challenge != session.challenge {
        return Err(Refused::ChallengeMismatch);
    }
    certificate.registered_id().ok_or(Refused::InvalidCertificate)
}

/// Puts another device into the context.
fn claim(context: Tlv<'_>, device: Device) -> Result<Vec<u8>> {
    let mut fields = context.inside();
    let matching_id = fields.optional(0x80)?.map_or(&[][..], |it| it.raw);
    let mut real = fields.expect(0xA1)?.inside();
    real.expect(0x80)?;
    let capabilities = real.expect(0xA1)?.raw;
    let imei = device.imei.map(|it| tlv(0x82, it)).unwrap_or_default();
    let claimed = join(0xA1, &[&tlv(0x80, device.tac), capabilities, &imei]);
    Ok(join(0xA0, &[matching_id, &claimed]))
}

/// Raises the firmware version in bytes that are signed already.
fn bend_firmware(mut signed: Vec<u8>) -> Vec<u8> {
    let at = signed
        .windows(2)
        .position(|it| it == [0xBF, 0x22])
        .and_then(|info2| {
            signed[info2..]
                .windows(2)
                .position(|it| it == [0x83, 3])
                .map(|it| info2 + it)
        });
    if let Some(byte) = at.and_then(|at| signed.get_mut(at + 4)) {
        *byte = byte.wrapping_add(1);
    }
    signed
}
