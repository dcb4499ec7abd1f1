//! `simwarden import`.

use crate::house::House;
use anyhow::Context as _;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use simwarden_app::Actor;
use simwarden_app::import::{
    Format, GateOutcome, ImportGates, ImportReport, ImportRequest, Progress, Registry, Source,
    quarantine_path, run,
};
use simwarden_model::{Plmn, Region};
use std::path::PathBuf;
use std::process::ExitCode;

/// Take in an operator's inventory, all or nothing.
///
/// CSV with a header, or JSON Lines; the columns are described in docs/import.md. A row that cannot be taken goes to
/// FILE.quarantine.csv with its number and the reason; when too many cannot, by the gates, nothing is written.
#[derive(Args)]
pub struct Import {
    /// The inventory: .csv or .jsonl
    file: PathBuf,
    #[command(flatten)]
    house: House,
    /// The operator, MCC-MNC; else the one that the first row names
    #[arg(long, value_name = "MCC-MNC")]
    operator: Option<Plmn>,
    /// How phone numbers without a country code are read
    #[arg(long, default_value = "KH", value_name = "COUNTRY")]
    region: Region,
    /// Check everything, write nothing
    #[arg(long)]
    dry_run: bool,
    /// The quality gates, TOML; the shipped ones when left out
    #[arg(long, value_name = "FILE")]
    gates: Option<PathBuf>,
    /// No progress bar
    #[arg(long)]
    quiet: bool,
    /// The report as JSON
    #[arg(long)]
    json: bool,
}

/// A bar for rows whose number is not known, measured by the bytes that were read.
pub fn bar(quiet: bool) -> ProgressBar {
    if quiet {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(0);
    let style = ProgressStyle::with_template("{msg:18} {bar:40} {percent:>3}% {elapsed} ({eta} left)");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

/// Shows how far it is.
pub fn show(bar: &ProgressBar, progress: Progress) {
    if let Some(total) = progress.total {
        bar.set_length(total);
    }
    bar.set_position(progress.done);
    let stage = serde_json::to_value(progress.stage)
        .ok()
        .and_then(|s| s.as_str().map(str::to_owned));
    bar.set_message(format!("{} {}", stage.unwrap_or_default(), progress.rows));
}

impl Import {
    /// Runs the import.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        super::report(false);
        self.house.prepare()?;
        let gates = match &self.gates {
            None => ImportGates::default(),
            Some(file) => {
                let text = std::fs::read_to_string(file)
                    .with_context(|| format!("cannot read {}", file.display()))?;
                ImportGates::from_toml(&text)?
            }
        };
        let registry = Registry::open(self.house.store().await?, self.house.keyring()?);
        let request = ImportRequest {
            format: Format::of(&self.file),
            quarantine: Some(quarantine_path(&self.file)),
            source: Source::Path(self.file),
            operator: self.operator,
            dry_run: self.dry_run,
            gates,
            region: self.region,
            actor: Actor::system(),
        };
        let bar = bar(self.quiet);
        let report = run(&registry, request, &mut |progress| show(&bar, progress)).await?;
        bar.finish_and_clear();
        registry.store.close().await;
        if self.json {
            println!("{}", serde_json::to_string_pretty(&report)?);
        } else {
            print(&report);
        }
        Ok(if report.accepted {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}

/// What a gate says, in words.
fn words(gate: &GateOutcome) -> String {
    format!(
        "gate {}: {:.4}, allowed {:.2} to {:.2}: {}",
        gate.gate,
        gate.found,
        gate.min,
        gate.max,
        if gate.passed { "passed" } else { "NOT passed" }
    )
}

/// Problems that are shown on the terminal; the quarantine file has all of them.
const SHOWN: usize = 10;

fn print(report: &ImportReport) {
    for problem in report.problems.iter().take(SHOWN) {
        println!("row {}: {}", problem.row, problem.advice);
    }
    if report.problems.len() > SHOWN {
        println!("… and more");
    }
    if let Some(file) = &report.quarantine {
        println!("every rejected row stands in {}", file.display());
    }
    for gate in &report.gates {
        println!("{}", words(gate));
    }
    println!(
        "{} rows; persons {} new; lines {} new; profiles {} new; {} changed, {} unchanged",
        report.counts.rows,
        report.parties_added,
        report.lines_added,
        report.profiles_added,
        report.changed,
        report.unchanged
    );
    println!(
        "{}",
        match (report.accepted, report.dry_run) {
            (false, _) => "refused: a gate was not passed, nothing was written",
            (true, true) => "dry run: it would be taken, nothing was written",
            (true, false) => "taken",
        }
    );
}
