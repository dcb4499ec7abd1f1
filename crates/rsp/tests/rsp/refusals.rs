//! Every refusal of the tables of ES9+, with its code, and that nothing is burned by it.

use crate::kit::{ADDRESS, Chip, EID, MATCHING_ID, OID, OTHER_EID, World, info2, order, time};
use crate::story::Story;
use simwarden_model::{ProfileState, ReasonCode};
use simwarden_rsp::der::{Tlv, tlv};
use simwarden_rsp::effect::{Effect, Notice};
use simwarden_rsp::initiate::{InitiateAnswer, InitiateRequest, initiate};
use simwarden_rsp::metadata::{Metadata, RULE_DELETE_NOT_ALLOWED};
use simwarden_rsp::{ConfirmationDigest, Gate, Order, Refusal};

fn code(refusal: Refusal) -> String {
    format!("{}/{}", refusal.subject(), refusal.reason())
}

#[test]
fn initiate_authentication() {
    let world = World::new();
    let try_with = |change: &dyn Fn(&mut InitiateRequest)| {
        let mut request = world.initiate_request();
        change(&mut request);
        let answer = initiate(
            &world.server,
            &request,
            crate::kit::now(),
            &mut crate::kit::Seed::new(1),
        );
        answer.err().map(code)
    };
    let id = world.ci.subject_key_id().unwrap().0;
    let lists = |version: u8, verification: &[u8; 20], signing: &[u8; 20]| {
        let list = |tag, id: &[u8; 20]| tlv(tag, &[&tlv(0x04, &[id])]);
        tlv(
            0xBF20,
            &[
                &[0x82, 3, version, 0, 0],
                &list(0xA9, verification),
                &list(0xAA, signing),
            ],
        )
    };
    assert_eq!(try_with(&|_| {}), None);
    assert_eq!(try_with(&|it| it.smdp_address = ADDRESS.to_uppercase()), None);
    assert_eq!(
        try_with(&|it| it.smdp_address = "other.example.com".into()).unwrap(),
        "8.8.1/3.8"
    );
    for challenge in [vec![], vec![1; 15], vec![1; 17]] {
        assert_eq!(
            try_with(&|it| it.euicc_challenge = challenge.clone()).unwrap(),
            "1.3/2.1"
        );
    }
    assert_eq!(try_with(&|it| it.euicc_info1.push(0)).unwrap(), "1.3/2.1");
    assert_eq!(
        try_with(&|it| it.euicc_info1 = lists(1, &id, &id)).unwrap(),
        "8.8.3/3.1"
    );
    assert_eq!(
        try_with(&|it| it.euicc_info1 = lists(3, &id, &id)).unwrap(),
        "8.8.3/3.1"
    );
    assert_eq!(
        try_with(&|it| it.euicc_info1 = lists(2, &id, &[1; 20])).unwrap(),
        "8.8.2/3.1"
    );
    assert_eq!(
        try_with(&|it| it.euicc_info1 = lists(2, &[1; 20], &id)).unwrap(),
        "8.8.4/3.7"
    );
}

/// One authenticateClient against an order as the case wants it.
fn authenticate(
    world: &World,
    prepare: impl FnOnce(&mut Story),
    order: Order,
    message: impl FnOnce(&InitiateAnswer) -> Vec<u8>,
) -> (Story, Option<String>) {
    let mut story = Story::new(world, order);
    prepare(&mut story);
    let begun = story.initiate(world);
    let outcome = story
        .authenticate(begun.transaction, &message(&begun))
        .err()
        .map(code);
    (story, outcome)
}

