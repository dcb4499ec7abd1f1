//! Unprotected profile packages (TCA, Interoperable Profile Package): read, checked, personalised, made for demos.
//!
//! Only what simwarden needs to know of a package is read: its header, its end, its keys. It does not author profiles.

mod lint;
mod personalise;
mod sample;

pub use lint::{Finding, FindingKind, Use, lint, remote_key_digests};
pub use personalise::{Personalisation, PersonaliseError, SecretKey, personalise};
pub use sample::sample;

use crate::der::{DerError, Reader, Tlv, check_tree};
use crate::metadata::{Metadata, MetadataError};
use simwarden_model::Iccid;

/// The largest package that is read, in bytes.
pub const PACKAGE_BYTES_MAX: usize = 512 * 1024;
/// The most elements of a package.
const ELEMENTS_MAX: usize = 512;

/// Tags of profile elements that are looked at.
pub(crate) mod element {
    pub(crate) const HEADER: u32 = 0xA0;
    pub(crate) const PIN_CODES: u32 = 0xA2;
    pub(crate) const PUK_CODES: u32 = 0xA3;
    pub(crate) const AKA_PARAMETER: u32 = 0xA4;
    pub(crate) const CDMA_PARAMETER: u32 = 0xA5;
    pub(crate) const SECURITY_DOMAIN: u32 = 0xA6;
    pub(crate) const END: u32 = 0xAA;
    pub(crate) const MF: u32 = 0xB0;
    pub(crate) const USIM: u32 = 0xB3;
}

/// Why bytes are no profile package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    /// Not strict DER.
    #[error("the profile package is malformed: {0}; export it unprotected, as DER")]
    Malformed(#[from] DerError),
    /// The header is missing or has no ICCID.
    #[error("the profile package does not begin with a header that names an ICCID")]
    Header,
    /// The end is missing, or something follows it.
    #[error("the profile package does not end with its end element; it is cut short or two were joined")]
    End,
    /// Metadata and package name different profiles.
    #[error("the metadata names another ICCID than the profile package; a chip would refuse it")]
    IccidMismatch,
    /// The metadata cannot be read.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
}

/// A profile package, read.
#[derive(Debug, Clone)]
pub struct ProfilePackage<'a> {
    bytes: &'a [u8],
    elements: Vec<Tlv<'a>>,
    iccid: Iccid,
    version: (u32, u32),
    profile_type: String,
}

impl<'a> ProfilePackage<'a> {
    /// Reads a package: strict DER all through, a header first, the end last.
    ///
    /// # Errors
    /// [`ProfileError`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ProfileError> {
        if bytes.len() > PACKAGE_BYTES_MAX {
            return Err(DerError::TooLarge.into());
        }
        let mut reader = Reader::new(bytes);
        let mut elements = Vec::new();
        while !reader.is_empty() {
            let element = reader.read()?;
            check_tree(&element)?;
            if elements.len() >= ELEMENTS_MAX {
                return Err(DerError::TooLarge.into());
            }
            elements.push(element);
        }
        let ends = elements.iter().filter(|it| it.tag == element::END).count();
        if ends != 1 || elements.last().is_none_or(|it| it.tag != element::END) {
            return Err(ProfileError::End);
        }
        let headers = elements.iter().filter(|it| it.tag == element::HEADER).count();
        let header = elements
            .first()
            .filter(|it| it.tag == element::HEADER && headers == 1);
        let mut fields = header.ok_or(ProfileError::Header)?.inner();
        let version = (fields.expect(0x80)?.unsigned()?, fields.expect(0x81)?.unsigned()?);
        let profile_type = fields
            .optional(0x82)?
            .map(|it| it.text())
            .transpose()?
            .unwrap_or("");
        let packed = fields.find(0x83)?.ok_or(ProfileError::Header)?;
        let packed = packed.array().map_err(|_| ProfileError::Header)?;
        let (iccid, _) = Iccid::from_packed(packed).map_err(|_| ProfileError::Header)?;
        Ok(Self {
            bytes,
            iccid,
            version,
            profile_type: profile_type.to_owned(),
            elements,
        })
    }

    /// The package as it is.
    #[must_use]
    pub const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Its elements in order.
    #[must_use]
    pub fn elements(&self) -> &[Tlv<'a>] {
        &self.elements
    }

    /// The profile.
    #[must_use]
    pub const fn iccid(&self) -> &Iccid {
        &self.iccid
    }

    /// Version of the package format.
    #[must_use]
    pub const fn version(&self) -> (u32, u32) {
        self.version
    }

    /// What the header calls it.
    #[must_use]
    pub fn profile_type(&self) -> &str {
        &self.profile_type
    }

    /// Whether this metadata (`BF25`) is of this profile.
    ///
    /// # Errors
    /// [`ProfileError::IccidMismatch`], or that the metadata cannot be read.
    pub fn check_metadata(&self, metadata: &[u8]) -> Result<Metadata, ProfileError> {
        let metadata = Metadata::parse(metadata)?;
        if metadata.iccid == self.iccid {
            Ok(metadata)
        } else {
            Err(ProfileError::IccidMismatch)
        }
    }
}
