//! Rows read page by page, for holding them against the ledger: which row, which version, which digest.
//!
//! What cannot be read as a row of its kind any more is still named here, never an error: it is what is looked for.

use super::approval::{self, Approval};
use super::operation::{self, Operation};
use super::party::{self, Party};
use super::profile::{self, Profile};
use super::smdp_order::{self, SmdpOrder};
use super::subscription::{self, Subscription};
use super::{FromColumns, Kept};
use crate::columns::Row;
use crate::db::{Arg, Db};
use crate::{Store, StoreError};
use simwarden_model::ImportId;

/// The longest page.
pub const PAGE_MAX: u32 = 2048;

/// The tables whose every version is vouched for by the ledger.
pub const KEPT_KINDS: [&str; 6] = [
    Party::KIND,
    Subscription::KIND,
    Profile::KIND,
    Operation::KIND,
    Approval::KIND,
    SmdpOrder::KIND,
];
/// Those of them that imports bring.
pub const IMPORTED_KINDS: [&str; 3] = [Party::KIND, Subscription::KIND, Profile::KIND];

/// A row as the ledger knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptRow {
    /// Which.
    pub id: [u8; 16],
    /// Its version; 0 when it cannot be read.
    pub version: i64,
    /// SHA-256 over its columns as they stand now; none when they cannot be read.
    pub digest: Option<[u8; 32]>,
    /// The digest of its first version, where the table keeps one.
    pub origin: Option<[u8; 32]>,
    /// The import that brought it.
    pub import_id: Option<ImportId>,
}

/// A chunk of an import's rows, as the ledger recorded it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportChunk {
    /// The import.
    pub import_id: ImportId,
    /// The table of its rows.
    pub kind: String,
    /// Which chunk of that table, from 0.
    pub n: i64,
    /// The first row, in id order.
    pub first_id: [u8; 16],
    /// The last row.
    pub last_id: [u8; 16],
    /// How many rows.
    pub rows: i64,
    /// SHA-256 over the first-version digests of the rows, in id order.
    pub digest: [u8; 32],
}

impl FromColumns for ImportChunk {
    fn from_columns(c: &mut crate::columns::Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            import_id: c.id()?,
            kind: c.text()?,
            n: c.int()?,
            first_id: c.bytes()?,
            last_id: c.bytes()?,
            rows: c.int()?,
            digest: c.bytes()?,
        })
    }
}

fn kept<T: Kept + FromColumns>(
    row: &Row,
    import: impl Fn(&T) -> Option<ImportId>,
) -> Result<KeptRow, StoreError> {
    let mut columns = row.columns();
    let read = T::from_columns(&mut columns);
    // An id of another length cannot be named as one.
    let id = row.columns().bytes()?;
    Ok(match read {
        Ok(read) => KeptRow {
            id,
            version: read.version(),
            digest: Some(read.digest()),
            origin: columns.opt_bytes().ok().flatten(),
            import_id: import(&read),
        },
        Err(_) => KeptRow {
            id,
            version: 0,
            digest: None,
            origin: None,
            import_id: None,
        },
    })
}

/// Reads rows of one of [`KEPT_KINDS`]: `tail` is what stands behind FROM and the table's name.
async fn select(db: &Db, kind: &str, tail: &str, args: Vec<Arg>) -> Result<Vec<KeptRow>, StoreError> {
    let (columns, origin) = match kind {
        Party::KIND => (party::COLUMNS, true),
        Subscription::KIND => (subscription::COLUMNS, true),
        Profile::KIND => (profile::COLUMNS, true),
        Operation::KIND => (operation::COLUMNS, false),
        Approval::KIND => (approval::COLUMNS, false),
        SmdpOrder::KIND => (smdp_order::COLUMNS, false),
        other => {
            return Err(StoreError::Config(format!(
                "the ledger does not vouch for rows of `{other}`"
            )));
        }
    };
    let origin = if origin { ", origin" } else { ", NULL" };
    let rows = db
        .fetch_in_or_all(&format!("SELECT {columns}{origin} FROM {kind} {tail}"), args)
        .await?;
    rows.iter()
        .map(|row| match kind {
            Party::KIND => kept::<Party>(row, |row| row.import_id),
            Subscription::KIND => kept::<Subscription>(row, |row| row.import_id),
            Profile::KIND => kept::<Profile>(row, |row| row.import_id),
            Operation::KIND => kept::<Operation>(row, |_| None),
            SmdpOrder::KIND => kept::<SmdpOrder>(row, |_| None),
            _ => kept::<Approval>(row, |_| None),
        })
        .collect()
}

