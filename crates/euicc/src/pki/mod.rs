//! The test PKI: everything that vouches for a chip and for a server, made from chance that is handed in.
//!
//! Certificate issuer (CI), chip manufacturer (EUM, with its range of EIDs), chips, and for the SM-DP+ the keys
//! DPauth, DPpb and DPtls and the client certificate of an operator on ES2+: variant O of SGP.22, curve NIST P-256.
//! Certificates with one chosen flaw can be made too, so that whoever must refuse them can be tested.
//!
//! Bytes only: this module reads and writes no file. Its keys protect tests and demonstrations, nothing else.

mod issue;

pub(crate) use issue::oid_content;
pub use issue::{Flaw, Holder};

use crate::certificate::Certificate;
use crate::crypto::PrivateKey;
use crate::error::{EuiccError, Result};
use crate::identity::Identity;
use base64::Engine;
use simwarden_model::{Eid, Entropy, Timestamp};

/// A certificate and the private key that belongs to it.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Credential {
    /// The certificate.
    pub certificate: Certificate,
    /// Its private key.
    pub key: PrivateKey,
}

impl Credential {
    /// The certificate in PEM.
    #[must_use]
    pub fn certificate_pem(&self) -> String {
        let text = base64::engine::general_purpose::STANDARD.encode(self.certificate.der());
        let lines: Vec<&str> = (0..text.len())
            .step_by(64)
            .map(|at| &text[at..text.len().min(at + 64)])
            .collect();
        format!(
            "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
            lines.join("\n")
        )
    }
}

/// What the PKI is to say of itself.
#[derive(Debug, Clone)]
pub struct PkiOptions {
    /// The moment at which everything begins to be valid.
    pub now: Timestamp,
    /// The OID of the SM-DP+, dotted.
    pub smdp_oid: String,
    /// The host name of the SM-DP+: in the TLS certificate.
    pub smdp_host: String,
    /// The beginning of all EIDs of the chip manufacturer: digits.
    pub eid_prefix: String,
    /// The host name of the operator's system: in the ES2+ client certificate.
    pub operator_host: String,
}

impl PkiOptions {
    /// The test OID 2.999.10, the test EID range 89049032, for a server of this name.
    #[must_use]
    pub fn new(now: Timestamp, smdp_host: &str) -> Self {
        Self {
            now,
            smdp_oid: "2.999.10".into(),
            smdp_host: smdp_host.into(),
            eid_prefix: "89049032".into(),
            operator_host: "es2plus.operator.example".into(),
        }
    }
}

/// One whole test PKI.
#[derive(Debug, Clone)]
pub struct Pki {
    options: PkiOptions,
    /// The root.
    pub ci: Credential,
    /// The manufacturer of chips.
    pub eum: Credential,
    /// Opens sessions (CERT.DPauth).
    pub dpauth: Credential,
    /// Binds profiles (CERT.DPpb).
    pub dppb: Credential,
    /// TLS of the SM-DP+ (CERT.DPtls).
    pub dptls: Credential,
    /// TLS client of the operator on ES2+.
    pub es2plus_client: Credential,
}

impl Pki {
    /// Makes one. The same options and the same chance give the same bytes.
    ///
    /// # Errors
    /// [`EuiccError::Certificate`] when an option cannot be written into a certificate (an OID, a name).
    pub fn make(options: PkiOptions, entropy: &mut dyn Entropy) -> Result<Self> {
        let ci = issue::root(&options, entropy)?;
        let mut under_ci = |holder: &Holder| issue::issue(&options, holder, None, &ci, entropy);
        let eum = under_ci(&Holder::Eum)?;
        let dpauth = under_ci(&Holder::DpAuth)?;
        let dppb = under_ci(&Holder::DpPb)?;
        let dptls = under_ci(&Holder::DpTls)?;
        let es2plus_client = under_ci(&Holder::Es2PlusClient)?;
        Ok(Self {
            options,
            ci,
            eum,
            dpauth,
            dppb,
            dptls,
            es2plus_client,
        })
    }

