//! Held against other people's implementations: `tlog_tiles`, `ct-merkle` and `signed_note` accept what we make,
//! and we accept what they make. (`tlog_tiles` names its files in another layout, so paths are not compared.)

use crate::world::{MemoryLog, ORIGIN, entry, leaves, log_key};
use ct_merkle::mem_backed_tree::MemoryBackedTree;
use ct_merkle::{ConsistencyProof, InclusionProof, RootHash};
use sha2::Sha256;
use signed_note::{Note as TheirNote, StandardSigner, StandardVerifier, VerifierList};
use simwarden_ledger::{
    Checkpoint, Hash, KeyKind, LedgerError, Note, NoteSigner, TileId, VerifierKey, leaf_hash,
    prove_consistency, prove_inclusion, tiles_grown, verify_consistency, verify_inclusion,
};
use tlog_tiles::{Checkpoint as TheirCheckpoint, Hash as TheirHash, HashReader, Tile};

const SIZES: [u64; 12] = [1, 2, 3, 7, 8, 100, 255, 256, 257, 511, 600, 777];

struct Stored(Vec<TheirHash>);

impl HashReader for Stored {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<TheirHash>, tlog_tiles::Error> {
        Ok(indexes
            .iter()
            .map(|i| self.0[usize::try_from(*i).expect("small")])
            .collect())
    }
}

impl Stored {
    fn of(size: u64) -> Self {
        let mut stored = Self(Vec::new());
        for i in 0..size {
            let hashes = tlog_tiles::stored_hashes(i, &entry(i), &stored).expect("hashes");
            stored.0.extend(hashes);
        }
        stored
    }
}

fn theirs(hashes: &[Hash]) -> Vec<TheirHash> {
    hashes.iter().map(|h| TheirHash(h.0)).collect()
}

#[test]
fn tlog_tiles_agrees_on_roots_tiles_and_proofs() {
    for size in SIZES {
        let (log, stored) = (MemoryLog::of(size), Stored::of(size));
        let root = tlog_tiles::tree_hash(size, &stored).expect("root");
        assert_eq!(log.state.root().0, root.0, "size {size}");
        for id in tiles_grown(0, size) {
            let tile = Tile::new(8, id.level(), id.index(), u32::from(id.width()), false);
            assert_eq!(
                tile.read_data(&stored).expect("tile"),
                log.read(&id.to_string()).expect("tile"),
                "{id}"
            );
        }
        for index in (0..size).step_by(13).chain([size - 1]) {
            let leaf = leaf_hash(&entry(index));
            let proof = prove_inclusion(log.tiles(), index, size).expect("proof");
            let their_proof = tlog_tiles::prove_record(size, index, &stored).expect("proof");
            assert_eq!(theirs(&proof), their_proof);
            tlog_tiles::check_record(&theirs(&proof), size, root, index, TheirHash(leaf.0))
                .expect("accepted");
            let back: Vec<Hash> = their_proof.iter().map(|h| Hash(h.0)).collect();
            verify_inclusion(&leaf, index, size, &Hash(root.0), &back).expect("accepted");
        }
        for old in (1..=size).step_by(17).chain([size]) {
            let old_root = tlog_tiles::tree_hash(old, &stored).expect("root");
            let proof = prove_consistency(log.tiles(), old, size).expect("proof");
            let their_proof = tlog_tiles::prove_tree(size, old, &stored).expect("proof");
            assert_eq!(theirs(&proof), their_proof, "{old} to {size}");
            tlog_tiles::check_tree(&theirs(&proof), size, root, old, old_root).expect("accepted");
            let back: Vec<Hash> = their_proof.iter().map(|h| Hash(h.0)).collect();
            verify_consistency(old, &Hash(old_root.0), size, &Hash(root.0), &back).expect("accepted");
        }
    }
}

#[test]
fn ct_merkle_agrees_on_roots_and_proofs() {
    for size in SIZES {
        let log = MemoryLog::of(size);
        let mut tree = MemoryBackedTree::<Sha256, Vec<u8>>::new();
        (0..size).for_each(|i| tree.push(entry(i)));
        let their_root = tree.root();
        assert_eq!(
            their_root.as_bytes().as_slice(),
            log.state.root().0,
            "size {size}"
        );
        let our_root = RootHash::<Sha256>::new(log.state.root().0.into(), size);
        for index in (0..size).step_by(29).chain([size - 1]) {
            let at = usize::try_from(index).expect("small");
            let proof = prove_inclusion(log.tiles(), index, size).expect("proof");
            let bytes: Vec<u8> = proof.iter().flat_map(|h| h.0).collect();
            assert_eq!(tree.prove_inclusion(at).as_bytes(), bytes);
            let as_theirs = InclusionProof::try_from_bytes(bytes).expect("a proof");
            our_root
                .verify_inclusion(&entry(index), index, &as_theirs)
                .expect("accepted");
        }
        for old in (1..size).step_by(31) {
            let additions = usize::try_from(size - old).expect("small");
            let proof = prove_consistency(log.tiles(), old, size).expect("proof");
            let bytes: Vec<u8> = proof.iter().flat_map(|h| h.0).collect();
            assert_eq!(
                tree.prove_consistency(additions).as_bytes(),
                bytes,
                "{old} to {size}"
            );
            let old_root = RootHash::<Sha256>::new(MemoryLog::of(old).state.root().0.into(), old);
            let as_theirs = ConsistencyProof::try_from_bytes(bytes).expect("a proof");
            our_root
                .verify_consistency(&old_root, &as_theirs)
                .expect("accepted");
        }
    }
}

