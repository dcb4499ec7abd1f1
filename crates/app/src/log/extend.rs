//! Growing the tree from the database's entries, piece by piece, with all files that this makes.

use super::files::Folder;
use super::{LogError, blocking};
use simwarden_ledger::{Hash, LogPath, TILE_WIDTH, TileId, TreeState, grow_bundles, integrate, leaf_hash};
use simwarden_store::Store;
use simwarden_store::records::entry::Entry;
use std::collections::VecDeque;
use tokio::task::JoinHandle;

/// Entries read at once: at most 64 MiB.
const PIECE: u64 = 1024;
/// Pieces that are read at the same time: half of the connections that read, the others serve requests.
const READERS: usize = 2;
/// Files, and bytes of them, that wait to be written together.
const FILES_MAX: usize = 512;
const BYTES_MAX: usize = 32 << 20;

/// A tree with what its next growth needs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Grown {
    /// The tree.
    pub tree: TreeState,
    /// The bytes of the partial bundle at its right edge.
    pub edge: Vec<u8>,
}

/// Grows a tree to `target` entries and makes its files durable. `mark` is a size on the way whose root is wanted too.
pub(crate) async fn extend(
    store: &Store,
    folder: &Folder,
    from: Grown,
    target: u64,
    mark: Option<u64>,
) -> Result<(Grown, Option<Hash>), LogError> {
    let begun = from.tree.size();
    let mut grown = from;
    let mut marked = mark.filter(|mark| *mark == begun).map(|_| grown.tree.root());
    let mut files: Vec<(LogPath, Vec<u8>)> = Vec::new();
    let mut ahead = Ahead::new(store.clone(), begun, target, mark);
    while let Some((at, end, entries)) = ahead.next().await? {
        let (leaves, bodies): (Vec<Hash>, Vec<Vec<u8>>) = entries
            .into_iter()
            .map(|entry| (Hash(entry.leaf), entry.body))
            .unzip();
        let tiles = integrate(&grown.tree, &leaves)?;
        let bundles = grow_bundles(at, &grown.edge, &bodies)?;
        files.extend(
            tiles
                .tiles
                .into_iter()
                .filter(|(id, _)| id.is_full())
                .map(|(id, b)| (LogPath::Tile(id), b)),
        );
        files.extend(
            bundles
                .bundles
                .into_iter()
                .filter(|(id, _)| id.is_full())
                .map(|(id, b)| (LogPath::Bundle(id), b)),
        );
        grown = Grown {
            tree: tiles.state,
            edge: bundles.edge,
        };
        if mark == Some(end) {
            marked = Some(grown.tree.root());
        }
        if files.len() > FILES_MAX || files.iter().map(|(_, bytes)| bytes.len()).sum::<usize>() > BYTES_MAX {
            write(folder, std::mem::take(&mut files)).await?;
        }
    }
    files.extend(partials(&grown, begun)?);
    write(folder, files).await?;
    Ok((grown, marked))
}

/// A piece that is being read.
type Reading = JoinHandle<Result<Vec<Entry>, LogError>>;

/// Reads pieces while the one before is hashed and written.
struct Ahead {
    store: Store,
    next: u64,
    target: u64,
    mark: Option<u64>,
    reading: VecDeque<(u64, u64, Reading)>,
}

impl Ahead {
    fn new(store: Store, from: u64, target: u64, mark: Option<u64>) -> Self {
        Self {
            store,
            next: from,
            target,
            mark,
            reading: VecDeque::with_capacity(READERS),
        }
    }

    /// The next piece, in order: from, to, and the entries.
    async fn next(&mut self) -> Result<Option<(u64, u64, Vec<Entry>)>, LogError> {
        while self.next < self.target && self.reading.len() < READERS {
            let (at, end) = (self.next, piece_end(self.next, self.target, self.mark));
            let store = self.store.clone();
            let piece = tokio::spawn(async move { read(&store, at, end).await });
            self.reading.push_back((at, end, piece));
            self.next = end;
        }
        let Some((at, end, piece)) = self.reading.pop_front() else {
            return Ok(None);
        };
        match piece.await {
            Ok(entries) => Ok(Some((at, end, entries?))),
            Err(error) => Err(LogError::Setup(format!("the server is going down: {error}"))),
        }
    }
}

/// The partial files of a tree that a smaller one did not have.
fn partials(grown: &Grown, before: u64) -> Result<Vec<(LogPath, Vec<u8>)>, LogError> {
    let size = grown.tree.size();
    let tiles = grown.tree.partial_tiles().into_iter();
    let mut files: Vec<_> = tiles
        .filter(|(id, _)| TileId::at_size(id.level(), id.index(), before) != Some(*id))
        .map(|(id, bytes)| (LogPath::Tile(id), bytes))
        .collect();
    if let Some(id) =
        simwarden_ledger::BundleId::at_size(size / u64::from(TILE_WIDTH), size).filter(|_| size > before)
    {
        files.push((LogPath::Bundle(id), grown.edge.clone()));
    }
    Ok(files)
}

/// Pieces end where a bundle does, so that only the last one leaves a partial bundle.
fn piece_end(at: u64, target: u64, mark: Option<u64>) -> u64 {
    let width = u64::from(TILE_WIDTH);
    let end = ((at + PIECE) / width * width).min(target);
    mark.filter(|mark| (at + 1..end).contains(mark)).unwrap_or(end)
}

/// The entries `from..to`, each checked to be where it belongs and to be what its hash says.
pub(crate) async fn read(store: &Store, from: u64, to: u64) -> Result<Vec<Entry>, LogError> {
    let most = u32::try_from(to.saturating_sub(from)).unwrap_or(u32::MAX);
    let entries = if most == 0 {
        Vec::new()
    } else {
        store.entries(signed(from), most).await?
    };
    for (index, entry) in (from..to).zip(entries.iter().map(Some).chain(std::iter::repeat(None))) {
        match entry {
            Some(entry) if entry.index != signed(index) => return Err(missing(index)),
            Some(entry) if leaf_hash(&entry.body).0 != entry.leaf => {
                return Err(LogError::Entry {
                    index,
                    reason: "is not what its leaf hash says: it was changed",
                });
            }
            Some(_) => {}
            None => return Err(missing(index)),
        }
    }
    Ok(entries)
}

fn missing(index: u64) -> LogError {
    LogError::Entry {
        index,
        reason: "is missing",
    }
}

async fn write(folder: &Folder, files: Vec<(LogPath, Vec<u8>)>) -> Result<(), LogError> {
    if files.is_empty() {
        return Ok(());
    }
    let folder = folder.clone();
    blocking(move || folder.put(&files)).await
}

/// A tree size as the database counts it.
pub(crate) fn signed(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

/// A size of the database as a tree size.
pub(crate) fn unsigned(size: i64) -> u64 {
    u64::try_from(size).unwrap_or(0)
}
