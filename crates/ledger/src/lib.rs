//! The evidence of simwarden: an append-only Merkle log that a stranger can check.
//!
//! It follows published formats to the letter and invents nothing: hashing and proofs of RFC 6962/9162, files of
//! C2SP tlog-tiles, checkpoints as C2SP signed notes, tlog-cosignature, tlog-witness, tlog-policy and tlog-proof.
//! Any third party's tool for these can read, mirror and check the log, and this crate can check theirs.
//!
//! The way of an entry: its bytes go into a bundle ([`grow_bundles`]), its [`leaf_hash`] into the tree
//! ([`integrate`]); the tree's root is signed as a [`Checkpoint`], witnesses cosign it ([`Witness`]), and the entry's
//! [`Receipt`] proves it offline for ever. [`verify_log`] recomputes everything from the entries up.
//!
//! **Architecture invariant:** bytes in, bytes out. No files, sockets, clock or randomness: the time of a
//! cosignature and the seed of a key are arguments, tiles are fetched and written by the caller. Nothing here knows
//! what an entry means, and no other crate of the workspace is used.

mod audit;
mod bundle;
mod checkpoint;
mod compact;
mod cosignature;
mod error;
mod hash;
mod integrate;
mod key;
mod note;
mod policy;
mod proof;
mod receipt;
mod tile;
mod witness;

pub use audit::{AuditDepth, AuditReport, LogSource, verify_leftover, verify_log, verify_tree};
pub use bundle::{
    BundleGrowth, MAX_ENTRY_BYTES, bundle_leaf_hashes, decode_bundle, encode_entry, grow_bundles,
};
pub use checkpoint::Checkpoint;
pub use compact::Frontier;
pub use cosignature::{cosign, verify_cosignature};
pub use error::{LedgerError, Result};
pub use hash::{HASH_BYTES, Hash, empty_root, leaf_hash, node_hash};
pub use integrate::{Growth, MAX_GROWTH_LEAVES, TreeState, encode_tile, integrate, tile_from_below};
pub use key::{KeyKind, MAX_KEY_NAME_BYTES, NoteSigner, VerifierKey};
pub use note::{MAX_NOTE_BYTES, MAX_SIGNATURES, Note, SignatureLine, Verified};
pub use policy::{MAX_POLICY_BYTES, MAX_POLICY_ITEMS, Policy, PolicyLog, PolicyWitness, TrustedCheckpoint};
pub use proof::{
    MAX_PROOF_HASHES, Prover, prove_consistency, prove_inclusion, verify_consistency, verify_inclusion,
};
pub use receipt::{MAX_EXTRA_BYTES, MAX_RECEIPT_BYTES, Receipt};
pub use tile::{
    BundleId, LogPath, MAX_TREE_SIZE, TILE_WIDTH, TileId, bundles_grown, right_edge, tiles_grown,
};
pub use witness::{
    Accepted, AddCheckpoint, KnownLog, Latest, MAX_REQUEST_BYTES, Refusal, Witness, monitoring_path,
    parse_conflict, parse_cosignatures,
};