impl Db {
    /// As [`Db::fetch_in`] when the statement holds the word `KEYS`, else as [`Db::fetch`].
    async fn fetch_in_or_all(&self, sql: &str, args: Vec<Arg>) -> Result<Vec<Row>, StoreError> {
        if sql.contains("KEYS") {
            self.fetch_in(sql, args).await
        } else {
            self.fetch(sql, args).await
        }
    }
}

impl Store {
    /// Up to `most` rows of one of [`KEPT_KINDS`] behind an id, in id order.
    ///
    /// # Errors
    /// When the database cannot be read; [`StoreError::Corrupt`] when an id is not one.
    pub async fn kept_rows(
        &self,
        kind: &str,
        after: [u8; 16],
        most: u32,
    ) -> Result<Vec<KeptRow>, StoreError> {
        let args = vec![after.into(), i64::from(most.min(PAGE_MAX)).into()];
        select(&self.db, kind, "WHERE id > $1 ORDER BY id LIMIT $2", args).await
    }

    /// The rows of one of [`KEPT_KINDS`] with these ids; those that are not there are left out.
    ///
    /// # Errors
    /// As [`Self::kept_rows`].
    pub async fn kept_rows_by_id(&self, kind: &str, ids: &[[u8; 16]]) -> Result<Vec<KeptRow>, StoreError> {
        select(
            &self.db,
            kind,
            "WHERE id IN (KEYS)",
            ids.iter().map(|id| (*id).into()).collect(),
        )
        .await
    }

    /// Up to `most` chunks of an import behind a table and number, in the order in which the ledger hashed them.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn import_chunks(
        &self,
        import: ImportId,
        after: (&str, i64),
        most: u32,
    ) -> Result<Vec<ImportChunk>, StoreError> {
        let sql = "SELECT import_id, kind, n, first_id, last_id, rows, digest FROM import_chunk \
                   WHERE import_id = $1 AND (kind > $2 OR (kind = $3 AND n > $4)) ORDER BY kind, n LIMIT $5";
        let (kind, n) = after;
        let args = vec![
            import.into(),
            kind.into(),
            kind.into(),
            n.into(),
            i64::from(most.min(PAGE_MAX)).into(),
        ];
        super::read_all(&self.db.fetch(sql, args).await?)
    }

    /// The imports that have chunks: (import, table, rows in its chunks).
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn imports_in_chunks(&self) -> Result<Vec<(ImportId, String, i64)>, StoreError> {
        let sql =
            "SELECT import_id, kind, CAST(SUM(rows) AS BIGINT) FROM import_chunk GROUP BY import_id, kind";
        let rows = self.db.fetch(sql, vec![]).await?;
        rows.iter()
            .map(|row| {
                let mut c = row.columns();
                Ok((c.id()?, c.text()?, c.int()?))
            })
            .collect()
    }

    /// Up to `most` (id, first-version digest) of an import's rows of one table with `from <= id <= to`, in id order.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn origins(
        &self,
        kind: &str,
        import: ImportId,
        (from, to): ([u8; 16], [u8; 16]),
        most: u32,
    ) -> Result<Vec<([u8; 16], Vec<u8>)>, StoreError> {
        if !IMPORTED_KINDS.contains(&kind) {
            return Err(StoreError::Corrupt(format!("an import of `{kind}`")));
        }
        let sql = format!(
            "SELECT id, origin FROM {kind} WHERE id >= $1 AND id <= $2 AND import_id = $3 ORDER BY id LIMIT $4"
        );
        let args = vec![
            from.into(),
            to.into(),
            import.into(),
            i64::from(most.min(PAGE_MAX)).into(),
        ];
        let rows = self.db.fetch(&sql, args).await?;
        rows.iter()
            .map(|row| {
                let mut c = row.columns();
                Ok((c.bytes()?, c.blob()?))
            })
            .collect()
    }
}