#[test]
fn authenticate_client_the_chip() {
    let world = World::new();
    let chip = world.chip(EID, 1);
    let with = |message: &dyn Fn(&InitiateAnswer) -> Vec<u8>| {
        let (story, outcome) = authenticate(&world, |_| {}, order(None), message);
        assert_eq!(
            (story.order().attempts, story.order().state),
            (0, ProfileState::Released)
        );
        outcome.unwrap()
    };
    let good = |begun: &InitiateAnswer| chip.authenticate(begun, Some(MATCHING_ID));
    // Signed parts exchanged for others.
    let replace = |begun: &InitiateAnswer, tag: u32, value: &[u8]| {
        let signed = chip.signed1(begun, Some(MATCHING_ID));
        let mut reader = Tlv::parse(&signed).unwrap().inner();
        let mut fields = Vec::new();
        while !reader.is_empty() {
            let field = reader.read().unwrap();
            fields.extend(if field.tag == tag {
                tlv(tag, &[value])
            } else {
                field.raw.to_vec()
            });
        }
        chip.authenticate_signed(&tlv(0x30, &[&fields]))
    };
    assert_eq!(with(&|it| replace(it, 0x80, &[1; 16])), "8.10.1/3.9");
    assert_eq!(with(&|it| replace(it, 0x84, &[1; 16])), "8.1/6.1");
    assert_eq!(with(&|it| replace(it, 0x83, b"other.example.com")), "8.1/6.1");
    let stranger = World::seeded(2).chip(EID, 1);
    assert_eq!(
        with(&|it| stranger.authenticate(it, Some(MATCHING_ID))),
        "8.11.1/3.9"
    );
    // Another chip's key signs in its name.
    let thief = Chip {
        key: world.chip(OTHER_EID, 2).key,
        ..world.chip(EID, 1)
    };
    assert_eq!(with(&|it| thief.authenticate(it, Some(MATCHING_ID))), "8.1/6.1");
    let outside = world.chip("89049033123451234512345678901234", 3);
    assert_eq!(
        with(&|it| outside.authenticate(it, Some(MATCHING_ID))),
        "8.1.3/6.1"
    );
    let error = |it: &InitiateAnswer| {
        tlv(
            0xBF38,
            &[&tlv(
                0xA1,
                &[&tlv(0x80, &[it.transaction.as_bytes()]), &[2, 1, 4]],
            )],
        )
    };
    assert_eq!(with(&error), "8.1/4.2");
    assert_eq!(with(&|it| [good(it), vec![0]].concat()), "1.3/2.1");
    assert_eq!(with(&|_| vec![]), "1.3/2.1");
}

#[test]
fn authenticate_client_the_order() {
    let world = World::new();
    let chip = world.chip(EID, 1);
    let refused = |id: Option<&str>, change: &dyn Fn(&mut Order)| {
        let mut order = order(None);
        change(&mut order);
        let (story, outcome) = authenticate(&world, |_| {}, order, |begun| chip.authenticate(begun, id));
        assert_eq!(story.order().binding, None);
        outcome.unwrap_or_default()
    };
    let it = Some(MATCHING_ID);
    assert_eq!(refused(it, &|_| {}), "");
    for unknown in ["AAAA", "../../etc/passwd", "04386-agyft", "'; DROP TABLE orders"] {
        assert_eq!(refused(Some(unknown), &|_| {}), "8.2.6/3.8", "{unknown}");
    }
    assert_eq!(refused(None, &|_| {}), "8.1.1/3.8");
    assert_eq!(refused(Some(""), &|_| {}), "8.1.1/3.8");
    let other = world.chip(OTHER_EID, 2).eid;
    assert_eq!(refused(it, &|order| order.eid = Some(other)), "8.1.1/3.8");
    for state in [
        ProfileState::Allocated,
        ProfileState::Linked,
        ProfileState::Confirmed,
    ] {
        assert_eq!(refused(it, &|order| order.state = state), "8.2/1.2");
    }
    for state in [
        ProfileState::Installed,
        ProfileState::Error,
        ProfileState::Unavailable,
        ProfileState::Deleted,
    ] {
        assert_eq!(refused(it, &|order| order.state = state), "8.2.6/3.8");
    }
    assert_eq!(
        refused(it, &|order| order.expires_at = Some(crate::kit::now())),
        "8.8.5/4.10"
    );
    assert_eq!(
        refused(it, &|order| order.attempts = order.limits.attempts_max),
        "8.8.5/6.4"
    );
    let rules = |order: &mut Order| {
        let mut metadata = Metadata::parse(&order.metadata).unwrap();
        metadata.rules = RULE_DELETE_NOT_ALLOWED;
        order.metadata = metadata.to_der().unwrap();
    };
    assert_eq!(refused(it, &rules), "", "a rule that the chip allows");
    let mut strict = world.chip(EID, 1);
    strict.info2 = info2(&[0x99, 2, 5, 0x60]);
    let mut ruled = order(None);
    rules(&mut ruled);
    let (story, outcome) = authenticate(&world, |_| {}, ruled, |begun| strict.authenticate(begun, it));
    assert_eq!(
        (outcome.unwrap().as_str(), story.order().attempts),
        ("8.2.5/4.3", 1)
    );
    assert_eq!(refused(it, &|order| order.nvm_bytes_min = 0x0010_0001), "8.1/4.8");
    assert_eq!(refused(it, &|order| order.nvm_bytes_min = 0x0010_0000), "");
}

