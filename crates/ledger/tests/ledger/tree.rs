//! The tree against published vectors and against the naive tree, at every size that has a corner.

use crate::world::{MemoryLog, entry, leaves, naive_consistency, naive_inclusion, naive_root};
use proptest::prelude::*;
use simwarden_ledger::{
    BundleId, Frontier, Hash, LedgerError, LogPath, MAX_ENTRY_BYTES, TileId, TreeState, bundle_leaf_hashes,
    bundles_grown, decode_bundle, empty_root, grow_bundles, integrate, leaf_hash, prove_consistency,
    prove_inclusion, right_edge, tile_from_below, tiles_grown, verify_consistency, verify_inclusion,
};

/// The eight leaves of the Certificate Transparency reference tests.
const VECTOR_LEAVES: [&[u8]; 8] = [
    b"",
    b"\x00",
    b"\x10",
    b"\x20\x21",
    b"\x30\x31",
    b"\x40\x41\x42\x43",
    b"\x50\x51\x52\x53\x54\x55\x56\x57",
    b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
];

const VECTOR_ROOTS: [&str; 9] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

#[test]
fn roots_are_those_of_the_reference_tests() {
    let mut frontier = Frontier::empty();
    let mut state = TreeState::empty();
    for (size, root) in VECTOR_ROOTS.iter().enumerate() {
        assert_eq!(frontier.root().to_hex(), *root, "size {size}");
        assert_eq!(state.root().to_hex(), *root, "size {size}");
        if let Some(leaf) = VECTOR_LEAVES.get(size) {
            frontier.push(leaf_hash(leaf));
            state = integrate(&state, &[leaf_hash(leaf)]).expect("grows").state;
        }
    }
}

#[test]
fn proofs_are_those_of_the_reference_tests() {
    let hashes: Vec<Hash> = VECTOR_LEAVES.iter().map(|l| leaf_hash(l)).collect();
    let growth = integrate(&TreeState::empty(), &hashes).expect("grows");
    let source = |id: TileId| {
        let tile = growth.tiles.iter().find(|(have, _)| *have == id);
        tile.map(|(_, bytes)| bytes.clone())
            .ok_or_else(|| LedgerError::missing(id))
    };
    let hex = |proof: Vec<Hash>| proof.into_iter().map(Hash::to_hex).collect::<Vec<_>>();
    assert_eq!(
        hex(prove_inclusion(source, 0, 8).expect("proof")),
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ]
    );
    assert_eq!(
        hex(prove_consistency(source, 6, 8).expect("proof")),
        [
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ]
    );
}

#[test]
fn every_proof_of_every_small_tree_is_the_naive_one_and_verifies() {
    let log = MemoryLog::of(70);
    let all = leaves(70);
    for size in 1..=70 {
        let count = usize::try_from(size).expect("small");
        let root = naive_root(&all[..count]);
        for index in 0..size {
            let at = usize::try_from(index).expect("small");
            let proof = prove_inclusion(truncating(&log, size), index, size).expect("proof");
            assert_eq!(proof, naive_inclusion(at, &all[..count]), "{index} in {size}");
            verify_inclusion(&all[at], index, size, &root, &proof).expect("verifies");
        }
        for old in 0..=size {
            let at = usize::try_from(old).expect("small");
            let proof = prove_consistency(truncating(&log, size), old, size).expect("proof");
            assert_eq!(proof, naive_consistency(at, &all[..count]), "{old} to {size}");
            verify_consistency(old, &naive_root(&all[..at]), size, &root, &proof).expect("verifies");
        }
    }
}

/// The tiles as they stood at `size`, cut from those of the larger log (all in one leaf tile here).
fn truncating(log: &MemoryLog, size: u64) -> impl FnMut(TileId) -> simwarden_ledger::Result<Vec<u8>> {
    let now = TileId::at_size(0, 0, log.state.size()).expect("a leaf tile");
    let mut bytes = log.read(&now.to_string()).expect("the leaf tile");
    move |id| {
        assert_eq!(Some(id), TileId::at_size(0, 0, size));
        bytes.truncate(id.len_bytes());
        Ok(bytes.clone())
    }
}

