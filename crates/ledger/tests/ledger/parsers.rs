//! Bytes from outside: no parser panics, what parses writes back the same, and limits hold.

use core::str::FromStr;

use proptest::prelude::*;
use simwarden_ledger::{
    AddCheckpoint, BundleId, Checkpoint, Hash, LogPath, MAX_NOTE_BYTES, MAX_SIGNATURES, Note, NoteSigner,
    Policy, Receipt, SignatureLine, VerifierKey, decode_bundle, parse_conflict, parse_cosignatures,
};

use crate::world::{MemoryLog, log_key, witness_key};

/// Feeds every parser.
fn feed(bytes: &[u8]) {
    if let Ok(note) = Note::parse(bytes) {
        assert_eq!(note.to_string().as_bytes(), bytes);
        drop(note.verify(&[log_key(1).verifier().clone(), witness_key(1).verifier().clone()]));
    }
    if let Ok(request) = AddCheckpoint::parse(bytes) {
        assert_eq!(request.to_body().as_bytes(), bytes);
    }
    if let Ok(receipt) = Receipt::parse(bytes) {
        assert_eq!(receipt.to_string().as_bytes(), bytes);
    }
    drop(Policy::parse(bytes));
    drop(parse_conflict(bytes));
    drop(parse_cosignatures(bytes, "text\n", witness_key(1).verifier()));
    let id = BundleId::new(3, 7).expect("a bundle");
    if let Ok(entries) = decode_bundle(id, bytes) {
        assert_eq!(entries.len(), 7);
    }
    // The last bundle that a path can name: its entry numbers end with the numbers.
    drop(decode_bundle(
        BundleId::new(u64::MAX, 7).expect("a bundle"),
        bytes,
    ));
    let Ok(text) = core::str::from_utf8(bytes) else {
        return;
    };
    round_trip::<Checkpoint>(text);
    round_trip::<LogPath>(text);
    round_trip::<VerifierKey>(text);
    if let Ok(line) = SignatureLine::parse(text) {
        assert_eq!(line.to_string(), text);
    }
    if let Ok(hash) = Hash::from_base64(text) {
        assert_eq!(hash.to_base64(), text);
    }
    if let Ok(hash) = Hash::from_hex(text) {
        assert_eq!(hash.to_hex(), text.to_ascii_lowercase());
    }
    if let Ok(signer) = NoteSigner::from_secret_text(text) {
        assert_eq!(signer.to_secret_text(), text);
    }
}

fn round_trip<T: FromStr + ToString>(text: &str) {
    if let Ok(value) = text.parse::<T>() {
        assert_eq!(value.to_string(), text);
    }
}

/// Good inputs of every kind, to mutate.
fn samples() -> Vec<Vec<u8>> {
    let log = MemoryLog::of(9);
    let mut note = log.checkpoint().sign(&log_key(1)).expect("signed");
    let line = simwarden_ledger::cosign(&witness_key(1), note.text(), 1_800_000_000).expect("a line");
    note.add(line.clone()).expect("added");
    let proof = simwarden_ledger::prove_inclusion(log.tiles(), 4, 9).expect("proof");
    let policy = format!(
        "log {}\nwitness w {}\nquorum w\n",
        log_key(1).verifier(),
        witness_key(1).verifier()
    );
    vec![
        note.to_string().into(),
        note.text().into(),
        line.to_string().into(),
        AddCheckpoint {
            old: 9,
            proof: Vec::new(),
            note: note.clone(),
        }
        .to_body()
        .into(),
        Receipt {
            extra: Some(vec![1]),
            index: 4,
            proof,
            note,
        }
        .to_string()
        .into(),
        policy.into(),
        log_key(1).to_secret_text().into(),
        log_key(1).verifier().to_string().into(),
        b"tile/3/x001/x234/067.p/9".to_vec(),
        b"tile/entries/x001/000".to_vec(),
        log.read("tile/entries/000.p/9").expect("a bundle"),
        b"12\n".to_vec(),
    ]
}

#[test]
fn samples_are_good() {
    samples().iter().for_each(|sample| feed(sample));
}