#[test]
fn the_gate_and_the_screen_hold_without_burning_anything() {
    let world = World::new();
    let chip = world.chip(EID, 1);
    let message = |begun: &InitiateAnswer| chip.authenticate(begun, Some(MATCHING_ID));
    let closed = Gate::closed(ReasonCode::from_static("frozen_number"));
    let (story, outcome) = authenticate(&world, |story| story.gate = closed.clone(), order(None), message);
    assert_eq!(
        (outcome.unwrap().as_str(), story.order().attempts),
        ("8.2/1.2", 0)
    );
    assert!(story.effects.contains(&Effect::Tell(Notice::Held)));
    for (change, expected) in [
        (
            (|story: &mut Story| story.screen.denied_firmware = [[1, 2, 3]].into()) as fn(&mut Story),
            "8.2.5/4.3",
        ),
        (
            |story| story.screen.denied_eids = vec!["890490321234".into()],
            "8.1.1/3.8",
        ),
        (
            |story| story.screen.allowed_eids = Some(vec!["1234".into()]),
            "8.1.1/3.8",
        ),
        (
            |story| story.screen.allowed_eums = Some(Default::default()),
            "8.1.2/6.1",
        ),
    ] {
        let (_, outcome) = authenticate(&world, change, order(None), message);
        assert_eq!(outcome.unwrap(), expected);
    }
    let eum = world.eum.subject_key_id().unwrap();
    let (_, outcome) = authenticate(
        &world,
        |story| story.screen.denied_eums = [eum].into(),
        order(None),
        message,
    );
    assert_eq!(outcome.unwrap(), "8.1.2/6.1");
    let digest = simwarden_rsp::certificate::Certificate::parse(&chip.certificate)
        .unwrap()
        .digest();
    let (_, outcome) = authenticate(
        &world,
        |story| story.screen.denied_certificates = [digest].into(),
        order(None),
        message,
    );
    assert_eq!(outcome.unwrap(), "8.1.3/6.1");
}

#[test]
fn a_session_is_used_once_and_in_its_time() {
    let world = World::new();
    let chip = world.chip(EID, 1);
    let mut story = Story::new(&world, order(None));
    let begun = story.initiate(&world);
    let message = chip.authenticate(&begun, Some(MATCHING_ID));
    story.authenticate(begun.transaction, &message).unwrap();
    assert_eq!(
        story.authenticate(begun.transaction, &message),
        Err(Refusal::UnknownTransaction)
    );
    let begun = story.initiate(&world);
    // The answer of one session in another.
    assert_eq!(
        story.authenticate(begun.transaction, &message),
        Err(Refusal::UnknownTransaction)
    );
    story.now = time("2026-11-23T12:10:00Z");
    let message = chip.authenticate(&begun, Some(MATCHING_ID));
    assert_eq!(
        story.authenticate(begun.transaction, &message),
        Err(Refusal::UnknownTransaction)
    );
    let unknown = simwarden_rsp::TransactionId::new([1; 16]);
    assert_eq!(
        story.authenticate(unknown, &message),
        Err(Refusal::UnknownTransaction)
    );
}

