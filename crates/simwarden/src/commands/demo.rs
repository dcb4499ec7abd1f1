//! `simwarden demo`.

use clap::Args;
use std::process::ExitCode;

/// Make a small invented country and play honest life and six thefts through the real API.
#[derive(Args)]
pub struct Demo {}

impl Demo {
    /// Plays.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        Ok(ExitCode::SUCCESS)
    }
}
