//! Policies and receipts: what an outsider accepts with nothing but files in hand.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer as _, SigningKey};
use simwarden_ledger::{
    LedgerError, Note, NoteSigner, Policy, Receipt, SignatureLine, cosign, prove_inclusion,
    verify_cosignature,
};

use crate::world::{MemoryLog, entry, log_key, witness_key};

const NOW: u64 = 1_800_000_000;

fn policy(rules: &str) -> Result<Policy, LedgerError> {
    let mut text = format!(
        "# who we trust\n\nlog {} https://log.example/\n",
        log_key(1).verifier()
    );
    for seed in 1..=6 {
        text += &format!("\t witness  w{seed}\t{} \n", witness_key(seed).verifier());
    }
    Policy::parse((text + rules).as_bytes())
}

fn cosigned(log: &MemoryLog, witnesses: &[u8]) -> Note {
    let mut note = log.checkpoint().sign(&log_key(1)).expect("signed");
    for seed in witnesses {
        note.add(cosign(&witness_key(*seed), note.text(), NOW + u64::from(*seed)).expect("a line"))
            .expect("added");
    }
    note
}

#[test]
fn a_quorum_counts_groups_and_thresholds() {
    let two_levels = "group x 2 w1 w2 w3\ngroup y any w4 w5\ngroup both all x y\nquorum both\n";
    let log = MemoryLog::of(5);
    let accepts = |rules: &str, witnesses: &[u8]| {
        policy(rules)
            .expect("a policy")
            .check(cosigned(&log, witnesses).to_string().as_bytes())
    };
    for (rules, witnesses, good) in [
        ("quorum none\n", &[][..], true),
        ("quorum w2\n", &[2], true),
        ("quorum w2\n", &[1, 3, 4, 5, 6], false),
        (two_levels, &[1, 2, 4], true),
        (two_levels, &[1, 3, 5, 6], true),
        (two_levels, &[1, 2, 3], false),
        (two_levels, &[1, 4, 5], false),
        ("group g 2 w1 w2 w3\nquorum g\n", &[3], false),
        ("group g 2 w1 w2 w3\nquorum g\n", &[3, 9, 8], false),
        ("group g 2 w1 w2 w3\nquorum g\n", &[3, 9, 1], true),
    ] {
        let result = accepts(rules, witnesses);
        assert_eq!(result.is_ok(), good, "{rules} {witnesses:?}: {result:?}");
        if !good {
            assert!(matches!(result, Err(LedgerError::Quorum { .. })), "{result:?}");
        }
    }
    let trusted = accepts(two_levels, &[4, 2, 1]).expect("accepted");
    let names = ["w1", "w2", "w4"].map(str::to_owned);
    assert_eq!(
        trusted.witnesses,
        [
            (names[0].clone(), NOW + 1),
            (names[1].clone(), NOW + 2),
            (names[2].clone(), NOW + 4)
        ]
    );
}

#[test]
fn the_log_must_have_signed_whatever_the_witnesses_say() {
    let log = MemoryLog::of(5);
    let text = log.checkpoint().to_string();
    let mut note = Note::new(text).expect("a note");
    note.add(cosign(&witness_key(1), note.text(), NOW).expect("a line"))
        .expect("added");
    let result = policy("quorum w1\n").expect("a policy").check_note(&note);
    assert!(matches!(result, Err(LedgerError::NotSigned { .. })), "{result:?}");
    // One bad signature by a known witness rejects the note, even when the quorum would do without.
    let mut note = cosigned(&log, &[1]);
    let elsewhere = cosigned(&MemoryLog::of(6), &[2]).signatures()[1].clone();
    note.add(elsewhere).expect("added");
    let result = policy("quorum w1\n").expect("a policy").check_note(&note);
    assert!(
        matches!(result, Err(LedgerError::BadSignature { .. })),
        "{result:?}"
    );
}

