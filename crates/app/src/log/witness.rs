//! The witness program without its HTTP: decides, makes durable, and only then answers.
//!
//! One folder, one file per log, in the layout that monitors read (`<hex sha256(origin)>/checkpoint`). The file is the
//! cosigned note itself, so a record that was tampered with does not start. A witness that lost its folder has lost its
//! memory: it must not go on under the same key.

use super::LogError;
use super::files::{read_bounded, replace, sync_folders};
use simwarden_ledger::{
    AddCheckpoint, KnownLog, Latest, MAX_NOTE_BYTES, NoteSigner, Refusal, VerifierKey, Witness as Rules,
    monitoring_path,
};
use simwarden_model::Timestamp;
use std::collections::{BTreeSet, HashMap};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// An answer to a request, for any HTTP server to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The `Content-Type`.
    pub content_type: &'static str,
    /// The body.
    pub body: String,
}

impl Answer {
    fn text(status: u16, body: impl Into<String>) -> Self {
        Self {
            status,
            content_type: "text/plain; charset=utf-8",
            body: body.into(),
        }
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        Self {
            status: refusal.status(),
            content_type: refusal.content_type(),
            body: refusal.body(),
        }
    }
}

/// What is remembered of one log.
#[derive(Debug)]
enum Memory {
    /// The latest checkpoint that was cosigned.
    Holds(Option<Box<Latest>>),
    /// It could not be made durable: what the disk holds is unknown until the next start.
    Lost,
}

/// A witness with its memory.
#[derive(Debug)]
pub struct Witness {
    rules: Rules,
    folder: PathBuf,
    /// By origin. The lock of one is held from the look-up until the answer is durable.
    memory: HashMap<String, Mutex<Memory>>,
    _only: File,
}

impl Witness {
    /// Opens a witness's folder (made if it is not there) and reads back what it cosigned.
    ///
    /// # Errors
    /// When another witness runs on the folder, a record in it is damaged or signed by another key, or the key is not
    /// a cosignature key.
    pub fn open(folder: &Path, key: NoteSigner, logs: Vec<KnownLog>) -> Result<Self, LogError> {
        let origins: Vec<String> = logs.iter().map(|log| log.origin.clone()).collect();
        let rules = Rules::new(key, logs)?;
        fs::create_dir_all(folder).map_err(|e| LogError::file("make the folder", folder, e))?;
        let lock = folder.join(".only");
        let only = File::create(&lock).map_err(|e| LogError::file("lock", &lock, e))?;
        only.try_lock().map_err(|e| {
            LogError::Setup(format!(
                "{}: {e}; another witness runs on this folder",
                folder.display()
            ))
        })?;
        let mut memory = HashMap::new();
        for origin in origins {
            let latest = recall(&folder.join(monitoring_path(&origin)), &origin, rules.verifier())?;
            memory.insert(origin, Mutex::new(Memory::Holds(latest.map(Box::new))));
        }
        Ok(Self {
            rules,
            folder: folder.to_owned(),
            memory,
            _only: only,
        })
    }

    /// The public key that others put into their policy.
    #[must_use]
    pub fn verifier(&self) -> &VerifierKey {
        self.rules.verifier()
    }

    /// Answers `POST add-checkpoint`. Blocks while the disk syncs.
    #[must_use]
    pub fn handle_add(&self, body: &[u8], now: Timestamp) -> Answer {
        let request = match AddCheckpoint::parse(body) {
            Ok(request) => request,
            Err(error) => return Refusal::Malformed(error.to_string()).into(),
        };
        let Some(memory) = self.memory.get(request.origin()) else {
            return Refusal::UnknownOrigin("this witness does not serve that log".into()).into();
        };
        // Whoever panicked here had not changed what is remembered: it is set as a whole, after the disk has it.
        let mut memory = memory.lock().unwrap_or_else(PoisonError::into_inner);
        let Memory::Holds(latest) = &*memory else {
            return Refusal::Internal(
                "the record of this log could not be made durable; start the witness anew".into(),
            )
            .into();
        };
        let seconds = u64::try_from(now.as_secs()).unwrap_or(0);
        let accepted = match self.rules.add_checkpoint(latest.as_deref(), &request, seconds) {
            Ok(accepted) => accepted,
            Err(refusal) => {
                if matches!(refusal, Refusal::Inconsistent(_)) {
                    tracing::error!(
                        origin = request.origin(),
                        request = %String::from_utf8_lossy(body),
                        "the log shows two histories; this request is the evidence, keep it"
                    );
                }
                return refusal.into();
            }
        };
        if let Err(error) = self.remember(request.origin(), &accepted.latest) {
            tracing::error!(%error, "nothing more is cosigned for this log");
            // A disk that is only full kept the old record as it was.
            if error.is_fatal()
                || !matches!(
                    &error,
                    LogError::File {
                        what: "write" | "sync",
                        ..
                    }
                )
            {
                *memory = Memory::Lost;
            }
            return Refusal::Internal("the cosignature could not be made durable".into()).into();
        }
        let body = accepted.body();
        *memory = Memory::Holds(Some(Box::new(accepted.latest)));
        Answer::text(200, body)
    }

    /// Answers `GET <hex sha256(origin)>/checkpoint`, the path without a leading slash.
    #[must_use]
    pub fn handle_get(&self, path: &str) -> Answer {
        let known = self
            .memory
            .iter()
            .find(|(origin, _)| monitoring_path(origin) == path);
        let held = known.map(|(_, memory)| memory.lock().unwrap_or_else(PoisonError::into_inner));
        match held.as_deref() {
            Some(Memory::Holds(Some(latest))) => Answer::text(200, latest.note().to_string()),
            Some(Memory::Lost) => Answer::text(500, "the record of this log could not be made durable\n"),
            _ => Answer::text(404, "this witness has cosigned nothing under that name\n"),
        }
    }

    fn remember(&self, origin: &str, latest: &Latest) -> Result<(), LogError> {
        let file = self.folder.join(monitoring_path(origin));
        let folder = file.parent().unwrap_or(&self.folder).to_owned();
        let mut touched = BTreeSet::from([folder.clone()]);
        if !folder.is_dir() {
            fs::create_dir_all(&folder).map_err(|e| LogError::file("write", &folder, e))?;
            touched.insert(self.folder.clone());
        }
        replace(
            &file,
            &folder.join(".waiting"),
            latest.note().to_string().as_bytes(),
        )?;
        sync_folders(&touched)
    }
}

fn recall(file: &Path, origin: &str, key: &VerifierKey) -> Result<Option<Latest>, LogError> {
    let Some(bytes) = read_bounded(file, MAX_NOTE_BYTES).map_err(|e| LogError::file("read", file, e))? else {
        return Ok(None);
    };
    let damaged = |why: String| {
        LogError::Setup(format!(
            "the record {} of what was cosigned for {origin} cannot be relied on: {why}; bring back the file, or go on \
             under a new key",
            file.display()
        ))
    };
    let latest = Latest::restore(&bytes, key).map_err(|e| damaged(e.to_string()))?;
    if latest.checkpoint().origin != origin {
        return Err(damaged("it is of another log".into()));
    }
    Ok(Some(latest))
}
