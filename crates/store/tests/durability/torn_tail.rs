//! The log is torn or changed anywhere: what was copied back before is there, what follows is whole or absent.

use crate::Dice;
use crate::writer::{How, Writer, recover};
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// Copies the database, with this as its log.
fn copy_with_log(file: &Path, log: &[u8], to: &Path) {
    fs::copy(file, to).unwrap();
    fs::write(to.with_extension("db-wal"), log).unwrap();
}

#[test]
fn a_torn_log_opens_with_a_prefix_of_what_was_written() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("house.db");
    // Past the first copying back, so that some of it is in the database file and some in the log.
    let mut writer = Writer::start(How::Store, &file);
    writer.wait_for(260);
    let acked = writer.kill();
    let log = fs::read(file.with_extension("db-wal")).unwrap();
    let trial = |log: &[u8]| {
        let folder = TempDir::new().unwrap();
        let to = folder.path().join("house.db");
        copy_with_log(&file, log, &to);
        recover(&to).unwrap()
    };
    let (least, most) = (trial(&[]), trial(&log));
    assert!(
        most >= acked && least > 0 && least < most,
        "{least} {acked} {most}"
    );
    let mut dice = Dice::new("torn tail");
    let mut torn = 0;
    for _ in 0..40 {
        let offset = usize::try_from(dice.roll(log.len() as u64)).unwrap();
        let mut cut = log.clone();
        match dice.roll(3) {
            0 => cut.truncate(offset),
            1 => cut[offset] ^= 1 << dice.roll(8),
            _ => {
                let end = (offset + 4_096).min(cut.len());
                cut[offset..end].fill(dice.roll(256) as u8);
            }
        }
        let found = trial(&cut);
        assert!(
            (least..=most).contains(&found),
            "at {offset}: {found} is not between {least} and {most}"
        );
        torn += u32::from(found < most);
    }
    println!(
        "torn tail: {torn} of 40 lost part of the log of {} bytes, none lost what was copied back",
        log.len()
    );
    assert!(torn > 0);
}
