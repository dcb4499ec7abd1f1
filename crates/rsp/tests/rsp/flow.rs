//! Whole downloads, checked by a chip that checks everything.

use crate::kit::{EID, MATCHING_ID, World, order, profile};
use crate::story::Story;
use simwarden_model::ProfileState;
use simwarden_rsp::ConfirmationDigest;
use simwarden_rsp::clone_signs::CloneSign;
use simwarden_rsp::der::Tlv;
use simwarden_rsp::effect::{Effect, Notice, Step};
use simwarden_rsp::order::Matching;

#[test]
fn a_profile_reaches_the_chip_byte_for_byte() {
    let world = World::new();
    let chip = world.chip(EID, 1);
    for (code, by_default, named) in [
        (None, false, false),
        (Some("1234"), false, true),
        (None, true, true),
    ] {
        let mut wanted = order(named.then_some(chip.eid));
        wanted.confirmation = code.map(ConfirmationDigest::of);
        if by_default {
            wanted.matching = Matching::DefaultForEid;
        }
        let mut story = Story::new(&world, wanted);
        let begun = story.initiate(&world);
        // As the chip checks it.
        let dp_auth = simwarden_rsp::certificate::Certificate::parse(&begun.server_certificate).unwrap();
        let signature = Tlv::parse_as(&begun.server_signature1, 0x5F37).unwrap();
        assert!(
            dp_auth
                .public_key()
                .verify(&begun.server_signed1, signature.value)
        );
        let id = begun.transaction;
        let matching_id = (!by_default).then_some(MATCHING_ID);
        let response = chip.authenticate(&begun, matching_id);
        let shown = story.authenticate(id, &response).unwrap();
        assert_eq!(
            shown.smdp_signed2[2 + 18..][..3],
            [1, 1, if code.is_some() { 0xFF } else { 0 }]
        );
        let dp_pb = simwarden_rsp::certificate::Certificate::parse(&shown.smdp_certificate).unwrap();
        let signed1 = chip.signed1(&begun, matching_id);
        let signature1 = Tlv::parse(&response)
            .unwrap()
            .inner()
            .expect(0xA0)
            .unwrap()
            .inner()
            .find(0x5F37)
            .unwrap();
        assert_ne!(signed1.len(), 0);
        let message = [&shown.smdp_signed2[..], signature1.unwrap().raw].concat();
        let signature2 = Tlv::parse_as(&shown.smdp_signature2, 0x5F37).unwrap();
        assert!(dp_pb.public_key().verify(&message, signature2.value));

        let response = chip.prepare(id.as_bytes(), &shown.smdp_signature2, code);
        let package = story.get_package(id, &response).unwrap();
        let (metadata, upp) = chip.open(&package.bound_profile_package, &dp_pb);
        assert_eq!((metadata, upp), (shown.profile_metadata, profile()));
        assert_eq!(
            (story.order().state, story.order().eid),
            (ProfileState::Downloaded, Some(chip.eid))
        );
        assert!(story.effects.iter().any(|it| matches!(
            it,
            Effect::Record {
                step: Step::Delivered,
                ..
            }
        )));

        let iccid = story.order().iccid;
        let result = chip.install_result(id.as_bytes(), &iccid, 0, None);
        story.install(&result, None, false).unwrap();
        assert_eq!(story.order().state, ProfileState::Installed);
        assert!(story.order().binding.is_none() && story.effects.contains(&Effect::EraseProfile));
        assert!(story.effects.contains(&Effect::Tell(Notice::Installed)));
        // Sent again, it changes nothing.
        story.install(&result, Some(0), true).unwrap();
        assert_eq!(story.effects, []);
    }
}

#[test]
fn a_retry_gets_the_same_bytes_and_another_key_a_new_package() {
    let world = World::new();
    let mut chip = world.chip(EID, 1);
    let mut story = Story::new(&world, order(None));
    let run = |story: &mut Story, chip: &crate::kit::Chip| {
        let begun = story.initiate(&world);
        let shown = story
            .authenticate(begun.transaction, &chip.authenticate(&begun, Some(MATCHING_ID)))
            .unwrap();
        let prepare = chip.prepare(begun.transaction.as_bytes(), &shown.smdp_signature2, None);
        let package = story.get_package(begun.transaction, &prepare).unwrap();
        (shown, package.bound_profile_package)
    };
    let tail = |package: &[u8]| {
        let mut parts = Tlv::parse(package).unwrap().inner();
        parts.expect(0xBF23).unwrap();
        [0xA0, 0xA1, 0xA2, 0xA3].map(|tag| parts.expect(tag).unwrap().raw.to_vec())
    };
    let (first_shown, first) = run(&mut story, &chip);
    let (second_shown, second) = run(&mut story, &chip);
    assert_eq!(tail(&first), tail(&second));
    assert_ne!(first, second);
    assert!(first_shown.smdp_signed2.len() < second_shown.smdp_signed2.len());
    assert!(
        second_shown.smdp_signed2.ends_with(chip.one_time.public()),
        "the chip is told which key it used"
    );
    let dp_pb = simwarden_rsp::certificate::Certificate::parse(&second_shown.smdp_certificate).unwrap();
    assert_eq!(chip.open(&second, &dp_pb).1, profile());

    chip.one_time = simwarden_rsp::key::OneTimeKey::from_scalar(&[3; 32]).unwrap();
    let (_, third) = run(&mut story, &chip);
    assert_eq!(chip.open(&third, &dp_pb).1, profile());
    for (ours, before) in tail(&third).iter().zip(tail(&second)) {
        // A1 carries the metadata in the clear, under another MAC.
        assert_ne!(*ours, before);
    }
    assert!(story.effects.contains(&Effect::CloneSign(CloneSign::Rebound)));
    assert_eq!(story.order().rebindings, 1);
    story.orders[0].0.limits.rebindings_max = 1;
    chip.one_time = simwarden_rsp::key::OneTimeKey::from_scalar(&[4; 32]).unwrap();
    let begun = story.initiate(&world);
    let shown = story
        .authenticate(begun.transaction, &chip.authenticate(&begun, Some(MATCHING_ID)))
        .unwrap();
    let prepare = chip.prepare(begun.transaction.as_bytes(), &shown.smdp_signature2, None);
    assert_eq!(
        story.get_package(begun.transaction, &prepare),
        Err(simwarden_rsp::Refusal::PackageUnavailable)
    );
}
