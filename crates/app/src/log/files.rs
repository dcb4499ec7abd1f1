//! The log's folder: plain files in the layout of C2SP tlog-tiles, which any web server can serve.
//!
//! A file appears whole or not at all, and once [`Folder::put`] has answered it survives a power cut: written under a
//! temporary name, synced, renamed, and the folder's names synced. A file that could not be synced never gets its name.

use super::LogError;
use super::steps::{Step, Steps, Undisturbed};
use simwarden_ledger::{BundleId, LedgerError, LogPath, LogSource, MAX_NOTE_BYTES, TileId};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// The longest bundle: 256 entries of 65,535 bytes, each with its length.
pub(crate) const BUNDLE_BYTES_MAX: usize = 256 * (65_535 + 2);
/// Files that are synced at the same time: the file system shares one journal commit among them.
const SYNCS_AT_ONCE: usize = 16;
/// Where files wait for their name.
const WAITING: &str = ".tmp";
/// Processes that may have written to one folder since it was last written to by none.
const WRITERS_MAX: u32 = 1000;
/// Held shared by every process that writes here.
const USERS: &str = ".users";
/// Held while the checkpoint is replaced.
const PUBLISHING: &str = ".publishing";

/// Why a file could not be fetched.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct FetchError(pub String);

/// Gives the files of a log: a folder, or a web server.
pub trait Fetch {
    /// The content of the file at a path below the log's prefix, `None` when there is no such file.
    ///
    /// # Errors
    /// Anything else that keeps it from being read, and a file of more than `bytes_max` bytes.
    fn fetch(&self, path: &str, bytes_max: usize) -> Result<Option<Vec<u8>>, FetchError>;
}

/// A [`Fetch`] as the source that audits and proofs read from.
pub(crate) struct Source<'f, F: ?Sized>(pub(crate) &'f F);

impl<F: Fetch + ?Sized> Source<'_, F> {
    fn read(&self, path: LogPath, bytes_max: usize) -> Result<Vec<u8>, LedgerError> {
        let path = path.to_string();
        match self.0.fetch(&path, bytes_max) {
            Ok(Some(bytes)) => Ok(bytes),
            Ok(None) => Err(LedgerError::missing(path)),
            Err(error) => Err(LedgerError::Source {
                path,
                reason: error.to_string(),
            }),
        }
    }
}

impl<F: Fetch + ?Sized> LogSource for Source<'_, F> {
    fn tile(&mut self, id: TileId) -> Result<Vec<u8>, LedgerError> {
        self.read(LogPath::Tile(id), id.len_bytes())
    }
    fn bundle(&mut self, id: BundleId) -> Result<Vec<u8>, LedgerError> {
        self.read(LogPath::Bundle(id), BUNDLE_BYTES_MAX)
    }
}

/// The most bytes that the file at this path may have.
pub(crate) fn bytes_max(path: LogPath) -> usize {
    match path {
        LogPath::Checkpoint => MAX_NOTE_BYTES,
        LogPath::Tile(id) => id.len_bytes(),
        LogPath::Bundle(_) => BUNDLE_BYTES_MAX,
    }
}

/// The folder of a log. Opened for reading it holds nothing; opened for writing it tells other processes so.
#[derive(Clone)]
pub struct Folder {
    root: PathBuf,
    writing: Option<Arc<Writing>>,
}

struct Writing {
    _users: File,
    /// Where this writer's files wait for their name.
    waiting: PathBuf,
    next: AtomicU64,
    steps: Arc<dyn Steps>,
}

impl Drop for Writing {
    fn drop(&mut self) {
        // What is left is cleared away by the next writer that is alone.
        let _ = fs::remove_dir_all(&self.waiting);
    }
}

impl std::fmt::Debug for Folder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Folder({})", self.root.display())
    }
}

impl Fetch for Folder {
    fn fetch(&self, path: &str, bytes_max: usize) -> Result<Option<Vec<u8>>, FetchError> {
        // The strict path is also the guard: nothing outside of the folder has one.
        let path: LogPath = path.parse().map_err(|e: LedgerError| FetchError(e.to_string()))?;
        read_bounded(&self.path_of(path), bytes_max).map_err(|e| FetchError(e.to_string()))
    }
}

impl Folder {
    /// A folder to read from.
    pub fn reading(root: impl Into<PathBuf>) -> Self {
        Self {
            root: root.into(),
            writing: None,
        }
    }

