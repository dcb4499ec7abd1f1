//! The witness refuses rollback, split views and everything that is not the continuation of what it cosigned.

use proptest::prelude::*;
use simwarden_ledger::{
    Accepted, AddCheckpoint, Checkpoint, Hash, KnownLog, Latest, Note, NoteSigner, Refusal, Witness,
    empty_root, monitoring_path, parse_conflict, parse_cosignatures, prove_consistency,
};

use crate::world::{MemoryLog, ORIGIN, entry, log_key, witness_key};

const NOW: u64 = 1_800_000_000;

fn witness() -> Witness {
    let log = KnownLog {
        origin: ORIGIN.into(),
        keys: vec![log_key(1).verifier().clone()],
    };
    Witness::new(witness_key(2), vec![log]).expect("a witness")
}

fn request(log: &MemoryLog, old: u64) -> AddCheckpoint {
    let proof = prove_consistency(log.tiles(), old, log.state.size()).expect("proof");
    AddCheckpoint {
        old,
        proof,
        note: log.checkpoint().sign(&log_key(1)).expect("signed"),
    }
}

fn add(state: Option<&Latest>, request: &AddCheckpoint, now: u64) -> Result<Accepted, Refusal> {
    let parsed = AddCheckpoint::parse(request.to_body().as_bytes()).expect("our own request reads back");
    assert_eq!(&parsed, request);
    witness().add_checkpoint(state, &parsed, now)
}

fn status(result: Result<Accepted, Refusal>) -> u16 {
    result.expect_err("must be refused").status()
}

fn forked(at: u64, size: u64) -> MemoryLog {
    let mut log = MemoryLog::default();
    log.grow(
        &(0..size)
            .map(|i| {
                if i == at {
                    b"another story".to_vec()
                } else {
                    entry(i)
                }
            })
            .collect::<Vec<_>>(),
    );
    log
}

#[test]
fn a_growing_log_is_cosigned_and_the_log_can_use_the_answer() {
    let mut log = MemoryLog::default();
    let mut state: Option<Latest> = None;
    for (round, step) in [0_u64, 1, 6, 249, 1, 0, 300].into_iter().enumerate() {
        let old = log.state.size();
        log.grow(&(old..old + step).map(entry).collect::<Vec<_>>());
        let now = NOW + round as u64;
        let request = request(&log, old);
        assert_eq!(request.origin(), ORIGIN);
        let accepted = add(state.as_ref(), &request, now).expect("continues");
        let key = witness().verifier().clone();
        let lines =
            parse_cosignatures(accepted.body().as_bytes(), request.note.text(), &key).expect("verifies");
        assert_eq!(lines, [(accepted.cosignature.clone(), now)]);
        let stored = accepted.latest.note().to_string();
        let restored = Latest::restore(stored.as_bytes(), &key).expect("restores");
        assert_eq!(restored, accepted.latest);
        assert_eq!(
            (restored.checkpoint(), restored.cosigned_at()),
            (&log.checkpoint(), now)
        );
        state = Some(restored);
    }
}

#[test]
fn a_rollback_is_refused_with_the_size_that_was_cosigned() {
    let state = add(None, &request(&MemoryLog::of(300), 0), NOW)
        .expect("first")
        .latest;
    for (size, old) in [(299, 299), (299, 0), (200, 100), (300, 299), (301, 299), (500, 0)] {
        let refusal = add(Some(&state), &request(&MemoryLog::of(size), old), NOW).expect_err("refused");
        assert_eq!(refusal, Refusal::Conflict { latest: 300 }, "{old} to {size}");
        assert_eq!(
            (refusal.status(), refusal.content_type()),
            (409, "text/x.tlog.size")
        );
        assert_eq!(parse_conflict(refusal.body().as_bytes()), Ok(300));
    }
    // To claim the right old size with a smaller tree is malformed.
    let smaller = AddCheckpoint {
        old: 300,
        ..request(&MemoryLog::of(299), 0)
    };
    assert_eq!(status(add(Some(&state), &smaller, NOW)), 400);
    assert_eq!(
        add(None, &request(&MemoryLog::of(10), 5), NOW),
        Err(Refusal::Conflict { latest: 0 })
    );
}

