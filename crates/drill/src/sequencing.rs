//! How fast the log sequences entries that are durable already: read, hashed, written as tiles and bundles, signed,
//! swapped and published.

use crate::DrillError;
use simwarden_app::log::{LogConfig, Sequencer};
use simwarden_app::{EntryBody, OsEntropy, RowMark};
use simwarden_ledger::{KeyKind, NoteSigner, Policy, leaf_hash};
use simwarden_model::{Clock, Role};
use simwarden_store::records::entry::Entry;
use simwarden_store::{Store, StoreError};
use std::path::Path;
use std::sync::Arc;

/// Entries written in one transaction while the database is filled.
const FILL: usize = 8_192;
/// Of a row's digest, as long as a real one.
const DIGEST: &str = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

fn failed(why: impl std::fmt::Display) -> DrillError {
    DrillError::Setup(format!("sequencing cannot be measured: {why}"))
}

/// Fills a new SQLite database in `folder` with entries of about 700 bytes and times their way into a published tree.
/// Filling is not timed.
///
/// # Errors
/// When the folder cannot be written.
pub async fn per_second(folder: &Path, entries: i64, clock: &Arc<dyn Clock>) -> Result<f64, DrillError> {
    let folder = folder.join("sequencing");
    // Of a run that failed halfway.
    let _ = std::fs::remove_dir_all(&folder);
    let store = Store::open(&format!("sqlite:{}", folder.join("house.db").display()))
        .await
        .map_err(failed)?;
    fill(&store, entries, &**clock).await?;
    let signer = NoteSigner::from_seed("bench.example/log", KeyKind::Note, &[1; 32]).map_err(failed)?;
    let config = LogConfig {
        folder: folder.join("log"),
        policy: Policy::log_only(signer.verifier().clone()).map_err(failed)?,
        signer,
        witnesses: Vec::new(),
        rebuild: false,
    };
    let mut log = Sequencer::open(store.clone(), Arc::clone(clock), config)
        .await
        .map_err(failed)?;
    let begun = clock.monotonic();
    while i64::try_from(log.cycle().await.map_err(failed)?.published).unwrap_or(i64::MAX) < entries {}
    let took = clock.monotonic() - begun;
    drop(log);
    store.close().await;
    std::fs::remove_dir_all(&folder).map_err(failed)?;
    Ok(entries as f64 / took.as_secs_f64())
}

async fn fill(store: &Store, entries: i64, clock: &dyn Clock) -> Result<(), DrillError> {
    let mut random = OsEntropy::new().map_err(failed)?;
    let mut index = 0;
    while index < entries {
        let mut rows = Vec::with_capacity(FILL);
        while index < entries && rows.len() < FILL {
            rows.push(entry(index, clock, &mut random).map_err(failed)?);
            index += 1;
        }
        write(store, rows).await.map_err(failed)?;
    }
    Ok(())
}

fn entry(index: i64, clock: &dyn Clock, random: &mut OsEntropy) -> Result<Entry, simwarden_app::Error> {
    let kind = "operation.requested";
    let mut body = EntryBody::new(kind, clock.now(), Role::Agent, random);
    let mark = |kind: &str| RowMark(kind.into(), format!("{index:032x}"), 1, DIGEST.into());
    body.rows = vec![mark("operation"), mark("subscription")];
    body.seal(&[7; 200]);
    let body = body.encode()?;
    Ok(Entry {
        index,
        at: clock.now(),
        kind: kind.into(),
        leaf: leaf_hash(&body).0,
        body,
    })
}

async fn write(store: &Store, rows: Vec<Entry>) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    tx.insert_entries(rows).await?;
    tx.commit().await
}
