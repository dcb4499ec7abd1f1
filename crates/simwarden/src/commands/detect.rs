//! `simwarden detect`.

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use simwarden_detect::{Alert, parse_span, run_cases};
use simwarden_replay::{Replay, Summary, floor, rules_in, run};
use std::fs::File;
use std::hash::{BuildHasher, Hasher};
use std::io::{Read, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// Run events through detection rules; check rules and their test events.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Detect {
    #[command(subcommand)]
    command: Option<Sub>,
    #[command(flatten)]
    events: Events,
}

#[derive(Subcommand)]
enum Sub {
    /// Check the rules of a folder and run the test events beside them
    Check {
        /// The folder with the rules
        #[arg(default_value = "detections", value_name = "DIR")]
        rules: PathBuf,
    },
    /// Measure the engine on a file beside the bare floor: the four benchmark rules in plain Rust
    Bench {
        /// Events as JSON Lines, in order of time
        #[arg(long, value_name = "FILE")]
        input: PathBuf,
        /// The folder with the benchmark's rules
        #[arg(long, default_value = "benchmarks/detect", value_name = "DIR")]
        rules: PathBuf,
    },
}

#[derive(Args)]
struct Events {
    /// The folder with the rules
    #[arg(long, required = true, value_name = "DIR")]
    rules: Option<PathBuf>,
    /// Events as JSON Lines; `-` for standard input
    #[arg(long, default_value = "-", value_name = "FILE|-")]
    input: PathBuf,
    /// Where alerts go, one JSON object a line; without it they are only counted
    #[arg(long, value_name = "FILE")]
    alerts: Option<PathBuf>,
    /// How late an event may come and still count, in event time
    #[arg(long, default_value = "5m", value_name = "SPAN", value_parser = lateness)]
    lateness: i64,
    /// Threads; by default as many as the machine has cores
    #[arg(long, value_name = "N")]
    workers: Option<NonZeroUsize>,
    /// The source of events that name none
    #[arg(long, default_value = "file", value_name = "NAME")]
    source: String,
}

fn lateness(text: &str) -> Result<i64, String> {
    if text.trim_end_matches(|unit: char| unit.is_ascii_alphabetic()) == "0" {
        return Ok(0);
    }
    parse_span(text).ok_or_else(|| "write a span such as 30s, 5m or 1h; 0s for none".to_owned())
}

impl Detect {
    /// Does what was asked.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            Some(Sub::Check { rules }) => check(&rules),
            Some(Sub::Bench { input, rules }) => bench(&input, &rules),
            None => self.events.run(),
        }
    }
}

impl Events {
    fn run(self) -> anyhow::Result<ExitCode> {
        let Some(folder) = &self.rules else {
            bail!("name the folder with the rules: --rules DIR");
        };
        let program = rules_in(folder)?.program()?;
        let input: Box<dyn Read + Send> = if self.input == Path::new("-") {
            Box::new(std::io::stdin())
        } else {
            Box::new(File::open(&self.input).with_context(|| format!("{}", self.input.display()))?)
        };
        let mut alerts = self
            .alerts
            .as_ref()
            .map(|path| File::create(path).with_context(|| format!("{}", path.display())))
            .transpose()?
            .map(std::io::BufWriter::new);
        let mut write = |found: &[Alert]| -> std::io::Result<()> {
            let Some(file) = &mut alerts else { return Ok(()) };
            for alert in found {
                serde_json::to_writer(&mut *file, alert)?;
                file.write_all(b"\n")?;
            }
            Ok(())
        };
        let replay = Replay {
            workers: workers(self.workers),
            lateness_ms: self.lateness,
            source: self.source,
            secret: secret(),
        };
        let clock = Stopwatch::start();
        let summary = run(&program, input, &replay, &mut write)?;
        if let Some(file) = &mut alerts {
            file.flush()?;
        }
        tell(&summary, clock.seconds());
        Ok(ExitCode::SUCCESS)
    }
}

fn workers(asked: Option<NonZeroUsize>) -> usize {
    asked
        .or_else(|| std::thread::available_parallelism().ok())
        .map_or(1, NonZeroUsize::get)
}

/// Any number that outsiders do not know.
fn secret() -> u64 {
    std::hash::RandomState::new().build_hasher().finish()
}

#[expect(clippy::cast_precision_loss, reason = "a rate for people")]
fn tell(summary: &Summary, seconds: f64) {
    for (line, text) in &summary.problems {
        eprintln!("line {line}: {text}");
    }
    let rate = (summary.events as f64 / seconds.max(1e-9)).round();
    let json = serde_json::json!({
        "events": summary.events,
        "quarantined": summary.quarantined,
        "duplicates": summary.duplicates,
        "late": summary.late,
        "alerts": summary.alerts,
        "seconds": seconds,
        "events_per_second": rate,
        "peak_rss_bytes": peak_rss_bytes(),
    });
    println!("{json}");
}

