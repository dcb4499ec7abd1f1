//! Who a chip is: its certificate and key, its manufacturer's certificate, and the issuers it believes.

use crate::certificate::Certificate;
use crate::crypto::PrivateKey;
use crate::error::{EuiccError, Result};
use crate::pki::Credential;
use serde::{Deserialize, Serialize};
use simwarden_model::Eid;

/// The identity of a chip.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Identity {
    pub(crate) cis: Vec<Certificate>,
    pub(crate) eum: Certificate,
    pub(crate) chip: Credential,
}

impl Identity {
    /// From the issuers it believes, its manufacturer's certificate, and its own.
    ///
    /// The chain is not checked: a chip with a bad certificate is what a server must be tested with.
    ///
    /// # Errors
    /// [`EuiccError`] when there is no issuer, the certificate names no EID, or the key is not the certificate's.
    pub fn new(cis: Vec<Certificate>, eum: Certificate, chip: Credential) -> Result<Self> {
        if cis.is_empty() {
            return Err(EuiccError::Certificate(
                "a chip believes at least one issuer".into(),
            ));
        }
        if chip.certificate.public_key() != chip.key.public() {
            return Err(EuiccError::Key("it does not belong to the chip's certificate"));
        }
        let this = Self { cis, eum, chip };
        this.parse_eid()?;
        Ok(this)
    }

    /// From certificates in DER and the private scalar, as published test chips come.
    ///
    /// # Errors
    /// As [`Self::new`], or when a certificate cannot be read.
    pub fn from_der(ci: &[u8], eum: &[u8], euicc: &[u8], scalar: &[u8]) -> Result<Self> {
        let chip = Credential {
            certificate: Certificate::from_der(euicc)?,
            key: PrivateKey::from_scalar(scalar)?,
        };
        Self::new(
            vec![Certificate::from_der(ci)?],
            Certificate::from_der(eum)?,
            chip,
        )
    }

    /// The EID that the certificate names.
    ///
    /// # Errors
    /// [`EuiccError::Certificate`] when it names none; not after [`Self::new`].
    pub fn parse_eid(&self) -> Result<Eid> {
        let digits = self.chip.certificate.subject_serial().unwrap_or_default();
        Eid::parse_vouched(digits)
            .map(|(eid, _)| eid)
            .map_err(|_| EuiccError::Certificate("its subject serialNumber is no EID of 32 digits".into()))
    }

    /// The EID as 16 bytes, two digits a byte.
    #[must_use]
    pub fn eid_bytes(&self) -> [u8; 16] {
        let digits = self.chip.certificate.subject_serial().unwrap_or_default();
        let mut bytes = [0; 16];
        for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks(2)) {
            *byte = pair.iter().fold(0, |sum, digit| sum << 4 | (digit & 0x0F));
        }
        bytes
    }

    /// The key ids of the issuers it believes.
    #[must_use]
    pub fn ci_key_ids(&self) -> Vec<Vec<u8>> {
        self.cis.iter().filter_map(Certificate::key_id).collect()
    }

    pub(crate) fn ci(&self, key_id: &[u8]) -> Option<&Certificate> {
        self.cis.iter().find(|ci| ci.key_id().as_deref() == Some(key_id))
    }
}
