//! What comes late, twice, out of a copied chip, or after this server had no answer.

use crate::kit::{Chip, EID, MATCHING_ID, OID, World, now, order, profile};
use crate::story::Story;
use simwarden_model::ProfileState;
use simwarden_rsp::clone_signs::CloneSign;
use simwarden_rsp::effect::{Effect, Step};
use simwarden_rsp::key::OneTimeKey;
use simwarden_rsp::session::Phase;
use simwarden_rsp::{ConfirmationDigest, Gate, Refusal, Session, TransactionId};
use std::time::Duration;

fn shown(story: &mut Story, world: &World, chip: &Chip) -> (TransactionId, Vec<u8>) {
    let begun = story.initiate(world);
    let id = begun.transaction;
    let shown = story
        .authenticate(id, &chip.authenticate(&begun, Some(MATCHING_ID)))
        .unwrap();
    (id, shown.smdp_signature2)
}

#[test]
fn a_cancellation_after_the_package_leaves_the_word_to_the_chip() {
    let world = World::new();
    let chip = world.chip(EID, 1);
    for reason in [0, 1, 4, 5, 127] {
        let mut story = Story::new(&world, order(None));
        let (id, signature) = shown(&mut story, &world, &chip);
        story
            .get_package(id, &chip.prepare(id.as_bytes(), &signature, None))
            .unwrap();
        story
            .cancel(id, &chip.cancel(id.as_bytes(), OID, reason))
            .unwrap();
        assert_eq!(story.order().state, ProfileState::Downloaded, "{reason}");
        assert!(!story.effects.contains(&Effect::EraseProfile));
        let iccid = story.order().iccid;
        let result = chip.install_result(id.as_bytes(), &iccid, 1, None);
        story.install(&result, None, false).unwrap();
        assert_eq!(story.order().state, ProfileState::Installed, "{reason}");
    }
}

#[test]
fn that_it_is_installed_counts_even_when_the_order_died_meanwhile() {
    let world = World::new();
    let chip = world.chip(EID, 1);
    let mut coded = order(None);
    coded.confirmation = Some(ConfirmationDigest::of("1234"));
    let mut story = Story::new(&world, coded);
    let (first, signature) = shown(&mut story, &world, &chip);
    let prepare =
        |id: TransactionId, signature: &[u8], code| chip.prepare(id.as_bytes(), signature, Some(code));
    story
        .get_package(first, &prepare(first, &signature, "1234"))
        .unwrap();
    let (second, signature) = shown(&mut story, &world, &chip);
    for _ in 0..3 {
        assert!(
            story
                .get_package(second, &prepare(second, &signature, "0000"))
                .is_err()
        );
    }
    assert_eq!(story.order().state, ProfileState::Error);
    let iccid = story.order().iccid;
    let result = chip.install_result(first.as_bytes(), &iccid, 1, None);
    story.install(&result, None, false).unwrap();
    let installed = |it: &Effect| {
        matches!(
            it,
            Effect::Record {
                step: Step::Installed,
                ..
            }
        )
    };
    assert!(story.effects.iter().any(installed), "{:?}", story.effects);
}

#[test]
fn what_we_put_off_or_refused_does_not_die_of_the_clients_habit() {
    let world = World::new();
    let chip = world.chip(EID, 1);
    for put_off in [true, false] {
        let mut story = Story::new(&world, order(Some(chip.eid)));
        let (id, signature) = shown(&mut story, &world, &chip);
        if put_off {
            story.put_off = true;
        } else {
            story.gate = Gate::closed(simwarden_model::ReasonCode::from_static("frozen"));
            let prepare = chip.prepare(id.as_bytes(), &signature, None);
            assert_eq!(story.get_package(id, &prepare), Err(Refusal::NotReleased));
        }
        story.cancel(id, &chip.cancel(id.as_bytes(), OID, 0)).unwrap();
        assert_eq!(story.order().state, ProfileState::Released);
    }
}

