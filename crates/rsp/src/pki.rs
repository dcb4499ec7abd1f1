//! Issues the certificates of an RSP test or private PKI: CI, EUM, eUICC, DPauth, DPpb, TLS (SGP.22 v2, 4.5.2).
//!
//! It writes what `certificate` reads. The roots of live chips are the GSMA's; nothing here replaces them.

use crate::certificate::{Certificate, KeyId, Role};
use crate::curve::Point;
use crate::der::{push, tlv};
use crate::key::{Signer, SignerError};
use sha2::{Digest, Sha256};
use simwarden_model::Timestamp;

/// What a certificate is to say.
#[derive(Debug, Clone)]
pub struct Spec<'a> {
    /// Its role.
    pub role: Role,
    /// Common name of the subject.
    pub common_name: &'a str,
    /// Organisation of the subject; a chip's must be its EUM's.
    pub organization: Option<&'a str>,
    /// Of a chip: its EID.
    pub eid: Option<&'a str>,
    /// Of an EUM: the first digits of its chips' EIDs.
    pub eid_range: Option<&'a str>,
    /// Of an SM-DP+: contents of its OBJECT IDENTIFIER, the same in DPauth, DPpb and TLS.
    pub smdp_oid: Option<&'a [u8]>,
    /// Of a TLS certificate: its host name.
    pub host: Option<&'a str>,
    /// Serial number, random.
    pub serial: [u8; 8],
    /// Begin of its time.
    pub not_before: Timestamp,
    /// End of its time.
    pub not_after: Timestamp,
    /// The key it speaks for.
    pub public: Point,
}

impl<'a> Spec<'a> {
    /// A certificate with nothing but what each has.
    #[must_use]
    pub fn new(
        role: Role,
        common_name: &'a str,
        public: Point,
        not_before: Timestamp,
        not_after: Timestamp,
    ) -> Self {
        let hash = Sha256::digest([&public[..], common_name.as_bytes()].concat());
        let mut serial = [0; 8];
        serial.copy_from_slice(&hash[..8]);
        Self {
            role,
            common_name,
            organization: None,
            eid: None,
            eid_range: None,
            smdp_oid: None,
            host: None,
            serial,
            not_before,
            not_after,
            public,
        }
    }
}

/// The identifier of a key: the first 160 bits of SHA-256 over the point (RFC 7093, 2, method 1).
#[must_use]
pub fn key_id(point: &Point) -> KeyId {
    let mut id = [0; 20];
    id.copy_from_slice(&Sha256::digest(point)[..20]);
    KeyId(id)
}

/// Issues a certificate; without an issuer, a root that signs itself.
///
/// # Errors
/// [`SignerError`] of the issuer's key.
pub fn issue(
    spec: &Spec<'_>,
    issuer: Option<&Certificate>,
    signer: &dyn Signer,
) -> Result<Vec<u8>, SignerError> {
    let subject = name(spec.common_name, spec.organization, spec.eid);
    let own_id = key_id(&spec.public);
    let (issuer_name, issuer_id) = match issuer {
        None => (subject.clone(), own_id),
        Some(issuer) => (
            issuer.subject().to_vec(),
            issuer.subject_key_id().unwrap_or(own_id),
        ),
    };
    let mut serial = spec.serial;
    serial[0] = serial[0] & 0x7F | 0x40;
    let mut body = Vec::with_capacity(640);
    push(&mut body, 0xA0, &[0x02, 0x01, 0x02]);
    push(&mut body, 0x02, &serial);
    push(&mut body, 0x30, ECDSA_WITH_SHA256);
    body.extend(issuer_name);
    body.extend(tlv(0x30, &[&time(spec.not_before), &time(spec.not_after)]));
    body.extend(subject);
    body.extend(tlv(0x30, &[P256_ALGORITHM, &tlv(0x03, &[&[0], &spec.public])]));
    body.extend(tlv(0xA3, &[&tlv(0x30, &[&extensions(spec, own_id, issuer_id)])]));
    let tbs = tlv(0x30, &[&body]);
    let signature = signer.sign(&tbs)?;
    let (r, s) = signature.split_at(32);
    let signature = tlv(0x30, &[&integer(r), &integer(s)]);
    Ok(tlv(
        0x30,
        &[
            &tbs,
            &tlv(0x30, &[ECDSA_WITH_SHA256]),
            &tlv(0x03, &[&[0], &signature]),
        ],
    ))
}

const ECDSA_WITH_SHA256: &[u8] = &[0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02];
/// `SEQUENCE { ecPublicKey, prime256v1 }`.
const P256_ALGORITHM: &[u8] = &[
    0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01, 0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE,
    0x3D, 0x03, 0x01, 0x07,
];

fn integer(bytes: &[u8]) -> Vec<u8> {
    let skip = bytes
        .iter()
        .position(|byte| *byte != 0)
        .unwrap_or(bytes.len() - 1);
    let sign: &[u8] = if bytes[skip] & 0x80 == 0 { &[] } else { &[0] };
    tlv(0x02, &[sign, &bytes[skip..]])
}

