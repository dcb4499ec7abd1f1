//! Growing the tree: leaf hashes in, tile files out. The only state is the partial tiles of the right edge (at most
//! 255 hashes on each of 8 levels), so a restart reads eight small files and no history.

use crate::compact::Frontier;
use crate::error::{LedgerError, Result, at_most};
use crate::hash::{Hash, empty_root, merge};
use crate::tile::{LEVELS, MAX_TREE_SIZE, TILE_WIDTH, TileId, hashes_at, right_edge};

/// The most leaves that one call integrates: bounds its memory to about 256 MB. Larger imports come in pieces.
pub const MAX_GROWTH_LEAVES: usize = 1 << 22;

/// A tree of some size, as far as it is needed to grow it and to know its root.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct TreeState {
    size: u64,
    /// By level, the hashes of the partial tile there: fewer than 256 each.
    edge: Vec<Vec<Hash>>,
}

/// What integration produced. Write the tiles, make them durable, and only then publish the new root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Growth {
    /// Files to write: path (by [`TileId`]'s `Display`) and content. Full tiles first as they fill, then the new
    /// partial tiles.
    pub tiles: Vec<(TileId, Vec<u8>)>,
    /// The grown tree.
    pub state: TreeState,
}

impl TreeState {
    /// The tree without leaves.
    pub fn empty() -> Self {
        Self::default()
    }

    /// Reads the right edge of a tree of `size` leaves from its tiles. The tiles are believed: compare
    /// [`TreeState::root`] with a signed checkpoint before growing it.
    ///
    /// `source` gives the bytes of a tile, and [`LedgerError::Missing`] for a file that does not exist.
    pub fn restore(size: u64, mut source: impl FnMut(TileId) -> Result<Vec<u8>>) -> Result<Self> {
        if size > MAX_TREE_SIZE {
            return Err(LedgerError::OutOfRange(format!(
                "a tree of {size} leaves is over the largest size"
            )));
        }
        let mut edge = vec![Vec::new(); usize::from(LEVELS)];
        for id in right_edge(size) {
            edge[usize::from(id.level())] = read_tile(&mut source, id)?;
        }
        while edge.last().is_some_and(Vec::is_empty) {
            edge.pop();
        }
        Ok(Self { size, edge })
    }

    /// Number of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Merkle tree hash of all leaves.
    pub fn root(&self) -> Hash {
        let mut lower = None;
        for hashes in &self.edge {
            let mut layer = hashes.clone();
            layer.extend(lower);
            lower = merge(layer);
        }
        lower.unwrap_or_else(empty_root)
    }

    /// The same tree as a compact range: the roots of its perfect subtrees.
    pub fn frontier(&self) -> Frontier {
        let mut peaks = Vec::new();
        for hashes in self.edge.iter().rev() {
            let mut rest = hashes.as_slice();
            while !rest.is_empty() {
                let (subtree, after) = rest.split_at(1 << rest.len().ilog2());
                peaks.extend(merge(subtree.to_vec()));
                rest = after;
            }
        }
        Frontier::trusted(self.size, peaks)
    }

    /// The partial tiles of the right edge with their content, level 0 first.
    pub fn partial_tiles(&self) -> Vec<(TileId, Vec<u8>)> {
        right_edge(self.size)
            .into_iter()
            .map(|id| (id, encode_tile(&self.edge[usize::from(id.level())])))
            .collect()
    }

    /// Adds a leaf; `full` receives every tile that it fills, lowest first.
    pub(crate) fn push(&mut self, leaf: Hash, full: &mut impl FnMut(TileId, &[Hash])) {
        self.size += 1;
        let mut carry = leaf;
        for level in 0..LEVELS {
            let slot = usize::from(level);
            if self.edge.len() == slot {
                self.edge.push(Vec::with_capacity(usize::from(TILE_WIDTH)));
            }
            self.edge[slot].push(carry);
            if self.edge[slot].len() < usize::from(TILE_WIDTH) {
                return;
            }
            let index = hashes_at(level, self.size) / u64::from(TILE_WIDTH) - 1;
            if let Ok(id) = TileId::new(level, index, TILE_WIDTH) {
                full(id, &self.edge[slot]);
            }
            let filled =
                core::mem::replace(&mut self.edge[slot], Vec::with_capacity(usize::from(TILE_WIDTH)));
            match merge(filled) {
                Some(root) => carry = root,
                None => return,
            }
        }
    }
}

/// Appends leaf hashes to a tree and returns the tiles that this creates, with the grown tree.
///
/// # Errors
/// More than [`MAX_GROWTH_LEAVES`] leaves, or a tree past [`MAX_TREE_SIZE`].
pub fn integrate(old: &TreeState, leaves: &[Hash]) -> Result<Growth> {
    at_most("leaves to integrate at once", leaves.len(), MAX_GROWTH_LEAVES)?;
    if leaves.len() as u64 > MAX_TREE_SIZE - old.size {
        return Err(LedgerError::OutOfRange(
            "the tree would outgrow its largest size".into(),
        ));
    }
    let mut state = old.clone();
    let mut tiles = Vec::with_capacity(leaves.len() / usize::from(TILE_WIDTH) + usize::from(LEVELS));
    for leaf in leaves {
        state.push(*leaf, &mut |id, hashes| tiles.push((id, encode_tile(hashes))));
    }
    let grown = state.partial_tiles();
    tiles.extend(
        grown
            .into_iter()
            .filter(|(id, _)| hashes_at(id.level(), old.size) < hashes_at(id.level(), state.size)),
    );
    Ok(Growth { tiles, state })
}

/// The content of a tile above level 0, from the full tiles below it.
pub fn tile_from_below(id: TileId, mut source: impl FnMut(TileId) -> Result<Vec<u8>>) -> Result<Vec<u8>> {
    let below = id
        .level()
        .checked_sub(1)
        .ok_or_else(|| LedgerError::OutOfRange("level 0 is made of entries, not of tiles".into()))?;
    let first = id.index().checked_mul(u64::from(TILE_WIDTH));
    let first = first.ok_or_else(|| LedgerError::OutOfRange("tile index over the largest tree".into()))?;
    let mut hashes = Vec::with_capacity(usize::from(id.width()));
    for i in 0..u64::from(id.width()) {
        let child = TileId::new(below, first + i, TILE_WIDTH)?;
        hashes.extend(merge(child.decode(&source(child)?)?));
    }
    Ok(encode_tile(&hashes))
}

/// The bytes of a tile's file.
pub fn encode_tile(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|h| h.0).collect()
}

/// Reads a tile; when a partial one is gone, the first hashes of the full one (it may replace the partial).
pub(crate) fn read_tile(source: &mut impl FnMut(TileId) -> Result<Vec<u8>>, id: TileId) -> Result<Vec<Hash>> {
    match source(id) {
        Ok(bytes) => id.decode(&bytes),
        Err(LedgerError::Missing { path }) if !id.is_full() => match source(id.full()) {
            Ok(bytes) => {
                let mut hashes = id.full().decode(&bytes)?;
                hashes.truncate(usize::from(id.width()));
                Ok(hashes)
            }
            Err(LedgerError::Missing { .. }) => Err(LedgerError::Missing { path }),
            Err(other) => Err(other),
        },
        Err(other) => Err(other),
    }
}
