//! What the tests of this crate share: seeded entropy, keys, and where the published test data lies.

use crate::curve::Point;
use crate::key::OneTimeKey;
use simwarden_model::Entropy;
use std::path::PathBuf;

/// Entropy out of a counter and SHA-256: the same for the same seed.
#[derive(Debug)]
pub(crate) struct Seed {
    seed: u64,
    count: u64,
}

impl Seed {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, count: 0 }
    }
}

impl Entropy for Seed {
    fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            let input = [self.seed.to_be_bytes(), self.count.to_be_bytes()].concat();
            self.count += 1;
            chunk.copy_from_slice(&crate::effect::digest(&input)[..chunk.len()]);
        }
    }
}

pub(crate) fn point_of(scalar: &[u8; 32]) -> Point {
    *OneTimeKey::from_scalar(scalar).unwrap().public()
}

/// A file of the published test data; `None`, and a line that says so, where it is not there.
pub(crate) fn shared(path: &str) -> Option<Vec<u8>> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/data")
        .join(path);
    let bytes = std::fs::read(&path).ok();
    if bytes.is_none() {
        println!("skipped: {} is not there", path.display());
    }
    bytes
}
