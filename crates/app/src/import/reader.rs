//! The reading half of an import: a thread that reads lines, parses rows and, for an empty registry, seals them, while
//! the other half writes what was read before.

use super::cells::{Cells, Form, Line, Lines};
use super::column::Column;
use super::compact::{Places, Seen};
use super::empty::EmptyRegistry;
use super::maker::Made;
use super::problem::{BadRow, Reason};
use super::row::{Row, RowReader};
use super::{ROWS_MAX, unreadable};
use crate::Error;
use simwarden_store::records::import::FreshRows;
use tokio::sync::mpsc::Sender;

/// Rows that go over to the writer at once.
const BATCH_ROWS: u64 = 1024;

/// Some rows of the file.
#[derive(Default)]
pub(super) struct Batch {
    /// How many lines it stands for.
    pub rows: u64,
    /// Rows without an expected cell.
    pub incomplete: u64,
    /// Bytes read so far.
    pub bytes: u64,
    pub bad: Vec<BadRow>,
    /// For an empty registry: the rows to write.
    pub fresh: FreshRows,
    /// Else: the rows to hold against what is registered, with their line number and text.
    pub parsed: Vec<(u64, Row, Box<str>)>,
}

/// What is left at the end of a first inventory.
pub(super) struct FirstInventory {
    pub made: Made,
    pub chips: Places,
    pub phones: Places,
}

/// The state of the reading thread.
pub(super) struct Reading {
    pub lines: Lines,
    pub form: Form,
    pub rows: RowReader,
    /// For an empty registry.
    pub first: Option<EmptyRegistry>,
    pub to: Sender<Batch>,
}

impl Reading {
    /// Reads the file to its end, or until the writer hangs up.
    pub(super) fn run(mut self) -> Result<Option<FirstInventory>, Error> {
        let mut cells = Cells::new();
        let mut seen = Seen::default();
        let mut batch = Batch::default();
        let mut total = 0_u64;
        while let Some((number, line)) = self.lines.next().map_err(unreadable)? {
            batch.rows += 1;
            total += 1;
            if total > ROWS_MAX {
                return Err(Error::invalid(
                    "too_many_rows",
                    format!("a file has at most {ROWS_MAX} rows; split it"),
                ));
            }
            let text = match line {
                Line::Text(text) => text,
                Line::Bad(reason, bytes) => {
                    let raw = String::from_utf8_lossy(&bytes[..bytes.len().min(RAW_BYTES_MAX)]).into_owned();
                    batch.bad.push(BadRow {
                        row: number,
                        reason,
                        raw,
                    });
                    continue;
                }
            };
            let bad = |reason| BadRow {
                row: number,
                reason,
                raw: text.chars().take(RAW_BYTES_MAX).collect(),
            };
            let row = match cells.read(text, &self.form).and_then(|()| self.rows.read(&cells)) {
                Ok(row) => row,
                Err(reason) => {
                    batch.bad.push(bad(reason));
                    continue;
                }
            };
            if !seen.add(row.iccid.index) {
                batch.bad.push(bad(Reason::DuplicateIccid));
                continue;
            }
            match &mut self.first {
                Some(registry) => match registry.add(&row, &mut batch.fresh)? {
                    Ok(()) => batch.incomplete += u64::from(row.incomplete),
                    Err(reason) => batch.bad.push(bad(reason)),
                },
                None => batch.parsed.push((number, row, text.into())),
            }
            if batch.rows >= BATCH_ROWS {
                batch.bytes = self.lines.bytes();
                if self.to.blocking_send(std::mem::take(&mut batch)).is_err() {
                    return Ok(None);
                }
            }
        }
        batch.bytes = self.lines.bytes();
        // A writer that hung up says itself why.
        let _ = self.to.blocking_send(batch);
        Ok(self.first.map(|registry| FirstInventory {
            made: registry.maker.finish(),
            chips: registry.chips,
            phones: registry.phones,
        }))
    }
}

/// How much of a broken row is kept.
const RAW_BYTES_MAX: usize = 4096;

/// The operator that the first readable row names.
pub(super) fn named_operator(lines: &mut Lines, form: &Form) -> Result<Option<String>, Error> {
    let mut cells = Cells::new();
    let found = match lines.next().map_err(unreadable)? {
        Some((_, Line::Text(text))) if cells.read(text, form).is_ok() => {
            cells.get(Column::Operator).map(str::to_owned)
        }
        Some(_) => None,
        None => return Ok(None),
    };
    lines.put_back();
    Ok(found)
}