fn name(common_name: &str, organization: Option<&str>, serial: Option<&str>) -> Vec<u8> {
    let attribute = |arc: u8, tag: u32, text: &str| {
        tlv(
            0x31,
            &[&tlv(
                0x30,
                &[&[0x06, 0x03, 0x55, 0x04, arc], &tlv(tag, &[text.as_bytes()])],
            )],
        )
    };
    let mut parts = Vec::new();
    parts.extend(
        organization
            .map(|text| attribute(0x0A, 0x0C, text))
            .unwrap_or_default(),
    );
    parts.extend(serial.map(|text| attribute(0x05, 0x13, text)).unwrap_or_default());
    parts.extend(attribute(0x03, 0x0C, common_name));
    tlv(0x30, &[&parts])
}

/// UTCTime up to 2049, GeneralizedTime after (RFC 5280, 4.1.2.5).
fn time(at: Timestamp) -> Vec<u8> {
    let digits: String = at
        .to_string()
        .chars()
        .filter(char::is_ascii_digit)
        .take(14)
        .collect();
    if digits.as_str() < "2050" {
        tlv(0x17, &[&digits.as_bytes()[2..], b"Z"])
    } else {
        tlv(0x18, &[digits.as_bytes(), b"Z"])
    }
}

fn extensions(spec: &Spec<'_>, own: KeyId, issuer: KeyId) -> Vec<u8> {
    let extension = |oid: &[u8], critical: bool, value: Vec<u8>| {
        let flag: &[u8] = if critical { &[0x01, 0x01, 0xFF] } else { &[] };
        tlv(0x30, &[&tlv(0x06, &[oid]), flag, &tlv(0x04, &[&value])])
    };
    let certifies = matches!(spec.role, Role::Ci | Role::Eum);
    let usage: &[u8] = if certifies { &[0x01, 0x06] } else { &[0x07, 0x80] };
    let policy = [0x67, 0x81, 0x12, 0x01, 0x02, 0x01, role_arc(spec.role)];
    let mut out = Vec::with_capacity(256);
    out.extend(extension(
        &[0x55, 0x1D, 0x23],
        false,
        tlv(0x30, &[&tlv(0x80, &[&issuer.0])]),
    ));
    out.extend(extension(&[0x55, 0x1D, 0x0E], false, tlv(0x04, &[&own.0])));
    out.extend(extension(&[0x55, 0x1D, 0x0F], true, tlv(0x03, &[usage])));
    out.extend(extension(
        &[0x55, 0x1D, 0x20],
        true,
        tlv(0x30, &[&tlv(0x30, &[&tlv(0x06, &[&policy])])]),
    ));
    if certifies {
        let length: &[u8] = if spec.role == Role::Eum {
            &[0x02, 0x01, 0x00]
        } else {
            &[]
        };
        out.extend(extension(
            &[0x55, 0x1D, 0x13],
            true,
            tlv(0x30, &[&[0x01, 0x01, 0xFF], length]),
        ));
    }
    let mut names = Vec::new();
    names.extend(
        spec.host
            .map(|host| tlv(0x82, &[host.as_bytes()]))
            .unwrap_or_default(),
    );
    names.extend(spec.smdp_oid.map(|oid| tlv(0x88, &[oid])).unwrap_or_default());
    if !names.is_empty() {
        out.extend(extension(&[0x55, 0x1D, 0x11], false, tlv(0x30, &[&names])));
    }
    if matches!(spec.role, Role::DpTls | Role::DsTls) {
        // Server and client authentication.
        let purposes = [
            0x06, 0x08, 0x2B, 6, 1, 5, 5, 7, 3, 1, 0x06, 0x08, 0x2B, 6, 1, 5, 5, 7, 3, 2,
        ];
        out.extend(extension(&[0x55, 0x1D, 0x25], true, tlv(0x30, &[&purposes])));
    }
    if let Some(range) = spec.eid_range {
        out.extend(extension(
            &[0x55, 0x1D, 0x1E],
            true,
            permitted(range, spec.organization),
        ));
    }
    out
}

/// nameConstraints of an EUM: the organisation and the beginning of the serial number of its chips.
fn permitted(range: &str, organization: Option<&str>) -> Vec<u8> {
    let attribute = |arc: u8, tag: u32, text: &str| {
        tlv(
            0x31,
            &[&tlv(
                0x30,
                &[&[0x06, 0x03, 0x55, 0x04, arc], &tlv(tag, &[text.as_bytes()])],
            )],
        )
    };
    let organization = organization
        .map(|text| attribute(0x0A, 0x0C, text))
        .unwrap_or_default();
    let name = tlv(0x30, &[&organization, &attribute(0x05, 0x13, range)]);
    tlv(0x30, &[&tlv(0xA0, &[&tlv(0x30, &[&tlv(0xA4, &[&name])])])])
}

const fn role_arc(role: Role) -> u8 {
    match role {
        Role::Ci => 0,
        Role::Euicc => 1,
        Role::Eum => 2,
        Role::DpTls => 3,
        Role::DpAuth => 4,
        Role::DpPb => 5,
        Role::DsTls => 6,
        Role::DsAuth => 7,
    }
}
