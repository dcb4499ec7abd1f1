//! The rows' side of [`super::fsck()`]: what the entries say of each row, and what the rows say.

use super::LogError;
use super::fsck::{Finding, FsckReport};
use crate::entry::{EntryBody, RowMark, hex};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use sha2::{Digest as _, Sha256};
use simwarden_model::ImportId;
use simwarden_store::Store;
use simwarden_store::records::page::{IMPORTED_KINDS, ImportChunk, KEPT_KINDS, KeptRow, PAGE_MAX};
use std::collections::{BTreeMap, BTreeSet, HashMap};

type RowId = [u8; 16];

/// The last recorded version of a row.
#[derive(Debug, Clone, Copy)]
struct Mark {
    version: i64,
    digest: [u8; 32],
    entry: u64,
}

/// What an entry says of an import.
#[derive(Debug, Clone, Copy)]
struct ImportMark {
    chunks: u64,
    digest: [u8; 32],
}

/// Everything that the entries say of rows.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    /// By table, in the order of [`KEPT_KINDS`].
    rows: [BTreeMap<RowId, Mark>; KEPT_KINDS.len()],
    imports: HashMap<ImportId, ImportMark>,
}

impl Marks {
    /// Takes in what an entry says.
    pub(crate) fn take(&mut self, entry: u64, body: &EntryBody, report: &mut FsckReport) {
        for mark in &body.rows {
            if let Err(reason) = self.mark(entry, mark) {
                report.add(Finding::Entry { index: entry, reason });
            }
        }
        if body.kind == "import.finished" {
            match import_mark(&body.detail) {
                Some((import, mark)) => {
                    self.imports.insert(import, mark);
                }
                None => {
                    let reason = "records an import without its number, chunks and digest".to_owned();
                    report.add(Finding::Entry { index: entry, reason });
                }
            }
        }
    }

    fn mark(&mut self, entry: u64, RowMark(kind, id, version, digest): &RowMark) -> Result<(), String> {
        let table = KEPT_KINDS.iter().position(|known| known == kind);
        let parsed = table.zip(unhex(id)).zip(digest_of(digest));
        let Some(((table, id), digest)) = parsed else {
            return Err(format!("names a row that cannot be one: {kind} {id}"));
        };
        let before = self.rows[table].insert(
            id,
            Mark {
                version: *version,
                digest,
                entry,
            },
        );
        match before {
            Some(before) if *version != before.version + 1 => Err(format!(
                "records version {version} of {kind} {} after version {} in entry {}",
                hex(&id),
                before.version,
                before.entry
            )),
            _ => Ok(()),
        }
    }

    /// The imports that are recorded by now: all of their rows were written before.
    pub(crate) fn imports_so_far(&self) -> BTreeSet<ImportId> {
        self.imports.keys().copied().collect()
    }
}

fn import_mark(detail: &serde_json::Value) -> Option<(ImportId, ImportMark)> {
    let import = detail.get("import")?.as_str()?.parse().ok()?;
    let chunks = detail.get("chunks")?.as_u64()?;
    let digest = digest_of(detail.get("digest")?.as_str()?)?;
    Some((import, ImportMark { chunks, digest }))
}

fn digest_of(text: &str) -> Option<[u8; 32]> {
    BASE64.decode(text).ok()?.try_into().ok()
}

fn unhex(text: &str) -> Option<RowId> {
    let digits = text.as_bytes();
    let mut id = [0; 16];
    if digits.len() != 2 * id.len() {
        return None;
    }
    for (byte, pair) in id.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(id)
}

/// Rows of an import that were seen, by table and import.
pub(crate) type Counts = HashMap<(usize, ImportId), i64>;

/// Rows that look wrong, with the reason: they are looked at again after the newest entries.
#[derive(Debug, Default)]
pub(crate) struct Suspects {
    rows: Vec<(usize, RowId, String)>,
    more: u64,
}

