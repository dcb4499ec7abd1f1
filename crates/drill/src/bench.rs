//! The benchmark: decisions in memory, durable operations over HTTP against the floor of the same run, time to a
//! published checkpoint, entries sequenced. Ratios count; the goals are the issue's.

use crate::DrillError;
use crate::api::{HttpApi, Session};
use crate::floor::{self, FloorConfig, FloorReport};
use crate::load::{self, LoadConfig, LoadReport, Loader};
use crate::sequencing;
use crate::wire::Ask;
use simwarden_guard::{Age, Brake, Engine, Facts, Request};
use simwarden_model::{Channel, Clock, OperationKind, Role, Timestamp};
use simwarden_store::Store;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Goals.
const DECISIONS_MIN: f64 = 40_000.0;
const RATIO_MIN: f64 = 0.4;
const SEQUENCED_MIN: f64 = 20_000.0;
const PUBLISHED_MAX: f64 = 2.0;
/// Operations whose way to a checkpoint is timed.
const PUBLISHED_SAMPLES: usize = 20;
/// How long one of them may take before it is given up.
const PUBLISHED_WAIT: Duration = Duration::from_secs(20);

/// What to measure.
pub struct BenchConfig<'a> {
    /// What is measured, for the heading: `SQLite`, `PostgreSQL`.
    pub name: String,
    /// The server.
    pub base_url: String,
    /// People with tokens, from [`load::loaders`].
    pub loaders: Vec<Loader>,
    /// The rules that the server decides by.
    pub engine: &'a Engine,
    /// A folder on the disk that the server writes to.
    pub folder: PathBuf,
    /// The server's database: how much it grows an operation says what the floor has to write.
    pub store: Store,
    /// Connections.
    pub connections: usize,
    /// How long each part takes.
    pub duration: Duration,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// Ledger entries that are sequenced, to see how fast that goes.
const SEQUENCED: i64 = 100_000;

/// What was measured.
#[derive(Debug, Clone)]
pub struct BenchReport {
    /// The heading.
    pub name: String,
    /// Decisions a second, one core, reasons included.
    pub decisions_per_second: f64,
    /// Durable operations over HTTP.
    pub load: LoadReport,
    /// The floor, before and after the load, their mean.
    pub floor: FloorReport,
    /// Bytes that an operation makes durable, and so of one record of the floor: growth of the database, its indexes
    /// included, by the operations that made it grow.
    pub payload_bytes: usize,
    /// Entries sequenced a second.
    pub sequenced_per_second: f64,
    /// Seconds from an answer to a published proof: half of them, and the longest.
    pub published_s: Option<(f64, f64)>,
}

impl BenchReport {
    /// Durable operations a second, as a share of the floor.
    #[must_use]
    pub fn ratio(&self) -> f64 {
        if self.floor.per_second > 0.0 {
            self.load.per_second / self.floor.per_second
        } else {
            0.0
        }
    }
}

/// Measures everything.
///
/// # Errors
/// When the server cannot be reached or the disk cannot be written.
pub async fn run(config: BenchConfig<'_>) -> Result<BenchReport, DrillError> {
    let clock = Arc::clone(&config.clock);
    let decisions_per_second = decisions(config.engine, config.duration / 4, &*clock);
    let payload_bytes = payload_bytes(&config).await?;
    let floor_config = FloorConfig {
        folder: config.folder.clone(),
        writers: config.connections,
        record_bytes: payload_bytes,
        duration: config.duration / 2,
    };
    let before = floor::run(&floor_config, &clock).await?;
    let load_config = LoadConfig {
        connections: config.connections,
        ..LoadConfig::standard(&config.base_url, config.duration)
    };
    let load = load::run(&load_config, &config.loaders, &clock).await?;
    let after = floor::run(&floor_config, &clock).await?;
    let published_s = published(&config).await?;
    let sequenced_per_second = sequencing::per_second(&config.folder, SEQUENCED, &clock).await?;
    Ok(BenchReport {
        name: config.name,
        decisions_per_second,
        load,
        floor: FloorReport {
            per_second: f64::midpoint(before.per_second, after.per_second),
            syncs_per_second: f64::midpoint(before.syncs_per_second, after.syncs_per_second),
            p99_ms: before.p99_ms.max(after.p99_ms),
        },
        payload_bytes,
        sequenced_per_second,
        published_s,
    })
}

