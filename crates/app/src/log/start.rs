//! Starting: what stands in the database, in the folder and under signatures must be one history, or nothing starts.

use super::extend::{Grown, extend, read, signed, unsigned};
use super::files::{Folder, Source};
use super::{LogError, blocking};
use simwarden_ledger::{
    Checkpoint, Hash, LogPath, LogSource as _, Note, Policy, TILE_WIDTH, TreeState, VerifierKey, encode_entry,
};
use simwarden_store::Store;
use simwarden_store::records::checkpoint::SignedCheckpoint;

/// Where a log stands at its start.
pub(crate) struct Standing {
    /// The tree of the stored checkpoint.
    pub grown: Grown,
    /// The stored checkpoint.
    pub stored: Option<(SignedCheckpoint, Note)>,
    /// What the folder's `checkpoint` file holds, if the policy accepts it.
    pub published: Option<(u64, String)>,
}

/// Reads the stored checkpoint and checks that this log's key signed what its columns say.
pub(crate) fn open_stored(
    stored: &SignedCheckpoint,
    key: &VerifierKey,
    policy: &Policy,
) -> Result<Note, LogError> {
    let (checkpoint, mut note) = Checkpoint::open(stored.note.as_bytes(), std::slice::from_ref(key)).map_err(|e| {
        LogError::Setup(format!(
            "the checkpoint in the database is not signed by {key}: {e}; give the key and origin that this log began with"
        ))
    })?;
    if signed(checkpoint.size) != stored.size || checkpoint.root.0 != stored.root {
        return Err(LogError::Setup(
            "the checkpoint in the database is not what its own note says: it was changed; run `simwarden ledger fsck`"
                .into(),
        ));
    }
    if policy.check_note(&note).is_err() {
        // Cosignatures that do not verify, or are too few, are collected anew.
        note.retain_known(std::slice::from_ref(key));
    }
    Ok(note)
}

/// Finds out where the log stands. `rebuild` makes every file again even if the folder looks good.
pub(crate) async fn stand(
    store: &Store,
    folder: &Folder,
    key: &VerifierKey,
    policy: &Policy,
    rebuild: bool,
) -> Result<Standing, LogError> {
    // The file first: another process that publishes in between must not look like a rollback.
    let published = published(folder, key)?;
    let stored = store.checkpoint().await?;
    let note = stored
        .as_ref()
        .map(|stored| open_stored(stored, key, policy))
        .transpose()?;
    let size = stored.as_ref().map_or(0, |stored| unsigned(stored.size));
    let known = published.as_ref().map_or(0, |(checkpoint, _)| checkpoint.size);
    if known > size {
        return Err(LogError::RolledBack { known, found: size });
    }
    let (end, _) = store.ledger_end().await?;
    if unsigned(end) < size {
        return Err(LogError::RolledBack {
            known: size,
            found: unsigned(end),
        });
    }
    let wanted = stored.as_ref().map(|stored| Hash(stored.root));
    let restored = if rebuild {
        None
    } else {
        restore(store, folder, size, wanted, published.as_ref()).await?
    };
    let grown = match restored {
        Some(grown) => grown,
        None => build(store, folder, size, wanted, published.as_ref()).await?,
    };
    let published = published
        .filter(|(_, note)| policy.check_note(note).is_ok())
        .map(|(checkpoint, note)| (checkpoint.size, note.to_string()));
    Ok(Standing {
        grown,
        stored: stored.zip(note),
        published,
    })
}

/// The folder's `checkpoint` file, if this log signed it. One that does not verify says nothing and is replaced.
fn published(folder: &Folder, key: &VerifierKey) -> Result<Option<(Checkpoint, Note)>, LogError> {
    let Some(bytes) = folder.read(LogPath::Checkpoint).or_else(|error| {
        tracing::warn!(%error, "the checkpoint file is replaced");
        Ok::<_, LogError>(None)
    })?
    else {
        return Ok(None);
    };
    match Checkpoint::open(&bytes, std::slice::from_ref(key)) {
        Ok(opened) => Ok(Some(opened)),
        Err(error) => {
            tracing::warn!(%error, "the checkpoint file is not of this log or was changed; it is replaced");
            Ok(None)
        }
    }
}

/// The tree from the folder's right edge, if that leads to the signed roots: no history is read.
async fn restore(
    store: &Store,
    folder: &Folder,
    size: u64,
    wanted: Option<Hash>,
    published: Option<&(Checkpoint, Note)>,
) -> Result<Option<Grown>, LogError> {
    let from = folder.clone();
    let smaller = published.map(|(checkpoint, _)| checkpoint.clone());
    let tree = blocking(move || {
        let mut source = Source(&from);
        let tree = TreeState::restore(size, |id| source.tile(id)).ok();
        let fits = match &smaller {
            None => true,
            Some(c) => {
                TreeState::restore(c.size, |id| source.tile(id)).is_ok_and(|tree| tree.root() == c.root)
            }
        };
        Ok(tree.filter(|_| fits))
    })
    .await?;
    let Some(tree) = tree.filter(|tree| wanted.is_none_or(|root| root == tree.root())) else {
        tracing::info!(
            size,
            "the log's files do not lead to the signed root; they are made again from the database"
        );
        return Ok(None);
    };
    // The partial bundle comes from the database, whose last entries are thereby held against the signed tree.
    let first = size / u64::from(TILE_WIDTH) * u64::from(TILE_WIDTH);
    let mut edge = Vec::new();
    let mut leaves = Vec::new();
    for entry in read(store, first, size).await? {
        encode_entry(&mut edge, &entry.body)?;
        leaves.extend(entry.leaf);
    }
    let tiles = tree.partial_tiles();
    let tile = tiles
        .iter()
        .find(|(id, _)| id.level() == 0)
        .map_or(&[][..], |(_, bytes)| bytes);
    if tile == leaves {
        Ok(Some(Grown { tree, edge }))
    } else {
        Ok(None)
    }
}

/// The tree from the first entry on, with all its files.
async fn build(
    store: &Store,
    folder: &Folder,
    size: u64,
    wanted: Option<Hash>,
    published: Option<&(Checkpoint, Note)>,
) -> Result<Grown, LogError> {
    let mark = published.map(|(checkpoint, _)| checkpoint.size);
    let (grown, marked) = extend(store, folder, Grown::default(), size, mark).await?;
    if let Some((checkpoint, root)) = published.map(|(c, _)| c).zip(marked) {
        same(checkpoint.size, checkpoint.root, root)?;
    }
    if let Some(wanted) = wanted {
        same(size, wanted, grown.tree.root())?;
    }
    Ok(grown)
}

/// Refuses two roots of one size.
pub(crate) fn same(size: u64, signed: Hash, found: Hash) -> Result<(), LogError> {
    if signed == found {
        Ok(())
    } else {
        Err(LogError::Parted {
            size,
            signed: signed.to_base64(),
            found: found.to_base64(),
        })
    }
}
