//! Inclusion and consistency proofs, RFC 6962 §2.1.1–2.1.2 (verification after RFC 9162 §2.1.3.2 and §2.1.4.2).
//! Proofs are made from tiles, so any mirror can make them; they are checked with a root alone.

use std::collections::HashMap;

use crate::error::{LedgerError, Result};
use crate::hash::{Hash, empty_root, node_hash};
use crate::integrate::read_tile;
use crate::tile::{MAX_TREE_SIZE, TILE_WIDTH, TileId};

/// The longest proof: one hash for each level of the largest tree.
pub const MAX_PROOF_HASHES: usize = 63;

/// Tiles kept by a [`Prover`], with the nodes within them 16 KB each: 8 MB.
const MAX_CACHED_TILES: usize = 512;

/// Makes proofs in a tree of fixed size; keeps the tiles that it read, so that the receipts of one batch share them.
///
/// The tiles are believed. A wrong tile gives a proof that fails, never one that proves something false.
#[derive(Debug)]
pub struct Prover<F> {
    source: F,
    size: u64,
    tiles: HashMap<TileId, TileNodes>,
}

/// The perfect subtrees within a tile, by height: its own hashes first, up to the one root of a full tile.
type TileNodes = Vec<Vec<Hash>>;

impl<F: FnMut(TileId) -> Result<Vec<u8>>> Prover<F> {
    /// `source` gives the bytes of a tile of a tree of `size` leaves, and [`LedgerError::Missing`] for a file that
    /// does not exist.
    pub fn new(source: F, size: u64) -> Result<Self> {
        if size > MAX_TREE_SIZE {
            return Err(LedgerError::OutOfRange(format!(
                "a tree of {size} leaves is over the largest size"
            )));
        }
        Ok(Self {
            source,
            size,
            tiles: HashMap::new(),
        })
    }

    /// Sibling hashes from leaf `index` up to the root: PATH(index, D\[size\]).
    pub fn inclusion(&mut self, index: u64) -> Result<Vec<Hash>> {
        if index >= self.size {
            return Err(LedgerError::OutOfRange(format!(
                "entry {index} is not in a tree of {}",
                self.size
            )));
        }
        let (mut lo, mut hi) = (0, self.size);
        let mut siblings = Vec::new();
        while hi - lo > 1 {
            let middle = lo + split(hi - lo);
            if index < middle {
                siblings.push((middle, hi));
                hi = middle;
            } else {
                siblings.push((lo, middle));
                lo = middle;
            }
        }
        siblings
            .into_iter()
            .rev()
            .map(|(lo, hi)| self.range(lo, hi))
            .collect()
    }

    /// Hashes that show the tree of `old` leaves to be a prefix of this one: PROOF(old, D\[size\]). Empty when `old`
    /// is 0 or the size itself.
    pub fn consistency(&mut self, old: u64) -> Result<Vec<Hash>> {
        if old > self.size {
            return Err(LedgerError::OutOfRange(format!(
                "a tree of {} has no prefix of {old}",
                self.size
            )));
        }
        if old == 0 || old == self.size {
            return Ok(Vec::new());
        }
        let (mut lo, mut hi) = (0, self.size);
        let mut parts = Vec::new();
        while hi != old {
            let middle = lo + split(hi - lo);
            if old <= middle {
                parts.push((middle, hi));
                hi = middle;
            } else {
                parts.push((lo, middle));
                lo = middle;
            }
        }
        // A prefix that is itself a whole left subtree is known to the verifier as the old root.
        if lo > 0 {
            parts.push((lo, hi));
        }
        parts
            .into_iter()
            .rev()
            .map(|(lo, hi)| self.range(lo, hi))
            .collect()
    }

    /// Merkle tree hash of leaves `lo..hi`, where `lo` is a multiple of the power of two that spans the range.
    fn range(&mut self, mut lo: u64, hi: u64) -> Result<Hash> {
        let mut peaks = Vec::new();
        while lo < hi {
            let height = (hi - lo).ilog2();
            peaks.push(self.node(height, lo >> height)?);
            lo += 1 << height;
        }
        let folded = peaks
            .into_iter()
            .rev()
            .reduce(|right, left| node_hash(&left, &right));
        Ok(folded.unwrap_or_else(empty_root))
    }