/// A story with an authenticated session, and the signature that the chip must bind its next words to.
fn authenticated(world: &World, chip: &Chip, order: Order) -> (Story, InitiateAnswer, Vec<u8>) {
    let mut story = Story::new(world, order);
    let begun = story.initiate(world);
    let shown = story
        .authenticate(begun.transaction, &chip.authenticate(&begun, Some(MATCHING_ID)))
        .unwrap();
    (story, begun, shown.smdp_signature2)
}

#[test]
fn get_bound_profile_package() {
    let world = World::new();
    let chip = world.chip(EID, 1);
    let (mut story, begun, signature2) = authenticated(&world, &chip, order(None));
    let (id, bytes) = (begun.transaction, *begun.transaction.as_bytes());
    let mut refused = |message: Vec<u8>| {
        let outcome = story.get_package(id, &message).unwrap_err();
        assert_eq!(
            (story.order().state, story.order().eid),
            (ProfileState::Released, None)
        );
        code(outcome)
    };
    let point = *chip.one_time.public();
    let mut off_curve = point;
    off_curve[40] ^= 1;
    let other = world.chip(EID, 8);
    assert_eq!(refused(other.prepare(&bytes, &signature2, None)), "8.1/6.1");
    assert_eq!(
        refused(chip.prepare(&bytes, &tlv(0x5F37, &[&[1; 64]]), None)),
        "8.1/6.1"
    );
    assert_eq!(refused(chip.prepare(&[1; 16], &signature2, None)), "8.10.1/3.9");
    for point in [
        &off_curve[..],
        &[0],
        &[0; 65],
        &point[..64],
        &[&[4][..], &[0; 64]].concat(),
    ] {
        assert_eq!(
            refused(chip.prepare_with(&bytes, &signature2, point, None)),
            "8.1/6.1"
        );
    }
    let error = tlv(0xBF21, &[&tlv(0xA1, &[&tlv(0x80, &[&bytes]), &[2, 1, 4]])]);
    assert_eq!(refused(error), "8.1/4.2");
    assert_eq!(
        refused([chip.prepare(&bytes, &signature2, None), vec![0]].concat()),
        "1.3/2.1"
    );
    // Before authenticateClient there is nothing to get.
    let early = story.initiate(&world).transaction;
    let message = chip.prepare(early.as_bytes(), &signature2, None);
    assert_eq!(
        story.get_package(early, &message),
        Err(Refusal::UnknownTransaction)
    );
    // A freeze works inside a running session.
    story.gate = Gate::closed(ReasonCode::from_static("frozen_number"));
    let message = chip.prepare(&bytes, &signature2, None);
    assert_eq!(story.get_package(id, &message), Err(Refusal::NotReleased));
    story.gate = Gate::Open;
    assert!(story.get_package(id, &message).is_ok());
    assert!(
        story.get_package(id, &message).is_ok(),
        "the same chip may ask again"
    );
}

#[test]
fn confirmation_codes_are_counted_over_all_sessions() {
    let world = World::new();
    let chip = world.chip(EID, 1);
    let mut coded = order(None);
    coded.confirmation = Some(ConfirmationDigest::of("1234"));
    let (mut story, begun, signature2) = authenticated(&world, &chip, coded);
    let id = begun.transaction;
    let ask = |code: Option<&str>| chip.prepare(id.as_bytes(), &signature2, code);
    assert_eq!(
        story.get_package(id, &ask(None)).map_err(code).unwrap_err(),
        "8.2.7/2.2"
    );
    assert_eq!(story.order().code_tries, 0);
    assert_eq!(
        story
            .get_package(id, &ask(Some("1235")))
            .map_err(code)
            .unwrap_err(),
        "8.2.7/3.8"
    );
    assert_eq!(story.order().code_tries, 1);
    assert!(story.effects.contains(&Effect::Tell(Notice::WrongCode)));
    // The client ends the session as if the person had declined: the order lives on.
    story.cancel(id, &chip.cancel(id.as_bytes(), OID, 0)).unwrap();
    assert_eq!(story.order().state, ProfileState::Released);
    // A new session begins to count where the old one ended.
    for expected in ["8.2.7/3.8", "8.2.7/6.4"] {
        let begun = story.initiate(&world);
        let id = begun.transaction;
        let shown = story
            .authenticate(id, &chip.authenticate(&begun, Some(MATCHING_ID)))
            .unwrap();
        let message = chip.prepare(id.as_bytes(), &shown.smdp_signature2, Some("0000"));
        assert_eq!(
            story.get_package(id, &message).map_err(code).unwrap_err(),
            expected
        );
    }
    assert_eq!(story.order().state, ProfileState::Error);
    assert!(story.effects.contains(&Effect::Tell(Notice::CodesExhausted)));
    let begun = story.initiate(&world);
    let late = story.authenticate(begun.transaction, &chip.authenticate(&begun, Some(MATCHING_ID)));
    assert_eq!(late.map_err(code).unwrap_err(), "8.2.6/3.8");
}

