//! The ledger as a running thing: from rows in the database to a signed, witnessed, published log, and back to rows.
//!
//! The way of an entry: it is durable in the database together with what it records (that is the committer's work,
//! not ours); the [`Sequencer`] integrates it, writes hash tiles and bundles as plain files, signs the tree, puts the
//! checkpoint into the database by compare-and-swap, has witnesses cosign it, and publishes it. From then on
//! [`Receipts`] prove it, [`verify`] and [`mirror`] let strangers check it, [`fsck`] holds the rows against it, and a
//! [`Witness`] elsewhere refuses every history but this one.
//!
//! **Architecture invariants:** only entries that are durable are ever signed; no checkpoint leaves before its tiles
//! are durable and it stands in the database; a checkpoint that is not a continuation of the last one is never signed
//! nor published. Files here are derived: all of them can be made again from the database, and only from there.

mod cosigning;
mod error;
mod extend;
mod files;
mod fsck;
mod fsck_files;
mod fsck_rows;
mod keys;
mod mirror;
mod receipt;
mod sequencer;
mod start;
mod steps;
mod verify;
mod witness;

#[cfg(test)]
mod tests;

pub use cosigning::{CosignError, CosignFuture, Cosigner, WitnessLink};
pub use error::LogError;
pub use files::{Fetch, FetchError, Folder};
pub use fsck::{FINDINGS_MAX, Finding, FsckReport, fsck};
pub use keys::{load_key, load_or_make_key, make_key};
pub use mirror::{Mirrored, mirror};
pub use receipt::{ProofParts, Receipts};
pub use sequencer::{LogConfig, Progress, Published, Sequencer};
pub use verify::{Audited, ENTRIES_MAX, VerifyOptions, verify};
pub use witness::{Answer, Witness};

/// Runs work on files away from the threads that answer requests.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, LogError> + Send + 'static,
) -> Result<T, LogError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(error) => Err(LogError::Setup(format!("the server is going down: {error}"))),
    }
}
