//! Certificates as the chip reads them: variant O of SGP.22 (X.509 with GSMA role policies), curve NIST P-256.
//!
//! A chip has no clock that it could trust, so validity dates are not looked at here, as on a real eUICC.

use crate::crypto;
use crate::error::{EuiccError, Result};
use crate::tlv::{self, Reader, Tlv};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use x509_cert::der::oid::ObjectIdentifier;
use x509_cert::der::{Decode, Encode};

/// What a certificate is for, by the policy it carries: 2.23.146.1.2.1.x (SGP.22, id-rspRole).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CertificateRole {
    /// Certificate issuer, the root.
    Ci,
    /// The chip itself.
    Euicc,
    /// The manufacturer of chips.
    Eum,
    /// TLS of an SM-DP+.
    DpTls,
    /// The key of an SM-DP+ that opens a session.
    DpAuth,
    /// The key of an SM-DP+ that binds a profile.
    DpPb,
}

impl CertificateRole {
    /// The policy, in dotted form.
    #[must_use]
    pub fn policy(self) -> &'static str {
        match self {
            Self::Ci => "2.23.146.1.2.1.0",
            Self::Euicc => "2.23.146.1.2.1.1",
            Self::Eum => "2.23.146.1.2.1.2",
            Self::DpTls => "2.23.146.1.2.1.3",
            Self::DpAuth => "2.23.146.1.2.1.4",
            Self::DpPb => "2.23.146.1.2.1.5",
        }
    }
}

/// Why a server's certificate was not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotBelieved {
    /// Its key lies on another curve.
    Curve,
    /// Issuer, signature, role, key usage or the SM-DP+ OID is missing or wrong.
    Invalid,
}

/// One certificate: its bytes as received, and what the chip needs of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    der: Vec<u8>,
    tbs: Vec<u8>,
    signature: Vec<u8>,
    issuer: Vec<u8>,
    subject: Vec<u8>,
    subject_serial: Option<String>,
    curve: Option<String>,
    public: Vec<u8>,
    extensions: Vec<(String, bool, Vec<u8>)>,
}

const CURVE_P256: &str = "1.2.840.10045.3.1.7";
const ECDSA_SHA256: &str = "1.2.840.10045.4.3.2";
const SUBJECT_KEY_ID: &str = "2.5.29.14";
const KEY_USAGE: &str = "2.5.29.15";
const SUBJECT_ALT_NAME: &str = "2.5.29.17";
const BASIC_CONSTRAINTS: &str = "2.5.29.19";
const NAME_CONSTRAINTS: &str = "2.5.29.30";
const CRL_POINTS: &str = "2.5.29.31";
const POLICIES: &str = "2.5.29.32";
const AUTHORITY_KEY_ID: &str = "2.5.29.35";
const EXTENDED_KEY_USAGE: &str = "2.5.29.37";

impl Certificate {
    /// Reads a certificate in DER, no byte more.
    ///
    /// # Errors
    /// [`EuiccError::Certificate`] when it is no X.509 version 3 certificate.
    pub fn from_der(der: &[u8]) -> Result<Self> {
        let refuse = |e: x509_cert::der::Error| EuiccError::Certificate(e.to_string());
        let read = x509_cert::Certificate::from_der(der).map_err(refuse)?;
        if read.signature_algorithm().oid.to_string() != ECDSA_SHA256 {
            return Err(EuiccError::Certificate(
                "it is not signed by ECDSA with SHA-256".into(),
            ));
        }
        let tbs = tlv::only(der, 0x30)?.inside().expect(0x30)?.raw.to_vec();
        let fields = read.tbs_certificate();
        let key = fields.subject_public_key_info();
        let curve = key
            .algorithm
            .parameters
            .as_ref()
            .and_then(|it| it.decode_as::<ObjectIdentifier>().ok());
        let extensions = fields.extensions().map_or(&[][..], Vec::as_slice).iter();
        Ok(Self {
            der: der.to_vec(),
            signature: read.signature().raw_bytes().to_vec(),
            issuer: fields.issuer().to_der().map_err(refuse)?,
            subject: fields.subject().to_der().map_err(refuse)?,
            subject_serial: serial_of(&fields.subject().to_der().map_err(refuse)?)?,
            curve: curve.map(|it| it.to_string()),
            public: key.subject_public_key.raw_bytes().to_vec(),
            extensions: extensions
                .map(|it| {
                    (
                        it.extn_id.to_string(),
                        it.critical,
                        it.extn_value.as_bytes().to_vec(),
                    )
                })
                .collect(),
            tbs,
        })
    }

    /// The bytes as received.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The public key, `04 || x || y` on P-256.
    #[must_use]
    pub fn public_key(&self) -> &[u8] {
        &self.public
    }

    /// The serialNumber of the subject: the EID on a chip's certificate.
    #[must_use]
    pub fn subject_serial(&self) -> Option<&str> {
        self.subject_serial.as_deref()
    }

    /// The subject, as a Name in DER.
    #[must_use]
    pub fn subject(&self) -> &[u8] {
        &self.subject
    }

    /// The subject key identifier.
    #[must_use]
    pub fn key_id(&self) -> Option<Vec<u8>> {
        let value = tlv::only(self.extension(SUBJECT_KEY_ID)?, 0x04).ok()?;
        Some(value.value.to_vec())
    }

    /// The authority key identifier.
    #[must_use]
    pub fn issuer_key_id(&self) -> Option<Vec<u8>> {
        let value = tlv::only(self.extension(AUTHORITY_KEY_ID)?, 0x30).ok()?;
        let id = value.inside().optional(0x80).ok()??;
        Some(id.value.to_vec())
    }

