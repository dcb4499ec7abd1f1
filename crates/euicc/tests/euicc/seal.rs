//! The sealing half of SCP03t, for the server of the tests only (the chip has the opening half).

use aes::Aes128;
use aes::cipher::{BlockCipherEncrypt, KeyInit};
use cmac::{Cmac, Mac};
use simwarden_euicc::tlv;

pub struct Seal {
    enc: [u8; 16],
    mac: [u8; 16],
    chaining: [u8; 16],
    counter: u128,
}

impl Seal {
    pub fn new(enc: [u8; 16], mac: [u8; 16], chaining: [u8; 16]) -> Self {
        Self {
            enc,
            mac,
            chaining,
            counter: 1,
        }
    }

    pub fn enciphered(&mut self, tag: u32, clear: &[u8]) -> Vec<u8> {
        let mut padded = clear.to_vec();
        padded.push(0x80);
        padded.resize(padded.len().next_multiple_of(16), 0);
        self.enciphered_as_padded(tag, &padded)
    }

    /// `padded` is a multiple of 16 bytes, its padding already there, or wrong.
    pub fn enciphered_as_padded(&mut self, tag: u32, padded: &[u8]) -> Vec<u8> {
        let cipher = Aes128::new(&self.enc.into());
        let mut previous = self.counter.to_be_bytes().into();
        cipher.encrypt_block(&mut previous);
        let mut out = Vec::new();
        for block in padded.chunks(16) {
            for (a, b) in previous.iter_mut().zip(block) {
                *a ^= b;
            }
            cipher.encrypt_block(&mut previous);
            out.extend_from_slice(&previous);
        }
        self.authenticated(tag, &out)
    }

    pub fn authenticated(&mut self, tag: u32, content: &[u8]) -> Vec<u8> {
        self.counter += 1;
        let mut out = tlv::head(tag, content.len() + 8);
        out.extend_from_slice(content);
        let mut mac = Cmac::<Aes128>::new(&self.mac.into());
        mac.update(&self.chaining);
        mac.update(&out);
        self.chaining = mac.finalize().into_bytes().into();
        out.extend_from_slice(&self.chaining[..8]);
        out
    }

    pub fn all(&mut self, tag: u32, clear: &[u8], piece: usize) -> Vec<Vec<u8>> {
        clear
            .chunks(piece)
            .map(|it| match tag {
                0x88 => self.authenticated(tag, it),
                _ => self.enciphered(tag, it),
            })
            .collect()
    }
}
