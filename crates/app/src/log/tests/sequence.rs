//! The way of entries into the published log, and back out as receipts.

use super::super::keys::{load_key, load_or_make_key, make_key};
use super::super::{LogConfig, LogError, Sequencer};
use super::{Counting, ORIGIN, World, log_only, signer};
use simwarden_ledger::{KeyKind, Receipt};
use simwarden_store::StoreError;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use tokio::sync::watch;

#[tokio::test]
async fn every_size_is_a_whole_log_and_a_restart_continues_it() {
    let world = World::new().await;
    let mut remembered = None;
    let mut size = 0;
    for more in [0, 1, 254, 1, 1, 255, 700] {
        world.append(more).await;
        size += more as u64;
        let mut log = world.open().await.unwrap();
        let progress = log.cycle().await.unwrap();
        assert_eq!(
            (progress.durable, progress.signed, progress.published),
            (size, size, size)
        );
        assert_eq!(world.audit("ledger", &mut remembered), size);
    }
    let partials = world.folder("ledger").join("tile/0/000.p");
    assert!(!partials.exists(), "partial tiles go when the full one is there");
    assert!(world.folder("ledger").join("tile/entries/004.p/188").is_file());
}

#[tokio::test]
async fn one_process_grows_as_restarts_do() {
    let world = World::new().await;
    let mut log = world.open().await.unwrap();
    let mut remembered = None;
    for more in [3, 300, 1, 5000] {
        world.append(more).await;
        while log.cycle().await.unwrap().published
            < world.store.ledger_end().await.unwrap().0.try_into().unwrap()
        {}
        world.audit("ledger", &mut remembered);
    }
    drop(log);
    std::fs::remove_dir_all(world.folder("ledger")).unwrap();
    let mut log = world.open().await.unwrap();
    log.cycle().await.unwrap();
    assert_eq!(
        world.audit("ledger", &mut remembered),
        5304,
        "all files are made again from the database"
    );
}

#[tokio::test]
async fn a_receipt_proves_its_entry_offline_with_the_key_alone() {
    let world = World::new().await;
    world.append(600).await;
    let mut log = world.open().await.unwrap();
    let receipts = world.receipts(&log);
    assert!(matches!(
        receipts.receipt(5).await,
        Err(LogError::NotYet { index: 5, size: 0 })
    ));
    log.cycle().await.unwrap();
    assert!(log.published().borrow().covers(599) && !log.published().borrow().covers(600));
    for index in [0, 5, 255, 256, 599] {
        let text = receipts.receipt(index).await.unwrap();
        let entry = &world.store.entries(index, 1).await.unwrap()[0].body;
        let receipt = Receipt::parse(text.as_bytes()).unwrap();
        assert_eq!(
            receipt
                .verify_offline(entry, &log_only())
                .unwrap()
                .checkpoint
                .size,
            600
        );
        assert!(receipt.verify_offline(b"another", &log_only()).is_err());
        let parts = receipts.proof_parts(index).await.unwrap();
        assert_eq!(parts.size, 600);
        assert_eq!(parts.log_key, signer().verifier().to_string());
    }
    assert!(matches!(
        receipts.receipt(600).await,
        Err(LogError::NotYet { .. })
    ));
    assert!(matches!(receipts.receipt(-1).await, Err(LogError::NotYet { .. })));
}

#[tokio::test]
async fn it_runs_by_itself_and_publishes_what_is_durable_before_it_stops() {
    let world = World::new().await;
    let log = world.open().await.unwrap();
    let mut published = log.published();
    let (written, written_rx) = watch::channel(0);
    let (stop, stop_rx) = watch::channel(false);
    let task = tokio::spawn(log.run(written_rx, stop_rx));
    world.append(10).await;
    written.send(10).unwrap();
    published
        .wait_for(|published| published.size == 10)
        .await
        .unwrap();
    world.append(5).await;
    stop.send(true).unwrap();
    task.await.unwrap().unwrap();
    assert_eq!(published.borrow().size, 15);
}

#[tokio::test]
async fn another_key_or_policy_does_not_continue_a_log() {
    let world = World::new().await;
    world.append(1).await;
    world.open().await.unwrap().cycle().await.unwrap();
    let other = simwarden_ledger::NoteSigner::from_seed(ORIGIN, KeyKind::Note, &[8; 32]).unwrap();
    let open = |config| Sequencer::open(world.store.clone(), Arc::clone(&world.clock), config);
    let config = LogConfig {
        signer: other.clone(),
        ..world.config()
    };
    assert!(
        matches!(open(config).await, Err(LogError::Setup(_))),
        "the policy does not list it"
    );
    let policy = simwarden_ledger::Policy::log_only(other.verifier().clone()).unwrap();
    let config = LogConfig {
        signer: other,
        policy,
        ..world.config()
    };
    let error = open(config).await.err().unwrap();
    assert!(error.to_string().contains("is not signed by"), "{error}");
}

