//! `simwarden check`: what a subscriber can have checked, at the command line.

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;
use simwarden_app::SystemClock;
use simwarden_checkup::app::{AppCheck, AppLevel, AppReport, FILE_MAX};
use simwarden_checkup::device::{
    PhonePolicy, Posture, Revocations, Roots, Trust, assess, certificates, day_of, verify,
};
use simwarden_checkup::link::{Blocklist, Brand, Lexical, LinkChecker, LinkReport, Verdict};
use simwarden_checkup::texts::{Language, text_of};
use simwarden_model::Clock as _;
use std::io::{BufRead as _, IsTerminal as _, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Check a link, a phone or an app.
#[derive(Args)]
pub struct Check {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Say where the links of a message lead and whether they imitate somebody
    Link(Link),
    /// Verify a phone's attestation (certificates as PEM), or weigh what it says of itself (JSON)
    Phone(Phone),
    /// Say what an app package may do, and whether that is what stealers do
    App(App),
}

/// A language that people are spoken to in.
#[derive(Clone, Copy, ValueEnum)]
pub enum Spoken {
    /// English
    En,
    /// Khmer
    Km,
    /// Chinese
    Zh,
}

impl From<Spoken> for Language {
    fn from(spoken: Spoken) -> Self {
        match spoken {
            Spoken::En => Self::En,
            Spoken::Km => Self::Km,
            Spoken::Zh => Self::Zh,
        }
    }
}

#[derive(Args)]
struct Link {
    /// Messages or links; without any, every line of standard input is one
    texts: Vec<String>,
    /// One JSON object for each
    #[arg(long)]
    json: bool,
    /// More brands to protect (TOML or JSON, see docs/add/brand.md)
    #[arg(long, value_name = "FILE")]
    brands: Vec<PathBuf>,
    /// Reported addresses: a list of `simwarden link import`, or a text feed
    #[arg(long, value_name = "FILE")]
    blocklist: Vec<PathBuf>,
    /// A model of `simwarden link train`
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    /// The language of the advice
    #[arg(long, value_enum, default_value = "en")]
    lang: Spoken,
}

#[derive(Args)]
struct Phone {
    /// A chain of certificates (PEM) or a report (JSON)
    file: PathBuf,
    /// As JSON
    #[arg(long)]
    json: bool,
    /// Google's revocation list; without it nothing is known of revoked keys
    #[arg(long, value_name = "FILE")]
    revocations: Option<PathBuf>,
    /// The oldest revocation list that counts, in days, by the file's time
    #[arg(long, default_value_t = 7, value_name = "DAYS")]
    revocations_days: i64,
    /// The day to check at, YYYY-MM-DD; certificates must be valid on it
    #[arg(long, value_name = "DATE")]
    at: Option<String>,
    /// What was sent to the phone
    #[arg(long, value_name = "TEXT")]
    challenge: Option<String>,
    /// Weights and limits of one's own
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Roots of one's own (PEM), instead of Google's
    #[arg(long, value_name = "FILE")]
    roots: Option<PathBuf>,
    /// The language of the advice
    #[arg(long, value_enum, default_value = "en")]
    lang: Spoken,
}

#[derive(Args)]
struct App {
    /// Packages, or folders with packages
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// One JSON object for each
    #[arg(long)]
    json: bool,
    /// More brands to protect
    #[arg(long, value_name = "FILE")]
    brands: Vec<PathBuf>,
    /// The language of the advice
    #[arg(long, value_enum, default_value = "en")]
    lang: Spoken,
}

impl Check {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Link(link) => link.run(),
            Command::Phone(phone) => phone.run(),
            Command::App(app) => app.run(),
        }
    }
}

/// Today, in days since 1970.
pub fn today() -> i64 {
    SystemClock::start().now().as_micros() / 86_400_000_000
}

/// Reads registers of brands.
pub fn brands(files: &[PathBuf]) -> anyhow::Result<Vec<Brand>> {
    let mut brands = Vec::new();
    for file in files {
        let text = read_text(file)?;
        brands.extend(Brand::read(&text).with_context(|| file.display().to_string())?);
    }
    Ok(brands)
}

fn read_text(file: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
}

/// Longest line of standard input.
const LINE_MAX: u64 = 64 * 1024;

