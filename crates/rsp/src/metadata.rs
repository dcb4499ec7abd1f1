//! Profile metadata, `BF25` (StoreMetadataRequest, SGP.22 v2, 5.5.3): what the person is shown before the download.

use crate::der::{DerError, Tlv, check_tree, push, tlv};
use simwarden_model::{Iccid, Plmn};

/// The longest name of a provider, in bytes.
pub const PROVIDER_BYTES_MAX: usize = 32;
/// The longest name of a profile, in bytes.
pub const NAME_BYTES_MAX: usize = 64;
/// The largest icon, in bytes.
pub const ICON_BYTES_MAX: usize = 1024;
/// The most notification addresses.
const NOTIFICATIONS_MAX: usize = 16;

/// What a profile is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProfileClass {
    /// For tests: public keys may be in it.
    Test,
    /// For a first connection.
    Provisioning,
    /// For a subscriber's live number.
    #[default]
    Operational,
}

/// What the chip reports on, as the bits of NotificationEvent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct NotificationEvents(pub u8);

impl NotificationEvents {
    /// Bit 0.
    pub const INSTALL: Self = Self(0x80);
    /// Bit 1.
    pub const ENABLE: Self = Self(0x40);
    /// Bit 2.
    pub const DISABLE: Self = Self(0x20);
    /// Bit 3.
    pub const DELETE: Self = Self(0x10);
    /// All four.
    pub const ALL: Self = Self(0xF0);
}

/// A profile policy rule: bits of `99`.
pub const RULE_DISABLE_NOT_ALLOWED: u8 = 0x40;
/// A profile policy rule: bits of `99`.
pub const RULE_DELETE_NOT_ALLOWED: u8 = 0x20;

/// The metadata of a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// The profile.
    pub iccid: Iccid,
    /// Who provides it, as the person knows them; at most 32 bytes.
    pub provider: String,
    /// Its name; at most 64 bytes.
    pub name: String,
    /// Its icon: PNG (true) or JPEG, at most 1024 bytes.
    pub icon: Option<(bool, Vec<u8>)>,
    /// What it is for.
    pub class: ProfileClass,
    /// Who is told of which events.
    pub notify: Vec<(NotificationEvents, String)>,
    /// The network that owns it: MCC and MNC in three bytes as in `B7`.
    pub owner: Option<[u8; 3]>,
    /// Profile policy rules.
    pub rules: u8,
}

