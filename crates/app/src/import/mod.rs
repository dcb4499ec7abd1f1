//! An operator's inventory comes in, or goes out: CSV and JSON Lines.
//!
//! The columns are those of [`Column`]; the first line of a CSV file names those that it has, in any order, `iccid`
//! among them. One line is one row; a cell with a comma or quote stands in quotes, doubled inside. A row without
//! `msisdn` is a profile in stock. An empty cell says nothing: it leaves what is registered as it is.
//!
//! A row that cannot be believed goes to the quarantine file with its number, the reason and what to do. When too many
//! do, by the [`ImportGates`], the whole file is refused. All that a file brings is written in ONE transaction together
//! with its ledger entries: `import.finished` names the new rows by the digests of chunks of them, `import.changed`
//! each changed row.
//!
//! **Responsible for** reading, checking, sealing and recording. **Not for** deciding who may do what to a line: an
//! import changes no owner and moves no number between lines that are registered.

mod cells;
mod chunks;
mod column;
mod compact;
mod empty;
mod export;
mod gates;
mod known;
mod maker;
mod merge;
mod problem;
mod quarantine;
mod reader;
mod record;
mod row;
mod writer;

pub use column::Column;
pub use export::{ExportReport, ExportRequest, export};
pub use gates::{Counts, GateOutcome, ImportGates};
pub use problem::RowProblem;

use crate::watchman::ClockGuard;
use crate::{Actor, App, Error};
use cells::{Lines, read_form};
use empty::EmptyRegistry;
use reader::{Reading, named_operator};
use row::RowReader;
use serde::{Deserialize, Serialize};
use simwarden_model::{Clock as _, ImportId, Plmn, Region, Role, Timestamp};
use simwarden_store::{Keyring, Store};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::mpsc;
use writer::Writing;

/// The most rows of one file: what is remembered of each is kept in memory.
pub const ROWS_MAX: u64 = 10_000_000;
/// The most problems that a report names; the quarantine file names all.
pub const PROBLEMS_MAX: usize = 100;
/// Batches that wait between the two halves.
const BATCHES_MAX: usize = 3;
/// What a spreadsheet takes for the beginning of a formula.
const FORMULA_BEGINNINGS: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];
/// What an export puts a quote before: those, and a quote, so that it can be taken away again.
const GUARDED_BEGINNINGS: [char; 7] = ['=', '+', '-', '@', '\t', '\r', '\''];

/// How an inventory is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Comma-separated cells under a header.
    Csv,
    /// One JSON object per line.
    JsonLines,
}

impl Format {
    /// By the ending of a file's name: `.jsonl` and `.ndjson` are JSON Lines, all else CSV.
    #[must_use]
    pub fn of(path: &Path) -> Self {
        match path.extension().and_then(|ending| ending.to_str()) {
            Some("jsonl" | "ndjson" | "json") => Self::JsonLines,
            _ => Self::Csv,
        }
    }
}

/// The database, its keys and the time.
#[derive(Debug, Clone)]
pub struct Registry {
    /// The database.
    pub store: Store,
    /// The keys.
    pub keyring: Keyring,
    /// The wall clock's time.
    pub now: Timestamp,
}

impl Registry {
    /// With the machine's clock, for a process that does nothing else.
    #[must_use]
    pub fn open(store: Store, keyring: Keyring) -> Self {
        Self {
            store,
            keyring,
            now: crate::SystemClock::start().now(),
        }
    }
}

impl From<&App> for Registry {
    fn from(app: &App) -> Self {
        Self {
            store: app.store().clone(),
            keyring: app.keyring().clone(),
            now: app.now(),
        }
    }
}

/// Where an inventory comes from.
pub enum Source {
    /// A file.
    Path(PathBuf),
    /// Anything else that is read once.
    Reader {
        /// What is read.
        reader: Box<dyn Read + Send>,
        /// What it is called in the record; no personal data.
        name: String,
    },
}

/// An import that is asked for.
pub struct ImportRequest {
    /// The inventory.
    pub source: Source,
    /// How it is written.
    pub format: Format,
    /// MCC-MNC of the operator; else the actor's own, else the one that the first row names.
    pub operator: Option<Plmn>,
    /// Check everything, write nothing to the database.
    pub dry_run: bool,
    /// When the file is refused.
    pub gates: ImportGates,
    /// How numbers without country code are understood.
    pub region: Region,
    /// Who asks: an administrator, or simwarden itself.
    pub actor: Actor,
    /// Where rejected rows go; none drops them. [`quarantine_path`] gives the usual place.
    pub quarantine: Option<PathBuf>,
}

/// The usual place of rejected rows: `<file>.quarantine.csv`.
#[must_use]
pub fn quarantine_path(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".quarantine.csv");
    name.into()
}

/// What an import is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Reading and writing rows.
    Rows,
    /// Entering chips and phones.
    Places,
    /// Making indexes.
    Indexes,
    /// Making everything durable.
    Commit,
}

/// How far an import or export is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// What it is doing.
    pub stage: Stage,
    /// Rows so far.
    pub rows: u64,
    /// Bytes read, or profiles written.
    pub done: u64,
    /// Of how many, if that is known.
    pub total: Option<u64>,
}