impl Link {
    fn run(self) -> anyhow::Result<ExitCode> {
        let mut checker = LinkChecker::new(brands(&self.brands)?)?;
        let mut list = Blocklist::default();
        for file in &self.blocklist {
            let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
            list = list.joined(Blocklist::read(&bytes, 0).with_context(|| file.display().to_string())?);
        }
        checker = checker.with_blocklist(list);
        if let Some(file) = &self.model {
            let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
            checker = checker.with_model(Lexical::read(&bytes)?);
        }
        let day = u16::try_from(today()).unwrap_or(u16::MAX);
        let mut out = std::io::BufWriter::new(std::io::stdout().lock());
        if !self.texts.is_empty() {
            for text in &self.texts {
                self.say(&mut out, &checker.check(text, day, self.lang.into()))?;
            }
            return Ok(ExitCode::SUCCESS);
        }
        let mut input = std::io::stdin().lock();
        if input.is_terminal() {
            bail!("give a message or a link, or send lines to standard input");
        }
        let mut line = Vec::new();
        // One answer for one line, an empty one included: whoever asked must be able to tell which is which.
        while (&mut input).take(LINE_MAX).read_until(b'\n', &mut line)? > 0 {
            let text = String::from_utf8_lossy(&line).into_owned();
            self.say(&mut out, &checker.check(&text, day, self.lang.into()))?;
            if line.last() != Some(&b'\n') {
                input.skip_until(b'\n')?;
            }
            line.clear();
        }
        out.flush()?;
        Ok(ExitCode::SUCCESS)
    }

    fn say(&self, out: &mut impl std::io::Write, report: &LinkReport) -> anyhow::Result<()> {
        if self.json {
            serde_json::to_writer(&mut *out, report)?;
            writeln!(out)?;
            return Ok(());
        }
        let host = report.host.as_deref().unwrap_or("-");
        // The part that says whom it belongs to stands out.
        let owner = report.registrable_domain.as_deref().unwrap_or(host);
        let left = host.strip_suffix(owner).unwrap_or_default();
        let (bold, plain) = if std::io::stdout().is_terminal() {
            ("\x1b[1m", "\x1b[0m")
        } else {
            ("", "")
        };
        writeln!(out, "{}: {left}{bold}{owner}{plain}", report.verdict.word())?;
        for reason in &report.reasons {
            writeln!(
                out,
                "  - {}",
                text_of(self.lang.into(), "link_reasons", reason.word())
            )?;
        }
        if let Some(brand) = report
            .brand
            .as_ref()
            .filter(|_| report.verdict >= Verdict::Suspicious)
        {
            writeln!(out, "  ({})", brand.name)?;
        }
        writeln!(out, "  {}", report.advice)?;
        Ok(())
    }
}

/// Longest chain or report.
const PHONE_FILE_MAX: u64 = 1 << 20;

