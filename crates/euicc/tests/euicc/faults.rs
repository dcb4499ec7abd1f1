//! Every fault that a chip can be told to have is one that somebody can notice.

use crate::server::iccid;
use crate::world::World;
use simwarden_euicc::lpa::{self, Outcome};
use simwarden_euicc::{Faults, Info2Fault, Signed};

fn refused(world: &mut World, codes: &[&str]) -> (String, String) {
    match world.download(codes) {
        Outcome::Refused(refusal) => (refusal.subject, refusal.reason),
        other => panic!("{other:?}"),
    }
}

fn with(faults: Faults) -> World {
    let mut world = World::new();
    world.chip.faults = faults;
    world
}

#[test]
fn wrong_signatures() {
    for (what, expected) in [(Signed::Authenticate, "8.1"), (Signed::Prepare, "8.1")] {
        let mut world = with(Faults {
            wrong_signature: Some(what),
            ..Faults::default()
        });
        assert_eq!(refused(&mut world, &[]), (expected.into(), "6.1".into()));
    }
    let mut world = with(Faults {
        wrong_signature: Some(Signed::InstallResult),
        ..Faults::default()
    });
    assert!(matches!(world.download(&[]), Outcome::Installed { .. }));
    assert_eq!(world.server.told, ["forged"]);
    let mut world = with(Faults {
        wrong_signature: Some(Signed::Notification),
        ..Faults::default()
    });
    world.download(&[]);
    world.with_chip(|es10| lpa::enable(es10, &iccid()));
    world.deliver();
    assert_eq!(world.server.told, ["install:1", "forged"]);
    let mut world = with(Faults {
        wrong_signature: Some(Signed::Cancel),
        ..Faults::default()
    });
    world.server.confirmation_code = Some("1".into());
    world.download(&[]);
    assert!(world.server.cancelled.is_empty());
}

#[test]
fn keys_and_hashes() {
    let mut world = with(Faults {
        off_curve_otpk: true,
        ..Faults::default()
    });
    assert_eq!(refused(&mut world, &[]), ("8.1".into(), "6.1".into()));

    let mut world = with(Faults {
        reuse_otpk: true,
        ..Faults::default()
    });
    world.download(&[]);
    world.with_chip(|es10| lpa::delete(es10, &iccid()));
    world.download(&[]);
    assert_eq!(world.server.used_keys[0], world.server.used_keys[1]);

    let mut world = with(Faults {
        wrong_hash_cc: true,
        ..Faults::default()
    });
    world.server.confirmation_code = Some("4711".into());
    assert_eq!(world.download(&["4711"]), Outcome::Cancelled);
    assert!(world.server.used_keys.is_empty());
}

#[test]
fn claims_of_another_self() {
    let claimed = "89049032123451234512345678901299";
    let mut world = with(Faults {
        claimed_eid: Some(claimed.into()),
        ..Faults::default()
    });
    assert_eq!(refused(&mut world, &[]), ("8.1.3".into(), "6.1".into()));
    let shown = world.with_chip(|es10| es10(&[0xBF, 0x3E, 3, 0x5C, 1, 0x5A]));
    assert_eq!(simwarden_euicc::hex::encode(&shown[5..]), claimed);

    let mut world = with(Faults {
        info2: Some(Info2Fault::AfterSigning),
        ..Faults::default()
    });
    assert_eq!(refused(&mut world, &[]), ("8.1".into(), "6.1".into()));

    let mut world = with(Faults {
        info2: Some(Info2Fault::Firmware([9, 9, 9])),
        ..Faults::default()
    });
    world.download(&[]);
    assert!(
        world.server.infos[0]
            .windows(5)
            .any(|it| it == [0x83, 3, 9, 9, 9])
    );

    let lie = crate::world::device().without_imei();
    let lie = simwarden_euicc::Device {
        tac: [1, 2, 3, 4],
        ..lie
    };
    let mut world = with(Faults {
        device: Some(lie),
        ..Faults::default()
    });
    world.download(&[]);
    assert_eq!(world.server.devices[0][2..8], [0x80, 4, 1, 2, 3, 4]);
    assert!(!world.server.devices[0].contains(&0x82));
}

#[test]
fn replays() {
    let mut world = with(Faults {
        replay_authenticate: true,
        ..Faults::default()
    });
    world.download(&[]);
    assert_eq!(refused(&mut world, &[]), ("8.10.1".into(), "3.9".into()));
    let mut world = with(Faults {
        replay_prepare: true,
        ..Faults::default()
    });
    world.download(&[]);
    assert_eq!(refused(&mut world, &[]), ("8.1".into(), "6.1".into()));
}

#[test]
fn power_lost_amid_loading_is_told_after_it_is_back() {
    let mut world = with(Faults {
        power_loss_after_segments: Some(5),
        ..Faults::default()
    });
    let World { chip, server, chance } = &mut world;
    let mut es10 = |command: &[u8]| chip.process(command, chance);
    let (mut download, mut request) =
        lpa::Download::begin(&mut es10, crate::world::code(), crate::world::device(), None).unwrap();
    let error = loop {
        let (status, body) = server.call(request.function, &request.body);
        match download.answer(&mut es10, status, &body) {
            Ok(lpa::Next::Ask(next)) => request = next,
            Ok(other) => panic!("{other:?}"),
            Err(error) => break error,
        }
    };
    assert_eq!(error, simwarden_euicc::EuiccError::NoPower);
    assert!(world.chip.process(&[0xBF, 0x2E, 0], &mut world.chance).is_err());
    world.chip.power_cycle();
    world.chip.faults = Faults::default();
    assert!(world.chip.profiles().is_empty());
    world.deliver();
    assert_eq!(world.server.told, ["install:1"]);
    assert!(matches!(world.download(&[]), Outcome::Installed { .. }));
}

#[test]
fn results_that_are_missing_or_come_twice() {
    let mut world = with(Faults {
        no_install_result: true,
        ..Faults::default()
    });
    assert_eq!(world.download(&[]), Outcome::NoResult);
    assert_eq!(world.chip.profiles().len(), 1);
    world.deliver();
    assert!(world.server.told.is_empty());

    let mut world = with(Faults {
        duplicate_notifications: true,
        ..Faults::default()
    });
    world.download(&[]);
    world.deliver();
    assert_eq!(world.server.told, ["install:1", "install:1"]);
}

#[test]
fn faults_are_data() {
    let faults: Faults =
        serde_json::from_str(r#"{"wrong_signature":"prepare","info2":{"firmware":[1,2,3]}}"#).unwrap();
    assert_eq!(faults.wrong_signature, Some(Signed::Prepare));
    assert!(serde_json::from_str::<Faults>(r#"{"wrong_signatur":"prepare"}"#).is_err());
}
