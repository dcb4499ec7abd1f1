//! A process that commits numbered rows for ever and says which are acknowledged; and its owner, who watches it.
//!
//! The process is this test program itself, started again with `SIMWARDEN_WRITER=HOW:FILE`.

use rusqlite::Connection;
use simwarden_model::Timestamp;
use simwarden_store::records::entry::Entry;
use simwarden_store::{Store, StoreError};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// Entries per commit: enough that the log is copied back now and then while a test runs.
const BATCH: i64 = 20;
/// After the first failure: as many commits are tried again, none of which may be acknowledged after a broken sync.
const TRIES: u32 = 40;

/// How the process writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// Through the store, as the program does.
    Store,
    /// Not through the store: with SQLite told to sync less. The control, which must lose something.
    Normal,
    Off,
}

fn entry(index: i64) -> Entry {
    Entry {
        index,
        at: Timestamp::from_micros(index),
        kind: "numbered".into(),
        leaf: [index.to_be_bytes()[7]; 32],
        body: index.to_be_bytes().repeat(40),
    }
}

pub fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

/// The other process begins here; in the test run itself there is nothing to do.
#[test]
fn writer_process() {
    let Ok(task) = std::env::var("SIMWARDEN_WRITER") else {
        return;
    };
    let (how, file) = task.split_once(':').unwrap();
    block_on(async {
        match how {
            "Store" => write_through_store(file).await,
            "Normal" => write_without_store(file, "NORMAL").await,
            _ => write_without_store(file, "OFF").await,
        }
    });
    std::process::exit(0);
}

fn tell(line: &str) {
    let mut out = std::io::stdout().lock();
    // When nobody listens any more, the process that started this one is gone.
    if writeln!(out, "\n{line}").and_then(|()| out.flush()).is_err() {
        std::process::exit(1);
    }
}

fn name(error: &StoreError) -> &'static str {
    match error {
        StoreError::Full => "full",
        StoreError::Broken(_) => "broken",
        StoreError::Unavailable(_) => "unavailable",
        StoreError::Unknown(_) => "unknown",
        _ => "other",
    }
}

async fn commit_one(store: &Store) -> Result<i64, StoreError> {
    let mut tx = store.begin().await?;
    let (end, _) = tx.ledger_end().await?;
    tx.insert_entries((end..end + BATCH).map(entry).collect()).await?;
    tx.commit().await?;
    Ok(end + BATCH)
}

async fn write_through_store(file: &str) {
    let store = match Store::open(&format!("sqlite:{file}")).await {
        Ok(store) => store,
        Err(error) => {
            tell(&format!("failed {} open: {error}", name(&error)));
            return;
        }
    };
    tell("ready");
    let mut broken = 0;
    loop {
        match commit_one(&store).await {
            Ok(end) => tell(&format!("ack {end}")),
            Err(error) => {
                tell(&format!("failed {} {error}", name(&error)));
                // Reading goes on whatever becomes of writing.
                match store.entries(0, 100).await {
                    Ok(_) => tell("read"),
                    Err(error) => tell(&format!("unreadable {error}")),
                }
                broken += u32::from(matches!(error, StoreError::Broken(_)));
                if broken > TRIES {
                    return;
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }
}

async fn write_without_store(file: &str, synchronous: &str) {
    // The schema comes from the store, which then lets go.
    Store::open(&format!("sqlite:{file}"))
        .await
        .unwrap()
        .close()
        .await;
    let mut connection = Connection::open(file).unwrap();
    connection
        .pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))
        .unwrap();
    connection
        .pragma_update(None, "synchronous", synchronous)
        .unwrap();
    tell("ready");
    let mut end: i64 = connection
        .query_row("SELECT COUNT(*) FROM ledger_entry", [], |row| row.get(0))
        .unwrap();
    loop {
        let tx = connection.transaction().unwrap();
        for index in end..end + BATCH {
            let entry = entry(index);
            tx.execute(
                "INSERT INTO ledger_entry (idx, at, kind, leaf, body) VALUES (?1, ?2, ?3, ?4, ?5)",
                (
                    entry.index,
                    entry.at.as_micros(),
                    entry.kind,
                    entry.leaf.to_vec(),
                    entry.body,
                ),
            )
            .unwrap();
        }
        tx.commit().unwrap();
        end += BATCH;
        tell(&format!("ack {end}"));
    }
}

/// What the process said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    Ready,
    /// So many entries are acknowledged.
    Ack(i64),
    /// A commit, or the opening, was refused so.
    Failed(String),
    Read,
    Unreadable(String),
}