#[tokio::test]
async fn a_database_that_went_back_is_noticed_running_and_starting() {
    let world = World::new().await;
    world.append(20).await;
    let mut log = world.open().await.unwrap();
    log.cycle().await.unwrap();
    let old = world.store.checkpoint().await.unwrap().unwrap();
    world.append(20).await;
    log.cycle().await.unwrap();
    world.sql("DELETE FROM ledger_entry WHERE idx >= 20").await;
    let error = log.cycle().await.unwrap_err();
    assert!(
        matches!(error, LogError::RolledBack { known: 40, found: 20 }) && error.is_fatal(),
        "{error}"
    );
    world
        .sql(&format!(
            "UPDATE ledger_checkpoint SET size = 20, root = x'{}', note = '{}'",
            hex(&old.root),
            old.note
        ))
        .await;
    let error = log.cycle().await.unwrap_err();
    assert!(
        matches!(error, LogError::RolledBack { known: 40, found: 20 }),
        "{error}"
    );
    drop(log);
    let error = world.open().await.err().unwrap();
    assert!(
        matches!(error, LogError::RolledBack { known: 40, found: 20 }),
        "the folder remembers: {error}"
    );
}

#[tokio::test]
async fn a_changed_entry_is_not_signed_over() {
    let world = World::new().await;
    world.append(300).await;
    world.open().await.unwrap().cycle().await.unwrap();
    world.append(1).await;
    world
        .sql("UPDATE ledger_entry SET body = x'00' WHERE idx = 300")
        .await;
    let error = world.open().await.unwrap().cycle().await.unwrap_err();
    assert!(
        matches!(error, LogError::Entry { index: 300, .. }) && error.is_fatal(),
        "{error}"
    );
    // With its hash made to fit, only the signed root gives it away.
    let leaf = simwarden_ledger::leaf_hash(b"{}").0;
    world
        .sql(&format!(
            "UPDATE ledger_entry SET body = x'7b7d', leaf = x'{}' WHERE idx = 7",
            hex(&leaf)
        ))
        .await;
    let config = LogConfig {
        rebuild: true,
        ..world.config()
    };
    let opened = Sequencer::open(world.store.clone(), Arc::clone(&world.clock), config).await;
    let error = opened.err().unwrap();
    assert!(
        matches!(error, LogError::Parted { size: 300, .. }) && error.is_fatal(),
        "{error}"
    );
}

#[test]
fn a_full_disk_passes_and_a_broken_one_stops() {
    let file = |what, kind: std::io::ErrorKind| LogError::file(what, std::path::Path::new("x"), kind.into());
    assert!(!file("write", std::io::ErrorKind::StorageFull).is_fatal());
    assert!(!file("sync", std::io::ErrorKind::StorageFull).is_fatal());
    assert!(file("sync", std::io::ErrorKind::Other).is_fatal());
    assert!(LogError::Store(StoreError::Broken(String::new())).is_fatal());
    assert!(!LogError::Store(StoreError::Full).is_fatal());
}

#[test]
fn key_files_are_for_their_owner_only_and_keep_their_origin() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("log.key");
    let made = load_or_make_key(&file, ORIGIN, KeyKind::Note, &mut Counting(1)).unwrap();
    assert_eq!(
        std::fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert!(
        std::fs::read_to_string(&file)
            .unwrap()
            .starts_with("PRIVATE+KEY+ledger.example/kh+")
    );
    let loaded = load_or_make_key(&file, ORIGIN, KeyKind::Note, &mut Counting(2)).unwrap();
    assert_eq!(loaded.verifier(), made.verifier());
    assert!(
        make_key(&file, ORIGIN, KeyKind::Note, &mut Counting(3)).is_err(),
        "a key is never overwritten"
    );
    assert!(load_key(&file, Some("another"), KeyKind::Note).is_err());
    assert!(load_key(&file, None, KeyKind::Cosignature).is_err());
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
    let error = load_key(&file, None, KeyKind::Note).unwrap_err();
    assert!(error.to_string().contains("chmod 600"), "{error}");
}

pub(super) fn hex(bytes: &[u8]) -> String {
    crate::entry::hex(bytes)
}
