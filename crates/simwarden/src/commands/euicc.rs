//! `simwarden euicc`: a simulated chip behind the APDUs of `lpac`.

use anyhow::Context as _;
use clap::Args;
use serde_json::Value;
use simwarden_app::{OsEntropy, SystemClock};
use simwarden_euicc::apdu::Card;
use simwarden_euicc::pki::{Pki, PkiOptions};
use simwarden_euicc::stdio::{Host, serve};
use simwarden_euicc::{ChipSettings, Euicc as Chip};
use simwarden_model::{Clock as _, Eid, Entropy as _};
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// A simulated chip on standard input and output, as `lpac` speaks to a card with `LPAC_APDU=stdio`.
///
/// Join the two crosswise, each one's output to the other's input: `mkfifo back; lpac chip info < back | simwarden
/// euicc --state chip.json --pki DIR --stdio > back`. What `lpac` reports is repeated on standard error.
#[derive(Args)]
pub struct Euicc {
    /// The chip: certificate, key, profiles, notifications; made when it is not there
    #[arg(long, value_name = "FILE", default_value = "euicc.json")]
    state: PathBuf,
    /// The test PKI that vouches for a new chip, as `simwarden pki init` made it
    #[arg(long, env = "SIMWARDEN_SMDP", value_name = "DIR")]
    pki: Option<PathBuf>,
    /// The number of a new chip; drawn when left out
    #[arg(long, value_name = "EID")]
    eid: Option<Eid>,
    /// Speak JSON lines on standard input and output; without it the chip is only made, and its EID printed
    #[arg(long)]
    stdio: bool,
}

/// Keeps the chip in its file.
struct Keeper {
    file: PathBuf,
}

impl Host for Keeper {
    fn keep(&mut self, chip: &Chip) -> io::Result<()> {
        write(&self.file, chip)
    }

    fn other(&mut self, line: &Value) -> io::Result<Option<Value>> {
        eprintln!("{line}");
        Ok(None)
    }
}

/// The new state appears whole or not at all.
fn write(file: &Path, chip: &Chip) -> io::Result<()> {
    let mut name = file.as_os_str().to_owned();
    name.push(".new");
    let fresh = PathBuf::from(name);
    let mut out = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&fresh)?;
    out.write_all(&serde_json::to_vec(chip)?)?;
    out.sync_all()?;
    std::fs::rename(&fresh, file)
}

/// Draws a number of the test PKI's range with right check digits.
fn draw_eid(entropy: &mut OsEntropy) -> anyhow::Result<Eid> {
    let mut random = [0; 22];
    entropy.fill(&mut random);
    let body: String = random.iter().map(|byte| char::from(b'0' + byte % 10)).collect();
    (0..100)
        .find_map(|check| Eid::parse(&format!("89049032{body}{check:02}")).ok())
        .context("no check digits fit")
}

impl Euicc {
    fn make(&self, entropy: &mut OsEntropy) -> anyhow::Result<Chip> {
        let folder = self
            .pki
            .as_ref()
            .context("there is no chip in that file yet; give --pki to make one")?;
        let host = crate::smdp::address(folder).unwrap_or_else(|_| "localhost".to_owned());
        let options = PkiOptions::new(SystemClock::start().now(), &host);
        let pki = Pki::from_files(options, &mut |name| std::fs::read(folder.join(name)).ok())?;
        let eid = match self.eid {
            Some(eid) => eid,
            None => draw_eid(entropy)?,
        };
        let chip = Chip::new(pki.chip(eid, entropy)?, ChipSettings::default());
        write(&self.state, &chip).with_context(|| format!("cannot write {}", self.state.display()))?;
        Ok(chip)
    }

    /// Runs until the input ends.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let mut entropy = OsEntropy::new()?;
        let chip = match std::fs::read(&self.state) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .with_context(|| format!("{} holds no chip", self.state.display()))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.make(&mut entropy)?,
            Err(error) => {
                return Err(error).with_context(|| format!("cannot read {}", self.state.display()));
            }
        };
        if !self.stdio {
            println!("{}", chip.identity().parse_eid()?.reveal());
            return Ok(ExitCode::SUCCESS);
        }
        let mut keeper = Keeper { file: self.state };
        serve(
            &mut Card::new(chip),
            &mut entropy,
            &mut io::stdin().lock(),
            &mut io::stdout().lock(),
            &mut keeper,
        )?;
        Ok(ExitCode::SUCCESS)
    }
}