#[test]
fn limits_hold() {
    let text = "x\n";
    let line = simwarden_ledger::cosign(&witness_key(1), text, 1).expect("a line");
    let with = |count: usize| format!("{text}\n{}", format!("{line}\n").repeat(count));
    Note::parse(with(MAX_SIGNATURES).as_bytes()).expect("as many as allowed");
    Note::parse(with(MAX_SIGNATURES + 1).as_bytes()).expect_err("one more");
    let long = "x".repeat(MAX_NOTE_BYTES);
    Note::parse(format!("{long}\n\n{line}\n").as_bytes()).expect_err("too long");
    Note::new(format!("{long}\n")).expect_err("too long");
    let mut note = Note::new(format!("{}\n", "x".repeat(MAX_NOTE_BYTES - 10))).expect("just fits");
    note.add(line).expect_err("does not fit with its signature");
    Policy::parse(&vec![b'\n'; 1 << 20]).expect_err("too long");
    Receipt::parse(&vec![b'x'; 1 << 20]).expect_err("too long");
    AddCheckpoint::parse(&vec![b'x'; 1 << 20]).expect_err("too long");
}

#[test]
fn notes_keep_to_the_rules_of_text() {
    let line = simwarden_ledger::cosign(&witness_key(1), "a\n\nb\n", 1).expect("a line");
    let note = Note::parse(format!("a\n\nb\n\n{line}\n").as_bytes()).expect("a note with an empty line");
    assert_eq!(note.text(), "a\n\nb\n");
    note.verify(&[witness_key(1).verifier().clone()])
        .expect("verifies");
    for bad in [
        format!("a\n\n{line}"),
        format!("a\n{line}\n"),
        format!("a\n\n{line}\n\n"),
        format!("a\r\n\n{line}\n"),
        format!("a\tb\n\n{line}\n"),
        format!("a\n\n{line} \n"),
        format!("a\n\n - {line}\n"),
        "a\n\n— name\n".into(),
        "a\n\n— name AAAA\n".into(),
        "a\n\n— name AAAAAA==\n".into(),
        "a\n\n— na+me AAAAAAA=\n".into(),
        "a\n\n— na\u{2003}me AAAAAAA=\n".into(),
        "a\n\n—  AAAAAAA=\n".into(),
        "a\n\n\n".into(),
        "a\n".into(),
        String::new(),
    ] {
        Note::parse(bad.as_bytes()).expect_err(&bad);
    }
    Note::parse("a\n\n— name AAAAAAA=\n".as_bytes()).expect("an unknown signature of one byte");
    for bad in ["no newline", "a\u{7}\n", ""] {
        Note::new(bad).expect_err(bad);
    }
}

#[test]
fn checkpoints_keep_to_their_lines() {
    let root = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    format!("o\n0\n{root}\n")
        .parse::<Checkpoint>()
        .expect("a checkpoint");
    for bad in [
        format!("o\n0\n{root}"),
        format!("\n0\n{root}\n"),
        format!("o\n00\n{root}\n"),
        format!("o\n-1\n{root}\n"),
        format!("o\n1e3\n{root}\n"),
        format!("o\n18446744073709551616\n{root}\n"),
        format!("o\n0\n{}\n", &root[..43]),
        format!("o\n0\n{}\n", root.replace("FU=", "FV=")),
        format!("o\n0\n{root}\n\n"),
        format!("o\n0\n{root}\n\nx\n"),
        "o\n0\n".into(),
    ] {
        bad.parse::<Checkpoint>().expect_err(&bad);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        feed(&bytes);
    }

    #[test]
    fn any_words_are_survived(
        words in proptest::collection::vec(
            prop::sample::select(vec![
                "log ", "witness ", "group ", "quorum ", "none", "all ", "any ", "old ", "index ", "extra ", "\n", "\n\n",
                "— ", "a", "b ", " ", "\t", "+", "0", "7", "99999999999999999999", "AAAAAAA=", "tile/", "entries/",
                "x001/", "000", ".p/", "c2sp.org/tlog-proof@v1\n", "PRIVATE+KEY+", "\u{e9}",
                "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
            ]),
            0..30,
        )
    ) {
        feed(words.concat().as_bytes());
    }

    #[test]
    fn damaged_samples_are_survived(
        which in 0..12_usize, edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3), 1..6)
    ) {
        let mut bytes = samples().swap_remove(which);
        for (place, value, how) in edits {
            let place = place.index(bytes.len().max(1));
            match how {
                0 if !bytes.is_empty() => bytes[place] = value,
                1 if !bytes.is_empty() => drop(bytes.remove(place)),
                _ => bytes.insert(place.min(bytes.len()), value),
            }
        }
        feed(&bytes);
    }
}
