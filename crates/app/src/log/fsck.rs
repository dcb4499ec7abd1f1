//! Rows against log: finds and names what was changed, added or removed behind the ledger's back.
//!
//! Every entry is read in order, its hash recomputed, the tree's root compared with the one that was signed. On the way
//! the last recorded version of every row is kept (about 100 bytes a row); then the rows are paged through and held
//! against it. It may run beside a working server: what looks wrong is looked at again after the newest entries.

use super::LogError;
use super::extend::{signed, unsigned};
use super::files::Folder;
use super::fsck_files::check_files;
use super::fsck_rows::{Marks, check_imports, check_rows};
use super::start::open_stored;
use crate::entry::EntryBody;
use simwarden_ledger::{
    Checkpoint, Frontier, Hash, LogPath, Policy, TILE_WIDTH, TileId, VerifierKey, leaf_hash,
};
use simwarden_model::{ImportId, Timestamp};
use simwarden_store::Store;
use simwarden_store::records::entry::Entry;
use std::path::Path;

/// Findings that are kept; more are only counted.
pub const FINDINGS_MAX: usize = 10_000;
/// Entries read at once.
const PIECE: u32 = 1024;

/// Something that is not as the ledger says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Finding {
    /// An entry of the database.
    #[error("entry {index} {reason}")]
    Entry {
        /// Which.
        index: u64,
        /// What is wrong, as the end of a sentence.
        reason: String,
    },
    /// A row.
    #[error("{kind} {id} {reason}")]
    Row {
        /// Its table.
        kind: &'static str,
        /// Which, hexadecimal.
        id: String,
        /// What is wrong, as the end of a sentence.
        reason: String,
    },
    /// The rows of an import.
    #[error("import {import} {reason}")]
    Import {
        /// Which.
        import: ImportId,
        /// What is wrong, as the end of a sentence.
        reason: String,
    },
    /// A published file.
    #[error("{reason}")]
    File {
        /// Its path below the log's folder.
        path: String,
        /// What is wrong, with the path.
        reason: String,
    },
    /// The checkpoint in the database.
    #[error("the checkpoint in the database {reason}")]
    Checkpoint {
        /// What is wrong, as the end of a sentence.
        reason: String,
    },
}

/// What was looked at, and what was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FsckReport {
    /// Entries read.
    pub entries: u64,
    /// Rows compared.
    pub rows: u64,
    /// Imports compared.
    pub imports: u64,
    /// Files of the log read.
    pub files: u64,
    /// The first [`FINDINGS_MAX`] findings; none means that all is as recorded.
    pub findings: Vec<Finding>,
    /// How many there were beyond that.
    pub more: u64,
}

impl FsckReport {
    pub(crate) fn add(&mut self, finding: Finding) {
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(finding);
        } else {
            self.more += 1;
        }
    }

    /// Whether everything is as the ledger says.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }
}

/// Holds the whole database, and the published files if a folder is given, against the ledger. `key` is the log's.
///
/// # Errors
/// Only what keeps it from looking; everything that it sees is a finding.
pub async fn fsck(store: &Store, folder: Option<&Path>, key: &VerifierKey) -> Result<FsckReport, LogError> {
    let mut report = FsckReport::default();
    let folder = folder.map(Folder::reading);
    // The file first: what is published meanwhile is then not larger than what the database says.
    let published = folder
        .as_ref()
        .map(|folder| folder.read(LogPath::Checkpoint))
        .transpose();
    let published = published.unwrap_or_default().flatten();
    let published = published.and_then(|bytes| Checkpoint::open(&bytes, std::slice::from_ref(key)).ok());
    let published = published.map(|(checkpoint, _)| checkpoint);
    let checkpoint = stored(store, key, &mut report).await?;
    let mut walk = Walk::new(folder.clone());
    walk.wanted.extend(checkpoint.clone());
    walk.wanted.extend(published);
    walk.read_on(store, &mut report).await?;
    walk.conclude(&mut report);
    let recorded = walk.marks.imports_so_far();
    let (counts, suspects) = check_rows(store, &walk.marks, &mut report).await?;
    let mut suspects = suspects;
    for _ in 0..3 {
        if suspects.is_empty() {
            break;
        }
        walk.read_on(store, &mut report).await?;
        suspects = suspects.again(store, &walk.marks).await?;
    }
    suspects.report(&mut report);
    walk.read_on(store, &mut report).await?;
    check_imports(store, &walk.marks, &recorded, &counts, &mut report).await?;
    report.entries = walk.next;
    if let Some((folder, checkpoint)) = folder.zip(checkpoint) {
        let key = key.clone();
        let (files, findings) = super::blocking(move || Ok(check_files(&folder, &checkpoint, &key))).await?;
        report.files = files;
        findings.into_iter().for_each(|finding| report.add(finding));
    }
    Ok(report)
}

/// The checkpoint in the database, if it is one.
async fn stored(
    store: &Store,
    key: &VerifierKey,
    report: &mut FsckReport,
) -> Result<Option<Checkpoint>, LogError> {
    let Some(stored) = store.checkpoint().await? else {
        return Ok(None);
    };
    let opened = open_stored(&stored, key, &Policy::log_only(key.clone())?);
    match opened.and_then(|note| Ok(note.text().parse::<Checkpoint>()?)) {
        Ok(checkpoint) => Ok(Some(checkpoint)),
        Err(error) => {
            report.add(Finding::Checkpoint {
                reason: format!("is not good: {error}"),
            });
            Ok(None)
        }
    }
}

