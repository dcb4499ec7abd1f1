//! The writing half of an import: one transaction, from the first row to the ledger entry.

use super::chunks::root;
use super::compact::place_parts;
use super::gates::{Counts, ImportGates};
use super::known::Known;
use super::maker::{Made, Maker};
use super::merge::{Merged, Merger, Stop};
use super::problem::{BadRow, RowProblem};
use super::quarantine::Quarantine;
use super::reader::{Batch, FirstInventory};
use super::record::{Recorder, write_change};
use super::row::Row;
use super::{ImportReport, ImportRequest, PROBLEMS_MAX, Progress, Registry, Stage, time_of};
use crate::Error;
use crate::chance::OsEntropy;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use simwarden_model::{ImportId, Plmn, Timestamp};
use simwarden_store::Tx;
use simwarden_store::records::import::{ImportRun, LeftOut};
use simwarden_store::records::place::{Place, PlaceKind};
use tokio::sync::mpsc::Receiver;

/// Chips or phones written at once.
const PLACES_AT_ONCE: usize = 4096;

/// The state of the writing half.
pub(super) struct Writing {
    tx: Tx,
    dry_run: bool,
    gates: ImportGates,
    /// For an empty registry, not a dry run: the indexes that are made again at the end.
    left_out: Option<LeftOut>,
    /// For an empty registry, until the reader takes it.
    first: Option<Maker>,
    /// For a registry with rows.
    merger: Option<Merger>,
    recorder: Recorder,
    entropy: OsEntropy,
    quarantine: Quarantine,
    import: ImportId,
    operator: String,
    file: String,
    now: Timestamp,
    last_rows: Option<u64>,
    counts: Counts,
    problems: Vec<RowProblem>,
    changed: u64,
    unchanged: u64,
}

impl Writing {
    /// Begins the transaction and looks at what is there.
    pub(super) async fn begin(
        registry: &Registry,
        request: &ImportRequest,
        operator: Plmn,
        file: String,
    ) -> Result<Self, Error> {
        let operator = operator.to_string();
        let quarantine = Quarantine::new(request.quarantine.clone())?;
        let mut tx = registry.store.begin().await?;
        let (end, last) = tx.ledger_end().await?;
        let now = time_of(registry, end, last)?;
        let mut entropy = OsEntropy::new().map_err(Error::internal)?;
        let import = ImportId::draw(now, &mut entropy);
        let last_rows = tx
            .last_import(&operator)
            .await?
            .and_then(|run| u64::try_from(run.rows).ok());
        let maker = Maker::new(registry.keyring.clone(), import, operator.clone(), now)?;
        let empty = tx.registry_is_empty().await?;
        let left_out = if empty && !request.dry_run {
            Some(tx.leave_out_indexes().await?)
        } else {
            None
        };
        let (first, merger) = if empty {
            (Some(maker), None)
        } else {
            let keyring = registry.keyring.clone();
            (None, Some(Merger { maker, keyring }))
        };
        Ok(Self {
            tx,
            dry_run: request.dry_run,
            gates: request.gates.clone(),
            left_out,
            first,
            merger,
            recorder: Recorder::new(end, now, request.actor.clone(), operator.clone()),
            entropy,
            quarantine,
            import,
            operator,
            file,
            now,
            last_rows,
            counts: Counts::default(),
            problems: Vec::new(),
            changed: 0,
            unchanged: 0,
        })
    }

    /// For an empty registry: what seals rows while they are read.
    pub(super) fn first_maker(&mut self) -> Option<Maker> {
        self.first.take()
    }

