//! `simwarden link`: lists of reported addresses and the model, made from data that the operator brings.

use super::check::today;
use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use simwarden_checkup::link::{Blocklist, read_labelled, train};
use std::path::PathBuf;
use std::process::ExitCode;

/// Import lists of reported addresses, train the model of the link check.
#[derive(Args)]
pub struct Link {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make one list of hashes from feeds (hosts files, OpenPhish, URLhaus, PhishTank, filter lists) and earlier lists
    Import {
        /// The feeds
        #[arg(required = true)]
        feeds: Vec<PathBuf>,
        /// The list to write; it appears whole or not at all
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// Days after which entries of text feeds expire; 0: never
        #[arg(long, default_value_t = 30, value_name = "N")]
        days: u16,
    },
    /// Train a model from lines `address,label` (bad or good) that you may use for it
    Train {
        /// The labelled addresses
        file: PathBuf,
        /// The model to write
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
}

impl Link {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Import { feeds, out, days } => {
                let until = match days {
                    0 => 0,
                    days => u16::try_from(today() + i64::from(days)).unwrap_or(u16::MAX),
                };
                let mut list = Blocklist::default();
                for feed in feeds {
                    let bytes =
                        std::fs::read(&feed).with_context(|| format!("cannot read {}", feed.display()))?;
                    let more = Blocklist::read(&bytes, until).with_context(|| feed.display().to_string())?;
                    eprintln!("{}: {} entries", feed.display(), more.len());
                    list = list.joined(more);
                }
                if list.is_empty() {
                    bail!("no entry in any of the feeds; nothing was written");
                }
                whole(&out, &list.encode())?;
                eprintln!(
                    "{}: {} entries, {} bytes in memory",
                    out.display(),
                    list.len(),
                    list.bytes()
                );
            }
            Command::Train { file, out } => {
                let text = std::fs::read_to_string(&file)
                    .with_context(|| format!("cannot read {}", file.display()))?;
                let training = train(&read_labelled(&text)?)?;
                whole(&out, &training.model.encode())?;
                println!(
                    "trained on {} hosts; held back {} fraudulent and {} innocent ones of other domains",
                    training.trained, training.fraudulent, training.innocent
                );
                println!(
                    "dangerous: {:.1} % of the fraudulent at 0.1 % of the innocent; suspicious: {:.1} % at 1 %",
                    100.0 * training.recall_dangerous,
                    100.0 * training.recall_suspicious
                );
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Writes a file beside its place and puts it there.
fn whole(file: &std::path::Path, bytes: &[u8]) -> anyhow::Result<()> {
    let beside = file.with_extension("part");
    std::fs::write(&beside, bytes).with_context(|| format!("cannot write {}", beside.display()))?;
    std::fs::rename(&beside, file).with_context(|| format!("cannot write {}", file.display()))
}