/// What came of an import.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImportReport {
    /// Its random name, also on the ledger.
    pub import: ImportId,
    /// MCC-MNC of the operator.
    pub operator: String,
    /// The file's name.
    pub file: String,
    /// Whether nothing was to be written.
    pub dry_run: bool,
    /// Whether every gate passed. If not, nothing was written.
    pub accepted: bool,
    /// Rows by sort.
    pub counts: Counts,
    /// New persons and companies.
    pub parties_added: u64,
    /// New lines.
    pub lines_added: u64,
    /// New profiles.
    pub profiles_added: u64,
    /// Rows that changed something registered.
    pub changed: u64,
    /// Rows that say what is registered.
    pub unchanged: u64,
    /// What each gate says.
    pub gates: Vec<GateOutcome>,
    /// The first [`PROBLEMS_MAX`] rows that were not imported.
    pub problems: Vec<RowProblem>,
    /// The file with all of them.
    pub quarantine: Option<PathBuf>,
    /// The ledger entry `import.finished`; none when nothing was written.
    pub entry: Option<i64>,
}

fn may_import(actor: &Actor) -> Result<(), Error> {
    match actor.role {
        Role::Admin | Role::System => Ok(()),
        _ => Err(Error::forbidden(
            "inventories are imported and exported by administrators",
        )),
    }
}

pub(crate) fn unreadable(error: std::io::Error) -> Error {
    Error::invalid("unreadable", format!("the file cannot be read: {error}"))
}

struct Opened {
    lines: Lines,
    name: String,
    bytes: Option<u64>,
}

fn open(source: Source) -> Result<Opened, Error> {
    Ok(match source {
        Source::Reader { reader, name } => Opened {
            lines: Lines::new(reader),
            name,
            bytes: None,
        },
        Source::Path(path) => {
            let file = File::open(&path).map_err(|e| {
                Error::invalid("unreadable", format!("{} cannot be read: {e}", path.display()))
            })?;
            let bytes = file.metadata().ok().filter(|m| m.is_file()).map(|m| m.len());
            Opened {
                lines: Lines::new(Box::new(file)),
                name: path
                    .file_name()
                    .map_or_else(String::new, |name| name.to_string_lossy().into_owned()),
                bytes,
            }
        }
    })
}

fn choose_operator(request: &ImportRequest, named: Option<String>) -> Result<Plmn, Error> {
    let text = match (request.operator, &request.actor.operator) {
        (Some(operator), _) => operator.to_string(),
        (None, Some(own)) => own.clone(),
        (None, None) => named.ok_or_else(|| {
            Error::invalid(
                "operator_missing",
                "say whose inventory it is: by the option, or in the column `operator`",
            )
        })?,
    };
    let operator = Plmn::parse(&text)
        .map_err(|_| Error::invalid("bad_operator", "the operator is written MCC-MNC, such as 456-01"))?;
    if request.actor.sees_operator(&operator.to_string()) {
        Ok(operator)
    } else {
        Err(Error::forbidden("this token is bound to another operator"))
    }
}

/// The time of a transaction: the clock's, but never before the ledger's last entry.
fn time_of(registry: &Registry, end: i64, last: Timestamp) -> Result<Timestamp, Error> {
    let last = (end > 0).then_some(last);
    ClockGuard::start(registry.now, Duration::ZERO, last, true).check(registry.now, Duration::ZERO)?;
    Ok(registry.now.max(last.unwrap_or(Timestamp::EPOCH)))
}

/// Imports an inventory: all of it, or nothing.
///
/// It holds the one writing transaction from begin to end, so a server on the same database answers writes with 503
/// meanwhile. An empty registry is filled many times quicker than a full one is updated.
///
/// # Errors
/// When the file or its header cannot be read, the actor may not, or the database cannot be written. A file that does
/// not pass the gates is no error: the report says so.
pub async fn run(
    registry: &Registry,
    request: ImportRequest,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<ImportReport, Error> {
    may_import(&request.actor)?;
    let ImportRequest { source, format, .. } = request;
    let request = ImportRequest {
        source: Source::Reader {
            reader: Box::new(std::io::empty()),
            name: String::new(),
        },
        ..request
    };
    // Pipes may keep a reader waiting: not on this thread.
    let opening = tokio::task::spawn_blocking(move || {
        let mut opened = open(source)?;
        let form = read_form(&mut opened.lines, format)?;
        let named = named_operator(&mut opened.lines, &form)?;
        Ok::<_, Error>((opened, form, named))
    });
    let (opened, form, named) = opening.await.map_err(Error::internal)??;
    let operator = choose_operator(&request, named)?;
    let rows = RowReader {
        keyring: registry.keyring.clone(),
        operator,
        networks: request.gates.own_prefixes(operator)?,
        expected: request.gates.expected_columns()?,
        region: request.region,
        now: registry.now,
    };
    let mut writing = Writing::begin(registry, &request, operator, opened.name).await?;
    let (to, from) = mpsc::channel(BATCHES_MAX);
    let reading = Reading {
        lines: opened.lines,
        form,
        rows,
        first: writing.first_maker().map(EmptyRegistry::new),
        to,
    };
    let reading = tokio::task::spawn_blocking(move || reading.run());
    let written = writing.rows(from, opened.bytes, progress).await;
    // The reader stops by itself when the writer hung up.
    let read = reading.await.map_err(Error::internal)?;
    written?;
    let report = writing.finish(read?, progress).await?;
    if report.entry.is_some()
        && let Err(error) = registry.store.refresh_statistics().await
    {
        // The import stands; the database learns of it by itself, only later.
        tracing::warn!(%error, "the database's statistics could not be refreshed");
    }
    Ok(report)
}