    /// Writes what is read.
    pub(super) async fn rows(
        &mut self,
        mut from: Receiver<Batch>,
        bytes: Option<u64>,
        progress: &mut (dyn FnMut(Progress) + Send),
    ) -> Result<(), Error> {
        while let Some(batch) = from.recv().await {
            self.counts.rows += batch.rows;
            self.counts.unknown += batch.incomplete;
            for bad in &batch.bad {
                self.reject(bad)?;
            }
            if !batch.fresh.is_empty() && !self.dry_run {
                self.tx.insert_fresh(batch.fresh).await?;
            }
            if !batch.parsed.is_empty() {
                self.merge(batch.parsed).await?;
            }
            progress(Progress {
                stage: Stage::Rows,
                rows: self.counts.rows,
                done: batch.bytes,
                total: bytes,
            });
            // An embedded database never makes anybody wait: whoever wants to give the import up gets a turn here.
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    fn reject(&mut self, bad: &BadRow) -> Result<(), Error> {
        self.counts.bad(bad.reason.group());
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(bad.problem());
        }
        self.quarantine.add(bad)
    }

    async fn merge(&mut self, rows: Vec<(u64, Row, Box<str>)>) -> Result<(), Error> {
        let merger = self
            .merger
            .as_mut()
            .ok_or_else(|| Error::internal("rows to merge into an empty registry"))?;
        let mut known = Known::read(&mut self.tx, &self.operator, rows.iter().map(|(_, row, _)| row)).await?;
        let mut merged = Merged::default();
        let mut bad = Vec::new();
        for (number, row, raw) in rows {
            match merger.add(&row, &mut known, &mut merged) {
                Ok(()) => self.counts.unknown += u64::from(row.incomplete),
                Err(Stop::Row(reason)) => bad.push(BadRow {
                    row: number,
                    reason,
                    raw: raw.into(),
                }),
                Err(Stop::Fault(error)) => return Err(error),
            }
        }
        for bad in &bad {
            self.reject(bad)?;
        }
        self.unchanged += merged.unchanged;
        // Changes come first: a profile must stop being live before another may become so.
        for change in merged.changes {
            self.changed += 1;
            let entry = self
                .recorder
                .mark(&change, &mut self.tx, &mut self.entropy)
                .await?;
            write_change(change, entry, &mut self.tx).await?;
        }
        self.tx.insert_fresh(merged.fresh).await?;
        self.tx.see_places(PlaceKind::Euicc, merged.chips).await?;
        self.tx.see_places(PlaceKind::Device, merged.phones).await?;
        Ok(())
    }

    /// Judges the file, then records it and makes everything durable, or takes everything back.
    pub(super) async fn finish(
        mut self,
        first: Option<FirstInventory>,
        progress: &mut (dyn FnMut(Progress) + Send),
    ) -> Result<ImportReport, Error> {
        let (made, places) = match (first, self.merger.take()) {
            (Some(first), _) => (first.made, Some((first.chips, first.phones))),
            (None, Some(merger)) => (merger.maker.finish(), None),
            (None, None) => return Err(Error::internal("an import ended without its rows")),
        };
        let gates = self.gates.judge(&self.counts, self.last_rows);
        let mut report = ImportReport {
            import: self.import,
            operator: self.operator.clone(),
            file: self.file.clone(),
            dry_run: self.dry_run,
            accepted: gates.iter().all(|gate| gate.passed),
            counts: self.counts,
            parties_added: made.parties,
            lines_added: made.lines,
            profiles_added: made.profiles,
            changed: self.changed,
            unchanged: self.unchanged,
            gates,
            problems: std::mem::take(&mut self.problems),
            quarantine: None,
            entry: None,
        };
        let quarantine = std::mem::replace(&mut self.quarantine, Quarantine::new(None)?);
        report.quarantine = quarantine.finish()?;
        if self.dry_run || !report.accepted {
            self.tx.rollback().await?;
            return Ok(report);
        }
        if let Some((chips, phones)) = places {
            self.step(Stage::Places, 0, progress);
            let none_known = self.tx.no_place_is_known().await?;
            self.places(PlaceKind::Euicc, chips.sorted(), none_known).await?;
            self.places(PlaceKind::Device, phones.sorted(), none_known)
                .await?;
        }
        if let Some(mut left_out) = self.left_out.take() {
            loop {
                let left = self.tx.make_next_index(&mut left_out).await?;
                self.step(Stage::Indexes, left as u64, progress);
                if left == 0 {
                    break;
                }
            }
        }
        report.entry = Some(self.record(made, &report).await?);
        self.step(Stage::Commit, 0, progress);
        self.tx.commit().await?;
        Ok(report)
    }

    fn step(&self, stage: Stage, left: u64, progress: &mut (dyn FnMut(Progress) + Send)) {
        progress(Progress {
            stage,
            rows: self.counts.rows,
            done: left,
            total: None,
        });
    }

    async fn places(
        &mut self,
        kind: PlaceKind,
        places: Vec<[u8; 24]>,
        none_known: bool,
    ) -> Result<(), Error> {
        for some in places.chunks(PLACES_AT_ONCE) {
            let some = some
                .iter()
                .map(|place| {
                    let (index, maker) = place_parts(place);
                    Place {
                        index,
                        maker,
                        first_seen_at: self.now,
                    }
                })
                .collect();
            if none_known {
                self.tx.enter_places(kind, some).await?;
            } else {
                self.tx.see_places(kind, some).await?;
            }
        }
        Ok(())
    }

    /// Writes the run, its chunks and the ledger entry that vouches for them.
    async fn record(&mut self, made: Made, report: &ImportReport) -> Result<i64, Error> {
        let rows = i64::try_from(self.counts.rows).unwrap_or(i64::MAX);
        let detail = serde_json::json!({
            "import": self.import,
            "rows": rows,
            "chunks": made.chunks.len(),
            "digest": BASE64.encode(root(&made.chunks)),
            "changed": self.changed,
            "quarantined": self.counts.quarantined(),
        });
        let entry = self
            .recorder
            .entry("import.finished", detail, &mut self.tx, &mut self.entropy)
            .await?;
        // What is kept in the database names no row: the quarantine file does.
        let kept = serde_json::json!({
            "counts": report.counts,
            "parties_added": report.parties_added,
            "lines_added": report.lines_added,
            "profiles_added": report.profiles_added,
            "changed": report.changed,
            "unchanged": report.unchanged,
            "gates": report.gates,
        });
        let run = ImportRun {
            id: self.import,
            operator: self.operator.clone(),
            file: self.file.clone(),
            started_at: self.now,
            rows,
            report: kept.to_string(),
            entry,
        };
        self.tx.insert_import_run(run).await?;
        self.tx.insert_import_chunks(made.chunks).await?;
        Ok(entry)
    }
}
