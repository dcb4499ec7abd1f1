//! Whole downloads that end well, and those that a user or a code ends.

use crate::server::{Wrong, iccid};
use crate::world::World;
use simwarden_euicc::Euicc;
use simwarden_euicc::lpa::{Outcome, Refusal};

fn installed() -> Outcome {
    Outcome::Installed {
        iccid: iccid().to_bcd(),
    }
}

#[test]
fn a_profile_arrives_whole_with_and_without_replaced_keys() {
    for replace_keys in [true, false] {
        let mut world = World::new();
        world.server.replace_keys = replace_keys;
        assert_eq!(world.download(&[]), installed());
        let profile = world.chip.profile(&iccid()).unwrap();
        assert_eq!(profile.package, world.server.package);
        assert!(!profile.enabled);
        assert_eq!(world.server.told, ["install:1"]);
        assert!(world.chip.notifications().is_empty());
    }
}

#[test]
fn a_confirmation_code_is_asked_for_and_a_wrong_one_asked_for_again_in_the_same_session() {
    let mut world = World::new();
    world.server.confirmation_code = Some("4711".into());
    assert_eq!(world.download(&["0815", "4712", "4711"]), installed());
    assert!(world.server.cancelled.is_empty());

    let mut world = World::new();
    world.server.confirmation_code = Some("4711".into());
    assert_eq!(world.download(&["0815"]), Outcome::Cancelled);
    assert_eq!(world.server.cancelled, [2]);
    assert!(world.chip.profiles().is_empty());
}

#[test]
fn a_refusal_is_followed_by_a_signed_cancellation() {
    let mut world = World::new();
    // The order is another's: this server knows no such matching id.
    let refusal = Refusal {
        function: "authenticateClient",
        subject: "8.2.6".into(),
        reason: "3.8".into(),
        message: String::new(),
    };
    let code = simwarden_euicc::ActivationCode::parse("1$smdp.example.com$OTHER").unwrap();
    let World { chip, server, chance } = &mut world;
    let mut es10 = |command: &[u8]| chip.process(command, chance);
    let (mut download, mut request) =
        simwarden_euicc::lpa::Download::begin(&mut es10, code, crate::world::device(), None).unwrap();
    let outcome = loop {
        let (status, body) = server.call(request.function, &request.body);
        match download.answer(&mut es10, status, &body).unwrap() {
            simwarden_euicc::lpa::Next::Ask(next) => request = next,
            simwarden_euicc::lpa::Next::Done(outcome) => break outcome,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(outcome, Outcome::Refused(refusal));
    assert_eq!(server.cancelled, [0]);
}

#[test]
fn a_second_try_uses_the_key_that_the_server_asks_for() {
    let mut world = World::new();
    world.server.wrong = Wrong::FlippedSegment;
    assert!(matches!(world.download(&[]), Outcome::NotInstalled { .. }));
    world.server.wrong = Wrong::Nothing;
    world.server.ask_for_key = world.server.used_keys.first().cloned();
    assert_eq!(world.download(&[]), installed());
    assert_eq!(world.server.used_keys[0], world.server.used_keys[1]);

    // A third time, after the profile was deleted: the key was used up, so the chip draws a new one.
    let deleted = world.with_chip(|es10| simwarden_euicc::lpa::delete(es10, &iccid()));
    assert_eq!(deleted, 0);
    assert_eq!(world.download(&[]), installed());
    assert_ne!(world.server.used_keys[1], world.server.used_keys[2]);
}

#[test]
fn the_same_profile_does_not_come_twice_and_memory_ends() {
    let mut world = World::new();
    assert_eq!(world.download(&[]), installed());
    let twice = Outcome::NotInstalled {
        command: 2,
        reason: 9,
    };
    assert_eq!(world.download(&[]), twice);

    let mut world = World::new();
    world.chip.settings.memory_bytes = 3000;
    assert_eq!(
        world.download(&[]),
        Outcome::NotInstalled {
            command: 5,
            reason: 10
        }
    );

    let mut world = World::new();
    world.chip.settings.forbidden_policy_rules = 0x40;
    world.server.metadata = crate::server::metadata(&iccid(), 0x40);
    assert_eq!(
        world.download(&[]),
        Outcome::NotInstalled {
            command: 2,
            reason: 15
        }
    );
}

#[test]
fn the_whole_chip_can_be_written_down_and_goes_on_from_there() {
    let mut world = World::new();
    assert_eq!(world.download(&[]), installed());
    let written = serde_json::to_string(&world.chip).unwrap();
    let mut read: Euicc = serde_json::from_str(&written).unwrap();
    assert_eq!(read.profiles(), world.chip.profiles());
    assert_eq!(serde_json::to_string(&read).unwrap(), written);
    read.faults.wrong_hash_cc = true;
    world.chip = read;
    assert_eq!(
        world.with_chip(|es10| simwarden_euicc::lpa::enable(es10, &iccid())),
        0
    );
    assert_eq!(world.chip.notifications()[0].seq, 2);
}
