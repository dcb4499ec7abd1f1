//! Properties against theft: one order, one chip; tries counted; nothing tampered with passes.

use crate::kit::{Chip, EID, MATCHING_ID, OTHER_EID, Seed, World, now, order, prepared};
use crate::story::Story;
use proptest::prelude::*;
use simwarden_model::{Eid, ProfileState};
use simwarden_rsp::authenticate::{self, ClaimFacts, NotGranted};
use simwarden_rsp::bound_package;
use simwarden_rsp::chain::Screen;
use simwarden_rsp::initiate::initiate;
use simwarden_rsp::{ConfirmationDigest, Gate, Refusal};
use std::collections::HashSet;
use std::sync::LazyLock;

static WORLD: LazyLock<World> = LazyLock::new(World::new);

/// Eight phones with one stolen code: all prove themselves, all build, one gets the profile.
#[test]
fn eight_phones_race_for_one_code() {
    let world = &*WORLD;
    let mut order = order(None);
    let prepared = prepared();
    let mut entropy = Seed::new(3);
    let mut waiting = Vec::new();
    for phone in 0..8_u8 {
        let chip = world.chip(
            &format!("890490321234512345123456789012{phone:02}"),
            u64::from(phone) + 20,
        );
        let (begun, mut session) =
            initiate(&world.server, &world.initiate_request(), now(), &mut entropy).unwrap();
        let message = chip.authenticate(&begun, Some(MATCHING_ID));
        let verified =
            authenticate::verify(&world.server, &session, &message, now(), &Screen::default()).unwrap();
        let draft = authenticate::draft(&world.server, &session, Some(&order), &verified, now());
        let facts = ClaimFacts {
            gate: &Gate::Open,
            profiles_on_chip: None,
            now: now(),
        };
        let shown = authenticate::claim(&mut session, Some(&mut order), &verified, draft, facts).unwrap();
        let message = chip.prepare(begun.transaction.as_bytes(), &shown.answer.smdp_signature2, None);
        let verified = bound_package::verify(&session, &message, now()).unwrap();
        let built = bound_package::build(
            &world.server,
            &session,
            &order,
            &verified,
            &prepared,
            now(),
            &mut entropy,
        );
        waiting.push((chip, session, verified, built));
    }
    let mut served = Vec::new();
    for (chip, mut session, verified, built) in waiting {
        match bound_package::claim(&mut session, &mut order, &verified, built, &Gate::Open, now()) {
            Ok(_) => served.push(chip.eid),
            Err(NotGranted::Denied(denied)) => assert_eq!(denied.refusal, Refusal::OtherEid),
            Err(NotGranted::Stale) => panic!("another chip is refused, not asked again"),
        }
    }
    assert_eq!(served.len(), 1);
    assert_eq!(order.eid, Some(served[0]));
}

/// Two requests of one chip with different keys: the slower one is stale and changes nothing.
#[test]
fn a_package_built_on_an_old_state_is_not_sent() {
    let world = &*WORLD;
    let chip = world.chip(EID, 1);
    let mut story = Story::new(world, order(None));
    let begun = story.initiate(world);
    let id = begun.transaction;
    let shown = story
        .authenticate(id, &chip.authenticate(&begun, Some(MATCHING_ID)))
        .unwrap();
    let (mut session, mut order) = (story.sessions[&id].clone(), story.order().clone());
    let mut entropy = Seed::new(5);
    let mut ask = |scalar: [u8; 32]| {
        let point = *simwarden_rsp::key::OneTimeKey::from_scalar(&scalar)
            .unwrap()
            .public();
        let message = chip.prepare_with(id.as_bytes(), &shown.smdp_signature2, &point, None);
        let verified = bound_package::verify(&session, &message, now()).unwrap();
        let built = bound_package::build(
            &world.server,
            &session,
            &order,
            &verified,
            &prepared(),
            now(),
            &mut entropy,
        );
        (verified, built)
    };
    let (first, second) = (ask([5; 32]), ask([6; 32]));
    bound_package::claim(&mut session, &mut order, &first.0, first.1, &Gate::Open, now()).unwrap();
    let before = order.clone();
    let late = bound_package::claim(&mut session, &mut order, &second.0, second.1, &Gate::Open, now());
    assert_eq!(late, Err(NotGranted::Stale));
    assert_eq!(order, before);
}

