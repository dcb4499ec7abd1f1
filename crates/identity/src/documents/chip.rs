//! Passive authentication of a document's chip (ICAO 9303-11 section 5.1): the state signed the hashes of the data
//! groups, and the data groups have these hashes.
//!
//! It proves what the issuing state wrote, and only against the country certificates that the operator loaded. It
//! does not prove that the chip is the one the state issued (a copy passes too: that is active or chip
//! authentication, done by the reader), nor that its holder stands before you.

mod certificates;
mod der;
mod signature;

pub use certificates::{TRUSTED_MAX, Trust};

use certificates::Certificate;
use der::{Element, Reader, tag};
use jiff::Timestamp;
use signature::{Fit, Hash, fits};
use thiserror::Error;

/// An EF.SOD larger than this is not read, in bytes.
pub const SOD_BYTES_MAX: usize = 65_536;

/// Why a chip is not believed.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
pub enum ChipError {
    /// Not an EF.SOD.
    #[error("this is no EF.SOD with exactly one signer; read the chip again")]
    Malformed,
    /// The signed content is something else.
    #[error("what is signed is not a document's security object")]
    ContentType,
    /// The hash of the content is not the signed one.
    #[error("the security object was altered: its hash is not the signed one")]
    ContentAltered,
    /// The signature does not fit.
    #[error("the signature of the security object does not fit the signer's key")]
    Signature,
    /// An algorithm that is not supported.
    #[error("the document is signed with an algorithm, curve or key length that is not supported")]
    Unsupported,
    /// A data group that the security object does not name.
    #[error("the security object has no hash for data group {0}")]
    GroupUnknown(u8),
    /// A data group of another content.
    #[error("data group {0} was altered: its hash is not the signed one")]
    GroupAltered(u8),
    /// No certificate of the country.
    #[error("no loaded country certificate signed this document's signer; load the country's certificates")]
    UnknownAuthority,
    /// A signer's certificate that was not signed by the country it names.
    #[error("the certificate of the document's signer was not signed by the country it names")]
    SignerSignature,
    /// The signer's certificate is not in force.
    #[error("the certificate of the document's signer is not in force on this day")]
    SignerExpired,
    /// The country's certificate is not in force.
    #[error("the country's certificate is not in force on this day")]
    AuthorityExpired,
    /// The country took the signer's certificate back.
    #[error("the country has revoked the certificate of the document's signer")]
    SignerRevoked,
    /// The country took its own certificate back.
    #[error("the country has revoked the certificate that this document leads to")]
    AuthorityRevoked,
    /// What was loaded is no country certificate or revocation list.
    #[error("this is no country certificate (CSCA) or revocation list in DER, or it is too large")]
    Certificate,
}

impl ChipError {
    /// A stable code for machines.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "sod_malformed",
            Self::ContentType => "sod_content_type",
            Self::ContentAltered => "sod_altered",
            Self::Signature => "sod_signature",
            Self::Unsupported => "sod_unsupported",
            Self::GroupUnknown(_) => "data_group_unknown",
            Self::GroupAltered(_) => "data_group_altered",
            Self::UnknownAuthority => "authority_unknown",
            Self::SignerSignature => "signer_signature",
            Self::SignerExpired => "signer_expired",
            Self::AuthorityExpired => "authority_expired",
            Self::SignerRevoked => "signer_revoked",
            Self::AuthorityRevoked => "authority_revoked",
            Self::Certificate => "certificate_malformed",
        }
    }
}

/// An EF.SOD whose signature fits the certificate that it brings along. Whether that certificate is a country's is
/// another question: [`Sod::passive_auth`].
pub struct Sod<'a> {
    content_type: &'a [u8],
    content: &'a [u8],
    signer: Certificate<'a>,
}

const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
/// id-icao-mrtd-security-ldsSecurityObject, 2.23.136.1.1.1.
const SECURITY_OBJECT: &[u8] = &[0x67, 0x81, 0x08, 0x01, 0x01, 0x01];
const CONTENT_TYPE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x03];
const MESSAGE_DIGEST: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x04];

