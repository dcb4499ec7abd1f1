//! Having witnesses cosign a checkpoint, C2SP tlog-witness, as the log's side.
//!
//! Every witness is asked at the same time and by itself; as soon as the quorum is met nobody waits for the rest, and a
//! slow witness is not asked again before it has answered.

use super::LogError;
use super::files::{Folder, Source};
use simwarden_ledger::{
    AddCheckpoint, LogSource as _, Note, Policy, SignatureLine, VerifierKey, parse_cosignatures,
    prove_consistency,
};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// How often one witness is asked about one checkpoint: it may tell us twice that it stands elsewhere.
const TRIES: usize = 3;
/// How long one witness may take, whatever its link does.
const ANSWER_MAX: Duration = Duration::from_secs(30);

/// Why there is no cosignature.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CosignError {
    /// 409: the witness has cosigned another size last.
    #[error("the witness stands at {latest} entries")]
    Conflict {
        /// That size.
        latest: u64,
    },
    /// Any other answer but 200.
    #[error("the witness refused with {status}: {reason}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The beginning of its answer.
        reason: String,
    },
    /// No answer.
    #[error("the witness cannot be reached: {0}")]
    Unreachable(String),
}

/// The answer to an `add-checkpoint` request, some time.
pub type CosignFuture<'a> = Pin<Box<dyn Future<Output = Result<Vec<u8>, CosignError>> + Send + 'a>>;

/// Carries `add-checkpoint` requests to one witness.
pub trait Cosigner: Send + Sync {
    /// Sends a request body; answers the body of a 200.
    fn cosign(&self, request_body: Vec<u8>) -> CosignFuture<'_>;
}

/// A witness and the way to it.
#[derive(Clone)]
pub struct WitnessLink {
    /// Its name in the policy, for messages.
    pub name: String,
    /// Its key.
    pub key: VerifierKey,
    /// The way.
    pub port: Arc<dyn Cosigner>,
}

struct Asked {
    link: WitnessLink,
    /// The size that it cosigned last, as far as we know.
    known: u64,
    busy: bool,
}

struct Answered {
    who: usize,
    size: u64,
    known: u64,
    lines: Result<Vec<SignatureLine>, String>,
}

/// The witnesses of a log.
pub(crate) struct Cosigning {
    asked: Vec<Asked>,
    running: JoinSet<Answered>,
}

impl Cosigning {
    pub(crate) fn new(links: Vec<WitnessLink>) -> Self {
        let asked = links
            .into_iter()
            .map(|link| Asked {
                link,
                known: 0,
                busy: false,
            })
            .collect();
        Self {
            asked,
            running: JoinSet::new(),
        }
    }

    /// Collects cosignatures until the policy accepts the note, nobody is left to answer, or `wait` is over. Answers
    /// the note with what was collected.
    pub(crate) async fn collect(
        &mut self,
        mut note: Note,
        size: u64,
        folder: &Folder,
        policy: &Policy,
        wait: Duration,
    ) -> Note {
        self.reap_ready();
        for (who, asked) in self.asked.iter_mut().enumerate() {
            let has = note
                .signatures()
                .iter()
                .any(|line| line.id() == asked.link.key.id());
            if asked.busy || has {
                continue;
            }
            asked.busy = true;
            let request = Request {
                who,
                link: asked.link.clone(),
                folder: folder.clone(),
                note: note.clone(),
                size,
            };
            self.running.spawn(request.ask(asked.known));
        }
        let deadline = tokio::time::Instant::now() + wait;
        while policy.check_note(&note).is_err() {
            let Ok(Some(Ok(answered))) = tokio::time::timeout_at(deadline, self.running.join_next()).await
            else {
                break;
            };
            self.take(answered, size, &mut note);
        }
        note
    }

    fn take(&mut self, answered: Answered, size: u64, note: &mut Note) {
        let asked = &mut self.asked[answered.who];
        asked.busy = false;
        asked.known = answered.known;
        match answered.lines {
            Ok(lines) if answered.size == size => {
                for line in lines {
                    if let Err(error) = note.add(line) {
                        tracing::warn!(witness = asked.link.name, %error, "its cosignature does not fit on the note");
                    }
                }
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(witness = asked.link.name, error, "no cosignature"),
        }
    }

    /// Takes in what came after the quorum was met.
    fn reap_ready(&mut self) {
        while let Some(Ok(answered)) = self.running.try_join_next() {
            let asked = &mut self.asked[answered.who];
            asked.busy = false;
            asked.known = answered.known;
        }
    }
}

struct Request {
    who: usize,
    link: WitnessLink,
    folder: Folder,
    note: Note,
    size: u64,
}

impl Request {
    async fn ask(self, known: u64) -> Answered {
        let (mut now_known, who, size) = (known, self.who, self.size);
        let lines = match tokio::time::timeout(ANSWER_MAX, self.tries(&mut now_known)).await {
            Ok(lines) => lines,
            Err(_) => Err("it did not answer in time".to_owned()),
        };
        Answered {
            who,
            size,
            known: now_known,
            lines,
        }
    }

    async fn tries(&self, known: &mut u64) -> Result<Vec<SignatureLine>, String> {
        for _ in 0..TRIES {
            if *known > self.size {
                return Err(format!(
                    "it has cosigned a tree of {known} entries, larger than ours of {}: another server is ahead, or \
                     this database was rolled back",
                    self.size
                ));
            }
            let body = self.body(*known).await.map_err(|e| e.to_string())?;
            match self.link.port.cosign(body).await {
                Ok(answer) => {
                    let lines = parse_cosignatures(&answer, self.note.text(), &self.link.key)
                        .map_err(|e| e.to_string())?;
                    *known = self.size;
                    return Ok(lines.into_iter().map(|(line, _)| line).collect());
                }
                Err(CosignError::Conflict { latest }) => *known = latest,
                Err(other) => return Err(other.to_string()),
            }
        }
        Err("it stands elsewhere at every try".to_owned())
    }

    async fn body(&self, old: u64) -> Result<Vec<u8>, LogError> {
        let (folder, size, note) = (self.folder.clone(), self.size, self.note.clone());
        super::blocking(move || {
            let mut source = Source(&folder);
            let proof = prove_consistency(|id| source.tile(id), old, size)?;
            Ok(AddCheckpoint { old, proof, note }.to_body().into_bytes())
        })
        .await
    }
}
