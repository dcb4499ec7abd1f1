//! A witness, C2SP tlog-witness: it cosigns a log's checkpoint only when that continues the one it cosigned before.
//! This is the property that stops an insider who holds the log's key; it runs at somebody else's.
//!
//! Pure: the caller looks up what is stored for the origin, calls [`Witness::add_checkpoint`], makes the new state
//! durable, and only then answers. Look-up, decision and storing are one atomic step per origin (a lock, or a
//! compare-and-swap), or two requests at once could roll the record back.

use sha2::{Digest as _, Sha256};

use crate::checkpoint::Checkpoint;
use crate::cosignature::{cosign, verify_cosignature};
use crate::error::{LedgerError, Result, at_most};
use crate::hash::{Hash, empty_root};
use crate::key::{KeyKind, NoteSigner, VerifierKey};
use crate::note::{MAX_NOTE_BYTES, Note, SignatureLine};
use crate::proof::{MAX_PROOF_HASHES, verify_consistency};
use crate::tile::decimal;

/// Longest `add-checkpoint` body accepted, in bytes.
pub const MAX_REQUEST_BYTES: usize = MAX_NOTE_BYTES + 64 * 64;

/// The body of `POST <submission prefix>/add-checkpoint`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddCheckpoint {
    /// The size that the witness is believed to have cosigned last; 0 for none.
    pub old: u64,
    /// Consistency proof from `old` to the checkpoint's size; empty when `old` is 0 or that size.
    pub proof: Vec<Hash>,
    /// The checkpoint signed by the log.
    pub note: Note,
}

impl AddCheckpoint {
    /// Reads a request body.
    pub fn parse(body: &[u8]) -> Result<Self> {
        let bad = |reason: &str| LedgerError::malformed("add-checkpoint request", reason);
        at_most("add-checkpoint request, bytes", body.len(), MAX_REQUEST_BYTES)?;
        let mut rest = body;
        let mut line = || -> Result<&str> {
            let end = rest
                .iter()
                .position(|b| *b == b'\n')
                .ok_or_else(|| bad("it ends before the checkpoint"))?;
            let (line, after) = rest.split_at(end);
            rest = &after[1..];
            core::str::from_utf8(line).map_err(|_| bad("it is not UTF-8"))
        };
        let old = line()?.strip_prefix("old ").and_then(decimal);
        let old = old.ok_or_else(|| bad("the first line is not `old` and a decimal number"))?;
        let mut proof = Vec::new();
        loop {
            let text = line()?;
            if text.is_empty() {
                break;
            }
            at_most("consistency proof, lines", proof.len() + 1, MAX_PROOF_HASHES)?;
            proof.push(Hash::from_base64(text)?);
        }
        Ok(Self {
            old,
            proof,
            note: Note::parse(rest)?,
        })
    }

    /// The request body.
    pub fn to_body(&self) -> String {
        let proof: String = self.proof.iter().map(|h| format!("{h}\n")).collect();
        format!("old {}\n{proof}\n{}", self.old, self.note)
    }

    /// The origin whose stored state decides this request.
    pub fn origin(&self) -> &str {
        self.note.text().split('\n').next().unwrap_or_default()
    }
}

/// A log that a witness serves.
#[derive(Clone, Debug)]
pub struct KnownLog {
    /// The log's origin line.
    pub origin: String,
    /// The keys trusted for it; any one suffices.
    pub keys: Vec<VerifierKey>,
}

/// The latest checkpoint that a witness cosigned for one log. It is stored as the cosigned note itself, so that the
/// record proves its own integrity when it is read back, and can be served to monitors as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Latest {
    checkpoint: Checkpoint,
    note: Note,
    at: u64,
}

impl Latest {
    /// What was cosigned.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The note to store, with the log's signatures and the witness's own.
    pub fn note(&self) -> &Note {
        &self.note
    }

    /// Time of the cosignature, in seconds since 1970-01-01 UTC.
    pub fn cosigned_at(&self) -> u64 {
        self.at
    }