    /// A folder to write to; made if it is not there.
    pub(crate) fn writing(root: impl Into<PathBuf>, steps: Option<Arc<dyn Steps>>) -> Result<Self, LogError> {
        let root = root.into();
        let waiting = root.join(WAITING);
        make_folder(&waiting, &mut BTreeSet::new())?;
        let users = root.join(USERS);
        let failed = |e| LogError::file("lock", &users, e);
        let held = File::create(&users).map_err(failed)?;
        if held.try_lock().is_ok() {
            // Nobody else writes here: what waits for a name was left by a process that was killed.
            for entry in fs::read_dir(&waiting)
                .map_err(|e| LogError::file("read", &waiting, e))?
                .flatten()
            {
                let _ = fs::remove_dir_all(entry.path());
            }
            held.unlock().map_err(failed)?;
        }
        held.lock_shared().map_err(failed)?;
        let writing = Writing {
            _users: held,
            waiting: own_folder(&waiting)?,
            next: AtomicU64::new(0),
            steps: steps.unwrap_or_else(|| Arc::new(Undisturbed)),
        };
        Ok(Self {
            root,
            writing: Some(Arc::new(writing)),
        })
    }

    /// Where it is.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn path_of(&self, path: LogPath) -> PathBuf {
        self.root.join(path.to_string())
    }

    /// The content of a file; `None` when it is not there.
    pub(crate) fn read(&self, path: LogPath) -> Result<Option<Vec<u8>>, LogError> {
        let file = self.path_of(path);
        read_bounded(&file, bytes_max(path)).map_err(|e| LogError::file("read", &file, e))
    }

    fn writer(&self) -> Result<&Writing, LogError> {
        self.writing
            .as_deref()
            .ok_or_else(|| LogError::Setup("this folder was opened for reading".into()))
    }

    /// Makes files durable, then removes the partial ones that full ones replace. What is there already with the same
    /// content stays as it is.
    pub(crate) fn put(&self, files: &[(LogPath, Vec<u8>)]) -> Result<(), LogError> {
        let writer = self.writer()?;
        let mut folders = BTreeSet::new();
        for (path, _) in files {
            if let Some(folder) = self.path_of(*path).parent() {
                make_folder(folder, &mut folders)?;
                folders.insert(folder.to_owned());
            }
        }
        self.write_all(files)?;
        let names = |e| LogError::file("write", &self.root, e);
        writer.steps.before(Step::Names).map_err(names)?;
        sync_folders(&folders)?;
        writer.steps.after(Step::Names).map_err(names)?;
        for (path, _) in files {
            if full(*path) {
                remove_partials(&self.path_of(*path));
            }
        }
        Ok(())
    }

    fn write_all(&self, files: &[(LogPath, Vec<u8>)]) -> Result<(), LogError> {
        let next = AtomicUsize::new(0);
        let work = || {
            while let Some((path, bytes)) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                self.write(*path, bytes)?;
            }
            Ok(())
        };
        let hands = SYNCS_AT_ONCE.min(files.len());
        if hands <= 1 {
            return work();
        }
        std::thread::scope(|scope| {
            let hands: Vec<_> = (0..hands).map(|_| scope.spawn(work)).collect();
            let mut outcome = Ok(());
            for hand in hands {
                let done = hand
                    .join()
                    .unwrap_or_else(|_| Err(LogError::Setup("a writer of log files panicked".into())));
                outcome = outcome.and(done);
            }
            outcome
        })
    }

    fn write(&self, path: LogPath, bytes: &[u8]) -> Result<(), LogError> {
        let writer = self.writer()?;
        let file = self.path_of(path);
        let step = match path {
            LogPath::Checkpoint => Step::Publish,
            LogPath::Tile(_) => Step::Tile,
            LogPath::Bundle(_) => Step::Bundle,
        };
        let failed = |e| LogError::file("write", &file, e);
        writer.steps.before(step).map_err(failed)?;
        let there = read_bounded(&file, bytes.len()).ok().flatten();
        if there.as_deref() != Some(bytes) {
            let number = writer.next.fetch_add(1, Ordering::Relaxed);
            let waiting = writer.waiting.join(number.to_string());
            match replace(&file, &waiting, bytes) {
                // Another process wrote the full file meanwhile and removed the folder of the partial ones.
                Err(LogError::File { cause, .. }) if cause.kind() == io::ErrorKind::NotFound => {
                    if let Some(folder) = file.parent() {
                        make_folder(folder, &mut BTreeSet::new())?;
                    }
                    replace(&file, &waiting, bytes)?;
                }
                other => other?,
            }
        }
        writer.steps.after(step).map_err(failed)
    }

    /// Replaces the `checkpoint` file unless one of a larger tree, by another process, is there already.
    pub(crate) fn publish(&self, size: u64, note: &str) -> Result<(), LogError> {
        let lock = self.root.join(PUBLISHING);
        let held = File::create(&lock).map_err(|e| LogError::file("lock", &lock, e))?;
        held.lock().map_err(|e| LogError::file("lock", &lock, e))?;
        let there = self.read(LogPath::Checkpoint).ok().flatten();
        if there.is_some_and(|bytes| size_of_note(&bytes).is_some_and(|there| there > size)) {
            return Ok(());
        }
        self.write(LogPath::Checkpoint, note.as_bytes())?;
        sync_folders(&BTreeSet::from([self.root.clone()]))
    }
}

