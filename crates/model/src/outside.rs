//! The two things that pure code must be given: time and chance.

use crate::Timestamp;
use std::time::Duration;

/// Tells the time. The one real implementation stands in `app`; simulations bring their own.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// The wall clock: may jump.
    fn now(&self) -> Timestamp;
    /// Time since some fixed moment of this process: never jumps.
    fn monotonic(&self) -> Duration;
}

/// Gives random bytes that nobody can guess. The one real implementation stands in `app`; simulations bring a seed.
pub trait Entropy: Send {
    /// Fills a buffer.
    fn fill(&mut self, bytes: &mut [u8]);
}

impl<T: Entropy + ?Sized> Entropy for &mut T {
    fn fill(&mut self, bytes: &mut [u8]) {
        (**self).fill(bytes);
    }
}

impl<K> crate::Id<K> {
    /// Draws a new identifier.
    #[must_use]
    pub fn draw(at: Timestamp, entropy: &mut dyn Entropy) -> Self {
        let mut random = [0; 10];
        entropy.fill(&mut random);
        Self::new(at, random)
    }
}