#[test]
fn a_forged_proof_never_verifies() {
    let all = leaves(13);
    let root = naive_root(&all);
    for index in 0..13_usize {
        let proof = naive_inclusion(index, &all);
        let number = u64::try_from(index).expect("small");
        let verify =
            |leaf: &Hash, n: u64, size, root: &Hash, p: &[Hash]| verify_inclusion(leaf, n, size, root, p);
        verify(&all[index], number, 13, &root, &proof).expect("verifies");
        for other in (0..14).filter(|other| *other != number) {
            verify(&all[index], other, 13, &root, &proof).expect_err("another index");
        }
        for place in 0..proof.len() {
            let mut forged = proof.clone();
            forged[place].0[7] ^= 0x10;
            verify(&all[index], number, 13, &root, &forged).expect_err("another hash");
        }
        verify(&all[index], number, 13, &root, &proof[1..]).expect_err("too short");
        verify(&all[index], number, 13, &root, &proof[..proof.len() - 1]).expect_err("too short");
        let longer: Vec<Hash> = proof.iter().copied().chain([root]).collect();
        verify(&all[index], number, 13, &root, &longer).expect_err("too long");
        verify(&all[(index + 1) % 13], number, 13, &root, &proof).expect_err("another leaf");
        verify(&all[index], number, 13, &empty_root(), &proof).expect_err("another root");
    }
}

#[test]
fn a_forged_consistency_proof_never_verifies() {
    let all = leaves(23);
    let root = naive_root(&all);
    for old in 1..23_usize {
        let number = u64::try_from(old).expect("small");
        let old_root = naive_root(&all[..old]);
        let proof = naive_consistency(old, &all);
        let verify = |from, from_root: &Hash, p: &[Hash]| verify_consistency(from, from_root, 23, &root, p);
        verify(number, &old_root, &proof).expect("verifies");
        for place in 0..proof.len() {
            let mut forged = proof.clone();
            forged[place].0[0] ^= 1;
            verify(number, &old_root, &forged).expect_err("another hash");
        }
        verify(number, &old_root, &proof[1..]).expect_err("too short");
        let longer: Vec<Hash> = proof.iter().copied().chain([root]).collect();
        verify(number, &old_root, &longer).expect_err("too long");
        verify(number, &root, &proof).expect_err("another old root");
        verify(number + 1, &old_root, &proof).expect_err("another old size");
    }
    verify_consistency(0, &empty_root(), 23, &root, &[root])
        .expect_err("nothing is proved from the empty tree");
    verify_consistency(0, &root, 23, &root, &[]).expect_err("the empty tree has one root");
    verify_consistency(23, &empty_root(), 23, &root, &[]).expect_err("two histories");
    verify_consistency(24, &root, 23, &root, &[]).expect_err("the old one is larger");
}

#[test]
fn paths_are_those_of_the_specification() {
    let path = |level, index, width| TileId::new(level, index, width).expect("a tile").to_string();
    assert_eq!(path(0, 0, 256), "tile/0/000");
    assert_eq!(path(1, 1_234_067, 256), "tile/1/x001/x234/067");
    assert_eq!(path(2, 999, 1), "tile/2/999.p/1");
    assert_eq!(path(0, 1000, 255), "tile/0/x001/000.p/255");
    assert_eq!(
        BundleId::new(1_234_067, 8).expect("a bundle").to_string(),
        "tile/entries/x001/x234/067.p/8"
    );
    for bad in [
        "",
        "tile",
        "tile/",
        "tile/0",
        "tile/0/",
        "tile/0/0",
        "tile/0/00",
        "tile/0/0000",
        "tile/00/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/+1/000",
        "tile/0/x000/000",
        "tile/0/x001",
        "tile/0/001/000",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p/",
        "tile/0/000.p",
        "tile/0/000.p/1/",
        "/tile/0/000",
        "tile/0/000/",
        "tile//000",
        "tile/entries",
        "tile/entries/x/000",
        "tile/0/../../etc/passwd",
        "checkpoint/",
        "tile/0/x018/x446/x744/x073/x709/x551/616",
        "tile/8/0/000",
        "tile/0/000.p/1.p/1",
        "tile/0/٠٠٠",
    ] {
        bad.parse::<LogPath>().expect_err(bad);
    }
}

