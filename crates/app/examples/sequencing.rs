//! How many entries a second the log sequences, and how long a start takes: `sequencing [ENTRIES] [FOLDER]`.
//!
//! Entries of about 700 bytes are put into a new SQLite database first; what is timed is reading, hashing, writing
//! tiles and bundles durably, signing, swapping and publishing. The floor is the same files written and synced alone.

use simwarden_app::log::{Folder, LogConfig, Sequencer, VerifyOptions, fsck, verify};
use simwarden_app::{EntryBody, OsEntropy, RowMark, SystemClock};
use simwarden_ledger::{KeyKind, NoteSigner, Policy, leaf_hash};
use simwarden_model::{Clock, Role};
use simwarden_store::Store;
use simwarden_store::records::entry::Entry;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let entries: i64 = arguments.next().map_or(Ok(200_000), |n| n.parse())?;
    let folder = arguments.next().unwrap_or_else(|| "sequencing-bench".into());
    std::fs::create_dir(&folder)?;
    let outcome = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(measure(entries, Path::new(&folder)));
    std::fs::remove_dir_all(&folder)?;
    outcome
}

async fn fill(store: &Store, entries: i64, clock: &dyn Clock) -> Outcome<()> {
    let mut random = OsEntropy::new()?;
    let mut index = 0;
    while index < entries {
        let mut tx = store.begin().await?;
        let mut rows = Vec::new();
        while index < entries && rows.len() < 8192 {
            let mut body = EntryBody::new("operation.requested", clock.now(), Role::Agent, &mut random);
            let digest = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
            let mark = |kind: &str| RowMark(kind.into(), format!("{index:032x}"), 1, digest.into());
            body.rows = vec![mark("operation"), mark("subscription")];
            body.seal(&[7; 200]);
            let body = body.encode()?;
            rows.push(Entry {
                index,
                at: clock.now(),
                kind: "operation.requested".into(),
                leaf: leaf_hash(&body).0,
                body,
            });
            index += 1;
        }
        tx.insert_entries(rows).await?;
        tx.commit().await?;
    }
    Ok(())
}

fn rate(what: &str, entries: i64, took: Duration) {
    #[expect(clippy::cast_precision_loss, reason = "printed")]
    let rate = entries as f64 / took.as_secs_f64();
    println!(
        "{what:<44} {:>8.3} s   {rate:>10.0} entries/s",
        took.as_secs_f64()
    );
}

async fn measure(entries: i64, folder: &Path) -> Outcome<()> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
    let store = Store::open(&format!("sqlite:{}", folder.join("house.db").display())).await?;
    let begun = clock.monotonic();
    fill(&store, entries, &*clock).await?;
    rate("(filling the database)", entries, clock.monotonic() - begun);
    let signer = NoteSigner::from_seed("bench.example/log", KeyKind::Note, &[1; 32])?;
    let policy = Policy::log_only(signer.verifier().clone())?;
    let open = |name: &str, rebuild| {
        let config = LogConfig {
            folder: folder.join(name),
            signer: signer.clone(),
            policy: policy.clone(),
            witnesses: Vec::new(),
            rebuild,
        };
        Sequencer::open(store.clone(), Arc::clone(&clock), config)
    };
    let mut log = open("log", false).await?;
    let (begun, mut cycles) = (clock.monotonic(), 0);
    while log.cycle().await?.published < u64::try_from(entries)? {
        cycles += 1;
    }
    let took = clock.monotonic() - begun;
    rate(
        &format!("sequenced and published, {} cycles", cycles + 1),
        entries,
        took,
    );
    drop(log);

    let begun = clock.monotonic();
    drop(open("log", false).await?);
    rate("start from the files", entries, clock.monotonic() - begun);
    let begun = clock.monotonic();
    drop(open("log", true).await?);
    rate(
        "start, every file compared with the database",
        entries,
        clock.monotonic() - begun,
    );
    let begun = clock.monotonic();
    drop(open("lost", false).await?);
    rate("start, every file lost", entries, clock.monotonic() - begun);
    let begun = clock.monotonic();
    verify(&Folder::reading(folder.join("log")), &VerifyOptions::all(policy))?;
    rate("verified from the entries up", entries, clock.monotonic() - begun);
    let begun = clock.monotonic();
    let found = fsck(&store, Some(&folder.join("log")), signer.verifier()).await?;
    rate(
        &format!("fsck ({} entries, rows named but absent)", found.entries),
        entries,
        clock.monotonic() - begun,
    );
    Ok(())
}
