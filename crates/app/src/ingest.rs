//! Events of the network, the shops and the portals come in: stored, deduplicated, quarantined, counted exactly.

use crate::committer::Job;
use crate::draft::Draft;
use crate::world::{Needs, World};
use crate::{Actor, Error};
use simwarden_model::{Event, EventKind, KnownEvent, Role, Timestamp};
use simwarden_store::records::event::{EventRecord, QuarantinedLine};
use simwarden_store::records::recent::RecentTimes;
use simwarden_store::records::signal::LineSignal;
use simwarden_store::{BlindIndex, Indexed, Keyring};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The longest batch, in bytes.
pub const BATCH_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Events written in one transaction: other jobs wait no longer than these take.
pub const CHUNK_EVENTS: usize = 1_000;
/// The longest list of quarantined lines in an answer.
const NAMED_MAX: usize = 100;

/// How a batch went.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct IngestReport {
    /// Events that were stored.
    pub accepted: u64,
    /// Events that were there already, or twice in the batch.
    pub duplicate: u64,
    /// Lines that could not be read as events.
    pub quarantined: u64,
    /// The first of those, with line number and reason.
    pub problems: Vec<LineProblem>,
}

/// Why a line was quarantined.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct LineProblem {
    /// Its number, from 1.
    pub line: u64,
    /// A short word.
    pub reason: String,
    /// What is wrong.
    pub text: String,
}

/// A batch that was read, before it is deduplicated.
#[derive(Debug, Default)]
pub(crate) struct Parsed {
    pub events: Vec<ParsedEvent>,
    pub bad: Vec<(u64, LineProblem, Vec<u8>)>,
}

/// One event, sealed and indexed.
#[derive(Debug, Clone)]
pub(crate) struct ParsedEvent {
    pub record: EventRecord,
    pub signal: Option<LineSignal>,
}

/// Reads the lines of a batch, seals and indexes the events.
pub(crate) fn parse(
    body: &[u8],
    actor: &Actor,
    keyring: &Keyring,
    now: Timestamp,
    entropy: &mut dyn simwarden_model::Entropy,
) -> Parsed {
    let mut parsed = Parsed::default();
    for (at, line) in body.split(|byte| *byte == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let number = at as u64 + 1;
        match Event::parse_line(line, &actor.name) {
            Ok(event) => match foreign(&event, actor) {
                None => parsed
                    .events
                    .push(prepare(&event, line, actor, keyring, now, entropy)),
                Some(problem) => parsed.bad.push((
                    number,
                    LineProblem {
                        line: number,
                        ..problem
                    },
                    line.to_vec(),
                )),
            },
            Err(why) => {
                let problem = LineProblem {
                    line: number,
                    reason: why.reason.to_string(),
                    text: why.text.to_string(),
                };
                parsed
                    .bad
                    .push((number, problem, line[..line.len().min(4096)].to_vec()));
            }
        }
    }
    parsed
}

/// A feed speaks for its own operator only.
fn foreign(event: &Event, actor: &Actor) -> Option<LineProblem> {
    let named = event.operator.as_ref()?.to_string();
    (!actor.sees_operator(&named)).then(|| LineProblem {
        line: 0,
        reason: "foreign_operator".to_owned(),
        text: "this feed may not speak for another operator; leave `operator` out or correct it".to_owned(),
    })
}

fn prepare(
    event: &Event,
    line: &[u8],
    actor: &Actor,
    keyring: &Keyring,
    now: Timestamp,
    entropy: &mut dyn simwarden_model::Entropy,
) -> ParsedEvent {
    let msisdn_idx = event
        .msisdn
        .as_ref()
        .map(|m| keyring.index(Indexed::Msisdn, m.reveal().as_bytes()));
    let signal = msisdn_idx.and(signal_of(event, keyring));
    let operator = event
        .operator
        .as_ref()
        .map(ToString::to_string)
        .or_else(|| actor.operator.clone());
    ParsedEvent {
        record: EventRecord {
            source: event.source.to_string(),
            ext_id: event.id.to_string(),
            at: event.ts,
            kind: event.kind.as_str().to_owned(),
            operator,
            msisdn_idx,
            received_at: now,
            sealed: keyring.seal_common(b"event", line, entropy),
        },
        signal,
    }
}

