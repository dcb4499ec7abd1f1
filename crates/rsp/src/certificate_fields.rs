//! The parts of a certificate that say who it is for: names, roles, EID ranges, extensions.

use crate::certificate::{CertificateError, KeyId};
use crate::der::{DerError, Tlv};

/// The most names or ranges that are read out of one certificate.
const LIST_MAX: usize = 64;

/// What a certificate may be used for: the last arc of its policy under 2.23.146.1.2.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Role {
    /// The root, certificate issuer.
    Ci,
    /// A chip.
    Euicc,
    /// A maker of chips.
    Eum,
    /// TLS of an SM-DP+.
    DpTls,
    /// Authentication of an SM-DP+.
    DpAuth,
    /// Profile binding of an SM-DP+.
    DpPb,
    /// TLS of an SM-DS.
    DsTls,
    /// Authentication of an SM-DS.
    DsAuth,
}

impl Role {
    /// The role of a policy OID's contents, in its first form (…1.2.1.x) or its later one (…1.2.1.0.0.x).
    fn from_policy(oid: &[u8]) -> Option<Self> {
        let arc = match oid {
            [0x67, 0x81, 0x12, 0x01, 0x02, 0x01, arc] => arc,
            [0x67, 0x81, 0x12, 0x01, 0x02, 0x01, 0x00, 0x00, arc] => arc,
            _ => return None,
        };
        Some(match arc {
            0 => Self::Ci,
            1 => Self::Euicc,
            2 => Self::Eum,
            3 => Self::DpTls,
            4 => Self::DpAuth,
            5 => Self::DpPb,
            6 => Self::DsTls,
            7 => Self::DsAuth,
            _ => return None,
        })
    }
}

/// A permitted subtree of a name constraint: what a subject below must carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PermittedName {
    /// The organisation, when named.
    pub organization: Option<Vec<u8>>,
    /// The beginning of the serial number, when named.
    pub serial_prefix: Option<String>,
}

/// The extensions that are understood.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Extensions {
    pub(crate) subject_key_id: Option<KeyId>,
    pub(crate) authority_key_id: Option<KeyId>,
    pub(crate) key_usage: u8,
    pub(crate) is_ca: bool,
    pub(crate) roles: Vec<Role>,
    pub(crate) registered_id: Option<Vec<u8>>,
    pub(crate) permitted: Vec<PermittedName>,
    pub(crate) eid_ranges: Vec<String>,
}

/// Organisation and serial number of a distinguished name.
pub(crate) fn read_name(name: Tlv<'_>) -> Result<PermittedName, DerError> {
    let mut found = PermittedName {
        organization: None,
        serial_prefix: None,
    };
    let mut sets = name.inner();
    while !sets.is_empty() {
        let mut attributes = sets.expect(0x31)?.inner();
        while !attributes.is_empty() {
            let mut attribute = attributes.expect(0x30)?.inner();
            let (kind, value) = (attribute.expect(0x06)?.value, attribute.read()?);
            attribute.finish()?;
            let twice = match kind {
                [0x55, 0x04, 0x05] => found.serial_prefix.replace(value.text()?.to_owned()).is_some(),
                [0x55, 0x04, 0x0A] => found.organization.replace(value.value.to_vec()).is_some(),
                _ => false,
            };
            if twice {
                return Err(DerError::Value);
            }
        }
    }
    Ok(found)
}

pub(crate) fn read_extensions(field: Tlv<'_>) -> Result<Extensions, CertificateError> {
    let mut found = Extensions::default();
    let mut seen: Vec<&[u8]> = Vec::new();
    let mut list = Tlv::parse_as(field.value, 0x30)?.inner();
    while !list.is_empty() {
        let mut extension = list.expect(0x30)?.inner();
        let oid = extension.expect(0x06)?.value;
        let critical = match extension.optional(0x01)? {
            None => false,
            Some(flag) if flag.value == [0xFF] => true,
            Some(_) => return Err(DerError::Value.into()),
        };
        let value = extension.expect(0x04)?.value;
        extension.finish()?;
        if seen.contains(&oid) || seen.len() >= LIST_MAX {
            return Err(DerError::Value.into());
        }
        seen.push(oid);
        let known = read_extension(&mut found, oid, value)?;
        if critical && !known {
            return Err(CertificateError::Critical);
        }
    }
    Ok(found)
}

/// Takes over what an extension says; false when it is none that is understood.
fn read_extension(found: &mut Extensions, oid: &[u8], value: &[u8]) -> Result<bool, DerError> {
    match oid {
        [0x55, 0x1D, 0x0E] => found.subject_key_id = Some(KeyId(Tlv::parse_as(value, 0x04)?.array()?)),
        [0x55, 0x1D, 0x23] => {
            let mut fields = Tlv::parse_as(value, 0x30)?.inner();
            found.authority_key_id = fields
                .optional(0x80)?
                .map(|id| id.array())
                .transpose()?
                .map(KeyId);
        }
        [0x55, 0x1D, 0x0F] => match Tlv::parse_as(value, 0x03)?.value {
            [unused, first, ..] if *unused < 8 => found.key_usage = *first,
            _ => return Err(DerError::Value),
        },
        [0x55, 0x1D, 0x13] => {
            let mut fields = Tlv::parse_as(value, 0x30)?.inner();
            found.is_ca = fields.optional(0x01)?.is_some_and(|flag| flag.value == [0xFF]);
        }
        [0x55, 0x1D, 0x20] => {
            let mut policies = Tlv::parse_as(value, 0x30)?.inner();
            while !policies.is_empty() {
                let policy = policies.expect(0x30)?.inner().expect(0x06)?;
                found.roles.extend(Role::from_policy(policy.value));
            }
        }
        [0x55, 0x1D, 0x11] => {
            let mut names = Tlv::parse_as(value, 0x30)?.inner();
            found.registered_id = names.find(0x88)?.map(|id| id.value.to_vec());
        }
        [0x55, 0x1D, 0x1E] => found.permitted = read_name_constraints(value)?,
        [0x67, 0x81, 0x12, 0x01, 0x02, 0x02, 0x00] => {
            let mut ranges = Tlv::parse_as(value, 0x30)?.inner();
            while !ranges.is_empty() {
                if found.eid_ranges.len() >= LIST_MAX {
                    return Err(DerError::TooLarge);
                }
                found.eid_ranges.push(ranges.expect(0x13)?.text()?.to_owned());
            }
        }
        // Where revocation lists are fetched, and whom to ask: read by nobody here.
        [0x55, 0x1D, 0x1F] | [0x55, 0x1D, 0x25] => {}
        _ => return Ok(false),
    }
    Ok(true)
}

fn read_name_constraints(value: &[u8]) -> Result<Vec<PermittedName>, DerError> {
    let mut permitted = Vec::new();
    let mut constraints = Tlv::parse_as(value, 0x30)?.inner();
    let mut subtrees = constraints.expect(0xA0)?.inner();
    // Excluded subtrees are not in the profile of RSP certificates; one would have to be understood.
    constraints.finish()?;
    while !subtrees.is_empty() {
        let directory = subtrees.expect(0x30)?.inner().expect(0xA4)?;
        if permitted.len() >= LIST_MAX {
            return Err(DerError::TooLarge);
        }
        permitted.push(read_name(Tlv::parse_as(directory.value, 0x30)?)?);
    }
    Ok(permitted)
}