/// The process, seen from outside. Killed when dropped.
pub struct Writer {
    child: Child,
    said: Receiver<Said>,
    /// The entries acknowledged so far, as far as was listened.
    pub acked: i64,
}

impl Writer {
    pub fn start(how: How, file: &Path) -> Self {
        Self::start_under(&[], how, file)
    }

    /// Starts it behind another program, such as `strace -D`, which leaves the process ours to kill.
    pub fn start_under(program: &[&str], how: How, file: &Path) -> Self {
        let exe = std::env::current_exe().unwrap();
        let mut command = match program {
            [] => Command::new(&exe),
            [first, rest @ ..] => {
                let mut command = Command::new(first);
                command.args(rest).arg(&exe);
                command
            }
        };
        let mut child = command
            .args([
                "--exact",
                "writer::writer_process",
                "--nocapture",
                "--test-threads=1",
            ])
            .env("SIMWARDEN_WRITER", format!("{how:?}:{}", file.display()))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (sender, said) = channel();
        let lines = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in lines.lines() {
                let Ok(line) = line else { break };
                let said = match line.split_once(' ').unwrap_or((&line, "")) {
                    ("ready", "") => Said::Ready,
                    ("ack", end) => match end.parse() {
                        Ok(end) => Said::Ack(end),
                        // Torn by the kill: the line was not finished, so it was not said.
                        Err(_) => continue,
                    },
                    ("failed", what) => Said::Failed(what.to_owned()),
                    ("read", "") => Said::Read,
                    ("unreadable", what) => Said::Unreadable(what.to_owned()),
                    _ => continue,
                };
                if sender.send(said).is_err() {
                    break;
                }
            }
        });
        Self {
            child,
            said,
            acked: 0,
        }
    }

    /// The next thing it says; none when it has ended. Fails after a minute of silence.
    pub fn listen(&mut self) -> Option<Said> {
        match self.said.recv_timeout(Duration::from_secs(60)) {
            Ok(said) => {
                if let Said::Ack(end) = said {
                    self.acked = end;
                }
                Some(said)
            }
            Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => None,
            Err(std::sync::mpsc::RecvTimeoutError::Timeout) => panic!("the writer says nothing any more"),
        }
    }

    /// Listens until so many more commits are acknowledged.
    pub fn wait_for(&mut self, commits: u64) {
        let mut seen = 0;
        while seen < commits {
            match self.listen() {
                Some(Said::Ack(_)) => seen += 1,
                Some(Said::Ready) => {}
                other => panic!("the writer stopped: {other:?}"),
            }
        }
    }

    /// Takes in what it has said until now, without waiting.
    pub fn catch_up(&mut self) -> i64 {
        while let Ok(said) = self.said.try_recv() {
            match said {
                Said::Ack(end) => self.acked = end,
                Said::Ready => {}
                other => panic!("{other:?}"),
            }
        }
        self.acked
    }

    /// Kills it and takes in everything that it had said before.
    pub fn kill(&mut self) -> i64 {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        while self.listen().is_some() {}
        self.acked
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Opens what is left and reads all of it: an unbroken row of entries, each as it was written. Answers how many.
pub fn recover(file: &Path) -> Result<i64, StoreError> {
    block_on(async {
        let store = Store::open(&format!("sqlite:{}", file.display())).await?;
        let (end, _) = store.ledger_end().await?;
        let mut next = 0;
        while next < end {
            for found in store.entries(next, 4_096).await? {
                assert_eq!(found, entry(next), "a gap or a change at {next} of {end}");
                next += 1;
            }
        }
        assert_eq!(end % BATCH, 0, "a commit is there whole or not at all");
        store.close().await;
        Ok(end)
    })
}