/// What an event says about its line that a decision looks at.
fn signal_of(event: &Event, keyring: &Keyring) -> Option<LineSignal> {
    let at = Some(event.ts);
    let mut signal = LineSignal::default();
    let EventKind::Known(kind) = &event.kind else {
        return None;
    };
    match kind {
        KnownEvent::Attach | KnownEvent::LocationUpdate => {
            signal.attach_at = at;
            signal.attach_imei_idx = event
                .imei
                .as_ref()
                .map(|i| keyring.index(Indexed::Imei, i.reveal().as_bytes()));
        }
        KnownEvent::ImeiChange => signal.imei_changed_at = at,
        KnownEvent::SimSwap => signal.swap_at = at,
        KnownEvent::PortOutRequested | KnownEvent::PortOut => signal.port_request_at = at,
        KnownEvent::CallForwardSet => signal.forwarding_at = at,
        KnownEvent::ContactChanged => signal.contact_at = at,
        KnownEvent::PasswordReset => signal.password_reset_at = at,
        KnownEvent::FactorAdded => signal.factor_added_at = at,
        KnownEvent::LoginOk => signal.login_at = at,
        KnownEvent::LoginFailed => signal.login_failed_at = at,
        KnownEvent::OtpSms if event.sender.as_deref().is_some_and(|s| s.starts_with("bank:")) => {
            signal.bank_otps = RecentTimes::once(event.ts);
        }
        KnownEvent::MalwareFound => signal.malware_at = at,
        KnownEvent::CallerFailed => signal.caller_failed_at = at,
        _ => return None,
    }
    Some(signal)
}

/// One transaction's worth of a batch.
pub(crate) struct StoreEvents {
    pub shared: Arc<crate::shared::Shared>,
    pub actor: Actor,
    pub batch: [u8; 16],
    pub events: Vec<ParsedEvent>,
    pub bad: Vec<(u64, LineProblem, Vec<u8>)>,
}

impl Job for StoreEvents {
    /// Accepted and duplicate.
    type Answer = (u64, u64);

    fn needs(&self) -> Needs {
        Needs {
            events: self
                .events
                .iter()
                .map(|e| (e.record.source.clone(), e.record.ext_id.clone()))
                .collect(),
            ..Needs::default()
        }
    }

    fn run(&self, world: &World, draft: &mut Draft<'_>) -> Result<(u64, u64), Error> {
        let mut seen: HashSet<(&str, &str)> = HashSet::new();
        let mut fresh = Vec::new();
        let mut signals: HashMap<BlindIndex, LineSignal> = HashMap::new();
        for event in &self.events {
            let key = (event.record.source.as_str(), event.record.ext_id.as_str());
            if !seen.insert(key) || world.knows_event(key.0, key.1) {
                continue;
            }
            if let (Some(line), Some(signal)) = (event.record.msisdn_idx, event.signal) {
                let before = signals.entry(line).or_default();
                *before = before.merged(signal);
            }
            fresh.push(event.record.clone());
        }
        let accepted = fresh.len() as u64;
        let duplicate = self.events.len() as u64 - accepted;
        if accepted == 0 && self.bad.is_empty() {
            return Ok((0, duplicate));
        }
        draft.begin_entry("events.accepted", self.actor.role, Some(self.actor.token));
        let entry = draft.entry();
        entry.operator.clone_from(&self.actor.operator);
        entry.detail = serde_json::json!({
            "accepted": accepted, "duplicate": duplicate, "quarantined": self.bad.len(),
        });
        let quarantine = self
            .bad
            .iter()
            .map(|(line, problem, text)| QuarantinedLine {
                batch: self.batch,
                line: i64::try_from(*line).unwrap_or(i64::MAX),
                source: self.actor.name.clone(),
                reason: problem.reason.clone(),
                sealed: self
                    .shared
                    .keyring
                    .seal_common(b"quarantine", text, draft.entropy),
                received_at: draft.now,
            })
            .collect();
        draft.events(fresh, quarantine);
        for (line, signal) in signals {
            draft.signal(line, signal);
        }
        draft.end_entry()?;
        Ok((accepted, duplicate))
    }
}

/// The problems that an answer names.
pub(crate) fn named(bad: &[(u64, LineProblem, Vec<u8>)]) -> Vec<LineProblem> {
    bad.iter()
        .take(NAMED_MAX)
        .map(|(_, problem, _)| problem.clone())
        .collect()
}

/// Who may deliver events.
pub(crate) fn may_deliver(actor: &Actor) -> Result<(), Error> {
    if actor.role == Role::Feed {
        Ok(())
    } else {
        Err(Error::forbidden("events are delivered by a token of role `feed`"))
    }
}