    /// The perfect subtree number `index` of 2^`height` leaves.
    fn node(&mut self, height: u32, index: u64) -> Result<Hash> {
        let outside =
            || LedgerError::OutOfRange(format!("subtree {index} of height {height} is not in the tree"));
        let (level, within) = (u8::try_from(height / 8).map_err(|_| outside())?, height % 8);
        // Subtrees of this height in one tile: 256 at the tile's own level, 2 just below the next.
        let per_tile = u64::from(TILE_WIDTH) >> within;
        let id = TileId::at_size(level, index / per_tile, self.size).ok_or_else(outside)?;
        if !self.tiles.contains_key(&id) {
            if self.tiles.len() >= MAX_CACHED_TILES {
                self.tiles.clear();
            }
            let nodes = tile_nodes(read_tile(&mut self.source, id)?);
            self.tiles.insert(id, nodes);
        }
        let layer = usize::try_from(within).map_err(|_| outside())?;
        let place = usize::try_from(index % per_tile).map_err(|_| outside())?;
        let hash = self.tiles.get(&id).and_then(|nodes| nodes.get(layer)?.get(place));
        hash.copied().ok_or_else(outside)
    }
}

fn tile_nodes(hashes: Vec<Hash>) -> TileNodes {
    let mut nodes = vec![hashes];
    while let Some(layer) = nodes.last().filter(|layer| layer.len() > 1) {
        let above = layer
            .chunks_exact(2)
            .map(|pair| node_hash(&pair[0], &pair[1]))
            .collect();
        nodes.push(above);
    }
    nodes
}

/// Proof that entry `index` is in the tree of `size` leaves; see [`Prover::inclusion`].
pub fn prove_inclusion(
    source: impl FnMut(TileId) -> Result<Vec<u8>>,
    index: u64,
    size: u64,
) -> Result<Vec<Hash>> {
    Prover::new(source, size)?.inclusion(index)
}

/// Proof that the tree of `old` leaves is a prefix of the tree of `size`; see [`Prover::consistency`].
pub fn prove_consistency(
    source: impl FnMut(TileId) -> Result<Vec<u8>>,
    old: u64,
    size: u64,
) -> Result<Vec<Hash>> {
    Prover::new(source, size)?.consistency(old)
}

/// The largest power of two smaller than `n`, for n > 1.
fn split(n: u64) -> u64 {
    1 << (n - 1).ilog2()
}

/// Checks that `leaf` is entry `index` of the tree of `size` leaves with this `root`. The proof must have exactly
/// the hashes that are needed.
pub fn verify_inclusion(leaf: &Hash, index: u64, size: u64, root: &Hash, proof: &[Hash]) -> Result<()> {
    let failed = |reason: String| LedgerError::ProofFailed {
        what: "inclusion proof",
        reason,
    };
    if index >= size {
        return Err(failed(format!("entry {index} is not in a tree of {size}")));
    }
    let (mut node, mut last) = (index, size - 1);
    let mut hash = *leaf;
    for sibling in proof {
        if last == 0 {
            return Err(failed("it is too long".into()));
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(failed("it is too short".into()));
    }
    if hash != *root {
        return Err(failed(
            "it leads to another root: the entry is not the one that was logged".into(),
        ));
    }
    Ok(())
}

/// Checks that the tree (`old`, `old_root`) is a prefix of (`size`, `root`). The proof must have exactly the hashes
/// that are needed: none from the empty tree or between equal sizes.
pub fn verify_consistency(old: u64, old_root: &Hash, size: u64, root: &Hash, proof: &[Hash]) -> Result<()> {
    let failed = |reason: &str| LedgerError::ProofFailed {
        what: "consistency proof",
        reason: reason.into(),
    };
    if old > size {
        return Err(failed("the older tree is the larger one"));
    }
    if old == 0 || old == size {
        let expected = if old == size { root } else { &empty_root() };
        return match (proof.is_empty(), old_root == expected) {
            (false, _) => Err(failed("it is too long")),
            (true, false) => Err(failed(
                "trees of the same size have different roots: the log shows two histories",
            )),
            (true, true) => Ok(()),
        };
    }
    let (mut node, mut last) = (old - 1, size - 1);
    while node & 1 == 1 {
        node >>= 1;
        last >>= 1;
    }
    let mut hashes = proof.iter();
    // The old tree being one perfect subtree, its root is where the climb starts and is not sent.
    let start = if old.is_power_of_two() {
        Some(old_root)
    } else {
        hashes.next()
    };
    let start = *start.ok_or_else(|| failed("it is too short"))?;
    let (mut old_hash, mut new_hash) = (start, start);
    for sibling in hashes {
        if last == 0 {
            return Err(failed("it is too long"));
        }
        if node & 1 == 1 || node == last {
            old_hash = node_hash(sibling, &old_hash);
            new_hash = node_hash(sibling, &new_hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            new_hash = node_hash(&new_hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(failed("it is too short"));
    }
    if old_hash != *old_root || new_hash != *root {
        return Err(failed(
            "the newer tree does not continue the older one: the log's history was rewritten",
        ));
    }
    Ok(())
}
