//! `simwarden policy`: rules are checked, tested, explained, compared and held against what was decided before.

use crate::house::House;
use crate::policies::{Packs, shelf};
use anyhow::bail;
use clap::{Args, Subcommand};
use simwarden_guard::{Engine, Facts, Outcome, Record, backtest, diff, run_cases};
use simwarden_model::{OperationKind, OperationState, Timestamp};
use std::path::PathBuf;
use std::process::ExitCode;

/// Check, test, explain, compare and back-test rule packs.
#[derive(Args)]
pub struct Policy {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Load packs and name every problem
    Check(Packs),
    /// Run the tables of cases of packs; of all built-in ones when none is named
    Test {
        /// The packs
        packs: Vec<String>,
        /// A folder of rule packs beside the built-in ones
        #[arg(long, value_name = "DIR")]
        policies: Option<PathBuf>,
    },
    /// Say in words which rules an operation meets
    Explain {
        /// The operation
        operation: OperationKind,
        #[command(flatten)]
        packs: Packs,
    },
    /// Say what differs between two packs
    Diff {
        /// The one
        old: String,
        /// The other
        new: String,
        /// A folder of rule packs beside the built-in ones
        #[arg(long, value_name = "DIR")]
        policies: Option<PathBuf>,
    },
    /// Decide recorded operations again with other rules: what changes, whom it delays, which thefts it stops
    Backtest(Backtest),
}

#[derive(Args)]
struct Backtest {
    #[command(flatten)]
    house: House,
    /// Decisions since this time, RFC 3339
    #[arg(long, value_name = "TIME")]
    since: Timestamp,
    /// A folder of rule packs with the candidate
    #[arg(long, value_name = "DIR")]
    candidate: Option<PathBuf>,
    /// The packs to decide with
    #[arg(
        long,
        default_value = "kh-default",
        value_delimiter = ',',
        value_name = "PACK"
    )]
    packs: Vec<String>,
    /// As JSON
    #[arg(long)]
    json: bool,
}

impl Policy {
    /// Runs the command.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        super::report(false);
        match self.command {
            Command::Check(packs) => {
                let engine = packs.engine()?;
                println!(
                    "ok: {}, {} rules, policy hash {}",
                    engine.name(),
                    engine.rules().len(),
                    engine.policy_hash()
                );
                Ok(ExitCode::SUCCESS)
            }
            Command::Test { packs, policies } => test(packs, policies),
            Command::Explain { operation, packs } => {
                print!("{}", packs.engine()?.explain(operation));
                Ok(ExitCode::SUCCESS)
            }
            Command::Diff { old, new, policies } => {
                let shelf = shelf(policies.as_deref())?;
                let load = |name: &str| anyhow::Ok(Engine::load(&shelf.source(&[name])?)?);
                let found = diff(&load(&old)?, &load(&new)?);
                for rule in &found.removed {
                    println!("- {rule}");
                }
                for rule in &found.added {
                    println!("+ {rule}");
                }
                for (rule, what) in &found.changed {
                    println!("~ {rule}: {}", what.join(", "));
                }
                Ok(ExitCode::SUCCESS)
            }
            Command::Backtest(backtest) => backtest.run().await,
        }
    }
}

fn test(packs: Vec<String>, policies: Option<PathBuf>) -> anyhow::Result<ExitCode> {
    let shelf = shelf(policies.as_deref())?;
    let packs = if packs.is_empty() {
        shelf.packs().map(|(name, _)| name.to_owned()).collect()
    } else {
        packs
    };
    let (mut passed, mut failed) = (0, 0);
    for pack in packs {
        let source = shelf.source(&[&pack])?;
        let engine = Engine::load(&source)?;
        for case in run_cases(&engine, &source)? {
            if case.passed() {
                passed += 1;
            } else {
                failed += 1;
                println!("{pack}: {}: {}", case.name, case.failures.join("; "));
            }
        }
    }
    println!("{passed} passed, {failed} failed");
    Ok(if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Decisions read at once.
const PAGE: u32 = 2_000;
/// The most decisions that are decided again in one run.
const RECORDS_MAX: usize = 1_000_000;

impl Backtest {
    async fn run(self) -> anyhow::Result<ExitCode> {
        self.house.must_exist()?;
        let store = self.house.store().await?;
        let packs = Packs {
            packs: self.packs,
            policies: self.candidate,
        };
        let engine = packs.engine()?;
        let mut records = Vec::new();
        let mut behind = -1;
        loop {
            let page = store.decisions_since(self.since, behind, PAGE).await?;
            let Some(last) = page.last() else { break };
            behind = last.entry;
            for decision in page {
                let outcome = match store.operation(decision.operation_id).await?.map(|row| row.state) {
                    Some(OperationState::Frozen | OperationState::RolledBack) => Outcome::Theft,
                    Some(OperationState::Completed) => Outcome::Honest,
                    _ => Outcome::Unknown,
                };
                records.push(Record {
                    operation_id: decision.operation_id,
                    request: serde_json::from_str(&decision.request)?,
                    facts: Facts::from_compact(&decision.facts)?,
                    verdict: decision.verdict.parse().map_err(anyhow::Error::msg)?,
                    outcome,
                });
            }
            if records.len() > RECORDS_MAX {
                bail!(
                    "more than {RECORDS_MAX} decisions since {}; choose a later time",
                    self.since
                );
            }
        }
        let report = backtest(&records, &engine);
        if self.json {
            println!("{}", serde_json::to_string_pretty(&report)?);
            return Ok(ExitCode::SUCCESS);
        }
        println!("{} decisions decided again", report.decided);
        for (moved, times) in &report.moved {
            println!("    {moved}: {times}");
        }
        println!(
            "honest: {} on record, {} delayed more, {} delayed less",
            report.honest, report.honest_delayed_more, report.honest_delayed_less
        );
        println!(
            "thefts: {} on record, {} stopped, {} of them newly, {} let through",
            report.thefts, report.thefts_stopped, report.thefts_newly_stopped, report.thefts_let_through
        );
        for rule in &report.over_share {
            println!("{rule} would hit more than its share and disarm");
        }
        Ok(ExitCode::SUCCESS)
    }
}
