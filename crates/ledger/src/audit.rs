//! The audit of a whole log: everything is recomputed from the entries up, every file is compared with what it must
//! be, and the first file (and entry) that differs is named.
//!
//! It reads each file once, in order, and holds one bundle and the right edge of the tree, whatever the log's size.
//! What it cannot see: a log rewritten from some entry on and signed anew with the log's own key. That is what a
//! remembered checkpoint (`old`) and the policy's witnesses are for.

use crate::bundle::decodable_prefix;
use crate::checkpoint::Checkpoint;
use crate::error::{LedgerError, Result};
use crate::hash::{Hash, empty_root, leaf_hash};
use crate::integrate::{TreeState, read_tile};
use crate::policy::{Policy, TrustedCheckpoint};
use crate::tile::{BundleId, LogPath, MAX_TREE_SIZE, TileId, bundles_grown, right_edge};

/// Where the files of a log come from: a folder, a web server, memory.
///
/// Both functions answer [`LedgerError::Missing`] for a file that does not exist, [`LedgerError::Source`] for any
/// other trouble, and bound what they read ([`TileId::len_bytes`] for a tile, 16.8 MB for a bundle).
pub trait LogSource {
    /// The bytes of a tile.
    fn tile(&mut self, id: TileId) -> Result<Vec<u8>>;
    /// The bytes of an entry bundle.
    fn bundle(&mut self, id: BundleId) -> Result<Vec<u8>>;
}

/// How deep an audit goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditDepth {
    /// Entries and tiles: for auditors, who may read entries.
    Entries,
    /// Tiles only: for the public, who sees hashes.
    Hashes,
}

/// What an audit without findings has read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditReport {
    /// Entries in the log.
    pub entries: u64,
    /// Entry bundles compared; 0 at [`AuditDepth::Hashes`].
    pub bundles: u64,
    /// Tiles compared.
    pub tiles: u64,
}

/// Audits a log against a signed checkpoint, which `policy` must accept, and optionally against a checkpoint
/// remembered from earlier.
///
/// # Errors
/// [`LedgerError::Altered`] names the first file that differs; the policy's errors for the checkpoint itself;
/// [`LedgerError::Missing`] for a file that must exist.
pub fn verify_log(
    source: &mut impl LogSource,
    note: &[u8],
    policy: &Policy,
    old: Option<&Checkpoint>,
    depth: AuditDepth,
) -> Result<(TrustedCheckpoint, AuditReport)> {
    let trusted = policy.check(note)?;
    let report = verify_tree(source, &trusted.checkpoint, old, depth)?;
    Ok((trusted, report))
}

/// As [`verify_log`], for a checkpoint whose signatures the caller has already checked.
pub fn verify_tree(
    source: &mut impl LogSource,
    checkpoint: &Checkpoint,
    old: Option<&Checkpoint>,
    depth: AuditDepth,
) -> Result<AuditReport> {
    let size = checkpoint.size;
    if size > MAX_TREE_SIZE {
        return Err(LedgerError::OutOfRange(format!(
            "a tree of {size} entries is over the largest size"
        )));
    }
    if let Some(old) = old {
        if old.origin != checkpoint.origin {
            return Err(altered_checkpoint(format!(
                "the remembered one is of another log, {}",
                old.origin
            )));
        }
        if old.size > size {
            return Err(altered_checkpoint(format!(
                "the log went back from {} entries to {size}",
                old.size
            )));
        }
    }
    let report = AuditReport {
        entries: size,
        bundles: 0,
        tiles: 0,
    };
    let mut walk = Walk {
        source,
        depth,
        old_size: old.map(|old| old.size),
        old_root: empty_root(),
        entries: Side::default(),
        leaves: None,
        parted: None,
        report,
    };
    for id in bundles_grown(0, size) {
        walk.bundle(id)?;
    }
    walk.partial_tiles()?;
    walk.conclude(checkpoint)?;
    match old {
        Some(old) if walk.old_root != old.root => Err(altered_checkpoint(format!(
            "its first {} entries do not have the remembered root: the log's history was rewritten",
            old.size
        ))),
        _ => Ok(walk.report),
    }
}