#[test]
fn a_tree_of_70000_has_the_tiles_of_the_specification() {
    let mut by_level = [(0, None); 3];
    for id in tiles_grown(0, 70_000) {
        let (full, partial) = &mut by_level[usize::from(id.level())];
        if id.is_full() {
            *full += 1
        } else {
            *partial = Some(id.width())
        }
    }
    assert_eq!(by_level, [(273, Some(112)), (1, Some(17)), (0, Some(1))]);
    let edge: Vec<String> = right_edge(256).iter().map(TileId::to_string).collect();
    assert_eq!(edge, ["tile/1/000.p/1"]);
    assert_eq!(
        bundles_grown(255, 513)
            .map(|id| id.to_string())
            .collect::<Vec<_>>(),
        ["tile/entries/000", "tile/entries/001", "tile/entries/002.p/1"]
    );
}

#[test]
fn only_the_tiles_that_change_are_written() {
    let state = MemoryLog::of(300).state;
    let growth = integrate(&state, &leaves(301)[300..]).expect("grows");
    let paths =
        |growth: simwarden_ledger::Growth| growth.tiles.iter().map(|t| t.0.to_string()).collect::<Vec<_>>();
    assert_eq!(paths(growth), ["tile/0/001.p/45"]);
    assert_eq!(paths(integrate(&state, &[]).expect("stays")), [""; 0]);
}

#[test]
fn a_large_tree_keeps_its_upper_levels() {
    // 65,536 leaves fill a level-1 tile; go beyond in uneven steps, through every kind of tile.
    let all = leaves(66_305);
    let mut state = TreeState::empty();
    let mut files = std::collections::BTreeMap::new();
    let mut frontier = Frontier::empty();
    for step in all.chunks(9_973) {
        let before = state.size();
        let growth = integrate(&state, step).expect("grows");
        let mut made: Vec<TileId> = growth.tiles.iter().map(|(id, _)| *id).collect();
        let mut named: Vec<TileId> = tiles_grown(before, growth.state.size()).collect();
        made.sort();
        named.sort();
        assert_eq!(made, named);
        files.extend(growth.tiles);
        state = growth.state;
        step.iter().for_each(|leaf| frontier.push(*leaf));
        assert_eq!(state.frontier(), frontier);
    }
    let source = |id: TileId| files.get(&id).cloned().ok_or_else(|| LedgerError::missing(id));
    assert_eq!(state.root(), naive_root(&all));
    assert_eq!(TreeState::restore(state.size(), source).expect("restores"), state);
    assert_eq!(
        Frontier::from_tiles(state.size(), source).expect("restores"),
        frontier
    );
    for (id, bytes) in files.iter().filter(|(id, _)| id.level() > 0) {
        assert_eq!(tile_from_below(*id, source).expect("derives"), *bytes, "{id}");
    }
    let root = state.root();
    for index in [0, 255, 256, 65_535, 65_536, 66_303, 66_304] {
        let proof = prove_inclusion(source, index, state.size()).expect("proof");
        let at = usize::try_from(index).expect("small");
        assert_eq!(proof, naive_inclusion(at, &all));
        verify_inclusion(&all[at], index, state.size(), &root, &proof).expect("verifies");
    }
    for old in [1, 256, 257, 65_535, 65_536, 65_537, 66_304] {
        let proof = prove_consistency(source, old, state.size()).expect("proof");
        assert_eq!(
            proof,
            naive_consistency(usize::try_from(old).expect("small"), &all)
        );
    }
}

#[test]
fn a_deleted_partial_tile_is_read_from_the_full_one() {
    let mut log = MemoryLog::of(300);
    log.grow(&(300..600).map(entry).collect::<Vec<_>>());
    log.files
        .remove("tile/0/001.p/44")
        .expect("the partial tile of size 300");
    let proof = prove_inclusion(log.tiles(), 299, 300).expect("proof");
    assert_eq!(proof, naive_inclusion(299, &leaves(300)));
    let missing = prove_inclusion(log.tiles(), 598, 599).expect_err("was never a size of this log");
    assert_eq!(missing, LedgerError::missing("tile/0/002.p/87"));
}

