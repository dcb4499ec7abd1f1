//! `simwarden identity`: documents, on the command line.

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};
use simwarden_app::SystemClock;
use simwarden_identity::documents::chip::{Sod, Trust};
use simwarden_identity::documents::layout::Field;
use simwarden_identity::documents::mrz::{Mrz, Protection};
use simwarden_identity::documents::photo;
use simwarden_identity::documents::review::review;
use simwarden_model::Clock as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Identity documents.
#[derive(Args)]
pub struct Identity {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Read the machine-readable zone of a document from a text or a photo (PNG, JPEG)
    ///
    /// Ends with 0 only when it is accepted: certain, consistent and, with --on, in force. Accepted does not mean that
    /// the document is what it looks like: anyone can print consistent digits.
    Mrz(MrzFile),
    /// Check the signature of a document's chip (EF.SOD) and the data groups that it signs
    Sod(SodFiles),
    /// Check a password as the sign-up does
    Passwords(super::passwords::Passwords),
}

#[derive(Args)]
struct MrzFile {
    /// The text or the photo
    file: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// The day on which the document must be in force, YYYY-MM-DD; without it, dates are not judged
    #[arg(long, value_name = "DATE")]
    on: Option<jiff::civil::Date>,
}

#[derive(Args)]
struct SodFiles {
    /// EF.SOD as read from the chip
    sod: PathBuf,
    /// EF.DG1, the machine-readable zone
    #[arg(long, value_name = "FILE")]
    dg1: Option<PathBuf>,
    /// EF.DG2, the face
    #[arg(long, value_name = "FILE")]
    dg2: Option<PathBuf>,
    /// Any other data group, N=FILE
    #[arg(long = "dg", value_name = "N=FILE")]
    others: Vec<String>,
    /// The folder with the certificates of countries and their revocation lists, DER: .cer .der .crt, .crl
    #[arg(long, value_name = "DIR")]
    csca: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

fn bounded(file: &Path, bytes_max: usize) -> anyhow::Result<Vec<u8>> {
    let opened = std::fs::File::open(file).with_context(|| format!("cannot open {}", file.display()))?;
    let mut bytes = Vec::new();
    opened
        .take(bytes_max as u64 + 1)
        .read_to_end(&mut bytes)
        .with_context(|| format!("cannot read {}", file.display()))?;
    if bytes.len() > bytes_max {
        bail!("{} is larger than {bytes_max} bytes", file.display());
    }
    Ok(bytes)
}

/// What was read, and reasons of the reading itself against it: code and words.
struct Seen {
    mrz: Option<Mrz>,
    reasons: Vec<(String, String)>,
}

impl Seen {
    fn refused(code: &str, words: String) -> Self {
        Self {
            mrz: None,
            reasons: vec![(code.to_owned(), words)],
        }
    }
}

/// Text if it is text, a photo otherwise.
fn see(bytes: &[u8]) -> Seen {
    const PICTURES: [&[u8]; 2] = [b"\x89PNG", b"\xff\xd8"];
    let picture = PICTURES.iter().any(|magic| bytes.starts_with(magic));
    let text = std::str::from_utf8(bytes).ok().filter(|_| !picture);
    if let Some(text) = text {
        return match Mrz::parse(text) {
            Ok(mrz) => Seen {
                mrz: Some(mrz),
                reasons: Vec::new(),
            },
            Err(error) => Seen::refused("no_zone", error.to_string()),
        };
    }
    match photo::read(bytes) {
        Ok(reading) => Seen {
            mrz: Some(reading.mrz),
            reasons: if reading.certain {
                Vec::new()
            } else {
                let words =
                    "not every character is certain; take another photo, sharp and without reflections";
                vec![("photo_uncertain".to_owned(), words.to_owned())]
            },
        },
        Err(error) => Seen::refused("photo_unreadable", error.to_string()),
    }
}

fn report(seen: &Seen, on: Option<jiff::civil::Date>) -> Value {
    let mut reasons = seen.reasons.clone();
    let (mut fields, mut checks, mut evidence) = (Map::new(), Map::new(), Map::new());
    let mut notes = Vec::new();
    let mut format = Value::Null;
    if let Some(mrz) = &seen.mrz {
        let review = review(mrz, on);
        reasons.extend(
            review
                .reasons
                .iter()
                .map(|reason| (reason.code(), reason.words())),
        );
        notes = review.notes.clone();
        format = json!(mrz.format().name());
        for check in mrz.checks() {
            checks.insert(check.name().to_owned(), json!(check.fits));
        }
        for (field, found) in mrz.evidence() {
            let protection = match found.protection {
                Protection::Own => "own_check_digit",
                Protection::Composite => "composite_check_digit",
                Protection::None => "unprotected",
            };
            evidence.insert(
                field.name().to_owned(),
                json!({ "protection": protection, "fits": found.fits }),
            );
            if field != Field::Names {
                fields.insert(field.name().to_owned(), json!(mrz.field(field)));
            }
        }
        let (surname, given_names) = mrz.names();
        fields.insert("surname".to_owned(), json!(surname));
        fields.insert("given_names".to_owned(), json!(given_names));
        let days = [
            ("birth_day", review.birth_date),
            ("expiry_day", review.expiry_date),
        ];
        for (name, day) in days {
            if let Some(day) = day {
                fields.insert(name.to_owned(), json!(day.to_string()));
            }
        }
        if let Some(age) = review.age_years {
            fields.insert("age_years".to_owned(), json!(age));
        }
    }
    json!({
        "accepted": reasons.is_empty(),
        "format": format,
        "lines": seen.mrz.as_ref().map(Mrz::lines),
        "fields": fields,
        "checks": checks,
        "evidence": evidence,
        "reasons": reasons.iter().map(|(code, _)| code).collect::<Vec<_>>(),
        "explanations": reasons.iter().map(|(_, words)| words).collect::<Vec<_>>(),
        "notes": notes,
    })
}

fn verdict(report: &Value) -> ExitCode {
    if report["accepted"] == json!(true) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn print_words(report: &Value) {
    if let Some(format) = report["format"].as_str() {
        println!("format            {format}");
    }
    for (name, value) in report["fields"].as_object().into_iter().flatten() {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let found = match name.as_str() {
            "surname" | "given_names" => &report["evidence"]["names"],
            name => &report["evidence"][name],
        };
        let evidence = match (found["protection"].as_str(), found["fits"].as_bool()) {
            (Some("unprotected"), _) => "no check digit: compare it with something else",
            (Some(_), Some(true)) => "check digit fits",
            (Some(_), _) => "CHECK DIGIT DOES NOT FIT",
            (None, _) => "",
        };
        println!("{name:<17} {value:<32} {evidence}");
    }
    for note in report["notes"].as_array().into_iter().flatten() {
        println!("note: {}", note.as_str().unwrap_or_default());
    }
    let accepted = report["accepted"] == json!(true);
    println!(
        "verdict           {}",
        if accepted { "accepted" } else { "refused" }
    );
    for reason in report["explanations"].as_array().into_iter().flatten() {
        println!("  {}", reason.as_str().unwrap_or_default());
    }
}

impl MrzFile {
    fn run(&self) -> anyhow::Result<ExitCode> {
        let seen = see(&bounded(&self.file, photo::FILE_BYTES_MAX)?);
        let report = report(&seen, self.on);
        if self.json {
            println!("{report:#}");
        } else {
            print_words(&report);
        }
        Ok(verdict(&report))
    }
}

/// The certificates and lists of a folder.
fn trust(folder: &Path) -> anyhow::Result<Trust> {
    let mut trust = Trust::default();
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let file = entry?.path();
        let ending = file
            .extension()
            .map(|ending| ending.to_string_lossy().to_ascii_lowercase());
        let taken = match ending.as_deref() {
            Some("cer" | "der" | "crt") => trust.add_authority(&bounded(&file, 1_000_000)?),
            Some("crl") => trust.add_list(&bounded(&file, 4_000_000)?),
            _ => continue,
        };
        taken.with_context(|| format!("cannot take in {}", file.display()))?;
    }
    if trust.authorities() == 0 {
        bail!(
            "there is no country certificate (.cer, .der, .crt) in {}",
            folder.display()
        );
    }
    Ok(trust)
}

impl SodFiles {
    /// The data groups that were given: number and content.
    fn groups(&self) -> anyhow::Result<Vec<(u8, Vec<u8>)>> {
        let mut files: Vec<(u8, PathBuf)> = Vec::new();
        files.extend(self.dg1.clone().map(|file| (1, file)));
        files.extend(self.dg2.clone().map(|file| (2, file)));
        for other in &self.others {
            let (number, file) = other
                .split_once('=')
                .context("--dg wants N=FILE, for one 14=EF_DG14.bin")?;
            files.push((
                number.parse().context("the number of a data group is 1 to 16")?,
                file.into(),
            ));
        }
        files
            .into_iter()
            .map(|(number, file)| Ok((number, bounded(&file, 2_000_000)?)))
            .collect()
    }