/// Holds every row against its mark.
pub(crate) async fn check_rows(
    store: &Store,
    marks: &Marks,
    report: &mut FsckReport,
) -> Result<(Counts, Suspects), LogError> {
    let (mut counts, mut suspects) = (Counts::new(), Suspects::default());
    for (table, kind) in KEPT_KINDS.into_iter().enumerate() {
        let mut recorded = marks.rows[table].keys().copied().peekable();
        let mut after = [0; 16];
        loop {
            let page = store.kept_rows(kind, after, PAGE_MAX).await?;
            for row in &page {
                while let Some(gone) = recorded.next_if(|id| *id < row.id) {
                    suspects.add(table, gone, String::from("was removed"));
                }
                recorded.next_if_eq(&row.id);
                if let Some(import) = row.import_id {
                    *counts.entry((table, import)).or_default() += 1;
                }
                if let Some(reason) = wrong(row, marks.rows[table].get(&row.id)) {
                    suspects.add(table, row.id, reason);
                }
            }
            report.rows += page.len() as u64;
            match page.last() {
                Some(row) => after = row.id,
                None => break,
            }
        }
        recorded.for_each(|gone| suspects.add(table, gone, String::from("was removed")));
    }
    Ok((counts, suspects))
}

/// What is wrong with a row, as the end of a sentence.
fn wrong(row: &KeptRow, mark: Option<&Mark>) -> Option<String> {
    let Some(digest) = row.digest else {
        return Some("cannot be read as what it should be: it was changed".into());
    };
    match mark {
        Some(mark) if row.version > mark.version => Some(format!(
            "has version {}, the ledger knows none after {} (entry {}): it was changed behind the ledger's back",
            row.version, mark.version, mark.entry
        )),
        Some(mark) if row.version < mark.version => Some(format!(
            "has version {}, entry {} recorded version {}: it was set back",
            row.version, mark.entry, mark.version
        )),
        Some(mark) if digest != mark.digest => Some(format!(
            "is not what entry {} recorded: it was changed behind the ledger's back",
            mark.entry
        )),
        Some(_) if row.version == 1 && row.origin.is_some_and(|origin| origin != digest) => {
            Some("has a first digest that is not its own: it was changed behind the ledger's back".into())
        }
        Some(_) => None,
        None if row.import_id.is_none() => {
            Some("is on no entry: it was added behind the ledger's back".into())
        }
        None if row.version != 1 => Some(format!(
            "has version {}, which no entry records: it was changed behind the ledger's back",
            row.version
        )),
        None if row.origin != Some(digest) => {
            Some("is not what its import brought: it was changed behind the ledger's back".into())
        }
        None => None,
    }
}

