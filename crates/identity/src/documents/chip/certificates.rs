//! The certificates of document signers and of countries, and the countries' revocation lists (9303-12).

use super::ChipError;
use super::der::{Element, Reader, tag};
use super::signature::{Fit, fits, signed};
use jiff::Timestamp;
use jiff::civil::DateTime;

/// Certificates and lists that are taken in, at most.
pub const TRUSTED_MAX: usize = 5_000;
/// Their size, in bytes.
const CERTIFICATE_BYTES_MAX: usize = 16_384;
const LIST_BYTES_MAX: usize = 4_000_000;

/// A certificate, its parts found.
#[derive(Clone, Copy)]
pub struct Certificate<'a> {
    whole: Element<'a>,
    /// Serial number, as DER content.
    pub serial: &'a [u8],
    /// Who signed it, a Name.
    pub issuer: Element<'a>,
    /// Whose it is, a Name.
    pub subject: Element<'a>,
    /// SubjectPublicKeyInfo.
    pub key: Element<'a>,
    not_before: Timestamp,
    not_after: Timestamp,
    /// SubjectKeyIdentifier.
    pub key_id: Option<&'a [u8]>,
    authority_key_id: Option<&'a [u8]>,
    is_authority: bool,
}

impl<'a> Certificate<'a> {
    /// Finds the parts; `None` when it is no certificate.
    #[must_use]
    pub fn read(bytes: &'a [u8]) -> Option<Self> {
        let whole = Reader::new(bytes).expect(tag::SEQUENCE)?;
        let (body, ..) = signed(&whole)?;
        let mut body = body.inside();
        body.optional(tag::C0);
        let serial = body.expect(tag::INTEGER)?.content;
        body.expect(tag::SEQUENCE)?;
        let issuer = body.expect(tag::SEQUENCE)?;
        let mut validity = body.expect(tag::SEQUENCE)?.inside();
        let (not_before, not_after) = (time(&validity.next()?)?, time(&validity.next()?)?);
        let subject = body.expect(tag::SEQUENCE)?;
        let key = body.expect(tag::SEQUENCE)?;
        let mut found = Self {
            whole,
            serial,
            issuer,
            subject,
            key,
            not_before,
            not_after,
            key_id: None,
            authority_key_id: None,
            is_authority: false,
        };
        while let Some(part) = body.next() {
            if part.tag == tag::C3 {
                found.extensions(part.inside().expect(tag::SEQUENCE)?)?;
            }
        }
        Some(found)
    }

    fn extensions(&mut self, list: Element<'a>) -> Option<()> {
        let mut list = list.inside();
        while !list.is_empty() {
            let mut extension = list.expect(tag::SEQUENCE)?.inside();
            let oid = extension.expect(tag::OID)?.content;
            extension.optional(tag::BOOLEAN);
            let mut value = extension.expect(tag::OCTET_STRING)?.inside();
            match oid {
                [0x55, 0x1d, 0x0e] => self.key_id = Some(value.expect(tag::OCTET_STRING)?.content),
                [0x55, 0x1d, 0x23] => {
                    let mut parts = value.expect(tag::SEQUENCE)?.inside();
                    self.authority_key_id = parts.optional(0x80).map(|id| id.content);
                }
                [0x55, 0x1d, 0x13] => {
                    let mut parts = value.expect(tag::SEQUENCE)?.inside();
                    self.is_authority = parts.optional(tag::BOOLEAN).is_some_and(|b| b.content != [0]);
                }
                _ => {}
            }
        }
        Some(())
    }

    fn in_force(&self, at: Timestamp) -> bool {
        self.not_before <= at && at <= self.not_after
    }

    /// Whether another certificate's key signed this one.
    fn signed_by(&self, authority: &Certificate<'_>) -> Fit {
        match signed(&self.whole) {
            Some((body, algorithm, signature)) => {
                fits(&authority.key, &algorithm, None, body.whole, signature)
            }
            None => Fit::Differs,
        }
    }
}

/// UTCTime or GeneralizedTime, in UTC (RFC 5280 section 4.1.2.5).
fn time(element: &Element<'_>) -> Option<Timestamp> {
    let text = std::str::from_utf8(element.content).ok()?.strip_suffix('Z')?;
    let (year, rest) = match element.tag {
        tag::UTC_TIME => {
            let year: i16 = text.get(..2)?.parse().ok()?;
            (if year < 50 { 2000 + year } else { 1900 + year }, text.get(2..)?)
        }
        tag::GENERALIZED_TIME => (text.get(..4)?.parse().ok()?, text.get(4..)?),
        _ => return None,
    };
    let two = |at: usize| -> Option<i8> { rest.get(at..at + 2)?.parse().ok() };
    let time = DateTime::new(year, two(0)?, two(2)?, two(4)?, two(6)?, two(8)?, 0).ok()?;
    jiff::tz::TimeZone::UTC.to_timestamp(time).ok()
}

/// The certificates of countries (CSCA) and their revocation lists, as the operator has loaded them. Nothing is
/// trusted that was not loaded: a master list's own signature is for whoever fetches it to check.
#[derive(Default)]
pub struct Trust {
    authorities: Vec<Vec<u8>>,
    lists: Vec<Vec<u8>>,
}

