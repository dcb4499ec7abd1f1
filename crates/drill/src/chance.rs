//! Chance that is the same on every machine: ChaCha20 from a seed, and a way to draw from it that no library changes.

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use simwarden_model::Entropy;

/// A seeded stream of numbers.
#[derive(Debug, Clone)]
pub struct Dice(ChaCha20Rng);

impl Dice {
    /// The stream of a seed and a purpose: two purposes never share numbers.
    #[must_use]
    pub fn new(seed: u64, purpose: &str) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        for (slot, byte) in key[8..].iter_mut().zip(purpose.bytes()) {
            *slot = byte;
        }
        Self(ChaCha20Rng::from_seed(key))
    }

    /// The next number.
    pub fn draw(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number below `end`, which is at least 1. The bias of the multiplication is below 2⁻³² here.
    pub fn below(&mut self, end: u32) -> u32 {
        let high = self.draw() >> 32;
        u32::try_from((high * u64::from(end.max(1))) >> 32).unwrap_or(0)
    }

    /// True in so many of 1000 draws.
    pub fn per_mille(&mut self, share: u32) -> bool {
        self.below(1000) < share
    }

    /// One of a list, which is not empty.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        let at = self.below(u32::try_from(from.len()).unwrap_or(u32::MAX));
        &from[at as usize]
    }

    /// So many decimal digits, the first of them not zero.
    pub fn digits(&mut self, count: usize) -> String {
        (0..count)
            .map(|at| {
                let digit = if at == 0 {
                    1 + self.below(9)
                } else {
                    self.below(10)
                };
                char::from(b'0' + u8::try_from(digit).unwrap_or(0))
            })
            .collect()
    }
}

impl Entropy for Dice {
    fn fill(&mut self, bytes: &mut [u8]) {
        self.0.fill_bytes(bytes);
    }
}
