//! What a chip says of itself and of its phone: euiccInfo1, euiccInfo2, deviceInfo (SGP.22 v2, annex H).

use crate::certificate::KeyId;
use crate::der::{DerError, Reader, Tlv, check_tree};
use sha2::{Digest, Sha256};
use simwarden_model::Imei;

/// The most key identifiers that are read out of one list.
const KEY_IDS_MAX: usize = 64;

/// `BF20`: version and the roots that the chip knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EuiccInfo1 {
    /// The version of SGP.22 that the chip follows.
    pub svn: [u8; 3],
    /// Roots by which the chip verifies a server, in its order of preference.
    pub verification: Vec<KeyId>,
    /// Roots that its own certificates lead to, in its order of preference.
    pub signing: Vec<KeyId>,
}

impl EuiccInfo1 {
    /// Reads it; fields of later versions behind are passed over.
    ///
    /// # Errors
    /// [`DerError`] when it is malformed.
    pub fn parse(bytes: &[u8]) -> Result<Self, DerError> {
        let whole = Tlv::parse_as(bytes, 0xBF20)?;
        check_tree(&whole)?;
        let mut fields = whole.inner();
        Ok(Self {
            svn: fields.expect(0x82)?.array()?,
            verification: key_ids(fields.expect(0xA9)?)?,
            signing: key_ids(fields.expect(0xAA)?)?,
        })
    }
}

fn key_ids(list: Tlv<'_>) -> Result<Vec<KeyId>, DerError> {
    let mut ids = Vec::new();
    let mut reader = list.inner();
    while !reader.is_empty() {
        if ids.len() >= KEY_IDS_MAX {
            return Err(DerError::TooLarge);
        }
        // A key identifier of another length belongs to a root that is none of ours.
        let id = reader.expect(0x04)?;
        ids.extend(id.array().ok().map(KeyId));
    }
    Ok(ids)
}

/// `BF22`, as far as an SM-DP+ looks at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EuiccInfo2 {
    /// The version of SGP.22 that the chip follows.
    pub svn: [u8; 3],
    /// Firmware version.
    pub firmware: [u8; 3],
    /// Free non-volatile memory in bytes, when the chip says it.
    pub free_nvm_bytes: Option<u32>,
    /// Whether it holds more than one profile.
    pub additional_profile: bool,
    /// Profile policy rules that it forbids: the bits of the BIT STRING, first rule in the highest bit.
    pub forbidden_rules: u8,
    /// SHA-256 of what neither use nor update changes.
    pub properties_digest: [u8; 32],
}

impl EuiccInfo2 {
    /// Reads it; fields that are not known are passed over.
    ///
    /// # Errors
    /// [`DerError`] when it is malformed.
    pub fn read(info: Tlv<'_>) -> Result<Self, DerError> {
        let mut this = Self {
            svn: [0; 3],
            firmware: [0; 3],
            free_nvm_bytes: None,
            additional_profile: false,
            forbidden_rules: 0,
            properties_digest: [0; 32],
        };
        let mut fixed = Sha256::new();
        let mut fields = info.inner();
        fixed.update(fields.expect(0x81)?.raw);
        this.svn = fields.expect(0x82)?.array()?;
        this.firmware = fields.expect(0x83)?.array()?;
        while !fields.is_empty() {
            let field = fields.read()?;
            match field.tag {
                0x84 => this.free_nvm_bytes = free_nvm(field.inner()),
                0x88 => this.additional_profile = first_bits(field) & 0x80 != 0,
                0x99 => this.forbidden_rules = first_bits(field),
                // Category, platform label and accreditation number belong to the product, not to its state.
                0x8B | 0x0C => fixed.update(field.raw),
                _ => {}
            }
        }
        this.properties_digest = fixed.finalize().into();
        Ok(this)
    }
}

/// The first eight bits of a BIT STRING; none when it is empty or malformed.
fn first_bits(field: Tlv<'_>) -> u8 {
    match field.value {
        [unused @ 0..=7, bits @ ..] => bits.first().map_or(0, |first| match bits.len() {
            1 => first & (0xFF << unused),
            _ => *first,
        }),
        _ => 0,
    }
}

/// Free memory out of extCardResource (ETSI TS 102 226): tag 82; `None` when it is not said in a known form.
fn free_nvm(mut fields: Reader<'_>) -> Option<u32> {
    let field = fields.find(0x82).ok()??;
    (1..=4).contains(&field.value.len()).then(|| {
        field
            .value
            .iter()
            .fold(0, |sum, byte| (sum << 8) | u32::from(*byte))
    })
}

/// deviceInfo: the phone, in words that the chip has signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceInfo {
    /// Type allocation code, its digits in the nibbles.
    pub tac: [u8; 4],
    /// The phone's number, when it gives one that can be read.
    pub imei: Option<Imei>,
}

impl DeviceInfo {
    /// Reads it.
    ///
    /// # Errors
    /// [`DerError`] when it is malformed.
    pub fn read(info: Tlv<'_>) -> Result<Self, DerError> {
        let mut fields = info.inner();
        let tac = fields.expect(0x80)?.array()?;
        fields.expect(0xA1)?;
        let imei = fields.optional(0x82)?.and_then(|field| read_imei(field.value));
        Ok(Self { tac, imei })
    }
}

/// Eight bytes of digits, the low nibble first; the last nibble is a filler or belongs to the version.
fn read_imei(bytes: &[u8]) -> Option<Imei> {
    let digits: String = bytes
        .iter()
        .flat_map(|byte| [byte & 0x0F, byte >> 4])
        .take_while(|nibble| *nibble < 10)
        .map(|nibble| char::from(b'0' + nibble))
        .collect();
    Imei::parse_vouched(&digits).ok().map(|(imei, _)| imei)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_a_chip_says() {
        let info = [
            0xBF, 0x20, 0x0D, 0x82, 0x03, 2, 2, 2, 0xA9, 0x00, 0xAA, 0x04, 0x04, 0x02, 1, 2,
        ];
        let read = EuiccInfo1::parse(&info).unwrap();
        assert_eq!(
            (read.svn, read.verification.len(), read.signing.len()),
            ([2, 2, 2], 0, 0)
        );
        assert!(EuiccInfo1::parse(&info[..15]).is_err());
        let fields: &[u8] = &[
            0xBF, 0x22, 0x26, 0x81, 3, 2, 1, 0, 0x82, 3, 2, 2, 2, 0x83, 3, 1, 2, 3, //
            0x84, 0x0A, 0x81, 1, 0, 0x82, 2, 0x12, 0x34, 0x83, 1, 9, //
            0x88, 2, 0, 0x80, 0x99, 2, 6, 0xC0, 0x04, 1, 0,
        ];
        let read = EuiccInfo2::read(Tlv::parse(fields).unwrap()).unwrap();
        assert_eq!(read.free_nvm_bytes, Some(0x1234));
        assert!(read.additional_profile);
        assert_eq!((read.firmware, read.forbidden_rules), ([1, 2, 3], 0xC0));
        let device = [
            0xA1, 0x12, 0x80, 4, 0x53, 0x92, 0x60, 0x11, 0xA1, 0, 0x82, 8, 0x53, 0x92, 0x60, 0x11, 0x21,
            0x43, 0x65, 0xF8,
        ];
        let device = DeviceInfo::read(Tlv::parse(&device).unwrap()).unwrap();
        assert!(device.imei.is_some_and(|imei| imei.tac() == "35290611"));
    }
}
