//! ES10b: `PrepareDownload` (SGP.22 5.7.5): the chip gives a one-time key for one profile.

use crate::certificate::{Certificate, CertificateRole, NotBelieved};
use crate::chip::Euicc;
use crate::crypto::{self, PrivateKey};
use crate::error::Result;
use crate::faults::Signed;
use crate::hex;
use crate::state::{KeptKey, Prepared};
use crate::tlv::{Tlv, join, number, tlv};
use simwarden_model::Entropy;

/// One-time keys that are kept for a second try.
const KEPT_KEYS_MAX: usize = 4;

/// `DownloadErrorCode`.
#[derive(Debug, Clone, Copy)]
enum Refused {
    InvalidCertificate = 1,
    InvalidSignature = 2,
    UnsupportedCurve = 3,
    NoSession = 4,
    InvalidTransaction = 5,
    Undefined = 127,
}

struct Request<'a> {
    signed: Tlv<'a>,
    transaction_id: &'a [u8],
    code_required: bool,
    earlier_key: Option<&'a [u8]>,
    signature: Tlv<'a>,
    hash_cc: Option<[u8; 32]>,
    certificate: &'a [u8],
}

/// The answer BF21: signed, or an error code.
pub(crate) fn answer(chip: &mut Euicc, request: Tlv<'_>, entropy: &mut dyn Entropy) -> Result<Vec<u8>> {
    let request = read(request)?;
    let (dppb, smdp_oid) = match check(chip, &request) {
        Ok(it) => it,
        Err(code) => {
            let error = [tlv(0x80, request.transaction_id), number(0x02, code as u64)];
            return Ok(tlv(0xBF21, tlv(0xA1, error.concat())));
        }
    };
    let key = one_time_key(chip, &request, smdp_oid, entropy);
    let mut shown = key.public();
    if chip.faults.off_curve_otpk {
        shown[64] ^= 1;
    }
    let hash_cc = request.hash_cc.map(|mut hash| {
        hash[31] ^= u8::from(chip.faults.wrong_hash_cc);
        tlv(0x04, hash)
    });
    let signed = join(
        0x30,
        &[
            &tlv(0x80, request.transaction_id),
            &tlv(0x5F49, shown),
            &hash_cc.unwrap_or_default(),
        ],
    );
    let signature = chip.sign(Signed::Prepare, &[&signed, request.signature.raw]);
    if let Some(session) = &mut chip.session {
        session.prepared = Some(Prepared {
            dppb,
            key,
            shown: shown.to_vec(),
        });
    }
    let answer = tlv(0xBF21, join(0xA0, &[&signed, &signature]));
    let before = chip.last_prepare.replace(hex::encode(&answer));
    match before {
        Some(before) if chip.faults.replay_prepare => hex::decode(&before),
        _ => Ok(answer),
    }
}

fn read<'a>(request: Tlv<'a>) -> Result<Request<'a>> {
    let mut fields = request.inside();
    let signed = fields.expect(0x30)?;
    let signature = fields.expect(0x5F37)?;
    let hash_cc = match fields.optional(0x04)? {
        Some(it) => Some(it.array()?),
        None => None,
    };
    let certificate = fields.expect(0x30)?.raw;
    fields.end()?;
    let mut inner = signed.inside();
    let transaction_id = inner.expect(0x80)?.value;
    let code_required = inner.expect(0x01)?.array::<1>()? != [0];
    let earlier_key = inner.optional(0x5F49)?.map(|it| it.value);
    inner.end()?;
    Ok(Request {
        signed,
        transaction_id,
        code_required,
        earlier_key,
        signature,
        hash_cc,
        certificate,
    })
}

fn check(chip: &Euicc, request: &Request<'_>) -> Result<(Certificate, Vec<u8>), Refused> {
    let session = chip.session.as_ref().ok_or(Refused::NoSession)?;
    let known = session.authenticated.as_ref().ok_or(Refused::NoSession)?;
    if session.loading.is_some() {
        return Err(Refused::NoSession);
    }
    let ci = chip
        .identity
        .ci(&known.ci_key_id)
        .ok_or(Refused::InvalidCertificate)?;
    let certificate = Certificate::from_der(request.certificate).map_err(|_| Refused::InvalidCertificate)?;
    certificate
        .believe_server(ci, CertificateRole::DpPb)
        .map_err(|why| match why {
            NotBelieved::Curve => Refused::UnsupportedCurve,
            NotBelieved::Invalid => Refused::InvalidCertificate,
        })?;
    if certificate.registered_id().as_deref() != Some(&known.smdp_oid) {
        return Err(Refused::InvalidCertificate);
    }
    let signed = [request.signed.raw, &known.signature1];
    if !crypto::verify(certificate.public_key(), &signed, request.signature.value) {
        return Err(Refused::InvalidSignature);
    }
    if request.transaction_id != known.transaction_id {
        return Err(Refused::InvalidTransaction);
    }
    if request.code_required && request.hash_cc.is_none() {
        return Err(Refused::Undefined);
    }
    Ok((certificate, known.smdp_oid.clone()))
}

/// The key that the server asks for again if the chip still has it for that server; otherwise a new one.
fn one_time_key(
    chip: &mut Euicc,
    request: &Request<'_>,
    smdp_oid: Vec<u8>,
    entropy: &mut dyn Entropy,
) -> PrivateKey {
    let asked = |it: &&KeptKey| it.smdp_oid == smdp_oid && request.earlier_key == Some(&it.key.public()[..]);
    if let Some(kept) = chip.kept_keys.iter().find(asked) {
        return kept.key.clone();
    }
    if let Some(kept) = chip.kept_keys.last().filter(|_| chip.faults.reuse_otpk) {
        return kept.key.clone();
    }
    let key = PrivateKey::draw(entropy);
    if chip.kept_keys.len() >= KEPT_KEYS_MAX {
        chip.kept_keys.remove(0);
    }
    chip.kept_keys.push(KeptKey {
        smdp_oid,
        key: key.clone(),
    });
    key
}
