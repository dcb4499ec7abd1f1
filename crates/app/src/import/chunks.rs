//! New rows on the ledger: by the digest of a chunk of them, for a line each would fill it.

use sha2::{Digest as _, Sha256};
use simwarden_model::ImportId;
use simwarden_store::records::import::ImportChunk;

/// The most rows of a chunk.
pub(super) const CHUNK_ROWS: i64 = 4096;

/// The chunks of one table. Rows come in the order of their ids.
pub(super) struct Chunks {
    import: ImportId,
    kind: &'static str,
    hash: Sha256,
    first: [u8; 16],
    last: [u8; 16],
    rows: i64,
    total: u64,
    done: Vec<ImportChunk>,
}

impl Chunks {
    pub(super) fn new(import: ImportId, kind: &'static str) -> Self {
        Self {
            import,
            kind,
            hash: Sha256::new(),
            first: [0; 16],
            last: [0; 16],
            rows: 0,
            total: 0,
            done: Vec::new(),
        }
    }

    /// Adds a row by the digest of its first version.
    pub(super) fn add(&mut self, id: &[u8; 16], origin: &[u8; 32]) {
        debug_assert!(*id > self.last, "ids must grow");
        if self.rows == 0 {
            self.first = *id;
        }
        self.last = *id;
        self.hash.update(origin);
        self.rows += 1;
        self.total += 1;
        if self.rows == CHUNK_ROWS {
            self.end();
        }
    }

    /// How many rows there were.
    pub(super) const fn total(&self) -> u64 {
        self.total
    }

    fn end(&mut self) {
        let digest = std::mem::replace(&mut self.hash, Sha256::new()).finalize().into();
        self.done.push(ImportChunk {
            import_id: self.import,
            kind: self.kind.to_owned(),
            n: i64::try_from(self.done.len()).unwrap_or(i64::MAX),
            first_id: self.first,
            last_id: self.last,
            rows: self.rows,
            digest,
        });
        self.rows = 0;
    }

    /// The chunks, the last one shorter.
    pub(super) fn finish(mut self) -> Vec<ImportChunk> {
        if self.rows > 0 {
            self.end();
        }
        self.done
    }
}

/// SHA-256 over the digests of all chunks, which stand in the order of (kind, n).
pub(super) fn root(chunks: &[ImportChunk]) -> [u8; 32] {
    debug_assert!(chunks.is_sorted_by(|a, b| (&a.kind, a.n) < (&b.kind, b.n)));
    let mut hash = Sha256::new();
    for chunk in chunks {
        hash.update(chunk.digest);
    }
    hash.finalize().into()
}
