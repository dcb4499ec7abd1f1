//! The power goes at any moment. A kill does not test this: what a killed process wrote is still in the kernel's
//! memory. So that the test is known to be able to fail, the same is done to writers that sync less.

use crate::disk::CuttableDisk;
use crate::writer::{How, Writer, recover};
use crate::{Dice, number, skip};

/// Cuts the power `cuts` times under one writer; answers how many commits' entries were acknowledged and missing, all
/// together, and how many cuts lost something.
fn cut_under(disk: &CuttableDisk, how: How, cuts: u64, dice: &mut Dice) -> (i64, u64) {
    let file = format!("{how:?}.db");
    let mut writer = Writer::start(how, &disk.disk.at.join(&file));
    let (mut lost, mut losing) = (0, 0);
    for n in 0..cuts {
        writer.wait_for(5 + dice.roll(60));
        let acked = writer.catch_up();
        let after = disk.cut().unwrap();
        let found = match recover(&after.at.join(&file)) {
            Ok(found) => found,
            // The control may lose so much that nothing opens; the store may not.
            Err(error) => {
                assert_ne!(
                    how,
                    How::Store,
                    "after cut {n} the database does not open: {error}"
                );
                0
            }
        };
        if found < acked {
            lost += acked - found;
            losing += 1;
        }
    }
    let acked = writer.kill();
    println!("{how:?}: {cuts} power cuts, {acked} entries acknowledged, {lost} lost in {losing} of the cuts");
    (lost, losing)
}

#[test]
fn nothing_acknowledged_is_lost_by_power_cuts() {
    let disk = match CuttableDisk::new() {
        Ok(disk) => disk,
        Err(why) => {
            return skip(
                "power cuts",
                &format!("no disk of our own can be mounted ({why})"),
            );
        }
    };
    let mut dice = Dice::new("power cuts");
    let cuts = number("SIMWARDEN_POWER_CUTS", 8);
    let (lost, _) = cut_under(&disk, How::Store, cuts, &mut dice);
    assert_eq!(lost, 0, "acknowledged entries are missing after a power cut");
    // The control: were these to lose nothing, the cuts above would prove nothing.
    for how in [How::Normal, How::Off] {
        let (lost, _) = cut_under(&disk, how, 5, &mut dice);
        assert!(lost > 0, "{how:?} lost nothing: this machine's cuts are no cuts");
    }
}