impl<'a> Sod<'a> {
    /// Reads an EF.SOD (with or without its outer tag 77) and checks its signature (RFC 5652 section 5).
    ///
    /// # Errors
    /// [`ChipError`] when it is none, or the signature does not fit.
    pub fn read(bytes: &'a [u8]) -> Result<Self, ChipError> {
        if bytes.len() > SOD_BYTES_MAX {
            return Err(ChipError::Malformed);
        }
        let (content_type, content, certificates, signer) = parts(bytes).ok_or(ChipError::Malformed)?;
        let info = SignerInfo::read(&signer).ok_or(ChipError::Malformed)?;
        let hash = info.hash.ok_or(ChipError::Unsupported)?;
        let signer = info.certificate(&certificates).ok_or(ChipError::Malformed)?;
        if info.digest != hash.digest(content) {
            return Err(ChipError::ContentAltered);
        }
        if info.content_type != content_type {
            return Err(ChipError::ContentType);
        }
        // What is signed is the attributes as a SET, not in their place as [0].
        let mut attributes = info.attributes.whole.to_vec();
        attributes[0] = tag::SET;
        match fits(
            &signer.key,
            &info.algorithm,
            Some(hash),
            &attributes,
            info.signature,
        ) {
            Fit::Fits => Ok(Self {
                content_type,
                content,
                signer,
            }),
            Fit::Differs => Err(ChipError::Signature),
            Fit::Unsupported => Err(ChipError::Unsupported),
        }
    }

    /// Whether data groups are the signed ones (number, content) and the signer is a country's on this day.
    ///
    /// # Errors
    /// [`ChipError`], the first that speaks against it: content, data groups, then certificates.
    pub fn passive_auth(
        &self,
        groups: &[(u8, &[u8])],
        trust: &Trust,
        at: Timestamp,
    ) -> Result<(), ChipError> {
        let (hash, signed) = self.hashes()?;
        for (number, content) in groups {
            let found = signed.iter().find(|(n, _)| n == number);
            let (_, expected) = found.ok_or(ChipError::GroupUnknown(*number))?;
            if hash.digest(content) != *expected {
                return Err(ChipError::GroupAltered(*number));
            }
        }
        trust.judge(&self.signer, at)
    }

    /// The numbers of the data groups that are signed.
    ///
    /// # Errors
    /// [`ChipError`] when the content is no security object.
    pub fn groups(&self) -> Result<Vec<u8>, ChipError> {
        Ok(self.hashes()?.1.into_iter().map(|(number, _)| number).collect())
    }

    /// The signed hashes of the data groups (9303-10 section 4.6.2.2).
    fn hashes(&self) -> Result<(Hash, Hashes<'a>), ChipError> {
        if self.content_type != SECURITY_OBJECT {
            return Err(ChipError::ContentType);
        }
        let read = || -> Option<(Option<Hash>, Hashes<'a>)> {
            let mut object = Reader::new(self.content).expect(tag::SEQUENCE)?.inside();
            object.expect(tag::INTEGER)?;
            let hash = Hash::of(object.expect(tag::SEQUENCE)?.inside().expect(tag::OID)?.content);
            let mut list = object.expect(tag::SEQUENCE)?.inside();
            let mut hashes = Vec::new();
            while !list.is_empty() {
                let mut entry = list.expect(tag::SEQUENCE)?.inside();
                let number = entry.expect(tag::INTEGER)?;
                let [number] = number.content else { return None };
                hashes.push((*number, entry.expect(tag::OCTET_STRING)?.content));
            }
            Some((hash, hashes))
        };
        let (hash, hashes) = read().ok_or(ChipError::Malformed)?;
        Ok((hash.ok_or(ChipError::Unsupported)?, hashes))
    }
}

/// The number of a data group and its hash.
type Hashes<'a> = Vec<(u8, &'a [u8])>;

