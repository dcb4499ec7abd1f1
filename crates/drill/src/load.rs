//! Load: many kept-alive connections that ask for operations, and what they measured.

use crate::DrillError;
use crate::chance::Dice;
use crate::client::Connection;
use crate::country::CAST;
use crate::stage::Stage;
use crate::wire::{Ask, Operation};
use bytes::Bytes;
use hyper::Method;
use simwarden_model::Clock;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// The most latencies that one connection keeps.
const SAMPLES_MAX: usize = 4_000_000;
/// Tokens made at the same time.
const TOKENS_AT_ONCE: usize = 64;

/// Somebody with a line, for the load.
#[derive(Debug, Clone)]
pub struct Loader {
    /// Their token.
    pub token: String,
    /// Their number, with `+`.
    pub number: String,
    /// A phone of theirs.
    pub eid: String,
    /// The same.
    pub imei: String,
}

/// What load to make.
#[derive(Debug, Clone)]
pub struct LoadConfig {
    /// The server: `http://127.0.0.1:8080`.
    pub base_url: String,
    /// Connections, each with one request at a time.
    pub connections: usize,
    /// For how long.
    pub duration: Duration,
    /// Not measured at the beginning: caches fill, files grow.
    pub warm_up: Duration,
    /// Seed of what is asked when.
    pub seed: u64,
}

impl LoadConfig {
    /// The load of `make bench`: 64 connections.
    #[must_use]
    pub fn standard(base_url: &str, duration: Duration) -> Self {
        Self {
            base_url: base_url.to_owned(),
            connections: 64,
            duration,
            warm_up: duration / 5,
            seed: 64,
        }
    }
}

/// What was measured.
#[derive(Debug, Clone, Default)]
pub struct LoadReport {
    /// Operations that were decided and durable when their answer came.
    pub operations: u64,
    /// Requests that got another answer than a decision, by status.
    pub refused: BTreeMap<u16, u64>,
    /// Decisions by verdict.
    pub verdicts: BTreeMap<String, u64>,
    /// For how long it was measured.
    pub seconds: f64,
    /// Operations a second.
    pub per_second: f64,
    /// Half of the answers came within this.
    pub p50_ms: f64,
    /// 99 of 100 answers came within this.
    pub p99_ms: f64,
    /// The last answer came within this.
    pub worst_ms: f64,
}

/// Makes people with tokens out of a country's lines, the cast left out.
///
/// # Errors
/// When the country was not imported or tokens cannot be made.
pub async fn loaders(stage: &Stage, count: usize) -> Result<Vec<Loader>, DrillError> {
    use simwarden_model::{LineKind, PartyClass};
    let country = stage.country();
    let ordinary = |at: &u32| {
        let line = stage.line(*at);
        line.owner != country.mule
            && line.kind != LineKind::Corporate
            && stage.owner(*at).class == PartyClass::Ordinary
    };
    let lines = u32::try_from(country.lines.len()).unwrap_or(u32::MAX);
    let wanted: Vec<u32> = (CAST..lines).filter(ordinary).take(count).collect();
    let mut loaders = Vec::with_capacity(wanted.len());
    for some in wanted.chunks(TOKENS_AT_ONCE) {
        let mut tasks = tokio::task::JoinSet::new();
        for at in some.iter().copied() {
            let stage = stage.clone();
            tasks.spawn(async move {
                let session = stage
                    .subscriber(at, "a phone under load", Duration::from_secs(40_000_000))
                    .await?;
                let (eid, imei) = stage.new_phone();
                Ok::<Loader, DrillError>(Loader {
                    token: session.secret().to_owned(),
                    number: stage.number(at),
                    eid,
                    imei,
                })
            });
        }
        while let Some(done) = tasks.join_next().await {
            loaders.push(done.map_err(|why| DrillError::Setup(why.to_string()))??);
        }
    }
    if loaders.is_empty() {
        return Err(DrillError::Setup(
            "the country has nobody to make load with".to_owned(),
        ));
    }
    loaders.sort_by(|a, b| a.number.cmp(&b.number));
    Ok(loaders)
}

/// Makes the load and measures it.
///
/// # Errors
/// When no connection reaches the server.
pub async fn run(
    config: &LoadConfig,
    loaders: &[Loader],
    clock: &Arc<dyn Clock>,
) -> Result<LoadReport, DrillError> {
    let begin = clock.monotonic();
    let mut tasks = tokio::task::JoinSet::new();
    for nth in 0..config.connections.max(1) {
        let own: Vec<Loader> = loaders
            .iter()
            .skip(nth % loaders.len().max(1))
            .step_by(config.connections.max(1))
            .cloned()
            .collect();
        let own = if own.is_empty() { loaders.to_vec() } else { own };
        let worker = Worker {
            connection: Connection::new(&config.base_url)?,
            loaders: own,
            dice: Dice::new(config.seed + nth as u64, "load"),
            clock: Arc::clone(clock),
            measure_from: begin + config.warm_up,
            end: begin + config.warm_up + config.duration,
        };
        tasks.spawn(worker.work());
    }
    let mut total = Tally::default();
    while let Some(done) = tasks.join_next().await {
        total.add(done.map_err(|why| DrillError::Transport(why.to_string()))??);
    }
    Ok(total.report(config.duration))
}

