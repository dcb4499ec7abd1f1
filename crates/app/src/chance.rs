//! The real clock and the real source of chance.

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use simwarden_model::{Clock, Entropy, Timestamp};
use std::time::{Duration, Instant, SystemTime};

/// The clock of the machine.
#[derive(Debug)]
pub struct SystemClock {
    started: Instant,
}

impl SystemClock {
    /// Starts counting now.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads the machine's clock"
    )]
    pub fn start() -> Self {
        Self {
            started: Instant::now(),
        }
    }
}

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads the machine's clock"
    )]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }

    fn monotonic(&self) -> Duration {
        self.started.elapsed()
    }
}

/// ChaCha20, seeded by the operating system and seeded anew every few thousand draws.
#[derive(Debug)]
pub struct OsEntropy {
    generator: ChaCha20Rng,
    left: u32,
}

/// Draws between two seeds.
const DRAWS: u32 = 4096;

impl OsEntropy {
    /// Seeds itself.
    ///
    /// # Errors
    /// When the operating system gives no randomness.
    pub fn new() -> Result<Self, std::io::Error> {
        Ok(Self {
            generator: seeded()?,
            left: DRAWS,
        })
    }
}

fn seeded() -> Result<ChaCha20Rng, std::io::Error> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|e| std::io::Error::other(e.to_string()))?;
    Ok(ChaCha20Rng::from_seed(seed))
}

impl Entropy for OsEntropy {
    fn fill(&mut self, bytes: &mut [u8]) {
        if self.left == 0 {
            // Without fresh randomness the old stream goes on: it is still unpredictable.
            if let Ok(generator) = seeded() {
                self.generator = generator;
            }
            self.left = DRAWS;
        }
        self.left -= 1;
        self.generator.fill_bytes(bytes);
    }
}