impl Trust {
    /// Takes in a country's certificate, DER.
    ///
    /// # Errors
    /// [`ChipError::Certificate`] when it is none, or too many were taken in.
    pub fn add_authority(&mut self, der: &[u8]) -> Result<(), ChipError> {
        let room = self.authorities.len() < TRUSTED_MAX && der.len() <= CERTIFICATE_BYTES_MAX;
        let certificate = Certificate::read(der).filter(|certificate| room && certificate.is_authority);
        certificate.ok_or(ChipError::Certificate)?;
        self.authorities.push(der.to_vec());
        Ok(())
    }

    /// Takes in a country's revocation list, DER.
    ///
    /// # Errors
    /// [`ChipError::Certificate`] when it is none, or too many were taken in.
    pub fn add_list(&mut self, der: &[u8]) -> Result<(), ChipError> {
        let room = self.lists.len() < TRUSTED_MAX && der.len() <= LIST_BYTES_MAX;
        List::read(der).filter(|_| room).ok_or(ChipError::Certificate)?;
        self.lists.push(der.to_vec());
        Ok(())
    }

    /// How many authorities there are.
    #[must_use]
    pub const fn authorities(&self) -> usize {
        self.authorities.len()
    }

    /// Whether a signer's certificate leads to a country's, and both are in force and not revoked.
    pub(super) fn judge(&self, signer: &Certificate<'_>, at: Timestamp) -> Result<(), ChipError> {
        let candidates = self
            .authorities
            .iter()
            .filter_map(|der| Certificate::read(der))
            .filter(|authority| match (signer.authority_key_id, authority.key_id) {
                (Some(wanted), Some(id)) => wanted == id,
                _ => same_name(&signer.issuer, &authority.subject),
            });
        let mut worst = ChipError::UnknownAuthority;
        for authority in candidates {
            match signer.signed_by(&authority) {
                Fit::Fits => return self.in_force(signer, &authority, at),
                Fit::Differs => worst = ChipError::SignerSignature,
                Fit::Unsupported => worst = ChipError::Unsupported,
            }
        }
        Err(worst)
    }

    fn in_force(
        &self,
        signer: &Certificate<'_>,
        authority: &Certificate<'_>,
        at: Timestamp,
    ) -> Result<(), ChipError> {
        // Lists count when this authority signed them; a country's newer key signs lists for its older ones too.
        let lists: Vec<List<'_>> = self
            .lists
            .iter()
            .filter_map(|der| List::read(der))
            .filter(|list| same_name(&list.issuer, &authority.subject))
            .filter(|list| {
                let keys = self.authorities.iter().filter_map(|der| Certificate::read(der));
                keys.filter(|key| same_name(&key.subject, &list.issuer))
                    .any(|key| list.signed_by(&key))
            })
            .collect();
        let revoked = |serial: &[u8]| lists.iter().any(|list| list.revokes(serial));
        if revoked(authority.serial) {
            return Err(ChipError::AuthorityRevoked);
        }
        if revoked(signer.serial) {
            return Err(ChipError::SignerRevoked);
        }
        if !authority.in_force(at) {
            return Err(ChipError::AuthorityExpired);
        }
        if !signer.in_force(at) {
            return Err(ChipError::SignerExpired);
        }
        Ok(())
    }
}

/// Names are compared by their texts: the same country writes its name in several string types, and in capitals here
/// and small letters there.
fn same_name(one: &Element<'_>, other: &Element<'_>) -> bool {
    fn texts(name: &Element<'_>) -> Option<Vec<(Vec<u8>, Vec<u8>)>> {
        let mut texts = Vec::new();
        let mut name = name.inside();
        while !name.is_empty() {
            let mut set = name.expect(tag::SET)?.inside();
            while !set.is_empty() {
                let mut pair = set.expect(tag::SEQUENCE)?.inside();
                let (kind, text) = (pair.expect(tag::OID)?, pair.next()?);
                texts.push((kind.content.to_vec(), text.content.to_ascii_lowercase()));
            }
        }
        Some(texts)
    }
    matches!((texts(one), texts(other)), (Some(one), Some(other)) if one == other)
}

/// A revocation list, its parts found.
struct List<'a> {
    whole: Element<'a>,
    issuer: Element<'a>,
    revoked: Option<Element<'a>>,
}

impl<'a> List<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let whole = Reader::new(bytes).expect(tag::SEQUENCE)?;
        let (body, ..) = signed(&whole)?;
        let mut body = body.inside();
        body.optional(tag::INTEGER);
        body.expect(tag::SEQUENCE)?;
        let issuer = body.expect(tag::SEQUENCE)?;
        time(&body.next()?)?;
        // The day of the next list may be missing.
        if body.optional(tag::UTC_TIME).is_none() {
            body.optional(tag::GENERALIZED_TIME);
        }
        Some(Self {
            whole,
            issuer,
            revoked: body.optional(tag::SEQUENCE),
        })
    }

    fn signed_by(&self, authority: &Certificate<'_>) -> bool {
        signed(&self.whole).is_some_and(|(body, algorithm, signature)| {
            fits(&authority.key, &algorithm, None, body.whole, signature) == Fit::Fits
        })
    }

    fn revokes(&self, serial: &[u8]) -> bool {
        let Some(revoked) = &self.revoked else {
            return false;
        };
        let mut entries = revoked.inside();
        while let Some(entry) = entries.next() {
            if entry
                .inside()
                .expect(tag::INTEGER)
                .is_some_and(|number| number.content == serial)
            {
                return true;
            }
        }
        false
    }
}