/// Why metadata cannot be written or read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// A text or icon is too long.
    #[error("{0} of the profile metadata is longer than {1} bytes")]
    TooLong(&'static str, usize),
    /// It does not read.
    #[error("the profile metadata is malformed: {0}")]
    Malformed(#[from] DerError),
    /// The ICCID in it is none.
    #[error("the ICCID of the profile metadata is malformed")]
    Iccid,
}

impl Metadata {
    /// Metadata with names only; every event is reported to `notify`.
    #[must_use]
    pub fn new(iccid: Iccid, provider: &str, name: &str, notify: &str) -> Self {
        let single = [
            NotificationEvents::INSTALL,
            NotificationEvents::ENABLE,
            NotificationEvents::DISABLE,
            NotificationEvents::DELETE,
        ];
        Self {
            iccid,
            provider: provider.to_owned(),
            name: name.to_owned(),
            icon: None,
            class: ProfileClass::Operational,
            notify: single.map(|events| (events, notify.to_owned())).to_vec(),
            owner: None,
            rules: 0,
        }
    }

    /// Writes `BF25`, strictly: a default is left out.
    ///
    /// # Errors
    /// [`MetadataError::TooLong`].
    pub fn to_der(&self) -> Result<Vec<u8>, MetadataError> {
        bounded("the provider name", self.provider.as_bytes(), PROVIDER_BYTES_MAX)?;
        bounded("the profile name", self.name.as_bytes(), NAME_BYTES_MAX)?;
        let mut out = Vec::with_capacity(256);
        push(&mut out, 0x5A, &self.iccid.to_bcd());
        push(&mut out, 0x91, self.provider.as_bytes());
        push(&mut out, 0x92, self.name.as_bytes());
        if let Some((is_png, icon)) = &self.icon {
            bounded("the icon", icon, ICON_BYTES_MAX)?;
            push(&mut out, 0x93, &[u8::from(*is_png)]);
            push(&mut out, 0x94, icon);
        }
        match self.class {
            ProfileClass::Test => push(&mut out, 0x95, &[0]),
            ProfileClass::Provisioning => push(&mut out, 0x95, &[1]),
            ProfileClass::Operational => {}
        }
        if !self.notify.is_empty() {
            let mut entries = Vec::new();
            for (events, address) in self.notify.iter().take(NOTIFICATIONS_MAX) {
                bounded("a notification address", address.as_bytes(), 255)?;
                let bits = bit_string(events.0);
                entries.extend(tlv(
                    0x30,
                    &[&tlv(0x80, &[&bits]), &tlv(0x81, &[address.as_bytes()])],
                ));
            }
            push(&mut out, 0xB6, &entries);
        }
        if let Some(owner) = self.owner {
            push(&mut out, 0xB7, &tlv(0x80, &[&owner]));
        }
        if self.rules != 0 {
            push(&mut out, 0x99, &bit_string(self.rules));
        }
        Ok(tlv(0xBF25, &[&out]))
    }

    /// Reads `BF25`; a default that is written out, and fields that are not known, are taken.
    ///
    /// # Errors
    /// [`MetadataError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, MetadataError> {
        let whole = Tlv::parse_as(bytes, 0xBF25)?;
        check_tree(&whole)?;
        let mut fields = whole.inner();
        let iccid = fields.expect(0x5A)?.array()?;
        let (iccid, _) = Iccid::from_bcd(iccid).map_err(|_| MetadataError::Iccid)?;
        let mut this = Self::new(
            iccid,
            fields.expect(0x91)?.text()?,
            fields.expect(0x92)?.text()?,
            "",
        );
        this.notify.clear();
        bounded("the provider name", this.provider.as_bytes(), PROVIDER_BYTES_MAX)?;
        bounded("the profile name", this.name.as_bytes(), NAME_BYTES_MAX)?;
        let mut is_png = false;
        while !fields.is_empty() {
            let field = fields.read()?;
            match field.tag {
                0x93 => is_png = field.value == [1],
                0x94 => {
                    bounded("the icon", field.value, ICON_BYTES_MAX)?;
                    this.icon = Some((is_png, field.value.to_vec()));
                }
                0x95 => this.class = class_of(field)?,
                0xB6 => this.notify = read_notify(field)?,
                0xB7 => this.owner = field.inner().optional(0x80)?.map(|it| it.array()).transpose()?,
                0x99 => this.rules = bits_of(field),
                _ => {}
            }
        }
        Ok(this)
    }
}

/// The three bytes of `B7`'s `mccmnc` (3GPP TS 24.008): digits in nibbles, F for a missing third digit of the MNC.
#[must_use]
pub fn mcc_mnc(plmn: &Plmn) -> [u8; 3] {
    let text = plmn.to_string();
    let digits: Vec<u8> = text
        .bytes()
        .filter(u8::is_ascii_digit)
        .map(|byte| byte - b'0')
        .collect();
    let digit = |at: usize| digits.get(at).copied().unwrap_or(0x0F);
    [
        digit(1) << 4 | digit(0),
        digit(5) << 4 | digit(2),
        digit(4) << 4 | digit(3),
    ]
}

/// The profile policy rules of metadata as it is kept, without reading the rest.
#[must_use]
pub(crate) fn policy_rules(metadata: &[u8]) -> u8 {
    let read = || Tlv::parse_as(metadata, 0xBF25).ok()?.inner().find(0x99).ok()?;
    read().map_or(0, bits_of)
}

