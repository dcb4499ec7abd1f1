//! A flipped byte anywhere is found and named.

use simwarden_ledger::{
    AuditDepth, BundleId, Checkpoint, Hash, LedgerError, LogPath, Policy, TileId, encode_entry, leaf_hash,
    verify_leftover, verify_log, verify_tree,
};

use crate::world::{MemoryLog, entry, leaves, log_key, witness_key};

fn altered(result: Result<impl core::fmt::Debug, LedgerError>) -> (String, Option<u64>) {
    match result {
        Err(LedgerError::Altered { path, entry, .. }) => (path, entry),
        other => panic!("expected a file to be named, got {other:?}"),
    }
}

fn audit(log: &MemoryLog, checkpoint: &Checkpoint) -> Result<simwarden_ledger::AuditReport, LedgerError> {
    verify_tree(&mut log.clone(), checkpoint, None, AuditDepth::Entries)
}

/// The entry that a byte of a file belongs to; `None` for a tile above the leaves.
fn entry_of(path: &LogPath, bytes: &[u8], place: usize) -> Option<u64> {
    match path {
        LogPath::Tile(id) if id.level() == 0 => Some(id.index() * 256 + (place / 32) as u64),
        LogPath::Bundle(id) => {
            let (mut number, mut end) = (id.first_entry(), 0);
            loop {
                end += 2 + usize::from(u16::from_be_bytes([bytes[end], bytes[end + 1]]));
                if place < end {
                    return Some(number);
                }
                number += 1;
            }
        }
        _ => None,
    }
}

#[test]
fn every_flipped_byte_of_a_log_is_found_and_named() {
    // 257 entries: a full and a partial bundle and leaf tile, and a tile above them.
    let log = MemoryLog::of(257);
    let checkpoint = log.checkpoint();
    let report = audit(&log, &checkpoint).expect("an honest log");
    assert_eq!((report.entries, report.bundles, report.tiles), (257, 2, 3));
    assert_eq!(log.files.len(), 5);
    for (name, good) in &log.files {
        let path: LogPath = name.parse().expect("a log path");
        for place in 0..good.len() {
            let mut changed = log.clone();
            changed.files.get_mut(name).expect("the file")[place] ^= 0x41;
            let found = altered(audit(&changed, &checkpoint));
            assert_eq!(
                found,
                (name.clone(), entry_of(&path, good, place)),
                "byte {place} of {name}"
            );
        }
        for shorter in [0, good.len() - 1] {
            let mut changed = log.clone();
            changed.files.get_mut(name).expect("the file").truncate(shorter);
            assert_eq!(altered(audit(&changed, &checkpoint)).0, *name);
        }
        let mut changed = log.clone();
        changed.files.get_mut(name).expect("the file").push(0);
        assert_eq!(altered(audit(&changed, &checkpoint)).0, *name);
        let mut changed = log.clone();
        changed.files.remove(name);
        assert_eq!(audit(&changed, &checkpoint), Err(LedgerError::missing(name)));
    }
}

#[test]
fn every_flipped_byte_of_a_cosigned_checkpoint_is_found() {
    let mut log = MemoryLog::of(5);
    let (signer, witness) = (log_key(1), witness_key(2));
    let mut note = log.checkpoint().sign(&signer).expect("signed");
    let line = simwarden_ledger::cosign(&witness, note.text(), 1_800_000_000).expect("cosigned");
    note.add(line).expect("added");
    let policy = format!(
        "log {}\nwitness w {}\nquorum w\n",
        signer.verifier(),
        witness.verifier()
    );
    let policy = Policy::parse(policy.as_bytes()).expect("a policy");
    let good = note.to_string().into_bytes();
    let (trusted, _) =
        verify_log(&mut log, &good, &policy, None, AuditDepth::Entries).expect("an honest log");
    assert_eq!(trusted.witnesses, [("w".to_owned(), 1_800_000_000)]);
    for place in 0..good.len() {
        for flip in [0x01, 0x20, 0x80] {
            let mut bad = good.clone();
            bad[place] ^= flip;
            verify_log(&mut log, &bad, &policy, None, AuditDepth::Entries)
                .expect_err("a changed checkpoint must not be accepted");
        }
    }
}