/// Compares a partial tile or bundle left over from a smaller tree with what stands there now. An audit does not
/// read such files; whoever lists a folder finds them and asks here.
pub fn verify_leftover(source: &mut impl LogSource, path: LogPath, bytes: &[u8], size: u64) -> Result<()> {
    let (current, width) = match path {
        LogPath::Checkpoint => {
            return Err(LedgerError::OutOfRange(
                "a checkpoint is checked by its policy".into(),
            ));
        }
        LogPath::Tile(id) => (
            TileId::at_size(id.level(), id.index(), size).map(LogPath::Tile),
            id.width(),
        ),
        LogPath::Bundle(id) => (
            BundleId::at_size(id.index(), size).map(LogPath::Bundle),
            id.width(),
        ),
    };
    let good = match (path, current) {
        (LogPath::Tile(id), Some(LogPath::Tile(now))) if width <= now.width() => {
            id.decode(bytes)? == read_tile(&mut |id| source.tile(id), now)?[..usize::from(width)]
        }
        (LogPath::Bundle(_), Some(LogPath::Bundle(now))) if width <= now.width() => {
            let now_bytes = read_bundle(source, now)?;
            let (entries, _) = decodable_prefix(BundleId::new(now.index(), width)?, &now_bytes);
            let length: usize = entries.iter().map(|entry| entry.len() + 2).sum();
            entries.len() == usize::from(width) && now_bytes.get(..length) == Some(bytes)
        }
        _ => {
            return Err(LedgerError::OutOfRange(format!(
                "{path} lies beyond a tree of {size} entries"
            )));
        }
    };
    if good {
        Ok(())
    } else {
        Err(altered(
            path,
            None,
            "it is not the beginning of what stands there now",
        ))
    }
}

/// A tree recomputed from one kind of file, and the first stored tile above level 0 that does not fit it.
#[derive(Clone, Default)]
struct Side {
    tree: TreeState,
    misfit: Option<Misfit>,
}

#[derive(Clone, Copy)]
struct Misfit {
    tile: TileId,
    /// First entry under the first hash that differs.
    entry: u64,
}

struct Walk<'a, S> {
    source: &'a mut S,
    depth: AuditDepth,
    old_size: Option<u64>,
    /// Root at `old_size`, recomputed.
    old_root: Hash,
    /// The tree after the entries.
    entries: Side,
    /// The tree after the leaf tiles, from where the two part.
    leaves: Option<Side>,
    /// The first entry that does not have its hash in the leaf tile.
    parted: Option<(BundleId, u64)>,
    report: AuditReport,
}