#[test]
fn policies_with_a_mistake_are_refused_with_their_line() {
    let w7 = witness_key(7).verifier().to_string();
    let l7 = log_key(7).verifier().to_string();
    for bad in [
        String::new(),
        "quorum w9\n".into(),
        "quorum w1\nquorum w1\n".into(),
        "quorum w1".into(),
        "quorum\n".into(),
        "quorum w1 w2\n".into(),
        "group g 0 w1 w2\nquorum g\n".into(),
        "group g 3 w1 w2\nquorum g\n".into(),
        "group g 02 w1 w2 w3\nquorum g\n".into(),
        "group g most w1 w2\nquorum g\n".into(),
        "group g all\nquorum g\n".into(),
        "group g any none\nquorum g\n".into(),
        "group g all w1 w1\nquorum g\n".into(),
        "group g all w1 w2\ngroup h all w2 w3\nquorum g\n".into(),
        "group g all g\nquorum g\n".into(),
        "group g all h\ngroup h all w1\nquorum g\n".into(),
        "group w1 all w2\nquorum w1\n".into(),
        "group none all w2\nquorum none\n".into(),
        format!("witness w1 {w7}\nquorum none\n"),
        format!("witness other {}\nquorum none\n", witness_key(1).verifier()),
        format!("witness l {l7}\nquorum none\n"),
        format!("log {w7}\nquorum none\n"),
        format!("log {}\nquorum none\n", log_key(1).verifier()),
        "quorum none\r\n".into(),
        "quorum none\u{0}\n".into(),
        "Quorum none\n".into(),
        "policy none\n".into(),
        "log x+y\nquorum none\n".into(),
    ] {
        let error = policy(&bad).expect_err(&bad);
        assert!(matches!(error, LedgerError::Policy { .. }), "{bad}: {error}");
    }
    let error = policy("# one\nquorum w9\n").expect_err("unknown");
    assert!(error.to_string().starts_with("policy, line 11:"), "{error}");
    Policy::parse(b"quorum none\n").expect("only the quorum is mandatory");
}

#[test]
fn what_a_policy_says_can_be_asked() {
    let policy = policy("quorum none\n").expect("a policy");
    assert_eq!(policy.logs()[0].url.as_deref(), Some("https://log.example/"));
    assert_eq!(policy.witnesses().len(), 6);
    assert_eq!(
        (policy.witnesses()[2].name.as_str(), &policy.witnesses()[2].url),
        ("w3", &None)
    );
}

fn receipt(log: &MemoryLog, index: u64, extra: Option<Vec<u8>>) -> Receipt {
    let proof = prove_inclusion(log.tiles(), index, log.state.size()).expect("proof");
    Receipt {
        extra,
        index,
        proof,
        note: cosigned(log, &[1, 2]),
    }
}

#[test]
fn a_receipt_verifies_offline_for_its_entry_alone() {
    let log = MemoryLog::of(300);
    let policy = policy("group g all w1 w2\nquorum g\n").expect("a policy");
    for (index, extra) in [(0, None), (255, Some(b"context".to_vec())), (299, None)] {
        let text = receipt(&log, index, extra.clone()).to_string();
        let read = Receipt::parse(text.as_bytes()).expect("reads back");
        assert_eq!((read.to_string(), &read.extra), (text, &extra));
        let trusted = read.verify_offline(&entry(index), &policy).expect("verifies");
        assert_eq!(
            (trusted.checkpoint, trusted.witnesses.len()),
            (log.checkpoint(), 2)
        );
        read.verify_offline(&entry(index + 1), &policy)
            .expect_err("another entry");
        let moved = Receipt {
            index: index + 1,
            ..read.clone()
        };
        moved
            .verify_offline(&entry(index), &policy)
            .expect_err("another index");
        let strict = self::policy("group g all w1 w2 w3\nquorum g\n").expect("a policy");
        assert!(matches!(
            read.verify_offline(&entry(index), &strict),
            Err(LedgerError::Quorum { .. })
        ));
    }
}

#[test]
fn every_flipped_byte_of_a_receipt_is_found() {
    let log = MemoryLog::of(20);
    let policy = policy("group g all w1 w2\nquorum g\n").expect("a policy");
    let good = receipt(&log, 7, None).to_string().into_bytes();
    for place in 0..good.len() {
        for flip in [0x01, 0x02, 0x20, 0x80] {
            let mut bad = good.clone();
            bad[place] ^= flip;
            let seen = Receipt::parse(&bad).and_then(|receipt| receipt.verify_offline(&entry(7), &policy));
            assert!(
                seen.is_err(),
                "byte {place} ^ {flip}: {}",
                String::from_utf8_lossy(&bad)
            );
        }
    }
}