#[test]
fn the_same_request_again_is_the_same_package_and_no_new_step() {
    let world = World::new();
    let mut chip = world.chip(EID, 1);
    let mut story = Story::new(&world, order(None));
    story.orders[0].0.limits.rebindings_max = 20;
    let (id, signature) = shown(&mut story, &world, &chip);
    let prepare = chip.prepare(id.as_bytes(), &signature, None);
    let first = story.get_package(id, &prepare).unwrap();
    assert!(!story.effects.is_empty());
    for _ in 0..3 {
        // Signed anew each time: a signature is drawn, what is signed is the same. BF23 is signed anew by us, too.
        let again = story
            .get_package(id, &chip.prepare(id.as_bytes(), &signature, None))
            .unwrap();
        assert_eq!(
            again.bound_profile_package.len(),
            first.bound_profile_package.len()
        );
        assert_eq!(story.effects, []);
    }
    // So is the same refusal.
    story.gate = Gate::closed(simwarden_model::ReasonCode::from_static("frozen"));
    assert_eq!(story.get_package(id, &prepare), Err(Refusal::NotReleased));
    assert!(!story.effects.is_empty());
    assert_eq!(story.get_package(id, &prepare), Err(Refusal::NotReleased));
    assert_eq!(story.effects, []);
    story.gate = Gate::Open;
    // Different requests are steps, and few.
    let mut sent = 0;
    for n in 1..20 {
        chip.one_time = OneTimeKey::from_scalar(&[n; 32]).unwrap();
        match story.get_package(id, &chip.prepare(id.as_bytes(), &signature, None)) {
            Ok(_) => sent += 1,
            Err(refusal) => assert_eq!(refusal, Refusal::UnknownTransaction),
        }
    }
    assert_eq!((sent, story.sessions[&id].phase), (6, Phase::Ended));
}

#[test]
fn a_copied_key_in_another_phone_gets_nothing_after_the_owner() {
    let world = World::new();
    let chip = world.chip(EID, 1);
    let mut story = Story::new(&world, order(None));
    let (id, signature) = shown(&mut story, &world, &chip);
    story
        .get_package(id, &chip.prepare(id.as_bytes(), &signature, None))
        .unwrap();
    // The key is copied: same certificate, another phone, another one-time key.
    let mut copy = world.chip(EID, 1);
    copy.tac = [0x53, 0x92, 0x60, 0x12];
    copy.one_time = OneTimeKey::from_scalar(&[9; 32]).unwrap();
    let (theirs, signature) = shown(&mut story, &world, &copy);
    let prepare = copy.prepare(theirs.as_bytes(), &signature, None);
    assert_eq!(
        story.get_package(theirs, &prepare),
        Err(Refusal::PackageUnavailable)
    );
    // In a phone that says to be the same one it is seen, and few times.
    copy.tac = chip.tac;
    let mut got = 0;
    for n in 1..8 {
        copy.one_time = OneTimeKey::from_scalar(&[n; 32]).unwrap();
        let (theirs, signature) = shown(&mut story, &world, &copy);
        let prepare = copy.prepare(theirs.as_bytes(), &signature, None);
        if story.get_package(theirs, &prepare).is_ok() {
            got += 1;
            assert!(story.effects.contains(&Effect::CloneSign(CloneSign::Rebound)));
        }
    }
    assert_eq!(got, story.order().limits.rebindings_max);
    // What the owner's chip was sent still installs.
    let iccid = story.order().iccid;
    let result = chip.install_result(id.as_bytes(), &iccid, 1, None);
    story.install(&result, None, false).unwrap();
    assert_eq!(story.order().state, ProfileState::Installed);
    assert!(!profile().is_empty());
}

#[test]
fn a_session_is_made_again_of_its_identifier_alone() {
    let world = World::new();
    let mut story = Story::new(&world, order(None));
    story.server = story.server.clone().with_challenge_key(&[7; 32]);
    let begun = story.initiate(&world);
    let kept = &story.sessions[&begun.transaction];
    let reopen = Session::reopen;
    let again = reopen(&story.server, begun.transaction, now()).unwrap();
    assert_eq!(
        (again.server_challenge, again.ci, again.ours),
        (kept.server_challenge, kept.ci, kept.ours)
    );
    assert!(again.begun_at <= now() && now().since(again.begun_at) < Duration::from_millis(5));
    assert_ne!(story.initiate(&world).transaction, begun.transaction);
    // Not when it is over, not of another key, not before it began, and another identifier has another challenge.
    let late = now().plus(Duration::from_secs(601));
    assert_eq!(reopen(&story.server, begun.transaction, late), None);
    assert_eq!(
        reopen(
            &story.server,
            begun.transaction,
            now().minus(Duration::from_secs(5))
        ),
        None
    );
    let other = world.server.clone().with_challenge_key(&[8; 32]);
    let theirs = reopen(&other, begun.transaction, now()).unwrap();
    assert_ne!(theirs.server_challenge, again.server_challenge);
    assert_eq!(reopen(&world.server, begun.transaction, now()), None);
    let mut made_up = *begun.transaction.as_bytes();
    made_up[5] = 0xFF;
    assert_eq!(reopen(&story.server, TransactionId::new(made_up), now()), None);
    // The whole way works with it.
    let chip = world.chip(EID, 1);
    story.sessions.insert(begun.transaction, again);
    assert!(
        story
            .authenticate(begun.transaction, &chip.authenticate(&begun, Some(MATCHING_ID)))
            .is_ok()
    );
}
