//! The device that a chip sits in, as it is told to servers.

use serde::{Deserialize, Serialize};
use simwarden_model::Imei;

/// Type allocation code and IMEI as `DeviceInfo` carries them: two digits a byte, nibbles swapped, filler F.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// The eight digits of the type allocation code.
    pub tac: [u8; 4],
    /// The fifteen digits of the IMEI and a filler; a device may keep it to itself.
    pub imei: Option<[u8; 8]>,
}

impl Device {
    /// The device with this number.
    #[must_use]
    pub fn of(imei: &Imei) -> Self {
        let mut bytes = [0xFF; 8];
        for (at, digit) in imei.reveal().bytes().take(16).enumerate() {
            let value = digit & 0x0F;
            let byte = &mut bytes[at / 2];
            *byte = if at % 2 == 0 {
                0xF0 | value
            } else {
                value << 4 | (*byte & 0x0F)
            };
        }
        Self {
            tac: [bytes[0], bytes[1], bytes[2], bytes[3]],
            imei: Some(bytes),
        }
    }

    /// The same, with the IMEI kept back.
    #[must_use]
    pub fn without_imei(self) -> Self {
        Self { imei: None, ..self }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn swaps_nibbles_and_fills() {
        let device = super::Device::of(&simwarden_model::Imei::parse("490154203237518").unwrap());
        assert_eq!(device.tac, [0x94, 0x10, 0x45, 0x02]);
        assert_eq!(
            device.imei,
            Some([0x94, 0x10, 0x45, 0x02, 0x23, 0x73, 0x15, 0xF8])
        );
    }
}