fn their_verify(bytes: &[u8], vkey: &str) -> bool {
    let verifier = StandardVerifier::new(vkey).expect("they read our vkey");
    let known = VerifierList::new(vec![Box::new(verifier)]);
    TheirNote::from_bytes(bytes).is_ok_and(|note| note.verify(&known).is_ok())
}

#[test]
fn signed_note_accepts_our_notes_and_we_theirs() {
    let signer = log_key(9);
    let vkey = signer.verifier().to_string();
    let checkpoint = Checkpoint::new(ORIGIN, 5, MemoryLog::of(5).state.root());
    let ours = checkpoint.sign(&signer).expect("signed").to_string();
    assert!(their_verify(ours.as_bytes(), &vkey));

    let their_signer = StandardSigner::new(&signer.to_secret_text()).expect("they read our secret key");
    let mut note = TheirNote::new(checkpoint.to_string().as_bytes(), &[]).expect("a note");
    note.add_sigs(&[&their_signer]).expect("signed");
    assert_eq!(note.to_bytes(), ours.as_bytes());
    Checkpoint::open(&note.to_bytes(), &[signer.verifier().clone()]).expect("accepted");

    let read =
        TheirCheckpoint::from_bytes(checkpoint.to_string().as_bytes()).expect("they read our checkpoint");
    assert_eq!(
        (read.origin(), read.size(), read.hash().0),
        (ORIGIN, 5, checkpoint.root.0)
    );
}

#[test]
fn neither_accepts_a_note_with_a_flipped_byte() {
    let signer = log_key(9);
    let (key, vkey) = (signer.verifier().clone(), signer.verifier().to_string());
    let good = Checkpoint::new(ORIGIN, 5, leaves(1)[0])
        .sign(&signer)
        .expect("signed")
        .to_string()
        .into_bytes();
    assert!(their_verify(&good, &vkey));
    for place in 0..good.len() {
        for flip in [0x01, 0x20, 0x80] {
            let mut bad = good.clone();
            bad[place] ^= flip;
            assert!(
                Checkpoint::open(&bad, core::slice::from_ref(&key)).is_err(),
                "byte {place} ^ {flip}"
            );
            assert!(!their_verify(&bad, &vkey), "byte {place} ^ {flip}");
        }
    }
}

#[test]
fn the_note_of_the_go_documentation_verifies() {
    let vkey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    let skey = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
    let text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
    let signature = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
    let key: VerifierKey = vkey.parse().expect("a vkey");
    assert_eq!(key.to_string(), vkey);
    let note = Note::parse(format!("{text}\n{signature}").as_bytes()).expect("a note");
    note.verify(&[key]).expect("verifies");
    let signer = NoteSigner::from_secret_text(skey).expect("a secret key");
    assert_eq!(signer.to_secret_text(), skey);
    let mut mine = Note::new(text).expect("a text");
    mine.sign(&signer).expect("signed");
    assert_eq!(mine, note);
}

#[test]
fn the_cosignature_of_the_specification_is_read() {
    // From C2SP tlog-cosignature; the witness's public key is not given there, so only the form can be held.
    let text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
    let log = "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n";
    let witness = "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";
    let note = Note::parse(format!("{text}\n{log}{witness}").as_bytes()).expect("a note");
    let checkpoint: Checkpoint = note.text().parse().expect("a checkpoint");
    assert_eq!(
        (checkpoint.origin.as_str(), checkpoint.size),
        ("example.com/behind-the-sofa", 20_852_163)
    );
    let time: [u8; 8] = note.signatures()[1].signature()[..8].try_into().expect("a time");
    assert_eq!(u64::from_be_bytes(time), 1_679_315_147);
    assert_eq!(note.signatures()[1].signature().len(), 8 + 64);
    assert_eq!(note.to_string(), format!("{text}\n{log}{witness}"));
}

#[test]
fn keys_of_other_kinds_or_with_a_wrong_id_are_refused() {
    let key = log_key(1).verifier().to_string();
    let (name, rest) = key.split_once('+').expect("a vkey");
    for bad in [
        format!("other.example+{rest}"),
        key.replace("ledger", "Ledger"),
        key[..key.len() - 2].to_owned(),
        name.to_owned(),
        format!("{name}+00000000+AQ=="),
    ] {
        bad.parse::<VerifierKey>().expect_err(&bad);
    }
    // The point of order one, under which anything verifies.
    let mut weak = [0; 32];
    weak[0] = 1;
    let refused = VerifierKey::new(name, KeyKind::Note, &weak).expect_err("a weak key");
    assert!(refused.to_string().contains("weak"), "{refused}");
    let unsupported = format!("{name}+00000000+BgAA")
        .parse::<VerifierKey>()
        .expect_err("ML-DSA");
    assert!(unsupported.to_string().contains("0x06"), "{unsupported}");
    NoteSigner::from_seed("has space", KeyKind::Note, &[1; 32]).expect_err("a name");
    let secret = log_key(1).to_secret_text();
    let debug = format!("{:?}", log_key(1));
    assert!(
        !debug.contains(secret.rsplit('+').next().expect("a seed")),
        "debug output must not reveal the seed"
    );
}

#[test]
fn a_tile_that_is_missing_is_named() {
    let error = prove_inclusion(|id: TileId| Err(LedgerError::missing(id)), 0, 2).expect_err("no tiles");
    assert_eq!(error, LedgerError::missing("tile/0/000.p/2"));
}
