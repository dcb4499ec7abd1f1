//! The disk fills up, and later there is space again.

use crate::disk::{Mount, format};
use crate::skip;
use crate::writer::{How, Said, Writer, recover};
use tempfile::TempDir;

#[test]
fn a_full_disk_refuses_writes_and_nothing_else() {
    let folder = TempDir::new().unwrap();
    let image = folder.path().join("small.img");
    let disk = format(&image, 32 << 20, &["mkfs.ext4", "-q", "-F", "-m", "0"])
        .and_then(|()| Mount::new(&image, &folder.path().join("small")));
    let disk = match disk {
        Ok(disk) => disk,
        Err(why) => return skip("a full disk", &why),
    };
    let ballast = disk.at.join("ballast");
    std::fs::write(&ballast, vec![0xa5; 12 << 20]).unwrap();
    let file = disk.at.join("house.db");
    let mut writer = Writer::start(How::Store, &file);
    let (mut refused, mut read, mut resumed) = (0, 0, 0);
    // It fills up three times; each time something is taken away.
    for left in [8_u64, 4, 0] {
        let mut full = 0;
        while full < 10 {
            match writer.listen().expect("the writer goes on") {
                Said::Failed(what) => {
                    assert!(what.starts_with("full "), "{what}");
                    full += 1;
                }
                Said::Read => read += 1,
                Said::Unreadable(what) => panic!("reading stopped too: {what}"),
                Said::Ack(_) | Said::Ready => {}
            }
        }
        refused += full;
        if left == 0 {
            std::fs::remove_file(&ballast).unwrap();
        } else {
            let file = std::fs::File::options().write(true).open(&ballast).unwrap();
            file.set_len(left << 20).unwrap();
        }
        let before = writer.acked;
        while writer.acked < before + 200 {
            match writer.listen().expect("the writer goes on") {
                // Said while the space was being made.
                Said::Failed(what) => assert!(what.starts_with("full "), "{what}"),
                Said::Unreadable(what) => panic!("{what}"),
                Said::Ack(_) | Said::Ready | Said::Read => {}
            }
        }
        resumed += 1;
    }
    let acked = writer.kill();
    let found = recover(&file).unwrap();
    println!(
        "full disk: {refused} commits refused, {read} reads went on, writing resumed {resumed} times, {acked} acknowledged, {found} found"
    );
    assert!(found >= acked && read > 0);
}