#[test]
fn malformed_receipts_are_refused() {
    let good = receipt(&MemoryLog::of(20), 7, Some(b"context".to_vec())).to_string();
    Receipt::parse(good.as_bytes()).expect("a receipt");
    for (from, to) in [
        ("tlog-proof@v1\n", "tlog-proof@v2\n"),
        ("index 7\n", "index 07\n"),
        ("index 7\n", ""),
        ("index 7\n", "index 7\nindex 7\n"),
        ("extra Y29udGV4dA==\n", "extra \n"),
        ("extra Y29udGV4dA==\n", "extra Y29udGV4dA\n"),
        ("extra Y29udGV4dA==\n", "extra Y29udGV4dA==\nextra Y29udGV4dA==\n"),
        ("extra Y29udGV4dA==\nindex 7\n", "index 7\nextra Y29udGV4dA==\n"),
        ("\n\n", "\n"),
    ] {
        let bad = good.replacen(from, to, 1);
        assert_ne!(bad, good);
        Receipt::parse(bad.as_bytes()).expect_err(&bad);
    }
}

#[test]
fn a_log_does_not_sign_in_anothers_name_nor_what_does_not_read_back() {
    let checkpoint = MemoryLog::of(1).checkpoint();
    let other =
        NoteSigner::from_seed("other.example", simwarden_ledger::KeyKind::Note, &[1; 32]).expect("a key");
    checkpoint.sign(&other).expect_err("another name");
    checkpoint.sign(&witness_key(1)).expect_err("a cosignature key");
    let mut extended = checkpoint;
    extended.extensions = vec!["one".into(), "two".into()];
    let note = extended.sign(&log_key(1)).expect("signed");
    assert_eq!(
        note.text().parse::<simwarden_ledger::Checkpoint>(),
        Ok(extended.clone())
    );
    for bad in ["", "a\nb"] {
        extended.extensions = vec![bad.into()];
        extended
            .sign(&log_key(1))
            .expect_err("an extension that cannot be written");
    }
    cosign(&log_key(1), note.text(), NOW).expect_err("a note key does not cosign");
}

#[test]
fn a_cosignature_dated_past_the_range_of_the_format_is_refused() {
    let (text, key) = ("x\n", witness_key(1));
    cosign(&key, text, 1 << 63).expect_err("out of range");
    // One that is signed all the same, with the bare key.
    for (at, good) in [((1_u64 << 63) - 1, true), (1 << 63, false)] {
        let message = format!("cosignature/v1\ntime {at}\n{text}");
        let signature = SigningKey::from_bytes(&[1; 32])
            .sign(message.as_bytes())
            .to_bytes();
        let bytes = [
            &key.verifier().id().to_be_bytes()[..],
            &at.to_be_bytes(),
            &signature,
        ]
        .concat();
        let line = format!("— {} {}", key.verifier().name(), STANDARD.encode(bytes));
        let line = SignatureLine::parse(&line).expect("a line");
        assert_eq!(verify_cosignature(key.verifier(), text, &line).is_ok(), good);
    }
}

#[test]
fn a_key_of_another_log_does_not_open_a_checkpoint() {
    let other =
        NoteSigner::from_seed("other.example", simwarden_ledger::KeyKind::Note, &[1; 32]).expect("a key");
    let checkpoint = MemoryLog::of(1).checkpoint();
    let mut note = Note::new(checkpoint.to_string()).expect("a note");
    note.sign(&other).expect("signed");
    let (ours, others) = (log_key(1).verifier().clone(), other.verifier().clone());
    let open =
        |note: &Note, keys: &[_]| simwarden_ledger::Checkpoint::open(note.to_string().as_bytes(), keys);
    open(&note, &[ours.clone(), others.clone()]).expect_err("signed by the key of another log only");
    open(&note, core::slice::from_ref(&others)).expect_err("no key of this log");
    note.sign(&log_key(1)).expect("signed");
    assert_eq!(
        open(&note, &[ours, others]).expect("signed by its own key too").0,
        checkpoint
    );
}
