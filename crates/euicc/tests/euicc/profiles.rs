//! Enabling, disabling, deleting, resetting, naming and listing.

use crate::server::{HOST, iccid, metadata, other_iccid, package};
use crate::world::World;
use simwarden_euicc::lpa;
use simwarden_euicc::tlv::{self, bits, join, tlv as el};

fn two_profiles() -> World {
    let mut world = World::new();
    world.download(&[]);
    world.server.metadata = metadata(&other_iccid(), 0);
    world.server.package = package(&other_iccid(), 10);
    world.download(&[]);
    assert_eq!(world.chip.profiles().len(), 2);
    world.server.told.clear();
    world
}

fn enabled(world: &World) -> Vec<bool> {
    world.chip.profiles().iter().map(|it| it.enabled).collect()
}

#[test]
fn only_one_profile_is_enabled_and_every_change_is_told_in_order() {
    let mut world = two_profiles();
    let (one, other) = (iccid(), other_iccid());
    assert_eq!(world.with_chip(|it| lpa::enable(it, &one)), 0);
    assert_eq!(world.with_chip(|it| lpa::enable(it, &one)), 2);
    assert_eq!(world.with_chip(|it| lpa::enable(it, &other)), 0);
    assert_eq!(enabled(&world), [false, true]);
    assert_eq!(world.with_chip(|it| lpa::delete(it, &other)), 2);
    assert_eq!(world.with_chip(|it| lpa::disable(it, &one)), 2);
    assert_eq!(world.with_chip(|it| lpa::disable(it, &other)), 0);
    assert_eq!(world.with_chip(|it| lpa::delete(it, &other)), 0);
    assert_eq!(world.with_chip(|it| lpa::delete(it, &other)), 1);
    assert_eq!(world.with_chip(|it| lpa::enable(it, &other)), 1);
    world.deliver();
    assert_eq!(
        world.server.told,
        ["enable:3", "disable:4", "enable:5", "disable:6", "delete:7"]
    );
    assert!(!world.with_chip(|it| lpa::notification_sent(it, 7)));
}

#[test]
fn policy_rules_forbid() {
    let mut world = two_profiles();
    world.server.metadata = metadata(&iccid(), 0x60);
    world.with_chip(|it| lpa::delete(it, &iccid()));
    world.server.package = package(&iccid(), 10);
    world.download(&[]);
    assert_eq!(world.with_chip(|it| lpa::delete(it, &iccid())), 3);
    assert_eq!(world.with_chip(|it| lpa::enable(it, &iccid())), 0);
    assert_eq!(world.with_chip(|it| lpa::disable(it, &iccid())), 3);
    assert_eq!(world.with_chip(|it| lpa::enable(it, &other_iccid())), 3);
    assert_eq!(enabled(&world), [false, true]);
    // A reset by the owner of the device goes over the rules, and empties the default server too.
    let set = world.with_chip(|it| it(&el(0xBF3F, el(0x80, HOST))));
    assert_eq!(set, [0xBF, 0x3F, 3, 0x80, 1, 0]);
    let configured = world.with_chip(|it| it(&[0xBF, 0x3C, 0]));
    assert!(configured.windows(HOST.len()).any(|it| it == HOST.as_bytes()));
    let reset = el(0xBF34, bits(0x82, 0xE0));
    assert_eq!(world.with_chip(|it| it(&reset)), [0xBF, 0x34, 3, 0x80, 1, 0]);
    assert!(world.chip.profiles().is_empty());
    assert_eq!(world.with_chip(|it| it(&reset)), [0xBF, 0x34, 3, 0x80, 1, 1]);
}

#[test]
fn profiles_are_listed_with_the_fields_asked_for_and_named() {
    let mut world = two_profiles();
    let name = join(0xBF29, &[&el(0x5A, iccid().to_bcd()), &el(0x90, "work")]);
    assert_eq!(world.with_chip(|it| it(&name)), [0xBF, 0x29, 3, 0x80, 1, 0]);
    let unknown = join(0xBF29, &[&el(0x5A, [0; 10]), &el(0x90, "work")]);
    assert_eq!(world.with_chip(|it| it(&unknown)), [0xBF, 0x29, 3, 0x80, 1, 1]);
    let long = join(0xBF29, &[&el(0x5A, iccid().to_bcd()), &el(0x90, [b'x'; 65])]);
    assert_eq!(world.with_chip(|it| it(&long)), [0xBF, 0x29, 3, 0x80, 1, 127]);
    let all = world.with_chip(|it| it(&[0xBF, 0x2D, 0]));
    let list = tlv::only(&all, 0xBF2D).unwrap().inside().expect(0xA0).unwrap();
    let mut entries = list.inside();
    let mut fields = entries.expect(0xE3).unwrap().inside();
    assert_eq!(fields.expect(0x5A).unwrap().value, iccid().to_bcd());
    fields.expect(0x4F).unwrap();
    assert_eq!(fields.expect(0x9F70).unwrap().value, [0]);
    assert_eq!(fields.expect(0x90).unwrap().value, b"work");
    entries.expect(0xE3).unwrap();
    entries.end().unwrap();
    let search = join(
        0xBF2D,
        &[
            &el(0xA0, el(0x5A, other_iccid().to_bcd())),
            &el(0x5C, [0x9F, 0x70, 0x92]),
        ],
    );
    let found = world.with_chip(|it| it(&search));
    let expected = join(0xE3, &[&el(0x9F70, [0]), &el(0x92, "Test profile")]);
    assert_eq!(found, el(0xBF2D, el(0xA0, expected)));
}

#[test]
fn notifications_are_found_by_number_and_by_event() {
    let mut world = two_profiles();
    world.with_chip(|it| lpa::enable(it, &iccid()));
    world.with_chip(|it| lpa::disable(it, &iccid()));
    let list = world.with_chip(|it| it(&el(0xBF28, bits(0x81, 0x20))));
    assert!(list.windows(3).any(|it| it == [0x80, 1, 4]) && !list.windows(3).any(|it| it == [0x80, 1, 3]));
    let one = world.with_chip(|it| it(&el(0xBF2B, el(0xA0, el(0x80, [3])))));
    assert!(one.windows(3).any(|it| it == [0x80, 1, 3]) && !one.windows(3).any(|it| it == [0x80, 1, 4]));
    assert_eq!(
        world.with_chip(|it| it(&el(0xBF2B, el(0xA0, el(0x80, [99]))))),
        [0xBF, 0x2B, 3, 0x81, 1, 1]
    );
}

/// Rule 1 may come only onto a chip without another operational profile: it could never be left for that again.
#[test]
fn a_profile_that_forbids_disabling_comes_only_onto_a_chip_without_operational_ones() {
    let operational = |rules| {
        let mut bytes = metadata(&iccid(), rules);
        let class = bytes.windows(3).position(|it| it == [0x95, 1, 0]).unwrap();
        bytes[class + 2] = 2;
        bytes
    };
    let mut world = World::new();
    world.server.metadata = operational(0);
    assert!(matches!(world.download(&[]), lpa::Outcome::Installed { .. }));
    world.server.metadata = metadata(&other_iccid(), 0x40);
    world.server.package = package(&other_iccid(), 10);
    let refused = lpa::Outcome::NotInstalled {
        command: 2,
        reason: 15,
    };
    assert_eq!(world.download(&[]), refused);
    let mut world = World::new();
    world.server.metadata = operational(0x40);
    assert!(matches!(world.download(&[]), lpa::Outcome::Installed { .. }));
}