    /// Reads the stored note back, checking the witness's own signature on it.
    pub fn restore(bytes: &[u8], witness: &VerifierKey) -> Result<Self> {
        let note = Note::parse(bytes)?;
        let checkpoint = note.text().parse()?;
        let verified = note.verify(core::slice::from_ref(witness))?;
        let at = verified.iter().filter_map(|v| v.at).max();
        let at = at.ok_or_else(|| LedgerError::Key("a witness has a cosignature key (type 0x04)".into()))?;
        Ok(Self { checkpoint, note, at })
    }
}

/// A request that was granted. Make `latest` durable, then answer 200 with [`Accepted::body`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The new state for the checkpoint's origin.
    pub latest: Latest,
    /// The witness's signature line.
    pub cosignature: SignatureLine,
}

impl Accepted {
    /// The body of the 200 answer.
    pub fn body(&self) -> String {
        format!("{}\n", self.cosignature)
    }
}

/// Why a witness does not cosign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// 400: the body breaks the format, or `old` is larger than the checkpoint.
    Malformed(String),
    /// 403: no good signature by a key trusted for this log.
    BadSignature(String),
    /// 404: the witness does not serve this log.
    UnknownOrigin(String),
    /// 409: `old` is not the size that was cosigned last; that size is the answer.
    Conflict {
        /// The size that the witness cosigned last; 0 for none.
        latest: u64,
    },
    /// 422: the checkpoint does not continue the one cosigned before. The log rewrote its history or shows two:
    /// keep the request, its signature is the evidence.
    Inconsistent(String),
    /// 500: the witness itself is at fault (wrong stored state, clock out of range). Nothing was cosigned.
    Internal(String),
}

impl Refusal {
    /// The HTTP status code.
    pub fn status(&self) -> u16 {
        match self {
            Self::Malformed(_) => 400,
            Self::BadSignature(_) => 403,
            Self::UnknownOrigin(_) => 404,
            Self::Conflict { .. } => 409,
            Self::Inconsistent(_) => 422,
            Self::Internal(_) => 500,
        }
    }

    /// The `Content-Type` of the answer.
    pub fn content_type(&self) -> &'static str {
        match self {
            Self::Conflict { .. } => "text/x.tlog.size",
            _ => "text/plain; charset=utf-8",
        }
    }

    /// The body of the answer.
    pub fn body(&self) -> String {
        match self {
            Self::Conflict { latest } => format!("{latest}\n"),
            Self::Malformed(why)
            | Self::BadSignature(why)
            | Self::UnknownOrigin(why)
            | Self::Inconsistent(why)
            | Self::Internal(why) => format!("{why}\n"),
        }
    }
}

/// A witness: its key and the logs that it serves.
#[derive(Clone, Debug)]
pub struct Witness {
    signer: NoteSigner,
    logs: Vec<KnownLog>,
}

impl Witness {
    /// `signer` must be a cosignature key, the logs' origins different, each with at least one key.
    pub fn new(signer: NoteSigner, logs: Vec<KnownLog>) -> Result<Self> {
        if signer.verifier().kind() != KeyKind::Cosignature {
            return Err(LedgerError::Key(
                "a witness needs a cosignature key (type 0x04)".into(),
            ));
        }
        for (i, log) in logs.iter().enumerate() {
            if log.keys.is_empty() || logs[..i].iter().any(|other| other.origin == log.origin) {
                return Err(LedgerError::Key(format!(
                    "the log {} is listed twice or without a key",
                    log.origin
                )));
            }
        }
        Ok(Self { signer, logs })
    }

    /// The public key that others put into their policy.
    pub fn verifier(&self) -> &VerifierKey {
        self.signer.verifier()
    }

