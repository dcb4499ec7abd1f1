//! A copy of a log that can be stopped and resumed at any file.
//!
//! It goes from the top down: the right edge must lead to the signed root, and every full tile must have the hash that
//! stands in the tile above it. So each file is proved before it is kept, whatever came before, and a source that
//! changes its mind on the way is found at the first file.

use super::LogError;
use super::files::{Fetch, Folder, Source, bytes_max};
use super::verify::{bounded, fetch_checkpoint};
use simwarden_ledger::{
    BundleId, Checkpoint, Frontier, Hash, LedgerError, LogPath, LogSource as _, MAX_NOTE_BYTES, Policy,
    TILE_WIDTH, TileId, TreeState, TrustedCheckpoint, VerifierKey, bundle_leaf_hashes, bundles_grown,
    decode_bundle, encode_entry, right_edge,
};
use std::path::Path;

/// Levels of tiles in the largest tree.
const LEVELS: u8 = 8;
/// Files, and bytes of them, that are made durable together.
const FILES: usize = 64;
const BYTES: usize = 32 << 20;

/// What a mirroring did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mirrored {
    /// The checkpoint that the folder now holds.
    pub trusted: TrustedCheckpoint,
    /// Files that were fetched.
    pub fetched: u64,
    /// Files that were there already, and good.
    pub kept: u64,
}

/// Copies a log into a folder, verifying each file before it is kept; `entries` copies the bundles too. Blocks while
/// it reads.
///
/// # Errors
/// [`LogError::Ledger`] names the file that does not fit, or says that the log does not continue what the folder held.
pub fn mirror(
    source: &(impl Fetch + ?Sized),
    into: &Path,
    policy: &Policy,
    entries: bool,
    entries_max: u64,
) -> Result<Mirrored, LogError> {
    let note = fetch_checkpoint(source)?;
    let trusted = policy.check(&note)?;
    bounded(&trusted.checkpoint, entries_max)?;
    let folder = Folder::writing(into, None)?;
    let keys: Vec<VerifierKey> = policy.logs().iter().map(|log| log.key.clone()).collect();
    let old = match folder.read(LogPath::Checkpoint)? {
        Some(old) => Some(Checkpoint::open(&old, &keys)?.0),
        None => None,
    };
    let mut copy = Copy {
        source,
        folder,
        size: trusted.checkpoint.size,
        waiting: Vec::new(),
        fetched: 0,
        kept: 0,
    };
    copy.edge(&trusted.checkpoint)?;
    for level in (0..LEVELS - 1).rev() {
        copy.level(level)?;
    }
    if entries {
        copy.bundles()?;
    }
    copy.flush()?;
    let Copy {
        folder,
        fetched,
        kept,
        ..
    } = copy;
    if let Some(old) = old {
        continues(&folder, &old, &trusted.checkpoint)?;
    }
    debug_assert!(note.len() <= MAX_NOTE_BYTES);
    folder.publish(trusted.checkpoint.size, &String::from_utf8_lossy(&note))?;
    Ok(Mirrored {
        trusted,
        fetched,
        kept,
    })
}

/// Every tile stands under the new root by now; the old root must come out of the same tiles.
fn continues(folder: &Folder, old: &Checkpoint, new: &Checkpoint) -> Result<(), LogError> {
    let altered = |reason: String| {
        LogError::Ledger(LedgerError::Altered {
            path: LogPath::Checkpoint.to_string(),
            entry: None,
            reason,
        })
    };
    if old.origin != new.origin {
        return Err(altered(format!("the folder holds another log, {}", old.origin)));
    }
    if old.size > new.size {
        return Err(altered(format!(
            "the log went back from {} entries to {}",
            old.size, new.size
        )));
    }
    let mut source = Source(folder);
    let tree = TreeState::restore(old.size, |id| source.tile(id))?;
    if tree.root() == old.root {
        return Ok(());
    }
    Err(altered(format!(
        "its first {} entries do not have the root that this folder held: the log's history was rewritten; keep both \
         checkpoints, they are the evidence",
        old.size
    )))
}

struct Copy<'s, F: ?Sized> {
    source: &'s F,
    folder: Folder,
    size: u64,
    waiting: Vec<(LogPath, Vec<u8>)>,
    fetched: u64,
    kept: u64,
}

