//! Gate and shards together, for one thread: `step(state, batch) -> alerts`.

use crate::alert::{Alert, sort};
use crate::error::SnapshotError;
use crate::gate::Gate;
use crate::hit::Hit;
use crate::key::Names;
use crate::program::Program;
use crate::read::Problem;
use crate::shard::Shard;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What does not belong to the rules.
#[derive(Debug, Clone)]
pub struct Options {
    /// How late an event may come and still count, milliseconds of event time. Alerts wait as long.
    pub lateness_ms: i64,
    /// The sender of events that name none.
    pub source: String,
    /// Into how many shares the groups are cut; changes no alert.
    pub shards: usize,
    /// Any number that outsiders do not know; changes no alert.
    pub secret: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            lateness_ms: 300_000,
            source: "feed".into(),
            shards: 1,
            secret: 0,
        }
    }
}

/// What became of a batch.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Findings that became final, in their order.
    pub alerts: Vec<Alert>,
    /// Events that were read.
    pub events: u64,
    /// Lines that are no events, and why the first of them are not.
    pub quarantined: u64,
    /// See `quarantined`.
    pub problems: Vec<Problem>,
}

/// The engine's whole state.
pub struct Engine {
    program: Arc<Program>,
    options: Options,
    gate: Gate,
    shards: Vec<Shard>,
}

impl Engine {
    /// Without memory.
    #[must_use]
    pub fn new(program: Arc<Program>, options: Options) -> Self {
        let shards = (0..options.shards.max(1))
            .map(|place| Shard::new(&program, place, options.lateness_ms, options.secret))
            .collect();
        Self {
            gate: Gate::new(options.lateness_ms),
            shards,
            program,
            options,
        }
    }

    /// Takes whole lines of JSON, the next of the stream.
    pub fn step(&mut self, lines: &[u8]) -> Outcome {
        let mut block = self.program.read(lines, self.shards.len(), &self.options.source);
        self.gate.admit(&mut block);
        for shard in &mut self.shards {
            shard.take(&block);
        }
        Outcome {
            alerts: self.release(),
            events: block.events,
            quarantined: block.quarantined,
            problems: block.problems,
        }
    }

    /// Takes the time from a clock, so that findings become final though nothing more arrives.
    pub fn advance(&mut self, now_ms: i64) -> Vec<Alert> {
        self.gate.advance(now_ms);
        self.release()
    }

    fn release(&mut self) -> Vec<Alert> {
        let before = self.gate.final_before();
        let mut alerts: Vec<Alert> = self
            .shards
            .iter_mut()
            .flat_map(|shard| shard.release(&self.program, before))
            .collect();
        sort(&mut alerts);
        alerts
    }

    /// The end of the stream: the findings that were not final yet.
    pub fn finish(&mut self) -> Vec<Alert> {
        let newest = self.gate.newest();
        let mut alerts: Vec<Alert> = self
            .shards
            .iter_mut()
            .flat_map(|shard| shard.finish(&self.program, newest))
            .collect();
        sort(&mut alerts);
        alerts
    }

    /// Events that came twice, and events that came too late.
    #[must_use]
    pub fn turned_away(&self) -> (u64, u64) {
        (self.gate.duplicates, self.gate.late)
    }

    /// The whole state as bytes; [`Self::restore`] goes on exactly where this one stands.
    ///
    /// # Errors
    /// [`SnapshotError::Unreadable`] when the state cannot be written out.
    pub fn snapshot(&self) -> Result<Vec<u8>, SnapshotError> {
        let shards = self.shards.iter().map(|shard| {
            Ok(SavedShard {
                names: shard.names.clone(),
                waiting: shard.waiting.clone(),
                nodes: shard.save()?,
            })
        });
        let saved = Saved {
            version: VERSION,
            program: self.program.fingerprint,
            gate: self.gate.clone(),
            shards: shards.collect::<Result<_, _>>().map_err(unreadable)?,
        };
        postcard::to_allocvec(&saved).map_err(unreadable)
    }

    /// Goes on from a snapshot that was taken with the same rules. Lateness and number of shards come with it.
    ///
    /// # Errors
    /// [`SnapshotError`] when it was taken with other rules or is damaged.
    pub fn restore(program: Arc<Program>, options: Options, bytes: &[u8]) -> Result<Self, SnapshotError> {
        let saved: Saved = postcard::from_bytes(bytes).map_err(unreadable)?;
        if saved.version != VERSION {
            return Err(SnapshotError::Unreadable("another version".into()));
        }
        if saved.program != program.fingerprint {
            return Err(SnapshotError::OtherRules);
        }
        let options = Options {
            lateness_ms: saved.gate.lateness(),
            shards: saved.shards.len(),
            ..options
        };
        let mut engine = Self::new(program, options);
        engine.gate = saved.gate;
        for (shard, saved) in engine.shards.iter_mut().zip(saved.shards) {
            shard.names = saved.names;
            shard.waiting = saved.waiting;
            shard.load(&saved.nodes).map_err(unreadable)?;
        }
        Ok(engine)
    }
}

const VERSION: u32 = 1;

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn unreadable(error: postcard::Error) -> SnapshotError {
    SnapshotError::Unreadable(error.to_string())
}

#[derive(Serialize, Deserialize)]
struct Saved {
    version: u32,
    program: u64,
    gate: Gate,
    shards: Vec<SavedShard>,
}

#[derive(Serialize, Deserialize)]
struct SavedShard {
    names: Names,
    waiting: BTreeMap<i64, Vec<Hit>>,
    nodes: Vec<Vec<u8>>,
}