/// What one operation makes durable, in bytes, from a short load of the same kind.
async fn payload_bytes(config: &BenchConfig<'_>) -> Result<usize, DrillError> {
    let size = async || {
        let bytes = config.store.size_bytes().await;
        bytes.map_err(|why| DrillError::Setup(why.to_string()))
    };
    let before = size().await?;
    let short = LoadConfig {
        connections: config.connections,
        warm_up: Duration::ZERO,
        ..LoadConfig::standard(&config.base_url, config.duration / 4)
    };
    let load = load::run(&short, &config.loaders, &config.clock).await?;
    let grown = u64::try_from(size().await? - before).unwrap_or(0);
    let each = grown / load.operations.max(1);
    Ok(usize::try_from(each).unwrap_or(usize::MAX).clamp(512, 1 << 20))
}

/// Decisions a second on one core, with what the rules look at varying from one to the next.
#[must_use]
pub fn decisions(engine: &Engine, duration: Duration, clock: &dyn Clock) -> f64 {
    let cases = cases();
    let brake = Brake::default();
    let begin = clock.monotonic();
    let mut made = 0_u64;
    let mut reasons = 0_usize;
    while clock.monotonic().saturating_sub(begin) < duration {
        for (request, facts) in &cases {
            let decision = engine.decide(request, facts, &brake);
            reasons += std::hint::black_box(decision).reasons.len();
            made += 1;
        }
    }
    std::hint::black_box(reasons);
    made as f64 / (clock.monotonic().saturating_sub(begin)).as_secs_f64()
}

fn cases() -> Vec<(Request, Facts)> {
    let now = Timestamp::from_millis(1_790_000_000_000);
    let mut cases = Vec::new();
    let asks = [
        (OperationKind::Replace, Role::Subscriber, Channel::Web),
        (OperationKind::Replace, Role::Subscriber, Channel::App),
        (OperationKind::Replace, Role::Agent, Channel::Shop),
        (OperationKind::PortOut, Role::Subscriber, Channel::App),
        (OperationKind::ChangeContact, Role::Agent, Channel::Shop),
        (OperationKind::Lock, Role::Subscriber, Channel::App),
    ];
    for nth in 0..96_u32 {
        let (operation, role, channel) = asks[nth as usize % asks.len()];
        let mut facts = Facts::unremarkable();
        facts.signals.old_device_attach_age = Age::Minutes(nth * 7);
        facts.line.swap_age = Age::Minutes(nth * 300);
        facts.session.new_device = Some(nth % 3 == 0);
        facts.claim.device_gone = Some(nth % 4 == 0);
        facts.signals.failed_24h = Some(nth % 5);
        facts.signals.failed_age = Age::Minutes(nth);
        facts.evidence.totp = Some(nth % 2 == 0);
        facts.evidence.totp_age = Age::Minutes(100_000);
        let request = Request {
            operation,
            channel,
            role,
            requested_at: now,
            now,
        };
        cases.push((request, facts));
    }
    cases
}

