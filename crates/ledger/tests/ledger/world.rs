//! A log in memory, keys from fixed seeds, and the naive tree of RFC 6962 that everything is held against.

use std::collections::BTreeMap;

use simwarden_ledger::{
    BundleId, Checkpoint, Hash, KeyKind, LedgerError, LogSource, NoteSigner, Result, TileId, TreeState,
    empty_root, grow_bundles, integrate, leaf_hash, node_hash,
};

pub const ORIGIN: &str = "ledger.example/kh";

pub fn log_key(seed: u8) -> NoteSigner {
    NoteSigner::from_seed(ORIGIN, KeyKind::Note, &[seed; 32]).expect("a log key")
}

pub fn witness_key(seed: u8) -> NoteSigner {
    NoteSigner::from_seed(
        &format!("witness.example/w{seed}"),
        KeyKind::Cosignature,
        &[seed; 32],
    )
    .expect("a key")
}

/// Entry number `i`: distinct, of different lengths, among them an empty one.
pub fn entry(i: u64) -> Vec<u8> {
    if i == 3 {
        Vec::new()
    } else {
        format!("entry {i}")
            .repeat(usize::try_from(i % 5).expect("small") + 1)
            .into()
    }
}

pub fn leaves(size: u64) -> Vec<Hash> {
    (0..size).map(|i| leaf_hash(&entry(i))).collect()
}

/// MTH of RFC 6962 §2.1, word for word.
pub fn naive_root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => empty_root(),
        [one] => *one,
        _ => {
            let (left, right) = leaves.split_at(naive_split(leaves.len()));
            node_hash(&naive_root(left), &naive_root(right))
        }
    }
}

/// PATH of RFC 6962 §2.1.1.
pub fn naive_inclusion(index: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let (left, right) = leaves.split_at(naive_split(leaves.len()));
    if index < left.len() {
        let mut path = naive_inclusion(index, left);
        path.push(naive_root(right));
        path
    } else {
        let mut path = naive_inclusion(index - left.len(), right);
        path.push(naive_root(left));
        path
    }
}

/// PROOF of RFC 6962 §2.1.2.
pub fn naive_consistency(old: usize, leaves: &[Hash]) -> Vec<Hash> {
    fn subproof(old: usize, leaves: &[Hash], whole: bool) -> Vec<Hash> {
        if old == leaves.len() {
            return if whole {
                Vec::new()
            } else {
                vec![naive_root(leaves)]
            };
        }
        let (left, right) = leaves.split_at(naive_split(leaves.len()));
        if old <= left.len() {
            let mut path = subproof(old, left, whole);
            path.push(naive_root(right));
            path
        } else {
            let mut path = subproof(old - left.len(), right, false);
            path.push(naive_root(left));
            path
        }
    }
    if old == 0 {
        Vec::new()
    } else {
        subproof(old, leaves, true)
    }
}

fn naive_split(n: usize) -> usize {
    let mut k = 1;
    while 2 * k < n {
        k *= 2;
    }
    k
}

/// The files of a log, by path.
#[derive(Clone, Default)]
pub struct MemoryLog {
    pub files: BTreeMap<String, Vec<u8>>,
    pub state: TreeState,
    edge: Vec<u8>,
}

impl MemoryLog {
    /// A log that grew to `size` in one step.
    pub fn of(size: u64) -> Self {
        let mut log = Self::default();
        log.grow(&(0..size).map(entry).collect::<Vec<_>>());
        log
    }

    pub fn grow(&mut self, entries: &[Vec<u8>]) {
        let bundles = grow_bundles(self.state.size(), &self.edge, entries).expect("entries fit");
        let hashes: Vec<Hash> = entries.iter().map(|e| leaf_hash(e)).collect();
        let growth = integrate(&self.state, &hashes).expect("leaves fit");
        self.files.extend(
            bundles
                .bundles
                .into_iter()
                .map(|(id, bytes)| (id.to_string(), bytes)),
        );
        self.files.extend(
            growth
                .tiles
                .into_iter()
                .map(|(id, bytes)| (id.to_string(), bytes)),
        );
        (self.state, self.edge) = (growth.state, bundles.edge);
    }

    pub fn checkpoint(&self) -> Checkpoint {
        Checkpoint::new(ORIGIN, self.state.size(), self.state.root())
    }

    pub fn read(&self, path: &str) -> Result<Vec<u8>> {
        self.files
            .get(path)
            .cloned()
            .ok_or_else(|| LedgerError::missing(path))
    }

    pub fn tiles(&self) -> impl FnMut(TileId) -> Result<Vec<u8>> {
        |id| self.read(&id.to_string())
    }
}

impl LogSource for MemoryLog {
    fn tile(&mut self, id: TileId) -> Result<Vec<u8>> {
        self.read(&id.to_string())
    }

    fn bundle(&mut self, id: BundleId) -> Result<Vec<u8>> {
        self.read(&id.to_string())
    }
}
