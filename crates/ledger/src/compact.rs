//! The compact range of a whole tree: one hash for each perfect subtree, largest first. It knows the root and can be
//! appended to, in at most 63 hashes, but writes no tiles; a verifier that streams a log needs no more.

use crate::error::{LedgerError, Result};
use crate::hash::{Hash, empty_root, node_hash};
use crate::integrate::TreeState;
use crate::tile::{MAX_TREE_SIZE, TileId};

/// A tree reduced to the roots of its perfect subtrees.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Frontier {
    size: u64,
    peaks: Vec<Hash>,
}

impl Frontier {
    /// The tree without leaves.
    pub fn empty() -> Self {
        Self::default()
    }

    /// From stored state: a tree of `size` leaves has one peak for each 1 in the binary form of `size`, largest
    /// subtree first.
    pub fn from_parts(size: u64, peaks: Vec<Hash>) -> Result<Self> {
        if size > MAX_TREE_SIZE || peaks.len() != usize_of(size.count_ones()) {
            return Err(LedgerError::malformed(
                "compact range",
                format!("{} hashes do not make a tree of {size} leaves", peaks.len()),
            ));
        }
        Ok(Self { size, peaks })
    }

    pub(crate) fn trusted(size: u64, peaks: Vec<Hash>) -> Self {
        debug_assert_eq!(peaks.len(), usize_of(size.count_ones()));
        Self { size, peaks }
    }

    /// From the right-edge tiles of a tree of `size` leaves; see [`TreeState::restore`].
    pub fn from_tiles(size: u64, source: impl FnMut(TileId) -> Result<Vec<u8>>) -> Result<Self> {
        Ok(TreeState::restore(size, source)?.frontier())
    }

    /// Appends a leaf hash.
    pub fn push(&mut self, leaf: Hash) {
        let mut carry = leaf;
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                carry = node_hash(&left, &carry);
            }
        }
        self.peaks.push(carry);
        self.size += 1;
    }

    /// Number of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Roots of the perfect subtrees, largest first: the state to store.
    pub fn peaks(&self) -> &[Hash] {
        &self.peaks
    }

    /// Merkle tree hash of all leaves.
    pub fn root(&self) -> Hash {
        let folded = self
            .peaks
            .iter()
            .rev()
            .copied()
            .reduce(|right, left| node_hash(&left, &right));
        folded.unwrap_or_else(empty_root)
    }
}

fn usize_of(n: u32) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}