/// Times the way from an answer to a proof in a published checkpoint; none when the server keeps no log.
async fn published(config: &BenchConfig<'_>) -> Result<Option<(f64, f64)>, DrillError> {
    let api: Arc<HttpApi> = Arc::new(HttpApi::new(&config.base_url)?);
    let mut seconds = Vec::new();
    for loader in config.loaders.iter().cycle().take(PUBLISHED_SAMPLES) {
        let session = Session::new(api.clone(), loader.token.clone(), "bench".to_owned());
        let lock = Ask {
            operation: "lock".to_owned(),
            channel: "app".to_owned(),
            msisdn: Some(loader.number.clone()),
            lock_scope: Some("port".to_owned()),
            ..Ask::default()
        };
        let asked = session.ask(&lock).await?;
        let began = config.clock.monotonic();
        loop {
            match session.is_published(&asked.id).await {
                Ok(true) => break,
                Ok(false) => {}
                Err(DrillError::Refused { status: 503, .. }) => return Ok(None),
                Err(error) => return Err(error),
            }
            if config.clock.monotonic() - began > PUBLISHED_WAIT {
                return Err(DrillError::Late {
                    what: "an entry was not published".to_owned(),
                    seconds: PUBLISHED_WAIT.as_secs(),
                });
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        seconds.push((config.clock.monotonic() - began).as_secs_f64());
    }
    seconds.sort_by(f64::total_cmp);
    let half = seconds.get(seconds.len() / 2).copied().unwrap_or(0.0);
    let longest = seconds.last().copied().unwrap_or(0.0);
    Ok(Some((half, longest)))
}

fn goal(met: bool) -> &'static str {
    if met { "goal met" } else { "below the goal" }
}

impl fmt::Display for BenchReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (load, floor) = (&self.load, &self.floor);
        writeln!(f, "{}", self.name)?;
        writeln!(
            f,
            "  decisions in memory, one core     {:>9.0}/s   {} (≥ {DECISIONS_MIN:.0}/s)",
            self.decisions_per_second,
            goal(self.decisions_per_second >= DECISIONS_MIN)
        )?;
        writeln!(
            f,
            "  durable operations over HTTP      {:>9.0}/s   p50 {:.1} ms, p99 {:.1} ms, worst {:.1} ms, {} operations in {:.0} s",
            load.per_second, load.p50_ms, load.p99_ms, load.worst_ms, load.operations, load.seconds
        )?;
        writeln!(
            f,
            "  floor: fdatasync in groups        {:>9.0}/s   {} bytes a record, {:.0} syncs/s, p99 {:.1} ms",
            floor.per_second, self.payload_bytes, floor.syncs_per_second, floor.p99_ms
        )?;
        writeln!(
            f,
            "  ratio to the floor                {:>9.2}     {} (≥ {RATIO_MIN})",
            self.ratio(),
            goal(self.ratio() >= RATIO_MIN)
        )?;
        writeln!(
            f,
            "  ledger entries sequenced          {:>9.0}/s   {} (≥ {SEQUENCED_MIN:.0}/s), {SEQUENCED} entries on SQLite",
            self.sequenced_per_second,
            goal(self.sequenced_per_second >= SEQUENCED_MIN)
        )?;
        if let Some((half, longest)) = self.published_s {
            writeln!(
                f,
                "  answer to published checkpoint    {half:>9.2} s   longest {longest:.2} s   {} (≤ {PUBLISHED_MAX} s)",
                goal(longest <= PUBLISHED_MAX)
            )?;
        }
        let verdicts: Vec<String> = load.verdicts.iter().map(|(v, n)| format!("{v} {n}")).collect();
        writeln!(f, "  verdicts                          {}", verdicts.join(", "))?;
        if !load.refused.is_empty() {
            writeln!(f, "  REFUSED by status                 {:?}", load.refused)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{BenchReport, decisions};
    use crate::floor::FloorReport;
    use crate::load::LoadReport;
    use simwarden_app::SystemClock;
    use simwarden_guard::{Engine, PackSource};
    use std::time::Duration;

    #[test]
    fn decides_in_memory_with_the_default_rules() {
        let engine = Engine::load(&PackSource::built_in("kh-default").unwrap()).unwrap();
        let rate = decisions(&engine, Duration::from_millis(100), &SystemClock::start());
        assert!(rate > 0.0);
    }

    #[test]
    fn prints_ratios() {
        let report = BenchReport {
            name: "SQLite".to_owned(),
            decisions_per_second: 50_000.0,
            load: LoadReport {
                per_second: 3_000.0,
                ..LoadReport::default()
            },
            floor: FloorReport {
                per_second: 6_000.0,
                ..FloorReport::default()
            },
            payload_bytes: 4_096,
            sequenced_per_second: 1.0,
            published_s: Some((0.5, 1.0)),
        };
        let text = report.to_string();
        assert!(text.contains("0.50     goal met"), "{text}");
        assert!(text.contains("below the goal (≥ 20000/s)"), "{text}");
    }
}
