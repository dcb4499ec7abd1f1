//! What chips report: only what is signed moves a state, and signs of clones are raised.

use crate::kit::{Chip, EID, MATCHING_ID, OTHER_EID, World, now, order};
use crate::story::Story;
use simwarden_model::ProfileState;
use simwarden_rsp::chain::Screen;
use simwarden_rsp::clone_signs::CloneSign;
use simwarden_rsp::effect::{Effect, NotificationPoint, Step};
use simwarden_rsp::notification::{Pending, apply_other, read, verify_other};
use simwarden_rsp::{Refusal, TransactionId};

fn delivered(world: &World, chip: &Chip) -> (Story, TransactionId) {
    let mut story = Story::new(world, order(None));
    let begun = story.initiate(world);
    let id = begun.transaction;
    let shown = story
        .authenticate(id, &chip.authenticate(&begun, Some(MATCHING_ID)))
        .unwrap();
    story
        .get_package(id, &chip.prepare(id.as_bytes(), &shown.smdp_signature2, None))
        .unwrap();
    (story, id)
}

#[test]
fn failures_close_the_order_or_leave_it_to_the_same_chip() {
    let world = World::new();
    let chip = world.chip(EID, 1);
    for (reason, state) in [
        (9, ProfileState::Error),
        (10, ProfileState::Released),
        (11, ProfileState::Released),
        (12, ProfileState::Error),
        (15, ProfileState::Error),
    ] {
        let (mut story, id) = delivered(&world, &chip);
        let iccid = story.order().iccid;
        story
            .install(
                &chip.install_result(id.as_bytes(), &iccid, 3, Some(reason)),
                None,
                false,
            )
            .unwrap();
        assert_eq!(
            (story.order().state, story.order().eid),
            (state, Some(chip.eid)),
            "{reason}"
        );
        let told = |it: &Effect| {
            matches!(
                it,
                Effect::Progress {
                    point: NotificationPoint::Installation,
                    refusal: Some(_),
                    ..
                }
            )
        };
        assert!(story.effects.iter().any(told));
    }
}

#[test]
fn only_the_chip_of_the_session_moves_it() {
    let world = World::new();
    let chip = world.chip(EID, 1);
    let (mut story, id) = delivered(&world, &chip);
    let iccid = story.order().iccid;
    let forged = world.chip(EID, 8).install_result(id.as_bytes(), &iccid, 1, None);
    assert_eq!(story.install(&forged, None, false), Err(Refusal::EuiccSignature));
    let mut unsigned = chip.install_result(id.as_bytes(), &iccid, 1, None);
    let last = unsigned.len() - 1;
    unsigned[last] ^= 1;
    assert_eq!(
        story.install(&unsigned, None, false),
        Err(Refusal::EuiccSignature)
    );
    assert_eq!(
        story.install(&chip.install_result(&[1; 16], &iccid, 1, None), None, false),
        Err(Refusal::UnknownTransaction)
    );
    let other_profile = simwarden_model::Iccid::parse_without_check("898550123456789012").unwrap();
    story
        .install(
            &chip.install_result(id.as_bytes(), &other_profile, 1, None),
            None,
            false,
        )
        .unwrap();
    assert_eq!(story.order().state, ProfileState::Downloaded);
    // Before the package was sent there is nothing to install.
    let begun = story.initiate(&world);
    let early = chip.install_result(begun.transaction.as_bytes(), &iccid, 1, None);
    assert_eq!(
        story.install(&early, None, false),
        Err(Refusal::UnknownTransaction)
    );
    story
        .install(
            &chip.install_result(id.as_bytes(), &iccid, 2, None),
            Some(7),
            false,
        )
        .unwrap();
    assert_eq!(story.order().state, ProfileState::Installed);
    assert!(
        story
            .effects
            .contains(&Effect::CloneSign(CloneSign::SequenceBack))
    );
    assert!(
        read(&chip.install_result(id.as_bytes(), &iccid, 2, None)[3..]).is_err(),
        "the value part alone"
    );
}

/// Found by the property test: a chip that was shown the profile said "installed" before it was sent.
#[test]
fn nothing_is_installed_that_was_not_sent() {
    let world = World::new();
    let chip = world.chip(EID, 1);
    for (named, delivered_before) in [(true, false), (false, false), (true, true)] {
        let mut story = Story::new(&world, order(named.then_some(chip.eid)));
        if delivered_before {
            (story, _) = delivered(&world, &chip);
        }
        let before = story.order().clone();
        let begun = story.initiate(&world);
        let id = begun.transaction;
        story
            .authenticate(id, &chip.authenticate(&begun, Some(MATCHING_ID)))
            .unwrap();
        for error in [None, Some(9), Some(10)] {
            story
                .install(
                    &chip.install_result(id.as_bytes(), &before.iccid, 1, error),
                    None,
                    false,
                )
                .unwrap();
            assert_eq!(story.order().state, before.state);
        }
    }
}

#[test]
fn later_reports_are_evidence_and_a_deletion_is_one_more_state() {
    let world = World::new();
    let chip = world.chip(EID, 1);
    let (mut story, id) = delivered(&world, &chip);
    let iccid = story.order().iccid;
    story
        .install(&chip.install_result(id.as_bytes(), &iccid, 1, None), None, false)
        .unwrap();
    let mut report = |chip: &Chip, event: u8| {
        let Ok(Pending::Other(other)) = read(&chip.other(event, &iccid, 5)) else {
            panic!("another kind of notification");
        };
        let proven = verify_other(&world.server, &other, now(), &Screen::default())?;
        let effects = apply_other(Some(&mut story.orders[0].0), &proven, &other, None, false);
        Ok::<_, Refusal>((effects, story.order().state))
    };
    let (effects, state) = report(&chip, 0x40).unwrap();
    assert_eq!(
        state,
        ProfileState::Installed,
        "a chip's word switches nothing on"
    );
    assert!(matches!(
        effects[0],
        Effect::Record {
            step: Step::EnabledOnChip,
            ..
        }
    ));
    let (effects, state) = report(&world.chip(OTHER_EID, 2), 0x40).unwrap();
    assert_eq!(state, ProfileState::Installed);
    assert!(effects.contains(&Effect::CloneSign(CloneSign::InstalledTwice)));
    let (effects, state) = report(&chip, 0x10).unwrap();
    assert_eq!(state, ProfileState::Deleted);
    assert!(effects.iter().any(|it| matches!(
        it,
        Effect::Progress {
            point: NotificationPoint::Deletion,
            ..
        }
    )));
    let thief = Chip {
        key: world.chip(EID, 8).key,
        ..world.chip(EID, 1)
    };
    assert_eq!(report(&thief, 0x10).unwrap_err(), Refusal::EuiccSignature);
    assert_eq!(
        report(&World::seeded(2).chip(EID, 1), 0x10).unwrap_err(),
        Refusal::UnknownCiKey
    );
}
