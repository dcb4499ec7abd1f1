//! The disk fails to sync once, at one moment or another. From then on that process acknowledges nothing.

use crate::skip;
use crate::writer::{How, Said, Writer, recover};
use tempfile::TempDir;

/// Which sync of the process fails: while the schema is made, at a commit, and around the 205th commit, where the log
/// is copied back into the database file.
const SYNCS: [u32; 11] = [1, 2, 3, 4, 20, 206, 207, 208, 209, 210, 211];

#[test]
fn after_a_failed_sync_nothing_is_acknowledged() {
    if let Err(why) = crate::disk::run("strace", &["-o", "/dev/null", "true"]) {
        return skip("failing syncs", &why);
    }
    for when in SYNCS {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("house.db");
        let inject = format!("inject=fdatasync,fsync:error=EIO:when={when}");
        let strace = [
            "strace",
            "-f",
            "-qq",
            "-o",
            "/dev/null",
            "-e",
            "trace=fsync,fdatasync",
            "-e",
            &inject,
        ];
        let mut writer = Writer::start_under(&strace, How::Store, &file);
        let (mut broken, mut commits) = (0, 0);
        while let Some(said) = writer.listen() {
            match said {
                Said::Ack(end) => {
                    assert_eq!(
                        broken, 0,
                        "sync {when} failed, yet {end} was acknowledged after it"
                    );
                    commits += 1;
                    assert!(commits < 1_000, "sync {when} never failed");
                }
                Said::Failed(what) => {
                    assert!(what.starts_with("broken "), "sync {when}: {what}");
                    broken += 1;
                }
                Said::Unreadable(what) => panic!("sync {when}: reading stopped too: {what}"),
                Said::Ready | Said::Read => {}
            }
        }
        assert!(broken > 0, "sync {when} failed and nobody said so");
        let acked = writer.kill();
        let found = recover(&file).unwrap();
        println!(
            "sync {when} failed: {commits} commits acknowledged before, {broken} refused after, {found} entries found"
        );
        assert!(
            found >= acked,
            "sync {when}: {acked} were acknowledged, {found} are there"
        );
    }
}