impl Suspects {
    fn add(&mut self, table: usize, id: RowId, reason: String) {
        if self.rows.len() < super::fsck::FINDINGS_MAX {
            self.rows.push((table, id, reason));
        } else {
            self.more += 1;
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Looks again; those that are in order by now are dropped.
    pub(crate) async fn again(self, store: &Store, marks: &Marks) -> Result<Self, LogError> {
        let mut still = Self {
            rows: Vec::new(),
            more: self.more,
        };
        for (table, kind) in KEPT_KINDS.into_iter().enumerate() {
            let of_table: Vec<_> = self.rows.iter().filter(|(t, ..)| *t == table).collect();
            for chunk in of_table.chunks(128) {
                let ids: Vec<RowId> = chunk.iter().map(|(_, id, _)| *id).collect();
                let rows = store.kept_rows_by_id(kind, &ids).await?;
                let rows: HashMap<RowId, KeptRow> = rows.into_iter().map(|row| (row.id, row)).collect();
                for id in ids {
                    let mark = marks.rows[table].get(&id);
                    let reason = match (rows.get(&id), mark) {
                        (Some(row), mark) => wrong(row, mark),
                        (None, Some(mark)) => {
                            Some(format!("was removed; entry {} recorded it last", mark.entry))
                        }
                        (None, None) => None,
                    };
                    if let Some(reason) = reason {
                        still.add(table, id, reason);
                    }
                }
            }
        }
        Ok(still)
    }

    pub(crate) fn report(self, report: &mut FsckReport) {
        for (table, id, reason) in self.rows {
            report.add(Finding::Row {
                kind: KEPT_KINDS[table],
                id: hex(&id),
                reason,
            });
        }
        report.more += self.more;
    }
}

/// Holds the chunks of every import against its entry, and the rows against the chunks. `counted` are the imports
/// whose rows were all there when the rows were counted.
pub(crate) async fn check_imports(
    store: &Store,
    marks: &Marks,
    counted: &BTreeSet<ImportId>,
    counts: &Counts,
    report: &mut FsckReport,
) -> Result<(), LogError> {
    let wrong = |import: ImportId, reason: String| Finding::Import { import, reason };
    let mut sums: HashMap<(usize, ImportId), i64> = HashMap::new();
    for (import, kind, rows) in store.imports_in_chunks().await? {
        match KEPT_KINDS.iter().position(|known| *known == kind) {
            Some(table) if marks.imports.contains_key(&import) => {
                *sums.entry((table, import)).or_default() += rows
            }
            _ => report.add(wrong(
                import,
                format!("has rows of {kind} in chunks that no entry records"),
            )),
        }
    }
    for (import, mark) in &marks.imports {
        report.imports += 1;
        check_import(store, *import, *mark, report).await?;
    }
    for (table, kind) in KEPT_KINDS.into_iter().enumerate() {
        let seen = counts.iter().filter(|((t, _), _)| *t == table);
        for ((_, import), count) in seen {
            let recorded = sums.get(&(table, *import)).copied().unwrap_or(0);
            let known = counted.contains(import) || !marks.imports.contains_key(import);
            if known && *count != recorded {
                let reason = format!(
                    "has {count} rows of {kind}, {recorded} are recorded: rows were added or removed"
                );
                report.add(wrong(*import, reason));
            }
        }
    }
    Ok(())
}

async fn check_import(
    store: &Store,
    import: ImportId,
    mark: ImportMark,
    report: &mut FsckReport,
) -> Result<(), LogError> {
    let (mut all, mut count) = (Sha256::new(), 0_u64);
    let mut after = (String::new(), -1);
    loop {
        let chunks = store.import_chunks(import, (&after.0, after.1), PAGE_MAX).await?;
        let Some(last) = chunks.last() else { break };
        after = (last.kind.clone(), last.n);
        for chunk in &chunks {
            all.update(chunk.digest);
            count += 1;
            if !chunk_holds(store, chunk).await? {
                let reason = format!(
                    "was changed behind the ledger's back: rows of {} from {} to {} were added or removed, or their \
                     first digests changed",
                    chunk.kind,
                    hex(&chunk.first_id),
                    hex(&chunk.last_id)
                );
                report.add(Finding::Import { import, reason });
            }
        }
    }
    let digest: [u8; 32] = all.finalize().into();
    if count != mark.chunks || digest != mark.digest {
        let reason =
            "has other chunks than its entry records: they were changed behind the ledger's back".to_owned();
        report.add(Finding::Import { import, reason });
    }
    Ok(())
}

async fn chunk_holds(store: &Store, chunk: &ImportChunk) -> Result<bool, LogError> {
    if !IMPORTED_KINDS.contains(&chunk.kind.as_str()) {
        return Ok(false);
    }
    let (mut hash, mut rows, mut from) = (Sha256::new(), 0_i64, chunk.first_id);
    loop {
        let page = store
            .origins(&chunk.kind, chunk.import_id, (from, chunk.last_id), PAGE_MAX)
            .await?;
        for (_, origin) in &page {
            hash.update(origin);
            rows += 1;
        }
        match page
            .last()
            .and_then(|(id, _)| u128::from_be_bytes(*id).checked_add(1))
        {
            Some(next) if page.len() == PAGE_MAX as usize => from = next.to_be_bytes(),
            _ => break,
        }
    }
    Ok(rows == chunk.rows && <[u8; 32]>::from(hash.finalize()) == chunk.digest)
}
