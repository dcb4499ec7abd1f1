//! Honest downloads.

use crate::world::{EID, World, eid, refusal, released};
use serde_json::json;
use simwarden_euicc::lpa::{self, Outcome};
use simwarden_model::Eid;

#[test]
fn profiles_come_to_the_chip_byte_for_byte_with_and_without_code() {
    let mut world = World::new();
    let profiles: Vec<_> = (1..=4).map(|n| world.profile(n)).collect();
    let eid = Eid::parse(EID).unwrap();
    world.orders(&[
        released(&profiles[0].0, "PLAIN-1"),
        json!({ "iccid": profiles[1].0.reveal(), "matching_id": "CODED-1", "confirmation_code": "4711" }),
        json!({ "iccid": profiles[2].0.reveal(), "matching_id": "", "eid": EID }),
        json!({ "iccid": profiles[3].0.reveal(), "matching_id": "BOUND-1", "eid": EID, "state": "Released" }),
    ]);
    world.serve();
    let mut chip = world.chip(eid);
    let phone = world.phone();
    for (matching_id, codes) in [
        ("PLAIN-1", &[][..]),
        ("CODED-1", &["0815", "4711"]),
        ("", &[]),
        ("BOUND-1", &[]),
    ] {
        let outcome = phone.download(&mut chip, matching_id, codes);
        assert!(
            matches!(outcome, Outcome::Installed { .. }),
            "{matching_id}: {outcome:?}"
        );
    }
    for (iccid, package) in &profiles {
        assert_eq!(&chip.profile(iccid).unwrap().package, package);
    }
    // What is installed is over: the same code gives nothing more, to nobody.
    for matching_id in ["PLAIN-1", "CODED-1"] {
        let again = phone.download(&mut chip, matching_id, &[]);
        assert_eq!(refusal(&again), ("8.2.6".to_owned(), "3.8".to_owned()));
    }
    let iccid = profiles[0].0;
    assert_eq!(phone.on_chip(&mut chip, |es10| lpa::enable(es10, &iccid)), 0);
    assert_eq!(phone.on_chip(&mut chip, |es10| lpa::disable(es10, &iccid)), 0);
    assert_eq!(phone.on_chip(&mut chip, |es10| lpa::delete(es10, &iccid)), 0);
    assert!(phone.deliver(&mut chip) >= 3);
    assert_eq!(phone.deliver(&mut chip), 0);
    world.kill();
    // Every row is the one that the ledger vouches for, and no step left the ledger without an entry.
    println!("{}", world.must(&["ledger", "fsck"]));
}

#[test]
fn a_restarted_server_goes_on_with_the_same_chip_and_no_other() {
    let mut world = World::new();
    let (iccid, package) = world.profile(1);
    world.orders(&[released(&iccid, "ONCE-1")]);
    world.serve();
    let (mut chip, mut other) = (world.chip(eid(1)), world.chip(eid(2)));
    let first = world.phone().fetch_only(&mut chip, "ONCE-1");
    assert!(first.codes().0.is_empty() && first.body.len() > package.len());
    world.kill();
    chip.power_cycle();
    world.serve();
    let stolen = world.phone().download(&mut other, "ONCE-1", &[]);
    assert_eq!(refusal(&stolen), ("8.1.1".to_owned(), "3.8".to_owned()));
    let outcome = world.phone().download(&mut chip, "ONCE-1", &[]);
    assert!(matches!(outcome, Outcome::Installed { .. }), "{outcome:?}");
    assert_eq!(chip.profile(&iccid).unwrap().package, package);
}

#[test]
fn orders_say_what_is_wrong_with_them_and_then_write_nothing() {
    let mut world = World::new();
    let (iccid, _) = world.profile(1);
    for (order, word) in [
        (
            json!({ "iccid": "8985501999999999999", "matching_id": "ABCD" }),
            "imported",
        ),
        (json!({ "profile_type": "none", "matching_id": "ABCD" }), "free"),
        (json!({ "iccid": iccid.reveal(), "state": "gone" }), "state"),
    ] {
        let out = world.try_orders(&[released(&iccid, "GOOD-1"), order]);
        assert!(!out.status.success());
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        assert!(said.contains(word), "{said}");
    }
    world.serve();
    let mut chip = world.chip(eid(1));
    let outcome = world.phone().download(&mut chip, "GOOD-1", &[]);
    assert_eq!(refusal(&outcome), ("8.2.6".to_owned(), "3.8".to_owned()));
}
