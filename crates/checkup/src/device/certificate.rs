//! X.509 as far as an attestation chain needs it: names, keys, validity, extensions, and signatures over received bytes.

use super::der::{BIT_STRING, BOOLEAN, DerError, INTEGER, OBJECT_ID, OCTET_STRING, Reader, SEQUENCE};
use aws_lc_rs::signature as sig;

/// The most certificates of one chain.
pub(crate) const CHAIN_MAX: usize = 10;
/// Longest certificate, in bytes.
pub(crate) const CERTIFICATE_MAX: usize = 16 * 1024;

/// A certificate.
#[derive(Debug, Clone)]
pub(crate) struct Certificate<'a> {
    signed: &'a [u8],
    algorithm: &'a [u8],
    signature: &'a [u8],
    /// Lower-case hex without leading zeros, as the revocation list has it.
    pub serial: String,
    pub issuer: &'a [u8],
    pub subject: &'a [u8],
    /// Days since 1970: first and last.
    pub days: (i64, i64),
    /// The key with its algorithm.
    pub key: &'a [u8],
    pub extensions: Vec<(&'a [u8], &'a [u8])>,
}

const EC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const RSA_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const P384: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];
const ECDSA_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
const ECDSA_SHA384: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03];
const RSA_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b];
const RSA_SHA384: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0c];

impl<'a> Certificate<'a> {
    pub(crate) fn read(bytes: &'a [u8]) -> Result<Self, DerError> {
        if bytes.len() > CERTIFICATE_MAX {
            return Err(DerError("a certificate that is too long"));
        }
        let mut outer = Reader::new(bytes);
        let certificate = outer.expect(SEQUENCE)?;
        outer.end()?;
        let mut parts = certificate.inside();
        let signed = parts.expect(SEQUENCE)?;
        let algorithm = parts.expect(SEQUENCE)?;
        let signature = parts.expect(BIT_STRING)?.bits()?;
        parts.end()?;
        let mut body = signed.inside();
        let version = body.expect(0xa0)?.inside().expect(INTEGER)?.unsigned()?;
        if version != 2 {
            return Err(DerError("not an X.509 v3 certificate"));
        }
        let serial = body.expect(INTEGER)?.content;
        if body.expect(SEQUENCE)?.whole != algorithm.whole {
            return Err(DerError("two signature algorithms that differ"));
        }
        let issuer = body.expect(SEQUENCE)?.whole;
        let mut validity = body.expect(SEQUENCE)?.inside();
        let days = (day(&mut validity)?, day(&mut validity)?);
        validity.end()?;
        let subject = body.expect(SEQUENCE)?.whole;
        let key = body.expect(SEQUENCE)?.whole;
        body.optional(0x81)?;
        body.optional(0x82)?;
        let extensions = match body.optional(0xa3)? {
            Some(wrapped) => extensions(wrapped.inside())?,
            None => Vec::new(),
        };
        body.end()?;
        let hex: String = serial.iter().map(|b| format!("{b:02x}")).collect();
        let serial = hex.trim_start_matches('0').to_owned();
        let serial = if serial.is_empty() { "0".to_owned() } else { serial };
        Ok(Self {
            signed: signed.whole,
            algorithm: algorithm.inside().expect(OBJECT_ID)?.content,
            signature,
            serial,
            issuer,
            subject,
            days,
            key,
            extensions,
        })
    }

    pub(crate) fn extension(&self, id: &[u8]) -> Option<&'a [u8]> {
        self.extensions
            .iter()
            .find(|(found, _)| *found == id)
            .map(|(_, value)| *value)
    }

    /// Whether this key made that certificate's signature.
    pub(crate) fn signed_by(&self, issuer_key: &[u8]) -> bool {
        self.verify(issuer_key).unwrap_or(false)
    }

    fn verify(&self, issuer_key: &[u8]) -> Result<bool, DerError> {
        let mut key = Reader::new(issuer_key).expect(SEQUENCE)?.inside();
        let mut algorithm = key.expect(SEQUENCE)?.inside();
        let kind = algorithm.expect(OBJECT_ID)?.content;
        let point = key.expect(BIT_STRING)?.bits()?;
        key.end()?;
        let curve = if kind == EC_KEY {
            algorithm.expect(OBJECT_ID)?.content
        } else {
            &[]
        };
        let verifier: &'static dyn sig::VerificationAlgorithm = match (kind, curve, self.algorithm) {
            (EC_KEY, P256, ECDSA_SHA256) => &sig::ECDSA_P256_SHA256_ASN1,
            (EC_KEY, P256, ECDSA_SHA384) => &sig::ECDSA_P256_SHA384_ASN1,
            (EC_KEY, P384, ECDSA_SHA256) => &sig::ECDSA_P384_SHA256_ASN1,
            (EC_KEY, P384, ECDSA_SHA384) => &sig::ECDSA_P384_SHA384_ASN1,
            (RSA_KEY, _, RSA_SHA256) => &sig::RSA_PKCS1_2048_8192_SHA256,
            (RSA_KEY, _, RSA_SHA384) => &sig::RSA_PKCS1_2048_8192_SHA384,
            _ => return Ok(false),
        };
        let key = sig::UnparsedPublicKey::new(verifier, point);
        Ok(key.verify(self.signed, self.signature).is_ok())
    }
}

type Extensions<'a> = Vec<(&'a [u8], &'a [u8])>;

fn extensions<'a>(mut wrapped: Reader<'a>) -> Result<Extensions<'a>, DerError> {
    let mut list = wrapped.expect(SEQUENCE)?.inside();
    wrapped.end()?;
    let mut found: Vec<(&[u8], &[u8])> = Vec::new();
    while !list.is_empty() {
        let mut one = list.expect(SEQUENCE)?.inside();
        let id = one.expect(OBJECT_ID)?.content;
        if let Some(critical) = one.optional(BOOLEAN)? {
            critical.boolean()?;
        }
        let value = one.expect(OCTET_STRING)?.content;
        one.end()?;
        if found.iter().any(|(other, _)| *other == id) {
            return Err(DerError("an extension twice"));
        }
        found.push((id, value));
    }
    Ok(found)
}

/// A UTCTime or GeneralizedTime as days since 1970.
fn day(validity: &mut Reader<'_>) -> Result<i64, DerError> {
    let element = validity.next()?;
    let text = std::str::from_utf8(element.content).map_err(|_| DerError("a date that is none"))?;
    let bad = || DerError("a date that is none");
    let (year, rest) = match (element.lead, element.number, text.len()) {
        (0, 0x17, 13) => {
            let year: i64 = text[..2].parse().map_err(|_| bad())?;
            (if year < 50 { 2000 + year } else { 1900 + year }, &text[2..])
        }
        (0, 0x18, 15) => (text[..4].parse().map_err(|_| bad())?, &text[4..]),
        _ => return Err(bad()),
    };
    let number = |from: usize| {
        rest.get(from..from + 2)
            .and_then(|t| t.parse::<i64>().ok())
            .ok_or_else(bad)
    };
    let (month, day) = (number(0)?, number(2)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || !rest.ends_with('Z') {
        return Err(bad());
    }
    Ok(days_of(year, month, day))
}

/// Days from 1970-01-01 to a date of the Gregorian calendar.
pub(crate) fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}