    /// Decides an `add-checkpoint` request.
    ///
    /// `state` is what is stored for [`AddCheckpoint::origin`] (`None` when nothing was ever cosigned for it),
    /// `now` the time in seconds since 1970-01-01 UTC. A cosignature is never dated before the last one, even when
    /// the clock was set back: it says that no larger tree was seen until then.
    pub fn add_checkpoint(
        &self,
        state: Option<&Latest>,
        request: &AddCheckpoint,
        now: u64,
    ) -> Result<Accepted, Refusal> {
        let note = &request.note;
        let checkpoint: Checkpoint = note
            .text()
            .parse()
            .map_err(|e: LedgerError| Refusal::Malformed(e.to_string()))?;
        let log = self.logs.iter().find(|log| log.origin == checkpoint.origin);
        let log = log.ok_or_else(|| Refusal::UnknownOrigin("this witness does not serve that log".into()))?;
        note.verify(&log.keys)
            .map_err(|e| Refusal::BadSignature(e.to_string()))?;
        if request.old > checkpoint.size {
            return Err(Refusal::Malformed(
                "the old size is larger than the checkpoint".into(),
            ));
        }
        if state.is_some_and(|latest| latest.checkpoint.origin != checkpoint.origin) {
            return Err(Refusal::Internal(
                "the stored state belongs to another log".into(),
            ));
        }
        let (size, root) = state.map_or((0, empty_root()), |s| (s.checkpoint.size, s.checkpoint.root));
        if request.old != size {
            return Err(Refusal::Conflict { latest: size });
        }
        verify_consistency(size, &root, checkpoint.size, &checkpoint.root, &request.proof)
            .map_err(|e| Refusal::Inconsistent(e.to_string()))?;
        self.accept(checkpoint, note, &log.keys, now.max(state.map_or(0, |s| s.at)))
    }

    fn accept(
        &self,
        checkpoint: Checkpoint,
        note: &Note,
        keys: &[VerifierKey],
        at: u64,
    ) -> Result<Accepted, Refusal> {
        let internal = |e: LedgerError| Refusal::Internal(e.to_string());
        let cosignature = cosign(&self.signer, note.text(), at).map_err(internal)?;
        let mut stored = note.clone();
        stored.retain_known(keys);
        stored.add(cosignature.clone()).map_err(internal)?;
        Ok(Accepted {
            latest: Latest {
                checkpoint,
                note: stored,
                at,
            },
            cosignature,
        })
    }
}

/// Where monitors find a witness's latest checkpoint of a log, below its monitoring prefix.
pub fn monitoring_path(origin: &str) -> String {
    format!("{}/checkpoint", Hash(Sha256::digest(origin).into()).to_hex())
}

/// For the log: the size in the body of a 409 answer.
pub fn parse_conflict(body: &[u8]) -> Result<u64> {
    let text = core::str::from_utf8(body).ok().and_then(|t| t.strip_suffix('\n'));
    text.and_then(decimal)
        .ok_or_else(|| LedgerError::malformed("409 answer", "expected a decimal size and a newline"))
}

/// For the log: the cosignatures in the body of a 200 answer that verify for `key`, with their times. Lines by other
/// keys are ignored; a bad one by this key, or none, is an error.
pub fn parse_cosignatures(body: &[u8], text: &str, key: &VerifierKey) -> Result<Vec<(SignatureLine, u64)>> {
    at_most("cosignature answer, bytes", body.len(), MAX_NOTE_BYTES)?;
    let bad = |reason: &str| LedgerError::malformed("cosignature answer", reason);
    let body = core::str::from_utf8(body).map_err(|_| bad("it is not UTF-8"))?;
    let body = body
        .strip_suffix('\n')
        .ok_or_else(|| bad("it does not end in a newline"))?;
    let mut good = Vec::new();
    for line in body.split('\n') {
        let line = SignatureLine::parse(line)?;
        if line.is_by(key) {
            let at = verify_cosignature(key, text, &line)?;
            good.push((line, at));
        }
    }
    if good.is_empty() {
        return Err(LedgerError::NotSigned {
            known: key.name().to_owned(),
        });
    }
    Ok(good)
}
