//! From the root to the chip: EUM and eUICC certificates, roles, validity, EID ranges, and who is barred
//! (SGP.22 v2, 4.5.2 and 5.6.3). The order of the checks is the order of the status codes that a client sees.

use crate::certificate::{Certificate, KeyId, Role};
use crate::curve::PublicKey;
use crate::status::Refusal;
use simwarden_model::{Eid, Timestamp};
use std::collections::HashSet;

/// Who is barred, or alone allowed, beyond what certificates say: data that an operator or regulator sets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Screen {
    /// Keys of EUMs whose chips get nothing.
    pub denied_eums: HashSet<KeyId>,
    /// When given, the only EUM keys whose chips get anything.
    pub allowed_eums: Option<HashSet<KeyId>>,
    /// SHA-256 of certificates (EUM or eUICC) that are revoked or known to be cloned.
    pub denied_certificates: HashSet<[u8; 32]>,
    /// First digits of EIDs that get nothing: a range, or one whole number.
    pub denied_eids: Vec<String>,
    /// When given, first digits of the only EIDs that get anything.
    pub allowed_eids: Option<Vec<String>>,
    /// Firmware versions of chips that get nothing.
    pub denied_firmware: HashSet<[u8; 3]>,
}

impl Screen {
    fn bars_eum(&self, eum: &Certificate) -> bool {
        let key_id = eum.subject_key_id();
        key_id.is_none_or(|id| self.denied_eums.contains(&id))
            || self.denied_certificates.contains(&eum.digest())
            || self
                .allowed_eums
                .as_ref()
                .is_some_and(|allowed| key_id.is_none_or(|id| !allowed.contains(&id)))
    }

    fn bars_eid(&self, eid: &Eid) -> bool {
        let begins = |prefix: &String| !prefix.is_empty() && eid.reveal().starts_with(prefix.as_str());
        self.denied_eids.iter().any(begins)
            || self
                .allowed_eids
                .as_ref()
                .is_some_and(|allowed| !allowed.iter().any(begins))
    }
}

/// A chip whose certificates were verified up to a trusted root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chip {
    /// The number of the chip, vouched for by its certificate.
    pub eid: Eid,
    /// The key that its signatures are checked with.
    pub public_key: PublicKey,
    /// SHA-256 of CERT.EUICC.
    pub certificate_digest: [u8; 32],
    /// The key identifier of its maker.
    pub eum: KeyId,
}

/// Verifies EUM and eUICC certificate under one root; returns the chip.
///
/// # Errors
/// The [`Refusal`] of the first check that fails, in the order of SGP.22: issuer of the EUM certificate; its
/// signature, validity, role; signature, role and validity of the eUICC certificate; the EID's range; the screen.
pub fn verify(
    ci: &Certificate,
    eum_der: &[u8],
    euicc_der: &[u8],
    now: Timestamp,
    screen: &Screen,
) -> Result<Chip, Refusal> {
    let eum = verify_eum(ci, eum_der, now, screen)?;
    verify_euicc(&eum, euicc_der, now, screen)
}

/// The first half: the EUM certificate under the root.
fn verify_eum(ci: &Certificate, der: &[u8], now: Timestamp, screen: &Screen) -> Result<Certificate, Refusal> {
    let eum = Certificate::parse(der).map_err(|_| Refusal::EumCertificate)?;
    // Another root than the session's; one that names none has a worse fault, which its signature shows.
    if eum
        .authority_key_id()
        .is_some_and(|id| Some(id) != ci.subject_key_id())
    {
        return Err(Refusal::UnknownCiKey);
    }
    if !eum.is_signed_by(ci) {
        return Err(Refusal::EumCertificate);
    }
    if !eum.is_valid_at(now) || !ci.is_valid_at(now) {
        return Err(Refusal::EumExpired);
    }
    if !eum.may_certify() || !eum.has_role(Role::Eum) || screen.bars_eum(&eum) {
        return Err(Refusal::EumCertificate);
    }
    Ok(eum)
}

/// The second half: the chip's certificate under its maker's.
fn verify_euicc(eum: &Certificate, der: &[u8], now: Timestamp, screen: &Screen) -> Result<Chip, Refusal> {
    let euicc = Certificate::parse(der).map_err(|_| Refusal::EuiccCertificate)?;
    if !euicc.is_signed_by(eum) || !euicc.has_role(Role::Euicc) || !euicc.may_sign() {
        return Err(Refusal::EuiccCertificate);
    }
    if !euicc.is_valid_at(now) {
        return Err(Refusal::EuiccExpired);
    }
    if !eum.permits_chip(&euicc) || screen.denied_certificates.contains(&euicc.digest()) {
        return Err(Refusal::EuiccCertificate);
    }
    let number = euicc.serial_number().ok_or(Refusal::EuiccCertificate)?;
    let (eid, _) = Eid::parse_vouched(number).map_err(|_| Refusal::EuiccCertificate)?;
    if screen.bars_eid(&eid) {
        return Err(Refusal::OtherEid);
    }
    Ok(Chip {
        eid,
        public_key: euicc.public_key().clone(),
        certificate_digest: euicc.digest(),
        eum: eum.subject_key_id().ok_or(Refusal::EumCertificate)?,
    })
}

/// Why a certificate cannot be this server's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OwnCertificateError {
    /// The root is none.
    #[error(
        "the CI certificate is no self-signed root that may certify; get it from the GSMA CI or make a test PKI"
    )]
    Root,
    /// The certificate was not issued by that root.
    #[error("the {0:?} certificate was not issued by the given CI; pair certificates of one CI")]
    Issuer(Role),
    /// The certificate has another role or may not sign.
    #[error("the certificate given as {0:?} has another role or may not sign")]
    Role(Role),
    /// DPauth and DPpb name different servers, or none.
    #[error("DPauth and DPpb certificates must name the same SM-DP+ OID in their alternative name")]
    Oid,
}

/// Checks a certificate of our own under its root. Validity is not asked here: the time changes while a server runs.
///
/// # Errors
/// [`OwnCertificateError`] that says which of the certificates to replace.
pub fn verify_own(ci: &Certificate, own: &Certificate, role: Role) -> Result<(), OwnCertificateError> {
    if !ci.is_self_signed() || !ci.may_certify() || ci.subject_key_id().is_none() {
        return Err(OwnCertificateError::Root);
    }
    if !own.is_signed_by(ci) {
        return Err(OwnCertificateError::Issuer(role));
    }
    if !own.has_role(role) || !own.may_sign() {
        return Err(OwnCertificateError::Role(role));
    }
    Ok(())
}
