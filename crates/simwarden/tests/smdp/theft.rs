//! What a thief tries.

use crate::world::{EID, World, codes, eid, refusal, released};
use serde_json::json;
use simwarden_euicc::lpa::{CancelReason, Next, Outcome};

#[test]
fn of_eight_chips_with_one_code_exactly_one_gets_the_profile() {
    let mut world = World::new();
    let (iccid, package) = world.profile(1);
    world.orders(&[released(&iccid, "RACE-1")]);
    world.serve();
    let chips: Vec<_> = (0..8).map(|n| world.chip(eid(n))).collect();
    let phone = world.phone();
    let run = |mut chip| {
        let phone = phone.clone();
        std::thread::spawn(move || {
            let outcome = phone.download(&mut chip, "RACE-1", &[]);
            (chip, outcome)
        })
    };
    let threads: Vec<_> = chips.into_iter().map(run).collect();
    let ended: Vec<_> = threads.into_iter().map(|it| it.join().unwrap()).collect();
    let won = ended
        .iter()
        .filter(|(_, it)| matches!(it, Outcome::Installed { .. }));
    assert_eq!(won.count(), 1);
    for (chip, outcome) in &ended {
        let has = chip.profile(&iccid).is_some_and(|it| it.package == package);
        assert_eq!(has, matches!(outcome, Outcome::Installed { .. }));
        if !has {
            let refused = refusal(outcome);
            let known = [codes("8.1.1", "3.8"), codes("8.2.6", "3.8")];
            assert!(known.contains(&refused), "{refused:?}");
        }
    }
}

#[test]
fn states_and_terms_of_an_order_are_held() {
    let mut world = World::new();
    let orders = [
        (json!({ "eid": EID }), codes("8.1.1", "3.8")),
        (json!({ "state": "confirmed" }), codes("8.2", "1.2")),
        (json!({ "state": "allocated" }), codes("8.2", "1.2")),
        (
            json!({ "expires_at": "2026-01-01T00:00:00Z" }),
            codes("8.8.5", "4.10"),
        ),
        (json!({ "attempts": 1000 }), codes("8.8.5", "6.4")),
        (json!({ "state": "error" }), codes("8.2.6", "3.8")),
        (json!({ "state": "installed" }), codes("8.2.6", "3.8")),
    ];
    let mut lines = Vec::new();
    for (n, (order, _)) in orders.iter().enumerate() {
        let (iccid, _) = world.profile(u32::try_from(n).unwrap());
        let mut line = order.clone();
        line["iccid"] = iccid.reveal().into();
        line["matching_id"] = format!("CASE-{n}").into();
        lines.push(line);
    }
    world.orders(&lines);
    world.serve();
    let phone = world.phone();
    for (n, (order, expected)) in orders.iter().enumerate() {
        let mut chip = world.chip(eid(n));
        let outcome = phone.download(&mut chip, &format!("CASE-{n}"), &[]);
        assert_eq!(&refusal(&outcome), expected, "{order}");
    }
    let unknown = phone.download(&mut world.chip(eid(50)), "NOBODYS", &[]);
    assert_eq!(refusal(&unknown), codes("8.2.6", "3.8"));
    let nothing = phone.download(&mut world.chip(eid(51)), "", &[]);
    assert_eq!(refusal(&nothing), codes("8.1.1", "3.8"));
}

#[test]
fn wrong_codes_count_over_sessions_until_the_order_dies() {
    let mut world = World::new();
    let (iccid, _) = world.profile(1);
    world.orders(&[json!({ "iccid": iccid.reveal(), "matching_id": "CODE-1", "confirmation_code": "4711" })]);
    world.serve();
    let phone = world.phone();
    let mut chip = world.chip(eid(1));
    // Two wrong codes in two sessions, each given up after it.
    for _ in 0..2 {
        let outcome = phone.download(&mut chip, "CODE-1", &["0000"]);
        assert!(
            matches!(outcome, Outcome::Cancelled | Outcome::Refused(_)),
            "{outcome:?}"
        );
    }
    // The third kills the order; the right one comes too late.
    let third = phone.download(&mut chip, "CODE-1", &["0001"]);
    assert_eq!(refusal(&third), codes("8.2.7", "6.4"));
    let late = phone.download(&mut chip, "CODE-1", &["4711"]);
    assert_eq!(refusal(&late), codes("8.2.6", "3.8"));
}

