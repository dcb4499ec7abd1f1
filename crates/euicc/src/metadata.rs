//! What a profile says of itself before it is installed: `StoreMetadataRequest` (SGP.22 5.5.3, tag BF25).

use crate::error::{EuiccError, Result};
use crate::tlv::{self, Reader};
use serde::{Deserialize, Serialize};

/// Profile policy rule 1: the profile must not be disabled.
pub const PPR1_DISABLING_NOT_ALLOWED: u8 = 0x40;
/// Profile policy rule 2: the profile must not be deleted.
pub const PPR2_DELETION_NOT_ALLOWED: u8 = 0x20;

/// What is notified; one bit each, the first in the highest place.
pub mod event {
    /// A profile was installed.
    pub const INSTALL: u8 = 0x80;
    /// A profile was enabled.
    pub const ENABLE: u8 = 0x40;
    /// A profile was disabled.
    pub const DISABLE: u8 = 0x20;
    /// A profile was deleted.
    pub const DELETE: u8 = 0x10;
}

/// The metadata of one profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    /// The ICCID as on the chip: nibbles swapped, filler F.
    #[serde(with = "crate::hex::array")]
    pub iccid: [u8; 10],
    /// Who provides the service, at most 32 bytes.
    pub provider: String,
    /// The name of the profile, at most 64 bytes.
    pub name: String,
    /// 0 JPEG, 1 PNG.
    pub icon_type: Option<u8>,
    /// The picture, at most 1024 bytes.
    #[serde(with = "crate::hex::bytes", default, skip_serializing_if = "Vec::is_empty")]
    pub icon: Vec<u8>,
    /// 0 test, 1 provisioning, 2 operational.
    pub class: u8,
    /// Which events are told to whom: bits as in [`event`], host name.
    pub notify: Vec<(u8, String)>,
    /// Owner (`profileOwner`, the content of B7), if named.
    #[serde(with = "crate::hex::bytes", default, skip_serializing_if = "Vec::is_empty")]
    pub owner: Vec<u8>,
    /// Profile policy rules, bits as in [`PPR1_DISABLING_NOT_ALLOWED`].
    pub policy_rules: u8,
}

impl Metadata {
    /// Reads BF25, elements in their order, within their limits.
    ///
    /// # Errors
    /// [`EuiccError`] for anything else.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let mut fields = tlv::only(bytes, 0xBF25)?.inside();
        let iccid = fields.expect(0x5A)?.array()?;
        let provider = text(&mut fields, 0x91, 32)?;
        let name = text(&mut fields, 0x92, 64)?;
        let icon_type = match fields.optional(0x93)? {
            Some(it) => Some(small(it.number()?, 1)?),
            None => None,
        };
        let icon = fields.optional(0x94)?.map_or(&[][..], |it| it.value).to_vec();
        if icon.len() > 1024 || icon_type.is_none() && !icon.is_empty() {
            return Err(EuiccError::Malformed("an icon without type, or over 1024 bytes"));
        }
        let class = match fields.optional(0x95)? {
            Some(it) => small(it.number()?, 2)?,
            None => 2,
        };
        let notify = match fields.optional(0xB6)? {
            Some(list) => recipients(list.inside())?,
            None => Vec::new(),
        };
        let owner = fields.optional(0xB7)?.map_or(&[][..], |it| it.value).to_vec();
        let policy_rules = match fields.optional(0x99)? {
            Some(it) => it.bits()?,
            None => 0,
        };
        fields.end()?;
        Ok(Self {
            iccid,
            provider,
            name,
            icon_type,
            icon,
            class,
            notify,
            owner,
            policy_rules,
        })
    }
}

fn recipients(mut list: Reader<'_>) -> Result<Vec<(u8, String)>> {
    let mut notify = Vec::new();
    while let Some(entry) = list.next()? {
        let mut entry = tlv::only(entry.raw, 0x30)?.inside();
        let events = entry.expect(0x80)?.bits()?;
        let address = text(&mut entry, 0x81, 255)?;
        entry.end()?;
        notify.push((events, address));
        if notify.len() > 16 {
            return Err(EuiccError::TooLarge {
                what: "recipients of notifications",
                max: 16,
            });
        }
    }
    Ok(notify)
}

fn text(fields: &mut Reader<'_>, tag: u32, max: usize) -> Result<String> {
    let text = fields.expect(tag)?.text()?;
    if text.len() > max {
        return Err(EuiccError::TooLarge {
            what: "a text of the metadata, in bytes",
            max,
        });
    }
    Ok(text.to_owned())
}

fn small(value: u64, max: u8) -> Result<u8> {
    u8::try_from(value)
        .ok()
        .filter(|it| *it <= max)
        .ok_or(EuiccError::Malformed("a number out of its range"))
}
