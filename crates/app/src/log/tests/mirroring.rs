//! A stranger's copy of the log.

use super::super::files::FetchError;
use super::super::{ENTRIES_MAX, Fetch, Folder, LogError, VerifyOptions, mirror, verify};
use super::{World, log_only};
use std::sync::atomic::{AtomicU32, Ordering};

/// A source that breaks off after some files.
struct Broken(Folder, AtomicU32);

impl Fetch for Broken {
    fn fetch(&self, path: &str, bytes_max: usize) -> Result<Option<Vec<u8>>, FetchError> {
        if self.1.fetch_sub(1, Ordering::SeqCst) == 0 {
            return Err(FetchError("the connection broke".into()));
        }
        self.0.fetch(path, bytes_max)
    }
}

async fn published(entries: usize) -> World {
    let world = World::new().await;
    world.append(entries).await;
    world.open().await.unwrap().cycle().await.unwrap();
    world
}

#[tokio::test]
async fn a_mirror_is_resumed_grown_and_verified() {
    let world = published(70_000).await;
    while world.open().await.unwrap().cycle().await.unwrap().published < 70_000 {}
    let (from, into) = (Folder::reading(world.folder("ledger")), world.folder("mirror"));
    let broken = Broken(from.clone(), AtomicU32::new(400));
    assert!(matches!(
        mirror(&broken, &into, &log_only(), true, ENTRIES_MAX),
        Err(LogError::Fetch { .. })
    ));
    assert!(
        !into.join("checkpoint").exists(),
        "an unfinished copy shows no checkpoint"
    );
    let done = mirror(&from, &into, &log_only(), true, ENTRIES_MAX).unwrap();
    assert!(done.kept > 250 && done.fetched < 400, "{done:?}");
    verify(&Folder::reading(&into), &VerifyOptions::all(log_only())).unwrap();
    world.append(1000).await;
    world.open().await.unwrap().cycle().await.unwrap();
    let done = mirror(&from, &into, &log_only(), true, ENTRIES_MAX).unwrap();
    assert!(
        done.trusted.checkpoint.size == 71_000 && done.fetched < 20,
        "{done:?}"
    );
    let audited = verify(&Folder::reading(&into), &VerifyOptions::all(log_only())).unwrap();
    assert_eq!(audited.trusted.checkpoint.size, 71_000);
    assert!(
        matches!(
            mirror(&from, &into, &log_only(), true, 1000),
            Err(LogError::Fetch { .. })
        ),
        "bounded"
    );
}

#[tokio::test]
async fn a_mirror_keeps_nothing_false_and_does_not_follow_a_rewritten_log() {
    let world = published(600).await;
    let into = world.folder("mirror");
    for file in [
        "tile/0/001",
        "tile/1/000.p/2",
        "tile/0/002.p/88",
        "tile/entries/000",
        "checkpoint",
    ] {
        let at = world.folder("ledger").join(file);
        let good = std::fs::read(&at).unwrap();
        let mut bad = good.clone();
        bad[40] ^= 1;
        std::fs::write(&at, bad).unwrap();
        let failed = mirror(
            &Folder::reading(world.folder("ledger")),
            &into,
            &log_only(),
            true,
            ENTRIES_MAX,
        );
        assert!(failed.is_err(), "{file}");
        assert!(!into.join("checkpoint").exists());
        let kept = std::fs::read(into.join(file)).ok();
        assert!(
            kept.is_none_or(|kept| kept == good),
            "{file} is kept only if it is good"
        );
        std::fs::write(&at, good).unwrap();
    }
    mirror(
        &Folder::reading(world.folder("ledger")),
        &into,
        &log_only(),
        true,
        ENTRIES_MAX,
    )
    .unwrap();
    for size in [500, 700] {
        let other = published(size).await;
        let from = Folder::reading(other.folder("ledger"));
        let held = std::fs::read(into.join("checkpoint")).unwrap();
        let error = mirror(&from, &into, &log_only(), false, ENTRIES_MAX).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("rewritten") || text.contains("went back"), "{text}");
        assert_eq!(std::fs::read(into.join("checkpoint")).unwrap(), held);
    }
}