#[test]
fn a_freeze_stops_a_session_that_is_under_way_and_lifting_it_lets_the_order_go_on() {
    let mut world = World::new();
    let (iccid, _) = world.profile(1);
    world.orders(&[released(&iccid, "COLD-1")]);
    world.serve();
    let phone = world.phone();
    let mut chip = world.chip(eid(7));
    let target = format!("eid:{}", eid(7).reveal());
    for freeze in ["all", "operator:456-01", "tac:49015420", &target] {
        world.must(&["profile", "freeze", freeze, "--reason", "reported_stolen"]);
        let outcome = phone.download(&mut chip, "COLD-1", &[]);
        assert_eq!(refusal(&outcome), codes("8.2", "1.2"), "{freeze}");
        world.must(&["profile", "thaw", freeze]);
    }
    world.must(&["profile", "freeze", &format!("eid:{}", eid(8).reveal())]);
    let outcome = phone.download(&mut chip, "COLD-1", &[]);
    assert!(matches!(outcome, Outcome::Installed { .. }), "{outcome:?}");
}

#[test]
fn one_eid_with_two_keys_is_frozen() {
    let mut world = World::new();
    let (first, second) = (world.profile(1).0, world.profile(2).0);
    world.orders(&[released(&first, "TWIN-1"), released(&second, "TWIN-2")]);
    world.serve();
    let phone = world.phone();
    let (mut chip, mut twin) = (world.chip(eid(3)), world.chip(eid(3)));
    assert!(matches!(
        phone.download(&mut chip, "TWIN-1", &[]),
        Outcome::Installed { .. }
    ));
    for chip in [&mut twin, &mut chip] {
        let outcome = phone.download(chip, "TWIN-2", &[]);
        assert_eq!(refusal(&outcome), codes("8.2", "1.2"));
    }
}

#[test]
fn a_replayed_request_is_answered_a_few_times_and_fills_no_ledger() {
    let mut world = World::new();
    let (iccid, package) = world.profile(1);
    world.orders(&[released(&iccid, "REPLAY-9")]);
    world.serve();
    let phone = world.phone();
    let mut chip = world.chip(eid(1));
    let (mut download, request) = phone.until_package(&mut chip, "REPLAY-9");
    let first = phone.call(&request);
    assert!(first.codes().0.is_empty() && first.body.len() > package.len());
    let entries = world.entries();
    let answers: Vec<_> = (0..20).map(|_| phone.call(&request)).collect();
    let sent = answers.iter().filter(|it| it.codes().0.is_empty());
    assert_eq!(sent.count(), 5);
    assert!(answers[5..].iter().all(|it| it.codes() == codes("8.10.1", "3.9")));
    assert_eq!(
        world.entries(),
        entries + 1,
        "the end of the session is the one new step"
    );
    // What the chip says of the package still counts.
    let Next::Ask(result) = phone.hand(&mut chip, &mut download, &first) else {
        panic!("the chip did not take the package");
    };
    assert_eq!(
        (result.function, phone.call(&result).status),
        ("handleNotification", 204)
    );
    let late = phone.download(&mut chip, "REPLAY-9", &[]);
    assert_eq!(refusal(&late), codes("8.2.6", "3.8"));
}

#[test]
fn a_server_that_was_away_leaves_the_order_to_its_chip() {
    let mut world = World::new();
    let (iccid, _) = world.profile(1);
    world.orders(&[json!({ "iccid": iccid.reveal(), "matching_id": "AWAY-1", "eid": eid(1).reveal() })]);
    world.serve();
    let mut chip = world.chip(eid(1));
    let phone = world.phone();
    let (mut download, _) = phone.until_package(&mut chip, "AWAY-1");
    // The call finds nobody, and the client cancels as if the person had declined.
    world.kill();
    world.serve();
    let heard = world
        .phone()
        .give_up(&mut chip, &mut download, CancelReason::EndUserRejection);
    assert_eq!(heard.codes(), codes("", ""));
    let outcome = world.phone().download(&mut chip, "AWAY-1", &[]);
    assert!(matches!(outcome, Outcome::Installed { .. }), "{outcome:?}");
    // A person who declines is taken at their word, and so is a package that was handed out.
    let (second, third) = (world.profile(2).0, world.profile(3).0);
    world.orders(&[released(&second, "AWAY-2"), released(&third, "AWAY-3")]);
    let phone = world.phone();
    let (mut download, _) = phone.until_package(&mut chip, "AWAY-2");
    phone.give_up(&mut chip, &mut download, CancelReason::EndUserRejection);
    assert_eq!(
        refusal(&phone.download(&mut chip, "AWAY-2", &[])),
        codes("8.2.6", "3.8")
    );
    let (mut download, request) = phone.until_package(&mut chip, "AWAY-3");
    assert!(phone.call(&request).codes().0.is_empty());
    phone.give_up(&mut chip, &mut download, CancelReason::LoadError);
    let outcome = phone.download(&mut chip, "AWAY-3", &[]);
    assert!(matches!(outcome, Outcome::Installed { .. }), "{outcome:?}");
}