#[test]
fn a_split_view_is_refused() {
    let state = add(None, &request(&MemoryLog::of(300), 0), NOW)
        .expect("first")
        .latest;
    assert_eq!(
        status(add(Some(&state), &request(&forked(10, 400), 300), NOW)),
        422
    );
    assert_eq!(
        status(add(Some(&state), &request(&forked(10, 300), 300), NOW)),
        422
    );
    let honest = request(&MemoryLog::of(400), 300);
    let without = AddCheckpoint {
        proof: Vec::new(),
        ..honest.clone()
    };
    assert_eq!(status(add(Some(&state), &without, NOW)), 422);
    let mut longer = honest.clone();
    longer.proof.push(Hash([0; 32]));
    assert_eq!(status(add(Some(&state), &longer, NOW)), 422);
    let unasked = AddCheckpoint {
        proof: honest.proof.clone(),
        ..request(&MemoryLog::of(400), 0)
    };
    assert_eq!(status(add(None, &unasked, NOW)), 422);
    add(Some(&state), &honest, NOW).expect("the honest one continues");
}

#[test]
fn a_tree_without_entries_has_one_root() {
    let wrong = Checkpoint::new(ORIGIN, 0, Hash([7; 32]))
        .sign(&log_key(1))
        .expect("signed");
    assert_eq!(
        status(add(
            None,
            &AddCheckpoint {
                old: 0,
                proof: vec![],
                note: wrong
            },
            NOW
        )),
        422
    );
    let right = Checkpoint::new(ORIGIN, 0, empty_root())
        .sign(&log_key(1))
        .expect("signed");
    add(
        None,
        &AddCheckpoint {
            old: 0,
            proof: vec![],
            note: right,
        },
        NOW,
    )
    .expect("accepted");
}

#[test]
fn unknown_origins_and_bad_signatures_are_refused() {
    let log = MemoryLog::of(5);
    let stranger =
        NoteSigner::from_seed("stranger.example", simwarden_ledger::KeyKind::Note, &[3; 32]).expect("key");
    let note = Checkpoint {
        origin: "stranger.example".into(),
        ..log.checkpoint()
    }
    .sign(&stranger)
    .expect("signed");
    assert_eq!(
        status(add(
            None,
            &AddCheckpoint {
                old: 0,
                proof: vec![],
                note
            },
            NOW
        )),
        404
    );
    // The right origin by a key that is not trusted for it, and the right key on another text.
    let note = log.checkpoint().sign(&log_key(4)).expect("signed");
    assert_eq!(
        status(add(
            None,
            &AddCheckpoint {
                old: 0,
                proof: vec![],
                note
            },
            NOW
        )),
        403
    );
    let signature = log.checkpoint().sign(&log_key(1)).expect("signed").signatures()[0].clone();
    let mut note = Note::new(MemoryLog::of(6).checkpoint().to_string()).expect("a note");
    note.add(signature).expect("added");
    assert_eq!(
        status(add(
            None,
            &AddCheckpoint {
                old: 0,
                proof: vec![],
                note
            },
            NOW
        )),
        403
    );
}

#[test]
fn a_replay_is_cosigned_again_and_changes_nothing() {
    let first = request(&MemoryLog::of(300), 0);
    let one = add(None, &first, NOW).expect("first");
    // The same request again: the client must learn where the witness stands.
    assert_eq!(
        add(Some(&one.latest), &first, NOW),
        Err(Refusal::Conflict { latest: 300 })
    );
    // The same checkpoint from its own size: a fresh cosignature over the same tree.
    let again = AddCheckpoint { old: 300, ..first };
    let two = add(Some(&one.latest), &again, NOW + 5).expect("again");
    assert_eq!(two.latest.checkpoint(), one.latest.checkpoint());
    assert_eq!(two.latest.cosigned_at(), NOW + 5);
}

#[test]
fn a_clock_set_back_does_not_date_a_cosignature_before_the_last() {
    let one = add(None, &request(&MemoryLog::of(3), 0), NOW).expect("first");
    let two = add(Some(&one.latest), &request(&MemoryLog::of(4), 3), 5).expect("second");
    assert_eq!(two.latest.cosigned_at(), NOW);
    assert_eq!(
        status(add(Some(&two.latest), &request(&MemoryLog::of(5), 4), u64::MAX)),
        500
    );
}

#[test]
fn signatures_of_strangers_are_not_stored() {
    let mut padded = request(&MemoryLog::of(3), 0);
    for seed in 10..40 {
        let line = simwarden_ledger::cosign(&witness_key(seed), padded.note.text(), NOW).expect("a line");
        padded.note.add(line).expect("added");
    }
    let accepted = add(None, &padded, NOW).expect("accepted");
    assert_eq!(accepted.latest.note().signatures().len(), 2);
}