struct Worker {
    connection: Connection,
    loaders: Vec<Loader>,
    dice: Dice,
    clock: Arc<dyn Clock>,
    measure_from: Duration,
    end: Duration,
}

#[derive(Debug, Default)]
struct Tally {
    micros: Vec<u32>,
    refused: BTreeMap<u16, u64>,
    verdicts: BTreeMap<String, u64>,
}

impl Worker {
    async fn work(mut self) -> Result<Tally, DrillError> {
        let mut tally = Tally::default();
        let mut nth = 0;
        loop {
            let began = self.clock.monotonic();
            if began >= self.end {
                return Ok(tally);
            }
            let loader = &self.loaders[nth % self.loaders.len()];
            nth += 1;
            let body = serde_json::to_vec(&request(loader, &mut self.dice))
                .map_err(|why| DrillError::Setup(why.to_string()))?;
            let answer = self
                .connection
                .send(
                    Method::POST,
                    "/v1/operations",
                    Some(&loader.token),
                    "application/json",
                    Bytes::from(body),
                )
                .await?;
            let took = self.clock.monotonic() - began;
            if began < self.measure_from {
                continue;
            }
            if answer.status == 201 {
                if tally.micros.len() < SAMPLES_MAX {
                    tally
                        .micros
                        .push(u32::try_from(took.as_micros()).unwrap_or(u32::MAX));
                }
                let operation: Operation = serde_json::from_slice(&answer.body)
                    .map_err(|why| DrillError::Transport(why.to_string()))?;
                *tally.verdicts.entry(operation.verdict).or_default() += 1;
            } else {
                *tally.refused.entry(answer.status).or_default() += 1;
            }
        }
    }
}

/// What people ask for all day: moves in the browser, which are refused; moves in the app, which are held, and refused
/// while one is held; locks, which are on at once.
fn request(loader: &Loader, dice: &mut Dice) -> Ask {
    let mut ask = Ask {
        msisdn: Some(loader.number.clone()),
        ..Ask::default()
    };
    let share = dice.below(100);
    if share < 25 {
        ask.operation = "lock".to_owned();
        ask.channel = "app".to_owned();
        // A lock against ports leaves moves possible, so that they keep being decided by many rules.
        ask.lock_scope = Some("port".to_owned());
    } else {
        ask.operation = "replace".to_owned();
        ask.channel = if share < 80 { "web" } else { "app" }.to_owned();
        ask.claim = Some("upgrade".to_owned());
        ask.eid = Some(loader.eid.clone());
        ask.imei = Some(loader.imei.clone());
    }
    ask
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.micros.extend(other.micros);
        for (status, count) in other.refused {
            *self.refused.entry(status).or_default() += count;
        }
        for (verdict, count) in other.verdicts {
            *self.verdicts.entry(verdict).or_default() += count;
        }
    }

    fn report(mut self, duration: Duration) -> LoadReport {
        self.micros.sort_unstable();
        let seconds = duration.as_secs_f64();
        let operations = self.micros.len() as u64;
        LoadReport {
            operations,
            refused: self.refused,
            verdicts: self.verdicts,
            seconds,
            per_second: self.micros.len() as f64 / seconds,
            p50_ms: share_ms(&self.micros, 50),
            p99_ms: share_ms(&self.micros, 99),
            worst_ms: share_ms(&self.micros, 100),
        }
    }
}

/// The time within which so many of a hundred answers came; `sorted` in microseconds.
pub(crate) fn share_ms(sorted: &[u32], per_cent: usize) -> f64 {
    let at = (sorted.len() * per_cent).div_ceil(100).saturating_sub(1);
    sorted.get(at).map_or(0.0, |micros| f64::from(*micros) / 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::{Loader, request, share_ms};
    use crate::chance::Dice;
    use std::collections::BTreeMap;

    #[test]
    fn shares() {
        let sorted: Vec<u32> = (1..=100).map(|n| n * 1_000).collect();
        assert_eq!(share_ms(&sorted, 50), 50.0);
        assert_eq!(share_ms(&sorted, 99), 99.0);
        assert_eq!(share_ms(&sorted, 100), 100.0);
        assert_eq!(share_ms(&[], 99), 0.0);
        assert_eq!(share_ms(&[7_000], 1), 7.0);
    }

    #[test]
    fn the_mix_is_as_it_says() {
        let loader = Loader {
            token: String::new(),
            number: "+855400000001".to_owned(),
            eid: "e".to_owned(),
            imei: "i".to_owned(),
        };
        let mut dice = Dice::new(1, "mix");
        let mut seen: BTreeMap<(String, String), u32> = BTreeMap::new();
        for _ in 0..10_000 {
            let ask = request(&loader, &mut dice);
            *seen.entry((ask.operation, ask.channel)).or_default() += 1;
        }
        let share = |operation: &str, channel: &str| seen[&(operation.to_owned(), channel.to_owned())];
        assert!(share("lock", "app").abs_diff(2_500) < 300);
        assert!(share("replace", "web").abs_diff(5_500) < 300);
        assert!(share("replace", "app").abs_diff(2_000) < 300);
    }
}