/// The most memory this process had, as Linux tells it.
fn peak_rss_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace()
        .next()?
        .parse::<u64>()
        .ok()
        .map(|kilobytes| kilobytes * 1_024)
}

fn check(folder: &Path) -> anyhow::Result<ExitCode> {
    let rules = rules_in(folder)?;
    let mut wrong = 0_usize;
    let mut complain = |text: String| {
        eprintln!("{text}");
        wrong += 1;
    };
    let whole = rules.program()?;
    for rule in whole.rules().iter().filter(|rule| rule.alerts) {
        let unsaid = rule.unsaid();
        if !unsaid.is_empty() {
            complain(format!(
                "{}: `{}` does not say: {}",
                rule.file,
                rule.title,
                unsaid.join(", ")
            ));
        }
    }
    let mut total = 0;
    for (name, text) in &rules.cases {
        let of = name.replace(".cases.", ".");
        let Some(file) = rules.files.iter().find(|(file, _)| *file == of) else {
            complain(format!("{name}: there is no {of} that these cases could test"));
            continue;
        };
        let program = Arc::new(simwarden_detect::Program::load(std::slice::from_ref(file))?);
        match run_cases(&program, name, text) {
            Ok((count, failures)) => {
                total += count;
                failures
                    .iter()
                    .for_each(|it| complain(format!("{}: {}: {}", it.file, it.case, it.text)));
            }
            Err(error) => complain(error.to_string()),
        }
    }
    let alerting = whole.rules().iter().filter(|rule| rule.alerts).count();
    println!(
        "{alerting} rules in {} files, {total} cases, {wrong} wrong",
        rules.files.len()
    );
    Ok(if wrong == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The floor, then the engine with one worker and with all cores.
fn bench(input: &Path, rules: &Path) -> anyhow::Result<ExitCode> {
    let open = || File::open(input).with_context(|| format!("{}", input.display()));
    // Once through, so that nobody pays for the disk.
    std::io::copy(&mut open()?, &mut std::io::sink())?;
    let clock = Stopwatch::start();
    let counts = floor::count(open()?)?;
    let (base, base_cpu) = (clock.seconds(), clock.cpu_seconds());
    println!(
        "floor      1 thread   {base:6.2} s  {base_cpu:6.2} CPU s  {:?} of {} events",
        counts.rules, counts.events
    );
    let program = rules_in(rules)?.program()?;
    let mut same = true;
    for workers in [1, workers(None)] {
        let replay = Replay {
            workers,
            lateness_ms: 300_000,
            source: "file".into(),
            secret: secret(),
        };
        let clock = Stopwatch::start();
        let summary = run(&program, open()?, &replay, &mut |_| Ok(()))?;
        let (wall, cpu) = (clock.seconds(), clock.cpu_seconds());
        let found: Vec<u64> = summary.alerts.values().copied().collect();
        same &= found == counts.rules;
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let rate = summary.events as f64 / wall / 1e6;
        println!(
            "simwarden  {workers} worker(s) {wall:6.2} s  {cpu:6.2} CPU s  {found:?}  {rate:.2} M events/s  {:.2} x the floor's CPU  {} bytes of state in {} groups",
            cpu / base_cpu.max(1e-9),
            summary.state.1,
            summary.state.0,
        );
    }
    println!("peak memory {} MB", peak_rss_bytes().unwrap_or(0) / 1_000_000);
    if !same {
        bail!(
            "the engine and the floor do not count the same; give the rules of benchmarks/detect and a file in order"
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// Time on the wall and time on the processors.
struct Stopwatch {
    wall: std::time::Instant,
    ticks: u64,
}

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "a measurement, not a decision")]
    fn start() -> Self {
        Self {
            wall: std::time::Instant::now(),
            ticks: cpu_ticks(),
        }
    }

    fn seconds(&self) -> f64 {
        self.wall.elapsed().as_secs_f64()
    }

    /// User and system time of all threads; Linux counts it in hundredths.
    #[expect(clippy::cast_precision_loss, reason = "a measurement for people")]
    fn cpu_seconds(&self) -> f64 {
        (cpu_ticks() - self.ticks) as f64 / 100.0
    }
}

fn cpu_ticks() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name in brackets may hold anything; the times are the 12th and 13th field behind it.
    let fields = stat
        .rsplit_once(')')
        .map_or("", |(_, rest)| rest)
        .split_whitespace();
    fields
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<u64>().ok())
        .sum()
}