#[derive(Debug, Clone)]
enum Act {
    Begin(usize),
    Authenticate(usize),
    Get(usize, Option<&'static str>),
    Cancel(usize, u8),
    Install(usize, Option<u32>),
    Freeze(bool),
}

fn act() -> impl Strategy<Value = Act> {
    let code = prop::sample::select(vec![None, Some("0000"), Some("1234"), Some("1234")]);
    prop_oneof![
        3 => (0..3_usize).prop_map(Act::Begin),
        4 => (0..3_usize).prop_map(Act::Authenticate),
        4 => (0..3_usize, code).prop_map(|(chip, code)| Act::Get(chip, code)),
        1 => (0..3_usize, prop::sample::select(vec![0, 1, 2, 5, 127])).prop_map(|(chip, why)| Act::Cancel(chip, why)),
        1 => (0..3_usize, prop::option::of(prop::sample::select(vec![9, 10, 11]))).prop_map(|(chip, error)| Act::Install(chip, error)),
        1 => any::<bool>().prop_map(Act::Freeze),
    ]
}

fn chips() -> [Chip; 3] {
    [
        WORLD.chip(EID, 1),
        WORLD.chip(OTHER_EID, 2),
        WORLD.chip("89049032000000000000000000000041", 3),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn no_order_reaches_two_chips_and_wrong_codes_are_few(acts in prop::collection::vec(act(), 0..60), coded in any::<bool>(), named in any::<bool>()) {
        let chips = chips();
        let mut wanted = order(named.then_some(chips[0].eid));
        wanted.confirmation = coded.then(|| ConfirmationDigest::of("1234"));
        let mut story = Story::new(&WORLD, wanted);
        let mut open: [Option<(simwarden_rsp::initiate::InitiateAnswer, Vec<u8>)>; 3] = [None, None, None];
        let mut served: HashSet<Eid> = HashSet::new();
        let mut wrong = 0;
        for act in acts {
            match act {
                Act::Begin(at) => open[at] = Some((story.initiate(&WORLD), Vec::new())),
                Act::Authenticate(at) => {
                    let Some((begun, signature)) = &mut open[at] else { continue };
                    let message = chips[at].authenticate(begun, Some(MATCHING_ID));
                    if let Ok(shown) = story.authenticate(begun.transaction, &message) {
                        *signature = shown.smdp_signature2;
                    }
                }
                Act::Get(at, code) => {
                    let Some((begun, signature)) = &open[at] else { continue };
                    let message = chips[at].prepare(begun.transaction.as_bytes(), signature, code);
                    let frozen = story.gate != Gate::Open;
                    match story.get_package(begun.transaction, &message) {
                        Ok(_) => {
                            prop_assert!(!frozen, "released while frozen");
                            prop_assert!(!coded || code == Some("1234"), "released without the code");
                            served.insert(chips[at].eid);
                        }
                        Err(Refusal::CodeWrong | Refusal::CodeExhausted) => wrong += 1,
                        Err(_) => {}
                    }
                }
                Act::Cancel(at, why) => {
                    let Some((begun, _)) = &open[at] else { continue };
                    let message = chips[at].cancel(begun.transaction.as_bytes(), crate::kit::OID, why);
                    let _ = story.cancel(begun.transaction, &message);
                }
                Act::Install(at, error) => {
                    let Some((begun, _)) = &open[at] else { continue };
                    let iccid = story.order().iccid;
                    let message = chips[at].install_result(begun.transaction.as_bytes(), &iccid, 0, error);
                    let before = story.order().state;
                    let _ = story.install(&message, None, false);
                    let after = story.order().state;
                    prop_assert!(after != ProfileState::Installed || served.contains(&chips[at].eid) || before == after);
                }
                Act::Freeze(on) => story.gate = if on {
                    Gate::closed(simwarden_model::ReasonCode::from_static("frozen"))
                } else {
                    Gate::Open
                },
            }
            prop_assert!(served.len() <= 1, "two chips got one order");
            prop_assert!(served.iter().all(|eid| story.order().eid == Some(*eid)));
            prop_assert!(!named || served.iter().all(|eid| *eid == chips[0].eid));
            prop_assert!(wrong <= u32::from(story.order().limits.code_tries_max));
            let _ = story.draw();
        }
    }

    /// Any bit flipped or any byte cut off anywhere in what a chip sends is refused, and the order stays as it was.
    #[test]
    fn nothing_tampered_with_passes(at in any::<prop::sample::Index>(), bit in 0..8_u8, cut in any::<bool>(), second in any::<bool>()) {
        let chip = WORLD.chip(EID, 1);
        let mut story = Story::new(&WORLD, order(None));
        let begun = story.initiate(&WORLD);
        let id = begun.transaction;
        let mut message = chip.authenticate(&begun, Some(MATCHING_ID));
        if second {
            let shown = story.authenticate(id, &message).unwrap();
            message = chip.prepare(id.as_bytes(), &shown.smdp_signature2, None);
        }
        let at = at.index(message.len());
        if cut { message.truncate(at) } else { message[at] ^= 1 << bit }
        let outcome = if second { story.get_package(id, &message).err() } else { story.authenticate(id, &message).err() };
        prop_assert!(outcome.is_some(), "byte {at} bit {bit}");
        prop_assert_eq!((story.order().state, story.order().eid), (ProfileState::Released, None));
        // The true message still goes through.
        if !second {
            prop_assert!(story.authenticate(id, &chip.authenticate(&begun, Some(MATCHING_ID))).is_ok());
        }
    }
}
