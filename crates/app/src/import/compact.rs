//! What a long file said before, in a few bytes a row.
//!
//! Blind indexes are keyed hashes, so their first eight bytes serve as they are. Two different values that share them
//! (one chance in 37 million for a file of a million rows) would be taken for one.

use simwarden_store::BlindIndex;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

/// Passes a number on that is a hash already.
#[derive(Default)]
pub(super) struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }
    fn write_u64(&mut self, n: u64) {
        self.0 = n;
    }
}

/// A set of blind indexes.
#[derive(Default)]
pub(super) struct Seen(HashSet<u64, BuildHasherDefault<AsItIs>>);

impl Seen {
    /// Adds one; false when it was there.
    pub(super) fn add(&mut self, index: BlindIndex) -> bool {
        self.0.insert(short(index))
    }
}

/// A number behind each blind index.
#[derive(Default)]
pub(super) struct Numbers(HashMap<[u32; 2], u32, BuildHasherDefault<AsItIs>>);

impl Numbers {
    pub(super) fn get(&self, index: BlindIndex) -> Option<u32> {
        self.0.get(&halves(index)).copied()
    }
    pub(super) fn put(&mut self, index: BlindIndex, n: u32) {
        self.0.insert(halves(index), n);
    }
}

fn short(index: BlindIndex) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = *index.as_bytes();
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}

/// Two halves need no padding beside a third: 12 bytes instead of 16.
fn halves(index: BlindIndex) -> [u32; 2] {
    let [a, b, c, d, e, f, g, h, ..] = *index.as_bytes();
    [u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h])]
}

/// Chips or phones: 16 bytes of index and 8 digits of the maker, to be written in order at the end.
#[derive(Default)]
pub(super) struct Places(Vec<[u8; 24]>);

impl Places {
    pub(super) fn add(&mut self, index: BlindIndex, maker: &str) {
        let mut place = [b'0'; 24];
        place[..16].copy_from_slice(index.as_bytes());
        let digits = maker.as_bytes();
        let width = digits.len().min(8);
        place[16..16 + width].copy_from_slice(&digits[..width]);
        self.0.push(place);
    }

    /// Each once, in order.
    pub(super) fn sorted(mut self) -> Vec<[u8; 24]> {
        self.0.sort_unstable();
        self.0.dedup_by(|a, b| a[..16] == b[..16]);
        self.0
    }
}

/// The two parts of a place.
pub(super) fn place_parts(place: &[u8; 24]) -> (BlindIndex, String) {
    let mut index = [0; 16];
    index.copy_from_slice(&place[..16]);
    let maker = place[16..].iter().map(|byte| char::from(*byte)).collect();
    (BlindIndex::from_bytes(index), maker)
}