impl<S: LogSource> Walk<'_, S> {
    fn bundle(&mut self, id: BundleId) -> Result<()> {
        let stored = read_tile(&mut |id| self.source.tile(id), id.leaf_tile())?;
        self.report.tiles += 1;
        let computed = match self.depth {
            AuditDepth::Hashes => stored.clone(),
            AuditDepth::Entries => {
                self.report.bundles += 1;
                entry_hashes(id, &read_bundle(self.source, id)?, &stored)?
            }
        };
        if self.leaves.is_none()
            && let Some(place) = first_difference(&computed, &stored)
        {
            self.leaves = Some(self.entries.clone());
            self.parted = Some((id, id.first_entry() + place));
        }
        let mut full = Vec::new();
        for leaf in computed {
            self.entries
                .tree
                .push(leaf, &mut |id, hashes| full.push((id, hashes.to_vec())));
            if self.old_size == Some(self.entries.tree.size()) {
                self.old_root = self.entries.tree.root();
            }
        }
        self.compare(&full, false)?;
        if let Some(side) = self.leaves.as_mut() {
            full.clear();
            stored
                .into_iter()
                .for_each(|leaf| side.tree.push(leaf, &mut |id, h| full.push((id, h.to_vec()))));
            self.compare(&full, true)?;
        }
        Ok(())
    }

    fn partial_tiles(&mut self) -> Result<()> {
        let decode = |side: &Side| -> Result<Vec<_>> {
            side.tree
                .partial_tiles()
                .into_iter()
                .map(|(id, bytes)| Ok((id, id.decode(&bytes)?)))
                .collect()
        };
        let tiles = decode(&self.entries)?;
        self.compare(&tiles, false)?;
        if let Some(side) = &self.leaves {
            let tiles = decode(side)?;
            self.compare(&tiles, true)?;
        }
        Ok(())
    }

    /// Compares recomputed tiles above level 0 with the stored ones.
    fn compare(&mut self, tiles: &[(TileId, Vec<Hash>)], leaves: bool) -> Result<()> {
        for (id, computed) in tiles.iter().filter(|(id, _)| id.level() > 0) {
            let stored = read_tile(&mut |id| self.source.tile(id), *id)?;
            let side = if leaves {
                self.leaves.as_mut()
            } else {
                Some(&mut self.entries)
            };
            let Some(side) = side else { continue };
            self.report.tiles += u64::from(!leaves);
            if let Some(place) = first_difference(computed, &stored) {
                let hash = id.index().saturating_mul(256).saturating_add(place);
                let entry = hash.saturating_mul(256_u64.saturating_pow(u32::from(id.level())));
                side.misfit.get_or_insert(Misfit { tile: *id, entry });
            }
        }
        Ok(())
    }

    /// Nothing vouches for the tiles of the right edge but the root (and, at depth, the entries).
    fn only_the_root_differs(&self, size: u64) -> LedgerError {
        let edge: Vec<String> = right_edge(size).iter().map(TileId::to_string).collect();
        match self.depth {
            AuditDepth::Hashes if !edge.is_empty() => {
                altered(edge.join(" or "), None, "together with the full tiles they do not lead to the signed root")
            }
            _ => altered_checkpoint(
                "all files agree with each other but not with its root: it is of another log, or they were rewritten"
                    .into(),
            ),
        }
    }

    /// Says which file is at fault: the one that does not lead to the signed root while the others do.
    fn conclude(&self, checkpoint: &Checkpoint) -> Result<()> {
        let entries_fit = self.entries.tree.root() == checkpoint.root;
        let leaves_fit = self
            .leaves
            .as_ref()
            .is_some_and(|side| side.tree.root() == checkpoint.root);
        match (self.parted, self.entries.misfit) {
            (Some((id, entry)), _) if entries_fit => Err(altered(
                id.leaf_tile(),
                Some(entry),
                "its hash is not that of the entry, which is as signed",
            )),
            (Some((id, entry)), _) if leaves_fit => Err(altered(
                id,
                Some(entry),
                "the entry does not have the hash that was signed",
            )),
            (Some((id, entry)), _) => Err(altered(
                id,
                Some(entry),
                "entry and leaf hash disagree, and neither leads to the signed root",
            )),
            (None, Some(misfit)) if entries_fit => Err(altered(
                misfit.tile,
                None,
                "it is not what the tiles below it hash to; rebuild it from them",
            )),
            (None, Some(misfit)) => {
                let id = TileId::new(0, misfit.entry / 256, 256)?;
                let id = TileId::at_size(0, id.index(), checkpoint.size).unwrap_or(id);
                let reason = format!(
                    "from here on its hashes do not lead to {} and the signed root",
                    misfit.tile
                );
                Err(altered(id, Some(misfit.entry), &reason))
            }
            (None, None) if !entries_fit => Err(self.only_the_root_differs(checkpoint.size)),
            (None, None) => Ok(()),
        }
    }
}

/// Leaf hashes of a bundle; one that cannot be cut into entries is named by the first entry that is wrong.
fn entry_hashes(id: BundleId, bytes: &[u8], stored: &[Hash]) -> Result<Vec<Hash>> {
    let (entries, rest) = decodable_prefix(id, bytes);
    let hashes: Vec<Hash> = entries.into_iter().map(leaf_hash).collect();
    if hashes.len() == usize::from(id.width()) && rest.is_empty() {
        return Ok(hashes);
    }
    let place = first_difference(&hashes, &stored[..hashes.len()]).unwrap_or(hashes.len() as u64);
    Err(altered(
        id,
        Some(id.first_entry() + place),
        "it cannot be cut into its entries",
    ))
}

/// Reads a bundle; when a partial one is gone, the beginning of the full one.
fn read_bundle(source: &mut impl LogSource, id: BundleId) -> Result<Vec<u8>> {
    match source.bundle(id) {
        Err(LedgerError::Missing { path }) if !id.is_full() => match source.bundle(id.full()) {
            Ok(mut bytes) => {
                let length = decodable_prefix(id, &bytes)
                    .0
                    .iter()
                    .map(|entry| entry.len() + 2)
                    .sum();
                bytes.truncate(length);
                Ok(bytes)
            }
            Err(LedgerError::Missing { .. }) => Err(LedgerError::Missing { path }),
            other => other,
        },
        other => other,
    }
}

fn first_difference(a: &[Hash], b: &[Hash]) -> Option<u64> {
    a.iter()
        .zip(b)
        .position(|(a, b)| a != b)
        .map(|place| place as u64)
}

fn altered(path: impl core::fmt::Display, entry: Option<u64>, reason: &str) -> LedgerError {
    LedgerError::Altered {
        path: path.to_string(),
        entry,
        reason: reason.into(),
    }
}

fn altered_checkpoint(reason: String) -> LedgerError {
    altered(LogPath::Checkpoint, None, &reason)
}