/// A log whose owner rewrote entry `at` and everything above it, consistently.
fn rewritten(size: u64, at: u64) -> MemoryLog {
    let mut log = MemoryLog::default();
    log.grow(
        &(0..size)
            .map(|i| if i == at { b"forged".to_vec() } else { entry(i) })
            .collect::<Vec<_>>(),
    );
    log
}

#[test]
fn a_rewritten_history_is_caught_by_the_checkpoint_and_by_a_remembered_one() {
    let old = MemoryLog::of(400).checkpoint();
    let forged = rewritten(600, 300);
    let honest = MemoryLog::of(600).checkpoint();
    // Files rewritten, checkpoint honest.
    assert_eq!(altered(audit(&forged, &honest)).0, "checkpoint");
    // Signed anew with the log's own key: nothing but memory helps.
    let new = forged.checkpoint();
    audit(&forged, &new).expect("looks honest to a stranger");
    let seen = verify_tree(&mut forged.clone(), &new, Some(&old), AuditDepth::Entries);
    assert!(
        seen.as_ref()
            .is_err_and(|e| e.to_string().contains("history was rewritten")),
        "{seen:?}"
    );
    // The tail after the remembered checkpoint may of course differ.
    let tail = rewritten(600, 401);
    verify_tree(
        &mut tail.clone(),
        &tail.checkpoint(),
        Some(&old),
        AuditDepth::Entries,
    )
    .expect("continues the old");
    for size in [0, 1, 256, 599, 600] {
        let log = MemoryLog::of(600);
        let old = MemoryLog::of(size).checkpoint();
        verify_tree(&mut log.clone(), &honest, Some(&old), AuditDepth::Entries).expect("continues the old");
        verify_tree(&mut log.clone(), &honest, Some(&old), AuditDepth::Hashes).expect("continues the old");
    }
}

#[test]
fn a_log_that_went_back_is_refused() {
    let (old, new) = (MemoryLog::of(400).checkpoint(), MemoryLog::of(399));
    let result = verify_tree(
        &mut new.clone(),
        &new.checkpoint(),
        Some(&old),
        AuditDepth::Entries,
    );
    assert!(
        result
            .as_ref()
            .is_err_and(|e| e.to_string().contains("went back from 400")),
        "{result:?}"
    );
    assert_eq!(altered(result).0, "checkpoint");
    let other = Checkpoint {
        origin: "other.example".into(),
        ..MemoryLog::of(1).checkpoint()
    };
    let result = verify_tree(
        &mut new.clone(),
        &new.checkpoint(),
        Some(&other),
        AuditDepth::Entries,
    );
    assert_eq!(altered(result).0, "checkpoint");
}

#[test]
fn an_entry_rewritten_together_with_its_leaf_tile_is_located() {
    // More than 256 full tiles are not needed: the level-1 tile still knows the old hash of leaf tile 1.
    let (honest, forged) = (MemoryLog::of(600), rewritten(600, 300));
    let mut changed = honest.clone();
    for name in ["tile/0/001", "tile/entries/001"] {
        changed
            .files
            .insert(name.into(), forged.read(name).expect("a file"));
    }
    assert_eq!(
        altered(audit(&changed, &honest.checkpoint())),
        ("tile/0/001".into(), Some(256))
    );
    let mut only_bundle = honest.clone();
    only_bundle.files.insert(
        "tile/entries/001".into(),
        forged.read("tile/entries/001").expect("a file"),
    );
    assert_eq!(
        altered(audit(&only_bundle, &honest.checkpoint())),
        ("tile/entries/001".into(), Some(300))
    );
}

