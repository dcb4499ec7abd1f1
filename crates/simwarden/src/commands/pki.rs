//! `simwarden pki`: a public key infrastructure of one's own, for tests and demonstrations.

use crate::smdp::ADDRESS_FILE;
use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use simwarden_app::{OsEntropy, SystemClock};
use simwarden_euicc::pki::{Pki as TestPki, PkiOptions};
use simwarden_model::Clock as _;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// Certificates and keys for an SM-DP+ and for simulated chips.
#[derive(Args)]
pub struct Pki {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make a whole test PKI: root (CI), maker of chips (EUM), SM-DP+ (DPauth, DPpb, TLS), ES2+ client
    ///
    /// Real phones trust the GSMA's root, not this one: it serves simulated chips and test cards.
    Init {
        /// The folder to write; must be empty or not there
        folder: PathBuf,
        /// The host name of the SM-DP+, as activation codes name it
        #[arg(long, default_value = "localhost", value_name = "NAME")]
        host: String,
    },
}

/// A day: clocks of clients may be behind.
const BEFORE: Duration = Duration::from_secs(24 * 3600);

impl Pki {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let Command::Init { folder, host } = self.command;
        let now = SystemClock::start().now().minus(BEFORE);
        let pki = TestPki::make(PkiOptions::new(now, &host), &mut OsEntropy::new()?)?;
        make_folder(&folder)?;
        let mut files = pki.files()?;
        files.push((ADDRESS_FILE.to_owned(), format!("{host}\n").into_bytes()));
        for (name, content) in &files {
            let secret = name.ends_with(".key.pem");
            write_new(&folder.join(name), content, if secret { 0o600 } else { 0o644 })?;
        }
        eprintln!(
            "made a test PKI in {} for the SM-DP+ {host}; serve it with `simwarden serve --smdp {}`",
            folder.display(),
            folder.display()
        );
        Ok(ExitCode::SUCCESS)
    }
}

fn make_folder(folder: &Path) -> anyhow::Result<()> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    if std::fs::read_dir(folder)?.next().is_some() {
        bail!(
            "{} is not empty; keys are never overwritten: give another folder",
            folder.display()
        );
    }
    Ok(())
}

fn write_new(file: &Path, content: &[u8], mode: u32) -> anyhow::Result<()> {
    let mut out = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(file)
        .with_context(|| format!("cannot make {}", file.display()))?;
    out.write_all(content)?;
    out.sync_all()?;
    Ok(())
}
