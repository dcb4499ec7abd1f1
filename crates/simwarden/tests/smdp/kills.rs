//! Kills amid downloads: no order goes to two chips, none is lost, each can be gone on with.

use crate::world::{Phone, World, codes, eid, refusal, released};
use simwarden_euicc::Euicc;
use simwarden_euicc::lpa::Outcome;
use simwarden_model::Iccid;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How often the server is killed; `SIMWARDEN_SMDP_KILLS` says otherwise.
fn kills() -> u32 {
    let asked = std::env::var("SIMWARDEN_SMDP_KILLS").ok();
    asked.and_then(|text| text.parse().ok()).unwrap_or(5)
}

/// Codes under way at the same time; two phones try each.
const CODES: usize = 4;

/// One code and the two phones that want its profile.
struct Race {
    code: String,
    iccid: Iccid,
    chips: Vec<Euicc>,
}

/// A phone tries until it has the profile, another has it, or the server is gone.
fn try_on(phone: &Phone, chip: &mut Euicc, code: &str, iccid: &Iccid, gone: &AtomicBool) {
    while !gone.load(Ordering::Relaxed) && chip.profile(iccid).is_none() {
        match phone.try_download(chip, code) {
            Some(Outcome::Installed { .. }) => return,
            Some(other) => {
                // Bound to the other phone, or on it already.
                let known = [codes("8.1.1", "3.8"), codes("8.2.6", "3.8")];
                assert!(known.contains(&refusal(&other)), "{code}: {other:?}");
                return;
            }
            None => chip.power_cycle(),
        }
    }
}

/// All phones of all races at once.
fn run(phone: &Phone, races: &mut [Race], gone: &AtomicBool, meanwhile: impl FnOnce()) {
    std::thread::scope(|scope| {
        for race in races {
            let (code, iccid) = (&race.code, &race.iccid);
            for chip in &mut race.chips {
                scope.spawn(move || try_on(phone, chip, code, iccid, gone));
            }
        }
        meanwhile();
        gone.store(true, Ordering::Relaxed);
    });
}

fn winners(race: &Race) -> usize {
    race.chips
        .iter()
        .filter(|chip| chip.profile(&race.iccid).is_some())
        .count()
}

#[test]
fn kills_amid_downloads_lose_no_order_and_double_none() {
    let mut world = World::new();
    let (mut open, mut over): (Vec<Race>, Vec<Race>) = (Vec::new(), Vec::new());
    let (mut made, mut chips) = (0, 0);
    for round in 0..kills() {
        let mut orders = Vec::new();
        while open.len() < CODES {
            made += 1;
            let iccid = world.profile(made).0;
            let code = format!("KILL-{made:04}");
            orders.push(released(&iccid, &code));
            let pair = (0..2).map(|_| {
                chips += 1;
                world.chip(eid(chips))
            });
            let chips = pair.collect();
            open.push(Race { code, iccid, chips });
        }
        world.orders(&orders);
        world.serve();
        let (phone, gone) = (world.phone(), AtomicBool::new(false));
        run(&phone, &mut open, &gone, || {
            // Another moment of the downloads in every round.
            std::thread::sleep(Duration::from_millis(20 + u64::from(round * 37 % 160)));
            world.kill();
        });
        for race in &mut open {
            race.chips.iter_mut().for_each(Euicc::power_cycle);
        }
        let (done, left) = open.into_iter().partition(|race| winners(race) > 0);
        over.extend::<Vec<Race>>(done);
        open = left;
    }
    // What was interrupted goes on.
    world.serve();
    let phone = world.phone();
    for race in &mut open {
        for chip in &mut race.chips {
            try_on(&phone, chip, &race.code, &race.iccid, &AtomicBool::new(false));
        }
    }
    over.append(&mut open);
    for race in &mut over {
        assert_eq!(winners(race), 1, "{}", race.code);
        for chip in &mut race.chips {
            phone.deliver(chip);
        }
    }
    world.kill();
    assert_eq!(world.orders_in("installed"), i64::from(made));
    println!("{made} profiles: {}", world.must(&["ledger", "fsck"]));
}