/// The tree size that a checkpoint file speaks of, signatures unchecked.
fn size_of_note(bytes: &[u8]) -> Option<u64> {
    let note = simwarden_ledger::Note::parse(bytes).ok()?;
    Some(note.text().parse::<simwarden_ledger::Checkpoint>().ok()?.size)
}

fn full(path: LogPath) -> bool {
    match path {
        LogPath::Checkpoint => false,
        LogPath::Tile(id) => id.is_full(),
        LogPath::Bundle(id) => id.is_full(),
    }
}

/// Partial files hold nothing that the full one does not; leaving one behind does no harm.
fn remove_partials(full: &Path) {
    let mut partials = full.as_os_str().to_owned();
    partials.push(".p");
    let _ = fs::remove_dir_all(partials);
}

pub(crate) fn read_bounded(file: &Path, bytes_max: usize) -> io::Result<Option<Vec<u8>>> {
    let opened = match File::open(file) {
        Ok(opened) => opened,
        Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(e) => return Err(e),
    };
    let mut bytes = Vec::new();
    opened.take(bytes_max as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > bytes_max {
        return Err(io::Error::other(format!(
            "it has more than the {bytes_max} bytes that belong there"
        )));
    }
    Ok(Some(bytes))
}

/// Writes a file under a temporary name, syncs it, and gives it its name. The name is not durable yet.
pub(crate) fn replace(file: &Path, waiting: &Path, bytes: &[u8]) -> Result<(), LogError> {
    let write = || -> io::Result<File> {
        let mut opened = File::create(waiting)?;
        opened.write_all(bytes)?;
        Ok(opened)
    };
    let outcome = match write() {
        Ok(opened) => opened.sync_all().map_err(|e| LogError::file("sync", waiting, e)),
        Err(e) => Err(LogError::file("write", waiting, e)),
    };
    if let Err(error) = outcome {
        let _ = fs::remove_file(waiting);
        return Err(error);
    }
    fs::rename(waiting, file).map_err(|e| LogError::file("rename", file, e))
}

/// Makes the names in folders durable.
pub(crate) fn sync_folders(folders: &BTreeSet<PathBuf>) -> Result<(), LogError> {
    for folder in folders {
        let opened = match File::open(folder) {
            // Only folders of partial files ever go, once the full file is durable.
            Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
            opened => opened.map_err(|e| LogError::file("open", folder, e))?,
        };
        opened.sync_all().map_err(|e| LogError::file("sync", folder, e))?;
    }
    Ok(())
}

/// Makes a folder that no other writer has.
fn own_folder(waiting: &Path) -> Result<PathBuf, LogError> {
    for number in 0..WRITERS_MAX {
        let own = waiting.join(number.to_string());
        match fs::create_dir(&own) {
            Ok(()) => return Ok(own),
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(LogError::file("make the folder", &own, e)),
        }
    }
    Err(LogError::Setup(format!(
        "{WRITERS_MAX} processes write to this folder: {}",
        waiting.display()
    )))
}

/// Makes a folder and those above it; `touched` receives the folders that have a new name in them.
fn make_folder(folder: &Path, touched: &mut BTreeSet<PathBuf>) -> Result<(), LogError> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(above) = folder.parent().filter(|above| !above.as_os_str().is_empty()) {
        make_folder(above, touched)?;
        touched.insert(above.to_owned());
    }
    match fs::create_dir(folder) {
        Err(e) if e.kind() != io::ErrorKind::AlreadyExists => {
            Err(LogError::file("make the folder", folder, e))
        }
        _ => Ok(()),
    }
}