fn bounded(what: &'static str, bytes: &[u8], max: usize) -> Result<(), MetadataError> {
    if bytes.len() > max {
        Err(MetadataError::TooLong(what, max))
    } else {
        Ok(())
    }
}

/// A named BIT STRING of up to eight bits: trailing zeros are left out.
fn bit_string(bits: u8) -> Vec<u8> {
    match bits.trailing_zeros() {
        8.. => vec![0],
        unused => vec![u8::try_from(unused).unwrap_or(0), bits],
    }
}

fn bits_of(field: Tlv<'_>) -> u8 {
    match field.value {
        [_, first, ..] => *first,
        _ => 0,
    }
}

fn class_of(field: Tlv<'_>) -> Result<ProfileClass, DerError> {
    match field.value {
        [0] => Ok(ProfileClass::Test),
        [1] => Ok(ProfileClass::Provisioning),
        [2] => Ok(ProfileClass::Operational),
        _ => Err(DerError::Value),
    }
}

fn read_notify(field: Tlv<'_>) -> Result<Vec<(NotificationEvents, String)>, DerError> {
    let mut found = Vec::new();
    let mut entries = field.inner();
    while !entries.is_empty() {
        if found.len() >= NOTIFICATIONS_MAX {
            return Err(DerError::TooLarge);
        }
        let mut entry = entries.expect(0x30)?.inner();
        let events = NotificationEvents(bits_of(entry.expect(0x80)?));
        found.push((events, entry.expect(0x81)?.text()?.to_owned()));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn iccid() -> Iccid {
        Iccid::parse("8949449999999990155").unwrap()
    }

    #[test]
    fn leaves_the_default_out_and_reads_it_written_out() {
        let mut metadata = Metadata::new(iccid(), "SmartWarden", "Prepaid", "smdp.example.com");
        let bytes = metadata.to_der().unwrap();
        assert_eq!(Metadata::parse(&bytes).unwrap(), metadata);
        assert!(!bytes.windows(3).any(|it| it == [0x95, 1, 2]));
        assert!(bytes.windows(4).any(|it| it == [0x80, 2, 7, 0x80]));
        assert!(bytes.windows(4).any(|it| it == [0x80, 2, 4, 0x10]));
        let inner = Tlv::parse(&bytes).unwrap().value;
        assert_eq!(
            Metadata::parse(&tlv(0xBF25, &[inner, &[0x95, 1, 2]])).unwrap(),
            metadata
        );
        assert!(Metadata::parse(&tlv(0xBF25, &[inner, &[0x95, 1, 3]])).is_err());
        metadata.provider = "x".repeat(33);
        assert!(metadata.to_der().is_err());
    }

    #[test]
    fn writes_networks_as_the_chip_reads_them() {
        assert_eq!(
            mcc_mnc(
                &"456-01"
                    .parse::<Plmn>()
                    .unwrap_or_else(|_| "45601".parse().unwrap())
            ),
            [0x54, 0xF6, 0x10]
        );
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(provider in "\\PC{0,8}", name in "\\PC{0,16}", icon in prop::option::of((any::<bool>(), prop::collection::vec(any::<u8>(), 1..1024))), rules in prop::sample::select(vec![0_u8, 0x40, 0x20, 0x60, 0xE0]), class in prop::sample::select(vec![ProfileClass::Test, ProfileClass::Provisioning, ProfileClass::Operational])) {
            let mut metadata = Metadata::new(iccid(), &provider, &name, "smdp.example.com");
            (metadata.icon, metadata.rules, metadata.class, metadata.owner) = (icon, rules, class, Some([1, 2, 3]));
            let bytes = metadata.to_der().unwrap();
            prop_assert_eq!(policy_rules(&bytes), rules);
            prop_assert_eq!(Metadata::parse(&bytes).unwrap(), metadata);
        }

        #[test]
        fn never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Metadata::parse(&tlv(0xBF25, &[&bytes]));
        }
    }
}
