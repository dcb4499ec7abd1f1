//! The BPP protection (SCP03t, SGP.22 2.5 and annex G): the keys of one download, and its segments on the chip's side.
//!
//! Only opening is done here; nothing in a chip seals. AES-CBC is chained by hand over single AES blocks.

use crate::crypto::sha256;
use crate::tlv;
use aes::Aes128;
use aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use cmac::{Cmac, Mac};
use serde::{Deserialize, Serialize};

/// The largest segment, in bytes, with its tag, length and MAC (SGP.22 2.5.3).
pub const SEGMENT_LENGTH_MAX: usize = 1020;
const MAC_LENGTH: usize = 8;

/// Why a segment was not taken; the two words of SGP.22 for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SegmentError {
    /// Too long, too short, or its padding is wrong.
    Structure,
    /// The MAC does not fit: altered, replayed, skipped or out of order.
    Security,
}

/// The keys, the chaining value and the counter of one secure channel.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecureChannel {
    #[serde(with = "crate::hex::array")]
    enc: [u8; 16],
    #[serde(with = "crate::hex::array")]
    mac: [u8; 16],
    #[serde(with = "crate::hex::array")]
    chaining: [u8; 16],
    counter: u64,
}

impl core::fmt::Debug for SecureChannel {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "SecureChannel(segment {})", self.counter)
    }
}

impl SecureChannel {
    /// The session keys of a shared secret: X9.63 with SHA-256 over `88 10 len(hostId) hostId 10 EID`.
    ///
    /// `host_id` has 1 to 16 bytes; `eid` is 16 bytes, the digits as printed, two a byte.
    #[must_use]
    pub fn derive(shared_secret: &[u8; 32], host_id: &[u8], eid: &[u8; 16]) -> Self {
        let host_length = [u8::try_from(host_id.len()).unwrap_or(u8::MAX)];
        let info = [&[0x88, 0x10][..], &host_length, host_id, &[0x10], eid].concat();
        let block = |count: u8| sha256(&[shared_secret, &[0, 0, 0, count], &info]);
        let (first, second) = (block(1), block(2));
        let key = |half: &[u8]| {
            let mut key = [0; 16];
            key.copy_from_slice(half);
            key
        };
        Self::with_keys(key(&first[16..]), key(&second[..16]), key(&first[..16]))
    }

    /// A channel that starts with these keys, as after `ReplaceSessionKeys`.
    #[must_use]
    pub fn with_keys(enc: [u8; 16], mac: [u8; 16], chaining: [u8; 16]) -> Self {
        Self {
            enc,
            mac,
            chaining,
            counter: 1,
        }
    }

    /// The initial or present MAC chaining value, S-ENC and S-MAC: for comparing with published vectors.
    #[must_use]
    pub fn reveal(&self) -> ([u8; 16], [u8; 16], [u8; 16]) {
        (self.chaining, self.enc, self.mac)
    }

    /// Takes one segment, tag and length included: checks size (when `strict`) and MAC, deciphers tags 86 and 87.
    ///
    /// # Errors
    /// [`SegmentError`]; the channel is then worthless, as on a chip.
    pub fn open(&mut self, segment: tlv::Tlv<'_>, strict: bool) -> Result<Vec<u8>, SegmentError> {
        let content = self.authenticate(segment, strict)?;
        let counter = self.counter;
        self.counter += 1;
        if segment.tag == 0x88 {
            return Ok(content.to_vec());
        }
        if content.is_empty() || content.len() % 16 != 0 {
            return Err(SegmentError::Structure);
        }
        self.decipher(content, counter)
    }

    fn authenticate<'a>(&mut self, segment: tlv::Tlv<'a>, strict: bool) -> Result<&'a [u8], SegmentError> {
        if segment.value.len() < MAC_LENGTH || strict && segment.raw.len() > SEGMENT_LENGTH_MAX {
            return Err(SegmentError::Structure);
        }
        let (content, tag) = segment.value.split_at(segment.value.len() - MAC_LENGTH);
        let mut mac = Cmac::<Aes128>::new(&self.mac.into());
        mac.update(&self.chaining);
        mac.update(&segment.raw[..segment.raw.len() - MAC_LENGTH]);
        let full: [u8; 16] = mac.finalize().into_bytes().into();
        if full[..MAC_LENGTH] != *tag {
            return Err(SegmentError::Security);
        }
        self.chaining = full;
        Ok(content)
    }

    fn decipher(&self, content: &[u8], counter: u64) -> Result<Vec<u8>, SegmentError> {
        let cipher = Aes128::new(&self.enc.into());
        let mut icv = u128::from(counter).to_be_bytes().into();
        cipher.encrypt_block(&mut icv);
        let mut previous: [u8; 16] = icv.into();
        let mut plain = Vec::with_capacity(content.len());
        for block in content.chunks_exact(16) {
            let mut current = [0; 16];
            current.copy_from_slice(block);
            let mut clear = current.into();
            cipher.decrypt_block(&mut clear);
            plain.extend(clear.iter().zip(previous).map(|(a, b)| a ^ b));
            previous = current;
        }
        // ISO 9797-1 padding method 2: one 80, then zeros, at most one block of it.
        let end = plain.iter().rposition(|byte| *byte != 0).unwrap_or(0);
        if plain.get(end) != Some(&0x80) || plain.len() - end > 16 {
            return Err(SegmentError::Structure);
        }
        plain.truncate(end);
        Ok(plain)
    }
}