#[test]
fn entries_swapped_removed_or_inserted_are_named() {
    let log = MemoryLog::of(20);
    let with = |entries: Vec<Vec<u8>>| {
        let mut bytes = Vec::new();
        entries
            .iter()
            .for_each(|e| encode_entry(&mut bytes, e).expect("fits"));
        let mut changed = log.clone();
        changed.files.insert("tile/entries/000.p/20".into(), bytes);
        altered(audit(&changed, &log.checkpoint()))
    };
    let all: Vec<Vec<u8>> = (0..20).map(entry).collect();
    let name = "tile/entries/000.p/20".to_owned();
    let mut swapped = all.clone();
    swapped.swap(7, 12);
    assert_eq!(with(swapped), (name.clone(), Some(7)));
    let mut removed = all.clone();
    removed.remove(9);
    assert_eq!(with(removed), (name.clone(), Some(9)));
    let mut inserted = all;
    inserted.insert(4, b"inserted".to_vec());
    assert_eq!(with(inserted), (name, Some(4)));
}

#[test]
fn the_public_audits_hashes_without_entries() {
    let mut log = MemoryLog::of(600);
    log.files.retain(|name, _| !name.starts_with("tile/entries"));
    let checkpoint = log.checkpoint();
    let hashes = |log: &MemoryLog| verify_tree(&mut log.clone(), &checkpoint, None, AuditDepth::Hashes);
    assert_eq!(hashes(&log).expect("an honest log").bundles, 0);
    for (name, place, entry) in [
        ("tile/0/001", 40, Some(256)),
        ("tile/1/000.p/2", 3, None),
        ("tile/0/002.p/88", 64, None),
    ] {
        let mut changed = log.clone();
        changed.files.get_mut(name).expect("the file")[place] ^= 1;
        let (path, at) = altered(hashes(&changed));
        if name == "tile/1/000.p/2" {
            // The tile fits neither root nor leaves, and the leaves do fit the root.
            assert_eq!((path.as_str(), at), (name, entry));
        } else {
            assert!(path.starts_with(name), "{path}");
            assert_eq!(at, entry);
        }
    }
}

#[test]
fn leftover_partial_files_are_compared_with_what_replaced_them() {
    let mut log = MemoryLog::of(100);
    log.grow(&(100..300).map(entry).collect::<Vec<_>>());
    for name in ["tile/0/000.p/100", "tile/entries/000.p/100"] {
        let path: LogPath = name.parse().expect("a path");
        let bytes = log.read(name).expect("the old file");
        verify_leftover(&mut log.clone(), path, &bytes, 300).expect("fits");
        for place in 0..bytes.len() {
            let mut bad = bytes.clone();
            bad[place] ^= 4;
            assert_eq!(
                altered(verify_leftover(&mut log.clone(), path, &bad, 300)).0,
                name
            );
        }
        verify_leftover(&mut log.clone(), path, &bytes[..bytes.len() - 32], 300).expect_err("cut");
    }
    let beyond = LogPath::Tile(TileId::new(0, 1, 200).expect("a tile"));
    verify_leftover(&mut log, beyond, &[0; 6400], 300).expect_err("beyond the tree");
    let unknown = LogPath::Bundle(BundleId::new(9, 1).expect("a bundle"));
    verify_leftover(&mut log, unknown, b"", 300).expect_err("beyond the tree");
}

#[test]
fn full_files_stand_in_for_deleted_partial_ones() {
    let mut log = MemoryLog::of(100);
    let old = log.checkpoint();
    log.grow(&(100..300).map(entry).collect::<Vec<_>>());
    log.files.retain(|name, _| !name.contains("000.p/100"));
    audit(&log, &old).expect("the full files begin with the partial ones");
    assert_eq!(old.root, crate::world::naive_root(&leaves(100)));
}

#[test]
fn the_empty_log_has_one_root() {
    let log = MemoryLog::default();
    audit(&log, &log.checkpoint()).expect("the empty log");
    let wrong = Checkpoint {
        root: Hash(leaf_hash(b"").0),
        ..log.checkpoint()
    };
    assert_eq!(altered(audit(&log, &wrong)).0, "checkpoint");
}