#[test]
fn a_session_outlives_a_restart_before_its_chip_has_proven_itself() {
    let mut world = World::new();
    let (iccid, _) = world.profile(1);
    world.orders(&[released(&iccid, "EARLY-1")]);
    world.serve();
    let mut chip = world.chip(eid(1));
    let mut calls = Vec::new();
    let phone = world.phone();
    let (mut download, begin) = phone.begin(&mut chip, "EARLY-1");
    let heard = phone.call(&begin);
    let Next::Ask(authenticate) = phone.hand(&mut chip, &mut download, &heard) else {
        panic!("the chip believes the server");
    };
    calls.push(authenticate);
    world.kill();
    world.serve();
    let heard = world.phone().call(&calls[0]);
    assert_eq!(heard.codes(), codes("", ""));
    // And once only.
    assert_eq!(world.phone().call(&calls[0]).codes(), codes("8.10.1", "3.9"));
}

#[test]
fn signs_of_a_second_chip_are_counted() {
    let mut world = World::new();
    let (first, second) = (world.profile(1).0, world.profile(2).0);
    world.orders(&[released(&first, "SIGN-1"), released(&second, "SIGN-2")]);
    world.serve();
    let phone = world.phone();
    let mut chip = world.chip(eid(1));
    // Two sessions of one chip, for two orders, at the same time.
    phone.until_package(&mut chip, "SIGN-1");
    phone.until_package(&mut chip, "SIGN-2");
    world.kill();
    let details = world.details("smdp.authenticated");
    assert_eq!(details.len(), 2);
    assert!(!details[0].contains("sessions_at_once") && details[1].contains("sessions_at_once"));
}

#[test]
fn guessing_codes_is_slowed_for_the_guesser_alone() {
    let mut world = World::new();
    let (iccid, _) = world.profile(1);
    world.orders(&[released(&iccid, "GUESS-0001")]);
    world.serve();
    let phone = world.phone();
    let (mut thief, mut owner) = (world.chip(eid(1)), world.chip(eid(2)));
    for n in 0..101 {
        let outcome = phone.download(&mut thief, &format!("GUESS-9{n:03}"), &[]);
        assert_eq!(refusal(&outcome), codes("8.2.6", "3.8"));
    }
    let entries = world.entries();
    let found = phone.download(&mut thief, "GUESS-0001", &[]);
    assert_eq!(refusal(&found), codes("8.2.6", "3.8"));
    assert_eq!(world.entries(), entries);
    let outcome = phone.download(&mut owner, "GUESS-0001", &[]);
    assert!(matches!(outcome, Outcome::Installed { .. }), "{outcome:?}");
}

#[test]
fn a_freeze_of_a_maker_stops_its_chips_in_the_middle_of_their_sessions() {
    let mut world = World::new();
    let (iccid, _) = world.profile(1);
    world.orders(&[released(&iccid, "MAKER-1")]);
    world.serve();
    let phone = world.phone();
    let mut chip = world.chip(eid(1));
    let (mut download, request) = phone.until_package(&mut chip, "MAKER-1");
    let maker = world.pki.eum.certificate.key_id().unwrap();
    let freeze = format!("eum:{}", simwarden_euicc::hex::encode(&maker).to_lowercase());
    world.must(&["profile", "freeze", &freeze]);
    assert_eq!(phone.call(&request).codes(), codes("8.2", "1.2"));
    let entries = world.entries();
    assert_eq!(phone.call(&request).codes(), codes("8.2", "1.2"));
    assert_eq!(world.entries(), entries, "the same refusal again is no new step");
    world.must(&["profile", "thaw", &freeze]);
    let heard = phone.call(&request);
    assert!(matches!(
        phone.hand(&mut chip, &mut download, &heard),
        Next::Ask(_)
    ));
    assert!(chip.profile(&iccid).is_some());
}