#[test]
fn the_right_code_after_a_wrong_one_in_the_same_session() {
    let world = World::new();
    let chip = world.chip(EID, 1);
    let mut coded = order(None);
    coded.confirmation = Some(ConfirmationDigest::of("1234"));
    let (mut story, begun, signature2) = authenticated(&world, &chip, coded);
    let id = begun.transaction;
    assert!(
        story
            .get_package(id, &chip.prepare(id.as_bytes(), &signature2, Some("4321")))
            .is_err()
    );
    assert!(
        story
            .get_package(id, &chip.prepare(id.as_bytes(), &signature2, Some("1234")))
            .is_ok()
    );
}

#[test]
fn cancel_session() {
    let world = World::new();
    let chip = world.chip(EID, 1);
    for (reason, state) in [
        (0, ProfileState::Error),
        (1, ProfileState::Released),
        (2, ProfileState::Released),
        (3, ProfileState::Error),
        (4, ProfileState::Error),
        (5, ProfileState::Error),
        (127, ProfileState::Error),
    ] {
        let (mut story, begun, _) = authenticated(&world, &chip, order(None));
        let (id, bytes) = (begun.transaction, *begun.transaction.as_bytes());
        let mut refused = |message: Vec<u8>| code(story.cancel(id, &message).unwrap_err());
        assert_eq!(refused(world.chip(EID, 8).cancel(&bytes, OID, reason)), "8.1/6.1");
        assert_eq!(refused(chip.cancel(&[1; 16], OID, reason)), "8.10.1/3.9");
        assert_eq!(
            refused(chip.cancel(&bytes, &[0x88, 0x37, 0x0B], reason)),
            "8.8/3.10"
        );
        assert_eq!(refused(tlv(0xBF41, &[&[0x81, 1, 5]])), "8.1/4.2");
        assert_eq!(refused(vec![0xBF, 0x41, 0]), "1.3/2.1");
        let unknown = simwarden_rsp::TransactionId::new([3; 16]);
        assert_eq!(story.cancel(unknown, &[]), Err(Refusal::UnknownTransaction));
        assert_eq!(story.order().state, ProfileState::Released);
        story.cancel(id, &chip.cancel(&bytes, OID, reason)).unwrap();
        assert_eq!(story.order().state, state, "{reason}");
        let told = story.effects.contains(&Effect::Tell(Notice::Cancelled));
        assert_eq!(told, state == ProfileState::Error);
        assert_eq!(
            story.cancel(id, &chip.cancel(&bytes, OID, reason)),
            Err(Refusal::UnknownTransaction)
        );
    }
}

#[test]
fn whoever_lacks_the_confirmation_code_cannot_burn_the_order() {
    let world = World::new();
    let stranger = world.chip(EID, 1);
    let mut coded = order(None);
    coded.confirmation = Some(ConfirmationDigest::of("1234"));
    let (mut story, begun, _) = authenticated(&world, &stranger, coded);
    let bytes = *begun.transaction.as_bytes();
    story
        .cancel(begun.transaction, &stranger.cancel(&bytes, OID, 0))
        .unwrap();
    assert_eq!(story.order().state, ProfileState::Released);
}