#[test]
fn bundles_read_back_and_refuse_what_does_not_fit() {
    let log = MemoryLog::of(300);
    let id = BundleId::at_size(1, 300).expect("the partial bundle");
    let bytes = log.read(&id.to_string()).expect("its file");
    let entries = decode_bundle(id, &bytes).expect("entries");
    assert_eq!(entries.len(), 44);
    assert_eq!(entries[1], entry(257));
    assert_eq!(
        bundle_leaf_hashes(id, &bytes).expect("hashes"),
        leaves(300)[256..]
    );
    decode_bundle(id, &bytes[..bytes.len() - 1]).expect_err("cut");
    decode_bundle(id, &[&bytes[..], &[0]].concat()).expect_err("longer");
    let longest = vec![7; MAX_ENTRY_BYTES];
    assert_eq!(
        grow_bundles(0, &[], &[&longest]).expect("fits").edge.len(),
        MAX_ENTRY_BYTES + 2
    );
    grow_bundles(0, &[], &[vec![7; MAX_ENTRY_BYTES + 1]]).expect_err("too long");
    grow_bundles(300, &bytes[1..], &[b"x"]).expect_err("a damaged edge is not built upon");
    grow_bundles(512, &bytes, &[b"x"]).expect_err("a full bundle leaves no edge");
    grow_bundles(300, &[], &[b"x"]).expect_err("the edge is needed");
}

#[test]
fn a_wrong_frontier_is_refused() {
    Frontier::from_parts(3, vec![empty_root()]).expect_err("3 leaves have 2 peaks");
    Frontier::from_parts(u64::MAX, vec![empty_root(); 64]).expect_err("too large");
    let stored = Frontier::from_parts(2, vec![naive_root(&leaves(2))]).expect("one peak");
    assert_eq!(stored.root(), naive_root(&leaves(2)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn growth_in_any_steps_gives_the_naive_tree(steps in proptest::collection::vec(0_u64..300, 1..6), pick: u64) {
        let mut log = MemoryLog::default();
        let mut sizes = vec![0];
        for step in steps {
            let size = log.state.size();
            log.grow(&(size..size + step).map(entry).collect::<Vec<_>>());
            sizes.push(size + step);
            prop_assert_eq!(&TreeState::restore(size + step, log.tiles()).expect("restores"), &log.state);
        }
        let size = log.state.size();
        let all = leaves(size);
        prop_assert_eq!(log.state.root(), naive_root(&all));
        prop_assert_eq!(log.state.frontier().root(), naive_root(&all));
        for id in tiles_grown(0, size).filter(|id| id.level() == 0) {
            let bundle = BundleId::at_size(id.index(), size).expect("beside each leaf tile");
            let hashes = bundle_leaf_hashes(bundle, &log.read(&bundle.to_string()).expect("file")).expect("entries");
            prop_assert_eq!(id.decode(&log.read(&id.to_string()).expect("file")).expect("hashes"), hashes);
        }
        if size > 0 {
            let index = pick % size;
            let at = usize::try_from(index).expect("small");
            let proof = prove_inclusion(log.tiles(), index, size).expect("proof");
            prop_assert_eq!(&proof, &naive_inclusion(at, &all));
            prop_assert!(verify_inclusion(&all[at], index, size, &log.state.root(), &proof).is_ok());
        }
        for old in sizes.into_iter().chain([pick % (size + 1)]) {
            let at = usize::try_from(old).expect("small");
            let proof = prove_consistency(log.tiles(), old, size).expect("proof");
            prop_assert_eq!(&proof, &naive_consistency(at, &all));
            let old_root = naive_root(&all[..at]);
            prop_assert!(verify_consistency(old, &old_root, size, &log.state.root(), &proof).is_ok());
        }
    }

    #[test]
    fn a_path_reads_back(level in 0_u8..64, index: u64, width in 1_u16..=256) {
        let tile = LogPath::Tile(TileId::new(level, index, width).expect("a tile"));
        prop_assert_eq!(tile.to_string().parse::<LogPath>().expect("parses"), tile);
        let bundle = LogPath::Bundle(BundleId::new(index, width).expect("a bundle"));
        prop_assert_eq!(bundle.to_string().parse::<LogPath>().expect("parses"), bundle);
    }

    #[test]
    fn verification_of_any_proof_ends(
        index: u64, size: u64, old: u64, proof in proptest::collection::vec(any::<[u8; 32]>().prop_map(Hash), 0..70)
    ) {
        let leaf = leaf_hash(b"x");
        prop_assert!(verify_inclusion(&leaf, index, size, &empty_root(), &proof).is_err());
        prop_assert!(verify_consistency(old, &leaf, size, &empty_root(), &proof).is_err());
    }
}
