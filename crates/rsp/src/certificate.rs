//! X.509 certificates as the RSP roles use them (SGP.22 v2, 4.5.2; RFC 5280), read strictly, fields in the clear.
//!
//! It reads one certificate and checks one signature. Which certificates may stand above and below each other, and
//! in which order that is found out, is the matter of `chain`.

use crate::certificate_fields::{Extensions, read_extensions, read_name};
use crate::curve::{Curve, PublicKey, Signature};
use crate::der::{DerError, Tlv, check_tree};
use sha2::{Digest, Sha256};
use simwarden_model::Timestamp;

pub use crate::certificate_fields::{PermittedName, Role};

/// The longest certificate that is read, in bytes.
pub const CERTIFICATE_BYTES_MAX: usize = 4096;
/// The SHA-1 identifier of a key, as in subject and authority key identifiers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub [u8; 20]);

impl core::fmt::Display for KeyId {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}

impl core::fmt::Debug for KeyId {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "KeyId({self})")
    }
}

/// Why bytes are no certificate of RSP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// Not strict DER, or not the shape of a certificate.
    #[error("the certificate is malformed: {0}")]
    Malformed(#[from] DerError),
    /// A key that is not on a supported curve.
    #[error("the certificate's key is on no supported curve, or no point of it; use NIST P-256")]
    Key,
    /// A critical extension that is not understood.
    #[error("the certificate has a critical extension that is not understood")]
    Critical,
}

/// A certificate, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    der: Vec<u8>,
    tbs: core::ops::Range<usize>,
    signature: Signature,
    digest: [u8; 32],
    issuer: Vec<u8>,
    subject: Vec<u8>,
    organization: Option<Vec<u8>>,
    serial_number: Option<String>,
    not_before: Timestamp,
    not_after: Timestamp,
    public_key: PublicKey,
    extensions: Extensions,
}

impl Certificate {
    /// Reads a certificate.
    ///
    /// # Errors
    /// [`CertificateError`] when it is not strict DER, not on a supported curve, or has an unknown critical extension.
    pub fn parse(der: &[u8]) -> Result<Self, CertificateError> {
        if der.len() > CERTIFICATE_BYTES_MAX {
            return Err(DerError::TooLarge.into());
        }
        let whole = Tlv::parse_as(der, 0x30)?;
        check_tree(&whole)?;
        let mut outer = whole.inner();
        let tbs = outer.expect(0x30)?;
        let algorithm = outer.expect(0x30)?;
        let signature = read_signature(bit_string(outer.expect(0x03)?)?)?;
        outer.finish()?;
        let mut fields = tbs.inner();
        if fields.expect(0xA0)?.value != [0x02, 0x01, 0x02] {
            return Err(DerError::Value.into());
        }
        fields.expect(0x02)?;
        if fields.expect(0x30)?.raw != algorithm.raw || algorithm.value != ECDSA_WITH_SHA256 {
            return Err(DerError::Value.into());
        }
        let issuer = fields.expect(0x30)?;
        let mut validity = fields.expect(0x30)?.inner();
        let (not_before, not_after) = (read_time(validity.read()?)?, read_time(validity.read()?)?);
        validity.finish()?;
        let subject = fields.expect(0x30)?;
        let public_key = read_public_key(fields.expect(0x30)?)?;
        let extensions = read_extensions(fields.expect(0xA3)?)?;
        fields.finish()?;
        let name = read_name(subject)?;
        let start = whole.raw.len() - whole.value.len();
        Ok(Self {
            der: der.to_vec(),
            tbs: start..start + tbs.raw.len(),
            signature,
            digest: Sha256::digest(der).into(),
            issuer: issuer.raw.to_vec(),
            subject: subject.raw.to_vec(),
            organization: name.organization,
            serial_number: name.serial_prefix,
            not_before,
            not_after,
            public_key,
            extensions,
        })
    }

    /// The certificate as it was received.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// SHA-256 of [`Self::der`].
    #[must_use]
    pub const fn digest(&self) -> [u8; 32] {
        self.digest
    }