    fn run(&self) -> anyhow::Result<ExitCode> {
        let bytes = bounded(&self.sod, 1_000_000)?;
        let trust = trust(&self.csca)?;
        let groups = self.groups()?;
        let groups: Vec<(u8, &[u8])> = groups.iter().map(|(n, bytes)| (*n, bytes.as_slice())).collect();
        let at = jiff::Timestamp::from_microsecond(SystemClock::start().now().as_micros())?;
        let judged = Sod::read(&bytes).and_then(|sod| sod.passive_auth(&groups, &trust, at));
        let checked: Vec<u8> = groups.iter().map(|(number, _)| *number).collect();
        let report = json!({
            "accepted": judged.is_ok(),
            "data_groups": checked,
            "reasons": judged.err().map(|error| error.code()).into_iter().collect::<Vec<_>>(),
        });
        if self.json {
            println!("{report:#}");
        } else if let Err(error) = judged {
            println!("refused: {error}");
        } else {
            println!("accepted: the country signed data groups {checked:?}");
            println!("note: a copy of the chip passes too; ask the reader for active or chip authentication");
        }
        Ok(verdict(&report))
    }
}

impl Identity {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Mrz(file) => file.run(),
            Command::Sod(files) => files.run(),
            Command::Passwords(passwords) => passwords.run(),
        }
    }
}
