//! Protected segments of a bound package (SGP.22 v2, 2.5.3 and annex G; BSP is SCP03t with a chained MAC).

use crate::der::push_header;
use crate::kdf::SegmentKeys;
use aes::Aes128;
use aes::cipher::{BlockCipherEncrypt, BlockModeEncrypt, KeyInit, KeyIvInit};
use cmac::{Cmac, Mac};
use zeroize::{Zeroize, Zeroizing};

/// The longest segment, with tag, length and MAC, in bytes.
pub const SEGMENT_BYTES_MAX: usize = 1020;
/// The longest payload of an encrypted segment, before padding.
pub const ENCRYPTED_PAYLOAD_BYTES_MAX: usize = 1007;
/// The longest payload of a segment that is only authenticated.
pub const PLAIN_PAYLOAD_BYTES_MAX: usize = 1008;
const MAC_BYTES: usize = 8;

/// The state of a secure channel as it runs along: the counter and the chained MAC.
pub struct Channel {
    enc: Aes128,
    keys: SegmentKeys,
    counter: u128,
}

impl core::fmt::Debug for Channel {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Channel(at segment {})", self.counter)
    }
}

impl Channel {
    /// A channel at its first segment.
    #[must_use]
    pub fn new(keys: SegmentKeys) -> Self {
        Self {
            enc: Aes128::new(&keys.enc.into()),
            keys,
            counter: 1,
        }
    }

    /// Appends encrypted segments of the payload; an empty payload is one segment too.
    pub fn encrypt(&mut self, out: &mut Vec<u8>, tag: u8, payload: &[u8]) {
        if payload.is_empty() {
            return self.encrypt_one(out, tag, payload);
        }
        for part in payload.chunks(ENCRYPTED_PAYLOAD_BYTES_MAX) {
            self.encrypt_one(out, tag, part);
        }
    }

    /// Appends authenticated segments of the payload, in parts of at most `part_bytes_max`.
    pub fn authenticate(&mut self, out: &mut Vec<u8>, tag: u8, payload: &[u8], part_bytes_max: usize) {
        for part in payload.chunks(part_bytes_max.clamp(1, PLAIN_PAYLOAD_BYTES_MAX)) {
            // The counter runs for these too.
            self.counter += 1;
            self.seal(out, tag, part);
        }
    }

    fn encrypt_one(&mut self, out: &mut Vec<u8>, tag: u8, payload: &[u8]) {
        let mut iv = self.counter.to_be_bytes().into();
        self.enc.encrypt_block(&mut iv);
        self.counter += 1;
        let padded = (payload.len() / 16 + 1) * 16;
        let mut block = Zeroizing::new([0; PLAIN_PAYLOAD_BYTES_MAX]);
        block[..payload.len()].copy_from_slice(payload);
        block[payload.len()] = 0x80;
        let mut cbc = cbc::Encryptor::<Aes128>::new(&self.keys.enc.into(), &iv);
        for chunk in block[..padded].chunks_exact_mut(16) {
            if let Ok(chunk) = <&mut [u8; 16]>::try_from(chunk) {
                cbc.encrypt_block(chunk.into());
            }
        }
        self.seal(out, tag, &block[..padded]);
    }

    fn seal(&mut self, out: &mut Vec<u8>, tag: u8, body: &[u8]) {
        let start = out.len();
        push_header(out, u32::from(tag), body.len() + MAC_BYTES);
        out.extend_from_slice(body);
        let mut mac = <Cmac<Aes128> as KeyInit>::new(&self.keys.mac.into());
        mac.update(&self.keys.mcv);
        mac.update(&out[start..]);
        self.keys.mcv.copy_from_slice(&mac.finalize().into_bytes());
        out.extend_from_slice(&self.keys.mcv[..MAC_BYTES]);
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        self.keys.zeroize();
    }
}