    /// The key it speaks for.
    #[must_use]
    pub const fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// The identifier of that key.
    #[must_use]
    pub const fn subject_key_id(&self) -> Option<KeyId> {
        self.extensions.subject_key_id
    }

    /// The identifier of the issuer's key.
    #[must_use]
    pub const fn authority_key_id(&self) -> Option<KeyId> {
        self.extensions.authority_key_id
    }

    /// The serialNumber attribute of the subject: of a chip, its EID.
    #[must_use]
    pub fn serial_number(&self) -> Option<&str> {
        self.serial_number.as_deref()
    }

    /// The organisation of the subject, its bytes.
    #[must_use]
    pub fn organization(&self) -> Option<&[u8]> {
        self.organization.as_deref()
    }

    /// Contents of the OBJECT IDENTIFIER in the subject's alternative name: of an SM-DP+, its OID.
    #[must_use]
    pub fn registered_id(&self) -> Option<&[u8]> {
        self.extensions.registered_id.as_deref()
    }

    /// The subject, as it stands in the certificate (`30 …`).
    #[must_use]
    pub fn subject(&self) -> &[u8] {
        &self.subject
    }

    /// The end of its time.
    #[must_use]
    pub const fn not_after(&self) -> Timestamp {
        self.not_after
    }

    /// Whether the certificate has this role.
    #[must_use]
    pub fn has_role(&self, role: Role) -> bool {
        self.extensions.roles.contains(&role)
    }

    /// Whether its key may sign messages.
    #[must_use]
    pub const fn may_sign(&self) -> bool {
        self.extensions.key_usage & 0x80 != 0
    }

    /// Whether its key may sign certificates: key usage and basic constraints agree.
    #[must_use]
    pub const fn may_certify(&self) -> bool {
        self.extensions.key_usage & 0x04 != 0 && self.extensions.is_ca
    }

    /// Whether the time lies within its validity, both ends included.
    #[must_use]
    pub fn is_valid_at(&self, now: Timestamp) -> bool {
        self.not_before <= now && now <= self.not_after
    }

    /// Whether it was issued by this certificate's key: names, key identifiers and signature agree.
    #[must_use]
    pub fn is_signed_by(&self, issuer: &Self) -> bool {
        self.issuer == issuer.subject
            && self.extensions.authority_key_id == issuer.extensions.subject_key_id
            && issuer
                .public_key
                .verify(&self.der[self.tbs.clone()], &self.signature)
    }

    /// Whether the signature is its own key's: a root.
    #[must_use]
    pub fn is_self_signed(&self) -> bool {
        self.issuer == self.subject
            && self
                .public_key
                .verify(&self.der[self.tbs.clone()], &self.signature)
    }

    /// Whether an EUM of this certificate may make a chip of this subject: by name constraints or EID ranges.
    #[must_use]
    pub fn permits_chip(&self, chip: &Self) -> bool {
        let Some(eid) = chip.serial_number() else {
            return false;
        };
        let by_name = self.extensions.permitted.iter().any(|name| {
            name.serial_prefix
                .as_ref()
                .is_some_and(|prefix| is_range(prefix, eid))
                && name
                    .organization
                    .as_ref()
                    .is_none_or(|it| Some(&it[..]) == chip.organization())
        });
        let by_range = self
            .extensions
            .eid_ranges
            .iter()
            .any(|prefix| is_range(prefix, eid));
        match (
            self.extensions.permitted.is_empty(),
            self.extensions.eid_ranges.is_empty(),
        ) {
            (true, true) => false,
            (false, true) => by_name,
            (true, false) => by_range,
            (false, false) => by_name && by_range,
        }
    }
}

/// Whether a range of EIDs, written as their first digits, holds this one. An empty range holds none.
fn is_range(prefix: &str, eid: &str) -> bool {
    !prefix.is_empty() && prefix.bytes().all(|byte| byte.is_ascii_digit()) && eid.starts_with(prefix)
}

