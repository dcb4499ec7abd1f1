//! `simwarden export`.

use super::import::{bar, show};
use crate::house::House;
use anyhow::Context as _;
use clap::Args;
use simwarden_app::Actor;
use simwarden_app::import::{ExportRequest, Format, Registry, export};
use simwarden_model::Plmn;
use std::fs::OpenOptions;
use std::io::{BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::process::ExitCode;

/// Write an operator's registry back, in the columns of the import. It stands on the ledger that somebody did.
#[derive(Args)]
pub struct Export {
    /// The file to write: .csv or .jsonl; it holds personal data in the clear
    file: PathBuf,
    #[command(flatten)]
    house: House,
    /// The operator, MCC-MNC
    #[arg(long, value_name = "MCC-MNC")]
    operator: Plmn,
    /// No progress bar
    #[arg(long)]
    quiet: bool,
}

impl Export {
    /// Runs the export.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        super::report(false);
        self.house.must_exist()?;
        let registry = Registry::open(self.house.store().await?, self.house.keyring()?);
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&self.file)
            .with_context(|| {
                format!(
                    "cannot make {}; an export never writes over a file",
                    self.file.display()
                )
            })?;
        let mut out = BufWriter::new(file);
        let request = ExportRequest {
            operator: self.operator,
            format: Format::of(&self.file),
            actor: Actor::system(),
        };
        let bar = bar(self.quiet);
        let report = export(&registry, &request, &mut out, &mut |progress| {
            show(&bar, progress)
        })
        .await?;
        out.flush()?;
        bar.finish_and_clear();
        registry.store.close().await;
        println!(
            "{} rows written to {} (ledger entry {})",
            report.rows,
            self.file.display(),
            report.entry
        );
        Ok(ExitCode::SUCCESS)
    }
}