    /// Takes up a PKI from the files that [`Self::files`] gave, to issue further chips: `read` finds one by its name.
    ///
    /// # Errors
    /// [`EuiccError::Certificate`] when a file is missing or unreadable, or a key is another certificate's.
    pub fn from_files(options: PkiOptions, read: &mut dyn FnMut(&str) -> Option<Vec<u8>>) -> Result<Self> {
        let mut credential = |name: &str| -> Result<Credential> {
            let mut file = |ending: &str| {
                let name = format!("{name}.{ending}");
                read(&name)
                    .ok_or_else(|| EuiccError::Certificate(format!("{name} is missing: make the PKI anew")))
            };
            let certificate = Certificate::from_der(&file("der")?)?;
            let key = String::from_utf8(file("key.pem")?).map_err(|_| EuiccError::Key("it is no text"))?;
            let key = PrivateKey::from_pkcs8_pem(&key)?;
            if certificate.public_key() != key.public() {
                return Err(EuiccError::Certificate(format!(
                    "{name}.key.pem belongs to another certificate"
                )));
            }
            Ok(Credential { certificate, key })
        };
        Ok(Self {
            ci: credential("ci")?,
            eum: credential("eum")?,
            dpauth: credential("dpauth")?,
            dppb: credential("dppb")?,
            dptls: credential("dptls")?,
            es2plus_client: credential("es2plus-client")?,
            options,
        })
    }

    /// Issues a further certificate: a chip's under the EUM, all others under the CI.
    ///
    /// # Errors
    /// [`EuiccError::Certificate`] when an option cannot be written into a certificate.
    pub fn issue(
        &self,
        holder: &Holder,
        flaw: Option<Flaw>,
        entropy: &mut dyn Entropy,
    ) -> Result<Credential> {
        let issuer = match holder {
            Holder::Euicc(_) => &self.eum,
            _ => &self.ci,
        };
        issue::issue(&self.options, holder, flaw, issuer, entropy)
    }

    /// Makes a chip of this manufacturer.
    ///
    /// # Errors
    /// [`EuiccError::Certificate`] when the EID lies outside the manufacturer's range; take
    /// [`Self::flawed_chip`] for a chip whose certificate is to lie about that.
    pub fn chip(&self, eid: Eid, entropy: &mut dyn Entropy) -> Result<Identity> {
        if !eid.reveal().starts_with(&self.options.eid_prefix) {
            return Err(EuiccError::Certificate(format!(
                "the manufacturer may only number chips from {}",
                self.options.eid_prefix
            )));
        }
        self.flawed_chip(eid, None, entropy)
    }

    /// Makes a chip whose certificate has a flaw, or whose EID lies outside the range.
    ///
    /// # Errors
    /// [`EuiccError::Certificate`] when it cannot be encoded.
    pub fn flawed_chip(&self, eid: Eid, flaw: Option<Flaw>, entropy: &mut dyn Entropy) -> Result<Identity> {
        let chip = self.issue(&Holder::Euicc(eid), flaw, entropy)?;
        Identity::new(
            vec![self.ci.certificate.clone()],
            self.eum.certificate.clone(),
            chip,
        )
    }

    /// Every file of the PKI: its name, and its content. Keys are PKCS #8 in PEM, certificates DER and PEM.
    ///
    /// # Errors
    /// [`EuiccError::Key`] when a key cannot be encoded.
    pub fn files(&self) -> Result<Vec<(String, Vec<u8>)>> {
        let all = [
            ("ci", &self.ci),
            ("eum", &self.eum),
            ("dpauth", &self.dpauth),
            ("dppb", &self.dppb),
            ("dptls", &self.dptls),
            ("es2plus-client", &self.es2plus_client),
        ];
        let mut files = Vec::new();
        for (name, credential) in all {
            files.push((format!("{name}.der"), credential.certificate.der().to_vec()));
            files.push((format!("{name}.pem"), credential.certificate_pem().into_bytes()));
            files.push((
                format!("{name}.key.pem"),
                credential.key.to_pkcs8_pem()?.into_bytes(),
            ));
        }
        Ok(files)
    }
}
