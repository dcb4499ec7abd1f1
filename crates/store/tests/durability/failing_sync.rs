//! The disk fails to sync once, at one moment or another. From then on that process acknowledges nothing.

use crate::disk::{run, text};
use crate::skip;
use crate::writer::{How, Said, Writer, recover};
use std::path::Path;
use tempfile::TempDir;

/// Which sync of the process fails: while the schema is made, at a commit, and around the 205th commit, where the log
/// is copied back into the database file.
const SYNCS: [u32; 13] = [1, 2, 3, 4, 5, 6, 7, 8, 30, 216, 217, 218, 219];
/// So many commits and no failure: then it was a sync that SQLite keeps to itself.
const COMMITS_MAX: u32 = 400;

/// The path whose sync was made to fail.
fn failed_sync_of(trace: &Path) -> String {
    let trace = std::fs::read_to_string(trace).unwrap();
    let line = trace
        .lines()
        .find(|line| line.contains("(INJECTED)"))
        .expect("one sync was made to fail");
    let (_, path) = line.split_once('<').expect("strace names the file");
    path.split_once('>').unwrap().0.to_owned()
}

/// What became of a writer: commits acknowledged before the first refusal, and commits refused.
fn watch(writer: &mut Writer, when: u32) -> (u32, u32) {
    let (mut commits, mut refused) = (0, 0);
    while let Some(said) = writer.listen() {
        match said {
            Said::Ack(end) => {
                assert_eq!(
                    refused, 0,
                    "sync {when} failed, yet {end} was acknowledged after it"
                );
                commits += 1;
                if commits == COMMITS_MAX {
                    break;
                }
            }
            Said::Failed(what) => {
                assert!(what.starts_with("broken "), "sync {when}: {what}");
                refused += 1;
            }
            Said::Unreadable(what) => panic!("sync {when}: reading stopped too: {what}"),
            Said::Ready | Said::Read => {}
        }
    }
    (commits, refused)
}

#[test]
fn after_a_failed_sync_nothing_is_acknowledged() {
    if let Err(why) = run("strace", &["-o", "/dev/null", "true"]) {
        return skip("failing syncs", &why);
    }
    let mut copying_back = 0;
    for when in SYNCS {
        let folder = TempDir::new().unwrap();
        let (file, trace) = (folder.path().join("house.db"), folder.path().join("trace"));
        let inject = format!("inject=fdatasync,fsync:error=EIO:when={when}");
        let trace_these = "trace=fsync,fdatasync";
        let strace = [
            "strace",
            "-D",
            "-f",
            "-y",
            "-qq",
            "-o",
            text(&trace),
            "-e",
            trace_these,
            "-e",
            &inject,
        ];
        let mut writer = Writer::start_under(&strace, How::Store, &file);
        let (commits, refused) = watch(&mut writer, when);
        let acked = writer.kill();
        let of = failed_sync_of(&trace);
        let found = recover(&file).unwrap();
        println!(
            "sync {when} failed, of {of}: {commits} commits acknowledged before, {refused} refused after"
        );
        assert!(
            found >= acked,
            "sync {when}: {acked} were acknowledged, {found} are there"
        );
        if refused == 0 {
            // SQLite tells nobody that it could not sync the folder which names a new file; the store has synced the
            // folder itself before it acknowledged anything.
            assert_eq!(
                Path::new(&of),
                folder.path(),
                "sync {when} failed and nobody said so"
            );
        }
        copying_back += u32::from(commits > 100 && of.ends_with("house.db"));
    }
    assert!(
        copying_back > 0,
        "no sync failed while the log was copied back: move SYNCS"
    );
}