impl<F: Fetch + ?Sized> Copy<'_, F> {
    /// The partial tiles, which together make the root.
    fn edge(&mut self, checkpoint: &Checkpoint) -> Result<(), LogError> {
        let mut source = Source(self.source);
        let tree = TreeState::restore(self.size, |id| source.tile(id))?;
        if tree.root() != checkpoint.root {
            let edge: Vec<String> = right_edge(self.size).iter().map(TileId::to_string).collect();
            return Err(altered(edge.join(" or "), "they do not lead to the signed root"));
        }
        for (id, bytes) in tree.partial_tiles() {
            self.fetched += 1;
            self.keep(LogPath::Tile(id), bytes)?;
        }
        self.flush()
    }

    /// The full tiles of a level, each held against the tile above it.
    fn level(&mut self, level: u8) -> Result<(), LogError> {
        let width = u64::from(TILE_WIDTH);
        let full = self.size.checked_shr(8 * (u32::from(level) + 1)).unwrap_or(0);
        let mut above: Vec<Hash> = Vec::new();
        for index in 0..full {
            if index % width == 0 {
                self.flush()?;
                above = self.above(level + 1, index / width)?;
            }
            let id = TileId::new(level, index, TILE_WIDTH)?;
            let place = usize::try_from(index % width).unwrap_or(0);
            let wanted = above.get(place).copied();
            self.take(LogPath::Tile(id), |bytes| {
                let root = id
                    .decode(bytes)?
                    .into_iter()
                    .fold(Frontier::empty(), |mut tree, hash| {
                        tree.push(hash);
                        tree
                    });
                Ok(Some(root.root()) == wanted)
            })?;
        }
        self.flush()
    }

    fn above(&self, level: u8, index: u64) -> Result<Vec<Hash>, LogError> {
        let id =
            TileId::at_size(level, index, self.size).ok_or_else(|| LedgerError::missing("the tile above"))?;
        Ok(id.decode(&Source(&self.folder).tile(id)?)?)
    }

    fn bundles(&mut self) -> Result<(), LogError> {
        for id in bundles_grown(0, self.size) {
            let tile = id.leaf_tile();
            let leaves = tile.decode(&Source(&self.folder).tile(tile)?)?;
            self.take(LogPath::Bundle(id), |bytes| {
                Ok(bundle_leaf_hashes(id, bytes)? == leaves)
            })?;
        }
        self.flush()
    }

    /// Takes a file from the folder if it is good there, else from the source if it is good there.
    fn take(
        &mut self,
        path: LogPath,
        good: impl Fn(&[u8]) -> Result<bool, LedgerError>,
    ) -> Result<(), LogError> {
        if let Ok(Some(bytes)) = self.folder.read(path)
            && good(&bytes).unwrap_or(false)
        {
            self.kept += 1;
            return Ok(());
        }
        let bytes = match (self.get(path)?, path) {
            (Some(bytes), _) => bytes,
            (None, LogPath::Bundle(id)) if !id.is_full() => self.cut(id)?,
            (None, _) => return Err(LedgerError::missing(path).into()),
        };
        if !good(&bytes)? {
            return Err(altered(
                path.to_string(),
                "it does not have the hash that the tile above it says",
            ));
        }
        self.fetched += 1;
        self.keep(path, bytes)
    }

    fn get(&self, path: LogPath) -> Result<Option<Vec<u8>>, LogError> {
        self.source
            .fetch(&path.to_string(), bytes_max(path))
            .map_err(|error| LogError::Fetch {
                path: path.to_string(),
                reason: error.to_string(),
            })
    }

    /// A partial bundle out of the full one that has replaced it at the source meanwhile.
    fn cut(&self, id: BundleId) -> Result<Vec<u8>, LogError> {
        let full = LogPath::Bundle(id.full());
        let bytes = self
            .get(full)?
            .ok_or_else(|| LedgerError::missing(LogPath::Bundle(id)))?;
        let mut part = Vec::new();
        for entry in decode_bundle(id.full(), &bytes)?
            .into_iter()
            .take(usize::from(id.width()))
        {
            encode_entry(&mut part, entry)?;
        }
        Ok(part)
    }

    fn keep(&mut self, path: LogPath, bytes: Vec<u8>) -> Result<(), LogError> {
        self.waiting.push((path, bytes));
        if self.waiting.len() >= FILES || self.waiting.iter().map(|(_, b)| b.len()).sum::<usize>() > BYTES {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), LogError> {
        let files = std::mem::take(&mut self.waiting);
        if files.is_empty() {
            Ok(())
        } else {
            self.folder.put(&files)
        }
    }
}

fn altered(path: String, reason: &str) -> LogError {
    LedgerError::Altered {
        path,
        entry: None,
        reason: reason.into(),
    }
    .into()
}