    /// The registeredID among the alternative names, as the content bytes of an OBJECT IDENTIFIER: the SM-DP+ OID.
    #[must_use]
    pub fn registered_id(&self) -> Option<Vec<u8>> {
        let names = tlv::only(self.extension(SUBJECT_ALT_NAME)?, 0x30).ok()?;
        let id = find(names.inside(), 0x88).ok()??;
        (!id.value.is_empty()).then(|| id.value.to_vec())
    }

    /// The beginnings of EIDs that a chip manufacturer may use (variant O: nameConstraints, permitted serialNumber).
    #[must_use]
    pub fn permitted_eid_prefixes(&self) -> Vec<String> {
        self.read_permitted().unwrap_or_default()
    }

    fn read_permitted(&self) -> Result<Vec<String>> {
        let mut prefixes = Vec::new();
        let Some(extension) = self.extension(NAME_CONSTRAINTS) else {
            return Ok(prefixes);
        };
        let Some(permitted) = find(tlv::only(extension, 0x30)?.inside(), 0xA0)? else {
            return Ok(prefixes);
        };
        let mut trees = permitted.inside();
        while let Some(tree) = trees.next()? {
            if let Some(name) = find(tree.inside(), 0xA4)? {
                prefixes.extend(serial_of(name.value)?);
            }
        }
        Ok(prefixes)
    }

    /// Whether it carries the policy of this role.
    #[must_use]
    pub fn has_role(&self, role: CertificateRole) -> bool {
        let Ok(wanted) = ObjectIdentifier::new(role.policy()) else {
            return false;
        };
        let policies = || -> Result<bool> {
            let Some(extension) = self.extension(POLICIES) else {
                return Ok(false);
            };
            let mut policies = tlv::only(extension, 0x30)?.inside();
            while let Some(policy) = policies.next()? {
                if policy.inside().expect(0x06)?.value == wanted.as_bytes() {
                    return Ok(true);
                }
            }
            Ok(false)
        };
        policies().unwrap_or(false)
    }

    /// Whether `issuer` names and signed it.
    #[must_use]
    pub fn is_signed_by(&self, issuer: &Self) -> bool {
        self.issuer == issuer.subject
            && self.issuer_key_id().is_some_and(|id| Some(id) == issuer.key_id())
            && crypto::verify_der(&issuer.public, &self.tbs, &self.signature)
    }

    /// What a chip asks of the certificate of an SM-DP+ before it believes a signature made with it.
    ///
    /// # Errors
    /// [`NotBelieved`], with the reason that becomes the code in the chip's answer.
    pub fn believe_server(&self, ci: &Self, role: CertificateRole) -> Result<(), NotBelieved> {
        if self.curve.as_deref() != Some(CURVE_P256) {
            return Err(NotBelieved::Curve);
        }
        let good = self.is_signed_by(ci)
            && self.has_role(role)
            && self.may_sign()
            && !self.is_ca()
            && self.registered_id().is_some()
            && self.knows_its_critical_extensions()
            && crypto::is_on_curve(&self.public);
        if good { Ok(()) } else { Err(NotBelieved::Invalid) }
    }

    fn may_sign(&self) -> bool {
        self.extension(KEY_USAGE)
            .and_then(|it| tlv::only(it, 0x03).ok()?.bits().ok())
            .is_some_and(|bits| bits & 0x80 != 0)
    }

    fn is_ca(&self) -> bool {
        self.extension(BASIC_CONSTRAINTS)
            .and_then(|it| tlv::only(it, 0x30).ok()?.inside().optional(0x01).ok()?)
            .is_some_and(|flag| flag.value != [0])
    }

    fn knows_its_critical_extensions(&self) -> bool {
        const KNOWN: [&str; 9] = [
            SUBJECT_KEY_ID,
            KEY_USAGE,
            SUBJECT_ALT_NAME,
            BASIC_CONSTRAINTS,
            NAME_CONSTRAINTS,
            CRL_POINTS,
            POLICIES,
            AUTHORITY_KEY_ID,
            EXTENDED_KEY_USAGE,
        ];
        self.extensions
            .iter()
            .all(|(oid, critical, _)| !critical || KNOWN.contains(&oid.as_str()))
    }

    fn extension(&self, oid: &str) -> Option<&[u8]> {
        let found = self.extensions.iter().find(|(it, ..)| it == oid)?;
        Some(&found.2)
    }
}

impl Serialize for Certificate {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        crate::hex::bytes::serialize(&self.der, s)
    }
}

impl<'de> Deserialize<'de> for Certificate {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Self::from_der(&crate::hex::bytes::deserialize(d)?).map_err(serde::de::Error::custom)
    }
}

/// The serialNumber attribute (2.5.4.5) in a Name in DER.
fn serial_of(name: &[u8]) -> Result<Option<String>> {
    let mut sets = tlv::only(name, 0x30)?.inside();
    while let Some(set) = sets.next()? {
        let mut attributes = set.inside();
        while let Some(attribute) = attributes.next()? {
            let mut pair = attribute.inside();
            if pair.expect(0x06)?.value == [0x55, 0x04, 0x05] {
                let value = pair
                    .next()?
                    .ok_or(EuiccError::Malformed("an attribute without value"))?;
                return Ok(Some(value.text()?.to_owned()));
            }
        }
    }
    Ok(None)
}

fn find(mut reader: Reader<'_>, tag: u32) -> Result<Option<Tlv<'_>>> {
    while let Some(tlv) = reader.next()? {
        if tlv.tag == tag {
            return Ok(Some(tlv));
        }
    }
    Ok(None)
}