/// The walk through the entries.
struct Walk {
    folder: Option<Folder>,
    /// The index that comes next.
    next: u64,
    last: Timestamp,
    tree: Frontier,
    /// False once an entry was missing: no root can be expected to fit any more.
    whole: bool,
    /// Signed roots to be met on the way.
    wanted: Vec<Checkpoint>,
    met: Vec<(Checkpoint, Hash)>,
    /// The leaf tile under the entries at hand.
    tile: Option<(u64, Vec<Hash>)>,
    marks: Marks,
}

impl Walk {
    fn new(folder: Option<Folder>) -> Self {
        Self {
            folder,
            next: 0,
            last: Timestamp::EPOCH,
            tree: Frontier::empty(),
            whole: true,
            wanted: Vec::new(),
            met: Vec::new(),
            tile: None,
            marks: Marks::default(),
        }
    }

    /// Reads every entry that was not read yet.
    async fn read_on(&mut self, store: &Store, report: &mut FsckReport) -> Result<(), LogError> {
        loop {
            self.meet();
            let entries = store.entries(signed(self.next), PIECE).await?;
            if entries.is_empty() {
                return Ok(());
            }
            for entry in entries {
                self.entry(&entry, report);
                self.meet();
            }
        }
    }

    fn meet(&mut self) {
        let (size, root) = (self.tree.size(), self.tree.root_if(&self.wanted));
        if let Some(root) = root {
            let met = self.wanted.extract_if(.., |wanted| wanted.size == size);
            self.met.extend(met.map(|checkpoint| (checkpoint, root)));
        }
    }

    fn entry(&mut self, entry: &Entry, report: &mut FsckReport) {
        let index = unsigned(entry.index);
        let wrong = |reason: &str| Finding::Entry {
            index,
            reason: reason.to_owned(),
        };
        if index != self.next {
            let last = index.saturating_sub(1);
            let reason = format!("is missing, and so is every one up to entry {last}");
            report.add(Finding::Entry {
                index: self.next,
                reason,
            });
            self.whole = false;
        }
        self.next = index + 1;
        let leaf = leaf_hash(&entry.body);
        self.tree.push(leaf);
        if leaf.0 != entry.leaf {
            report.add(wrong(
                "is not what its leaf hash says: its bytes or its hash were changed",
            ));
        }
        if self
            .published_leaf(index)
            .is_some_and(|published| published != leaf)
        {
            report.add(wrong(
                "is not the one that was published: the row or its leaf tile was changed",
            ));
        }
        if entry.at < self.last {
            report.add(wrong("has a time before the one of the entry before it"));
        }
        self.last = self.last.max(entry.at);
        match serde_json::from_slice::<EntryBody>(&entry.body) {
            Ok(body) => {
                if body.kind != entry.kind || body.at != entry.at {
                    report.add(wrong("has a kind or time beside it that its bytes do not say"));
                }
                self.marks.take(index, &body, report);
            }
            Err(error) => report.add(wrong(&format!("cannot be read: {error}"))),
        }
    }

    /// The leaf hash of an entry as the published tile has it.
    fn published_leaf(&mut self, index: u64) -> Option<Hash> {
        let folder = self.folder.as_ref()?;
        let (number, place) = (index / u64::from(TILE_WIDTH), index % u64::from(TILE_WIDTH));
        if self.tile.as_ref().is_none_or(|(held, _)| *held != number) {
            let size = self
                .wanted
                .iter()
                .chain(self.met.iter().map(|(c, _)| c))
                .map(|c| c.size)
                .max()?;
            let id = TileId::at_size(0, number, size)?;
            let read = |id: TileId| folder.read(LogPath::Tile(id)).ok().flatten();
            let bytes = read(id).or_else(|| read(id.full())).unwrap_or_default();
            let hashes = bytes
                .chunks_exact(32)
                .filter_map(|hash| Hash::from_slice(hash).ok())
                .collect();
            self.tile = Some((number, hashes));
        }
        let (_, hashes) = self.tile.as_ref()?;
        hashes.get(usize::try_from(place).ok()?).copied()
    }

    /// Holds the roots that were met against the signed ones.
    fn conclude(&mut self, report: &mut FsckReport) {
        for (checkpoint, root) in self.met.drain(..) {
            if self.whole && checkpoint.root != root {
                let reason = format!("says another root than its {} entries lead to", checkpoint.size);
                report.add(Finding::Checkpoint { reason });
            }
        }
        for checkpoint in self.wanted.drain(..) {
            let reason = format!("speaks of {} entries, there are {}", checkpoint.size, self.next);
            report.add(Finding::Checkpoint { reason });
        }
    }
}

/// A root is worth computing only where one is expected.
trait RootIf {
    fn root_if(&self, wanted: &[Checkpoint]) -> Option<Hash>;
}

impl RootIf for Frontier {
    fn root_if(&self, wanted: &[Checkpoint]) -> Option<Hash> {
        wanted
            .iter()
            .any(|wanted| wanted.size == self.size())
            .then(|| self.root())
    }
}