const ECDSA_WITH_SHA256: &[u8] = &[0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02];
const EC_PUBLIC_KEY: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01];

fn bit_string(tlv: Tlv<'_>) -> Result<&[u8], DerError> {
    match tlv.value {
        [0, bits @ ..] => Ok(bits),
        _ => Err(DerError::Value),
    }
}

/// An X.509 ECDSA signature, `SEQUENCE { r, s }`, as r and s of 32 bytes each.
fn read_signature(bytes: &[u8]) -> Result<Signature, DerError> {
    let mut parts = Tlv::parse_as(bytes, 0x30)?.inner();
    let mut signature = [0; 64];
    for half in signature.chunks_exact_mut(32) {
        let digits = match parts.expect(0x02)?.value {
            [0, rest @ ..] if rest.first().is_some_and(|byte| byte & 0x80 != 0) => rest,
            value @ [first, ..] if first & 0x80 == 0 && *first != 0 => value,
            _ => return Err(DerError::Value),
        };
        let start = 32_usize.checked_sub(digits.len()).ok_or(DerError::Value)?;
        half[start..].copy_from_slice(digits);
    }
    parts.finish()?;
    Ok(signature)
}

fn read_public_key(info: Tlv<'_>) -> Result<PublicKey, CertificateError> {
    let mut fields = info.inner();
    let mut algorithm = fields.expect(0x30)?.inner();
    if algorithm.expect(0x06)?.value != EC_PUBLIC_KEY {
        return Err(CertificateError::Key);
    }
    let curve = Curve::from_oid(algorithm.expect(0x06)?.value).ok_or(CertificateError::Key)?;
    algorithm.finish()?;
    let point = bit_string(fields.expect(0x03)?)?;
    fields.finish()?;
    PublicKey::parse(curve, point).map_err(|_| CertificateError::Key)
}

/// UTCTime or GeneralizedTime in UTC, to the second.
fn read_time(tlv: Tlv<'_>) -> Result<Timestamp, DerError> {
    let (years, rest) = match (tlv.tag, tlv.value.len()) {
        (0x17, 13) => {
            let (short, rest) = (number(&tlv.value[..2])?, &tlv.value[2..]);
            (if short < 50 { 2000 + short } else { 1900 + short }, rest)
        }
        (0x18, 15) => (number(&tlv.value[..4])?, &tlv.value[4..]),
        _ => return Err(DerError::Value),
    };
    let part = |at: usize| number(&rest[at..at + 2]);
    let (month, day, hour, minute, second) = (part(0)?, part(2)?, part(4)?, part(6)?, part(8)?);
    let fits =
        (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second < 60;
    if rest[10] != b'Z' || !fits {
        return Err(DerError::Value);
    }
    let seconds = ((days_since_1970(years, month, day) * 24 + hour) * 60 + minute) * 60 + second;
    Ok(Timestamp::from_millis(seconds * 1000))
}

fn number(digits: &[u8]) -> Result<i64, DerError> {
    digits.iter().try_fold(0, |sum, byte| match byte {
        b'0'..=b'9' => Ok(sum * 10 + i64::from(byte - b'0')),
        _ => Err(DerError::Value),
    })
}

/// Days from 1970-01-01 to a date of the Gregorian calendar; March counted as the first month of the year.
const fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * month + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::{Certificate, days_since_1970};
    use proptest::prelude::*;
    use simwarden_model::Timestamp;

    #[test]
    fn counts_days_as_the_calendar_does() {
        for (date, text) in [
            ((1970, 1, 1), "1970-01-01T00:00:00Z"),
            ((2000, 2, 29), "2000-02-29T00:00:00Z"),
            ((2026, 11, 23), "2026-11-23T00:00:00Z"),
            ((7496, 1, 24), "7496-01-24T00:00:00Z"),
        ] {
            let days = days_since_1970(date.0, date.1, date.2);
            let expected: Timestamp = text.parse().unwrap();
            assert_eq!(days * 86_400, expected.as_secs(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            prop_assert!(Certificate::parse(&bytes).is_err());
        }
    }
}