/// Content type, content, certificates and the one signer of a signed message.
type Parts<'a> = (&'a [u8], &'a [u8], Vec<&'a [u8]>, Element<'a>);

fn parts(bytes: &[u8]) -> Option<Parts<'_>> {
    let mut outer = Reader::new(bytes);
    let mut message = match outer.next()? {
        file if file.tag == 0x77 => file.inside().expect(tag::SEQUENCE)?.inside(),
        message => Some(message).filter(|m| m.tag == tag::SEQUENCE)?.inside(),
    };
    if message.expect(tag::OID)?.content != SIGNED_DATA {
        return None;
    }
    let mut data = message.expect(tag::C0)?.inside().expect(tag::SEQUENCE)?.inside();
    data.expect(tag::INTEGER)?;
    data.expect(tag::SET)?;
    let mut content = data.expect(tag::SEQUENCE)?.inside();
    let content_type = content.expect(tag::OID)?.content;
    let content = content
        .expect(tag::C0)?
        .inside()
        .expect(tag::OCTET_STRING)?
        .content;
    let mut certificates = Vec::new();
    if let Some(list) = data.optional(tag::C0) {
        let mut list = list.inside();
        while let Some(certificate) = list.next() {
            certificates.push(certificate.whole);
        }
    }
    data.optional(tag::C1);
    let mut signers = data.expect(tag::SET)?.inside();
    let signer = signers.expect(tag::SEQUENCE)?;
    signers
        .is_empty()
        .then_some((content_type, content, certificates, signer))
}

/// The signer's part of a message (RFC 5652 section 5.3). Signed attributes are required, as 9303-10 has it.
struct SignerInfo<'a> {
    id: Element<'a>,
    hash: Option<Hash>,
    attributes: Element<'a>,
    content_type: &'a [u8],
    digest: &'a [u8],
    algorithm: Element<'a>,
    signature: &'a [u8],
}

impl<'a> SignerInfo<'a> {
    fn read(signer: &Element<'a>) -> Option<Self> {
        let mut parts = signer.inside();
        parts.expect(tag::INTEGER)?;
        let id = parts.next()?;
        let hash = Hash::of(parts.expect(tag::SEQUENCE)?.inside().expect(tag::OID)?.content);
        let attributes = parts.expect(tag::C0)?;
        let algorithm = parts.expect(tag::SEQUENCE)?;
        let signature = parts.expect(tag::OCTET_STRING)?.content;
        let only = |wanted: &[u8]| -> Option<Element<'a>> {
            let mut list = attributes.inside();
            let mut found = None;
            while !list.is_empty() {
                let mut attribute = list.expect(tag::SEQUENCE)?.inside();
                if attribute.expect(tag::OID)?.content == wanted {
                    let mut values = attribute.expect(tag::SET)?.inside();
                    let value = values.next()?;
                    // Twice the same attribute, or two values, could say two things.
                    if found.replace(value).is_some() || !values.is_empty() {
                        return None;
                    }
                }
            }
            found
        };
        Some(Self {
            id,
            hash,
            attributes,
            content_type: only(CONTENT_TYPE)?.content,
            digest: only(MESSAGE_DIGEST)?.content,
            algorithm,
            signature,
        })
    }

    /// The certificate that the signer names, by issuer and serial number or by key identifier.
    fn certificate(&self, certificates: &[&'a [u8]]) -> Option<Certificate<'a>> {
        certificates
            .iter()
            .filter_map(|der| Certificate::read(der))
            .find(|certificate| match self.id.tag {
                tag::SEQUENCE => {
                    let mut id = self.id.inside();
                    let issuer = id.expect(tag::SEQUENCE).map(|name| name.content);
                    let serial = id.expect(tag::INTEGER).map(|number| number.content);
                    issuer == Some(certificate.issuer.content) && serial == Some(certificate.serial)
                }
                0x80 => certificate.key_id == Some(self.id.content),
                _ => false,
            })
    }
}
