//! `simwarden bench`.

use clap::Args;
use std::process::ExitCode;

/// Measure.
#[derive(Args)]
pub struct Bench {}

impl Bench {
    /// Measures.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        Ok(ExitCode::SUCCESS)
    }
}
