//! The witness program: what it refuses, and what it remembers.

use super::super::Witness;
use super::{ORIGIN, signer};
use simwarden_ledger::{
    AddCheckpoint, Checkpoint, Hash, KeyKind, KnownLog, NoteSigner, TreeState, integrate, leaf_hash,
    monitoring_path, parse_conflict, parse_cosignatures, prove_consistency,
};
use simwarden_model::Timestamp;
use std::collections::HashMap;
use std::path::Path;

pub(super) fn witness_key(n: u8) -> NoteSigner {
    NoteSigner::from_seed(
        &format!("witness.example/{n}"),
        KeyKind::Cosignature,
        &[100 + n; 32],
    )
    .unwrap()
}

pub(super) fn open_witness(dir: &Path, n: u8) -> Result<Witness, super::LogError> {
    let log = KnownLog {
        origin: ORIGIN.into(),
        keys: vec![signer().verifier().clone()],
    };
    Witness::open(dir, witness_key(n), vec![log])
}

/// A log's tree in memory; `salt` makes another history.
struct Tree(Vec<Hash>);

impl Tree {
    fn new(size: u64, salt: &str) -> Self {
        Self(
            (0..size)
                .map(|n| leaf_hash(format!("{salt}{n}").as_bytes()))
                .collect(),
        )
    }

    fn request(&self, old: u64, size: u64) -> Vec<u8> {
        let leaves = &self.0[..usize::try_from(size).unwrap()];
        let grown = integrate(&TreeState::empty(), leaves).unwrap();
        let tiles: HashMap<_, _> = grown.tiles.into_iter().collect();
        let proof = prove_consistency(|id| Ok(tiles[&id].clone()), old, size).unwrap();
        let note = Checkpoint::new(ORIGIN, size, grown.state.root())
            .sign(&signer())
            .unwrap();
        AddCheckpoint { old, proof, note }.to_body().into_bytes()
    }
}

#[test]
fn it_refuses_rollback_and_split_view_also_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let now = Timestamp::from_millis(1_800_000_000_000);
    let tree = Tree::new(600, "");
    let witness = open_witness(dir.path(), 1).unwrap();
    assert_eq!(witness.handle_get(&monitoring_path(ORIGIN)).status, 404);
    let answer = witness.handle_add(&tree.request(0, 300), now);
    assert_eq!(answer.status, 200, "{answer:?}");
    let text = AddCheckpoint::parse(&tree.request(0, 300)).unwrap().note;
    parse_cosignatures(answer.body.as_bytes(), text.text(), witness_key(1).verifier()).unwrap();

    for restart in [false, true] {
        let again = if restart {
            None
        } else {
            Some(open_witness(dir.path(), 1))
        };
        assert!(again.is_none_or(|again| again.is_err()), "one witness a folder");
    }
    drop(witness);
    let witness = open_witness(dir.path(), 1).unwrap();
    let rollback = witness.handle_add(&tree.request(0, 200), now);
    assert_eq!(
        (rollback.status, rollback.content_type),
        (409, "text/x.tlog.size")
    );
    assert_eq!(parse_conflict(rollback.body.as_bytes()).unwrap(), 300);
    let split = Tree::new(600, "other ").request(300, 500);
    assert_eq!(witness.handle_add(&split, now).status, 422);
    assert_eq!(
        witness
            .handle_add(&Tree::new(300, "x").request(300, 300), now)
            .status,
        422
    );
    assert_eq!(witness.handle_add(b"old 1\n", now).status, 400);
    assert_eq!(witness.handle_add(&tree.request(300, 600), now).status, 200);
    let shown = witness.handle_get(&monitoring_path(ORIGIN));
    assert!(
        shown.status == 200 && shown.body.starts_with("ledger.example/kh\n600\n"),
        "{shown:?}"
    );
    assert_eq!(witness.handle_get("../../etc/passwd").status, 404);
}

#[test]
fn a_damaged_or_foreign_record_does_not_start() {
    let dir = tempfile::tempdir().unwrap();
    let now = Timestamp::from_millis(1_800_000_000_000);
    let witness = open_witness(dir.path(), 1).unwrap();
    assert_eq!(
        witness.handle_add(&Tree::new(5, "").request(0, 5), now).status,
        200
    );
    drop(witness);
    assert!(
        open_witness(dir.path(), 2).is_err(),
        "the record is of another key"
    );
    let file = dir.path().join(monitoring_path(ORIGIN));
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[20] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let error = open_witness(dir.path(), 1).unwrap_err();
    assert!(error.to_string().contains("cannot be relied on"), "{error}");
}

#[test]
fn what_could_not_be_made_durable_is_not_cosigned() {
    let dir = tempfile::tempdir().unwrap();
    let now = Timestamp::from_millis(1_800_000_000_000);
    let tree = Tree::new(9, "");
    let witness = open_witness(dir.path(), 1).unwrap();
    assert_eq!(witness.handle_add(&tree.request(0, 5), now).status, 200);
    // A folder stands where the temporary file goes.
    let waiting = dir
        .path()
        .join(monitoring_path(ORIGIN))
        .with_file_name(".waiting");
    std::fs::create_dir(&waiting).unwrap();
    assert_eq!(witness.handle_add(&tree.request(5, 9), now).status, 500);
    std::fs::remove_dir(&waiting).unwrap();
    let shown = witness.handle_get(&monitoring_path(ORIGIN));
    assert!(shown.body.contains("\n5\n"), "the record stands where it stood");
    assert_eq!(witness.handle_add(&tree.request(5, 9), now).status, 200);
}
