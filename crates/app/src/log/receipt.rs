//! Receipts and the parts of a proof: from the published files and checkpoint, never from what is not out yet.

use super::extend::{read, signed};
use super::files::{Folder, Source};
use super::{LogError, Published, blocking};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Serialize;
use simwarden_ledger::{Checkpoint, Hash, LogSource as _, Note, Policy, Receipt, leaf_hash, prove_inclusion};
use simwarden_store::Store;
use tokio::sync::watch;

/// Everything that a page needs to check an entry by itself; byte strings in base64.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProofParts {
    /// Position of the entry in the log.
    pub index: u64,
    /// Entries in the tree of the checkpoint.
    pub size: u64,
    /// The entry's bytes.
    pub entry: String,
    /// Sibling hashes, the leaf's own first.
    pub hashes: Vec<String>,
    /// The tree's root, as the checkpoint says it.
    pub root: String,
    /// The checkpoint, a signed note.
    pub checkpoint: String,
    /// The log's key, as a vkey.
    pub log_key: String,
    /// The witnesses' names and keys.
    pub witness_keys: Vec<(String, String)>,
}

/// Makes receipts.
#[derive(Debug, Clone)]
pub struct Receipts {
    store: Store,
    folder: Folder,
    policy: Policy,
    published: watch::Receiver<Published>,
}

impl Receipts {
    /// Receipts out of what a sequencer publishes.
    #[must_use]
    pub fn new(store: Store, folder: Folder, policy: Policy, published: watch::Receiver<Published>) -> Self {
        Self {
            store,
            folder,
            policy,
            published,
        }
    }

    /// The receipt of an entry, C2SP tlog-proof v1.
    ///
    /// # Errors
    /// [`LogError::NotYet`] for an entry that is not in the published tree.
    pub async fn receipt(&self, index: i64) -> Result<String, LogError> {
        let (index, note, proof) = self.prove(index).await?;
        Ok(Receipt {
            extra: None,
            index,
            proof,
            note,
        }
        .to_string())
    }

    /// The parts of the proof of an entry, with its bytes: for those who may read entries.
    ///
    /// # Errors
    /// [`LogError::NotYet`] for an entry that is not in the published tree; [`LogError::Entry`] when its row was
    /// changed.
    pub async fn proof_parts(&self, index: i64) -> Result<ProofParts, LogError> {
        let (index, note, proof) = self.prove(index).await?;
        let checkpoint: Checkpoint = note.text().parse()?;
        let entry = read(&self.store, index, index + 1).await?.pop();
        let entry = entry.ok_or(LogError::Entry {
            index,
            reason: "is missing",
        })?;
        simwarden_ledger::verify_inclusion(
            &leaf_hash(&entry.body),
            index,
            checkpoint.size,
            &checkpoint.root,
            &proof,
        )?;
        let log = self
            .policy
            .logs()
            .iter()
            .find(|log| log.key.name() == checkpoint.origin);
        let witnesses = self.policy.witnesses().iter();
        Ok(ProofParts {
            index,
            size: checkpoint.size,
            entry: BASE64.encode(&entry.body),
            hashes: proof.into_iter().map(Hash::to_base64).collect(),
            root: checkpoint.root.to_base64(),
            checkpoint: note.to_string(),
            log_key: log.map(|log| log.key.to_string()).unwrap_or_default(),
            witness_keys: witnesses.map(|w| (w.name.clone(), w.key.to_string())).collect(),
        })
    }

    async fn prove(&self, index: i64) -> Result<(u64, Note, Vec<Hash>), LogError> {
        let Published { size, note } = self.published.borrow().clone();
        let not_yet = || LogError::NotYet {
            index: u64::try_from(index).unwrap_or(u64::MAX),
            size,
        };
        let index = u64::try_from(index).map_err(|_| not_yet())?;
        if index >= size {
            return Err(LogError::NotYet { index, size });
        }
        debug_assert!(signed(index) >= 0);
        let folder = self.folder.clone();
        blocking(move || {
            let mut source = Source(&folder);
            let proof = prove_inclusion(|id| source.tile(id), index, size)?;
            Ok((index, Note::parse(note.as_bytes())?, proof))
        })
        .await
    }
}