impl Phone {
    fn run(self) -> anyhow::Result<ExitCode> {
        let file = std::fs::File::open(&self.file)
            .with_context(|| format!("cannot open {}", self.file.display()))?;
        let mut text = String::new();
        file.take(PHONE_FILE_MAX).read_to_string(&mut text)?;
        let roots = match &self.roots {
            Some(file) => Roots::from_pem(&read_text(file)?)?,
            None => Roots::google()?,
        };
        let policy = match &self.policy {
            Some(file) => PhonePolicy::read(&read_text(file)?)?,
            None => PhonePolicy::built_in()?,
        };
        let today = match &self.at {
            Some(text) => date(text).context("a date is YYYY-MM-DD")?,
            None => today(),
        };
        let revocations = self.revocations.as_deref().map(|f| self.list(f)).transpose()?;
        let trust = Trust {
            roots: &roots,
            revocations: revocations.as_ref(),
            today,
            valid_today: self.at.is_some(),
            challenge: self.challenge.as_deref().map(str::as_bytes),
        };
        let mut posture = Posture::default();
        let mut chain = None;
        if text.contains("-----BEGIN CERTIFICATE-----") && !text.trim_start().starts_with('{') {
            chain = Some(text);
        } else {
            let mut report: serde_json::Map<String, serde_json::Value> =
                serde_json::from_str(&text).context("neither certificates nor a report as JSON")?;
            if let Some(serde_json::Value::String(pem)) = report.remove("attestation") {
                chain = Some(pem);
            }
            posture = serde_json::from_value(report.into()).context("a field of the report")?;
        }
        let proof = chain.map(|pem| certificates(&pem).and_then(|chain| verify(&chain, &trust)));
        let code = proof
            .as_ref()
            .and_then(|p| p.as_ref().err())
            .map(|refusal| json!(refusal)["code"].clone());
        let (year, month) = year_and_month(today);
        let report = assess(proof, &posture, None, (year, month), &policy, self.lang.into());
        if self.json {
            let mut whole = serde_json::to_value(&report)?;
            whole["refused"] = code.into();
            whole["revocations_checked"] = self.revocations.is_some().into();
            println!("{whole}");
            return Ok(ExitCode::SUCCESS);
        }
        println!(
            "{}: score {}",
            json!(report.level).as_str().unwrap_or_default(),
            report.score
        );
        for finding in &report.findings {
            let proven = if finding.proven { "proven" } else { "reported" };
            let detail = finding
                .detail
                .as_deref()
                .map(|d| format!(" ({d})"))
                .unwrap_or_default();
            println!(
                "  - {}, {proven}{detail}: {}",
                finding.reason.word(),
                finding.advice
            );
        }
        if report.attestation.is_some() && self.revocations.is_none() {
            println!("  revocations were not looked at: give --revocations FILE");
        }
        Ok(ExitCode::SUCCESS)
    }

    fn list(&self, file: &Path) -> anyhow::Result<Revocations> {
        let changed = std::fs::metadata(file)?.modified()?;
        let seconds = changed.duration_since(std::time::UNIX_EPOCH)?.as_secs();
        let day = i64::try_from(seconds / 86_400)?;
        Ok(Revocations::read(&read_text(file)?, day, self.revocations_days)?)
    }
}

fn date(text: &str) -> Option<i64> {
    let mut parts = text.split('-').map(str::parse::<i64>);
    let (year, month, day) = (parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?);
    let right = (1970..=2200).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    right.then(|| day_of(year, month, day))
}

fn year_and_month(day: i64) -> (i64, i64) {
    let mut year = 1970 + day / 366;
    while day_of(year + 1, 1, 1) <= day {
        year += 1;
    }
    let month = (1..=12).rev().find(|m| day_of(year, *m, 1) <= day).unwrap_or(1);
    (year, month)
}

/// The most packages of one call.
const PACKAGES_MAX: usize = 10_000;

impl App {
    fn run(self) -> anyhow::Result<ExitCode> {
        let check = AppCheck::new(brands(&self.brands)?)?;
        let mut files = Vec::new();
        for path in &self.paths {
            if path.is_dir() {
                let mut inside: Vec<PathBuf> = std::fs::read_dir(path)?
                    .take(PACKAGES_MAX)
                    .filter_map(|entry| entry.ok().map(|e| e.path()))
                    .filter(|p| p.is_file())
                    .collect();
                inside.sort();
                files.extend(inside);
            } else {
                files.push(path.clone());
            }
        }
        for file in files {
            let report = look_at(&check, &file, self.lang.into())?;
            if self.json {
                let mut whole = serde_json::to_value(&report)?;
                whole["file"] = file.display().to_string().into();
                println!("{whole}");
            } else {
                print_app(&file, &report);
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Reads a file, at most as much as a package may have, and checks it.
pub fn look_at(check: &AppCheck, file: &Path, language: Language) -> anyhow::Result<AppReport> {
    let opened = std::fs::File::open(file).with_context(|| format!("cannot open {}", file.display()))?;
    let mut bytes = Vec::new();
    opened.take(FILE_MAX + 1).read_to_end(&mut bytes)?;
    Ok(check.check(&bytes, language))
}

/// Prints what was found.
pub fn print_app(file: &Path, report: &AppReport) {
    let package = report.package.as_deref().unwrap_or("-");
    println!(
        "{}: {} ({package})",
        json!(report.level).as_str().unwrap_or_default(),
        file.display()
    );
    for finding in &report.findings {
        println!("  - {}", finding.text);
    }
    if report.level >= AppLevel::Suspicious {
        println!("  {}", report.advice);
    }
}