#[test]
fn a_stored_state_that_was_changed_is_not_believed() {
    let accepted = add(None, &request(&MemoryLog::of(300), 0), NOW).expect("first");
    let good = accepted.latest.note().to_string();
    let key = witness().verifier().clone();
    Latest::restore(good.replace("\n300\n", "\n299\n").as_bytes(), &key).expect_err("a changed size");
    Latest::restore(good.as_bytes(), witness_key(9).verifier()).expect_err("another witness");
    let other = Witness::new(
        witness_key(2),
        vec![KnownLog {
            origin: "other.example".into(),
            keys: vec![log_key(1).verifier().clone()],
        }],
    )
    .expect("a witness");
    let note = {
        let mut note = Note::new(format!("other.example\n0\n{}\n", empty_root())).expect("a note");
        note.sign(&log_key(1)).expect("signed");
        note
    };
    let request = AddCheckpoint {
        old: 0,
        proof: vec![],
        note,
    };
    assert_eq!(
        status(other.add_checkpoint(Some(&accepted.latest), &request, NOW)),
        500
    );
}

#[test]
fn malformed_requests_are_refused() {
    let body = request(&MemoryLog::of(300), 256).to_body();
    AddCheckpoint::parse(body.as_bytes()).expect("a request");
    let hash = empty_root();
    for bad in [
        body.replacen("old 256", "old 0256", 1),
        body.replacen("old 256", "old", 1),
        body.replacen("old 256", "old +256", 1),
        body.replacen("old 256", "old  256", 1),
        body.replacen("old 256", "Old 256", 1),
        body.replacen("old 256", "old 18446744073709551616", 1),
        body.replacen("old 256\n", "old 256\r\n", 1),
        body.replacen(
            "old 256\n",
            &format!("old 256\n{}", format!("{hash}\n").repeat(63)),
            1,
        ),
        body.replacen("old 256\n", "old 256\nshort\n", 1),
        body[..body.len() - 1].to_owned(),
        "old 0\n".into(),
        "old 0\n\n".into(),
        String::new(),
    ] {
        AddCheckpoint::parse(bad.as_bytes()).expect_err(&bad);
    }
}

#[test]
fn a_witness_needs_a_cosignature_key_and_one_key_for_each_log() {
    Witness::new(log_key(1), vec![]).expect_err("a note key");
    let log = KnownLog {
        origin: ORIGIN.into(),
        keys: vec![log_key(1).verifier().clone()],
    };
    Witness::new(witness_key(1), vec![log.clone(), log]).expect_err("listed twice");
    Witness::new(
        witness_key(1),
        vec![KnownLog {
            origin: ORIGIN.into(),
            keys: vec![],
        }],
    )
    .expect_err("no key");
}

#[test]
fn the_monitoring_path_is_the_hash_of_the_origin() {
    assert_eq!(
        monitoring_path("abc"),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad/checkpoint"
    );
}

#[test]
fn answers_that_do_not_verify_are_refused_by_the_log() {
    let request = request(&MemoryLog::of(3), 0);
    let (good, key) = (
        add(None, &request, NOW).expect("accepted"),
        witness().verifier().clone(),
    );
    let text = request.note.text();
    let stranger = simwarden_ledger::cosign(&witness_key(7), text, NOW).expect("a line");
    let both = format!("{stranger}\n{}", good.body());
    assert_eq!(
        parse_cosignatures(both.as_bytes(), text, &key)
            .expect("ignores the stranger")
            .len(),
        1
    );
    parse_cosignatures(format!("{stranger}\n").as_bytes(), text, &key).expect_err("only a stranger");
    parse_cosignatures(good.body().as_bytes(), &text.replace("\n3\n", "\n4\n"), &key)
        .expect_err("another text");
    parse_cosignatures(good.body().trim_end().as_bytes(), text, &key).expect_err("no newline");
    for bad in ["", "12", "012\n", "12\n\n", "-1\n"] {
        parse_conflict(bad.as_bytes()).expect_err(bad);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Whatever is asked in whatever order, all that a witness cosigned lies on one history.
    #[test]
    fn cosigned_trees_always_continue_each_other(
        asks in proptest::collection::vec((0_u64..2, 0_u64..60, 0_u64..60), 1..25)
    ) {
        let mut state: Option<Latest> = None;
        for (story, size, old) in asks {
            let log = if story == 0 { MemoryLog::of(size) } else { forked(4, size) };
            // Half of the asks name the size that the witness wants.
            let latest = state.as_ref().map_or(0, |s| s.checkpoint().size);
            let old = if old % 2 == 0 { latest } else { old }.min(size);
            if let Ok(accepted) = witness().add_checkpoint(state.as_ref(), &request(&log, old), NOW) {
                let new = accepted.latest.checkpoint();
                prop_assert!(new.size >= latest);
                if let Some(before) = &state {
                    let proof = prove_consistency(log.tiles(), latest, size).expect("proof");
                    let (a, b) = (before.checkpoint(), new);
                    prop_assert!(simwarden_ledger::verify_consistency(a.size, &a.root, b.size, &b.root, &proof).is_ok());
                }
                state = Some(accepted.latest);
            }
        }
    }
}
