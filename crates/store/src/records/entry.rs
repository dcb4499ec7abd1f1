//! The ledger's entries, in order and without gaps.

use super::FromColumns;
use crate::columns::Columns;
use crate::db::{Db, Table, Tx};
use crate::{Store, StoreError};
use simwarden_model::Timestamp;

const TABLE: Table = Table {
    name: "ledger_entry",
    columns: &["idx", "at", "kind", "leaf", "body"],
};

/// The longest list of entries read at once.
pub const ENTRIES_MAX: u32 = 4096;

/// One entry of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its index, from 0.
    pub index: i64,
    /// Its time, never before the one of the entry before it.
    pub at: Timestamp,
    /// What it records.
    pub kind: String,
    /// Its leaf hash.
    pub leaf: [u8; 32],
    /// The bytes, at most 65,535.
    pub body: Vec<u8>,
}

impl FromColumns for Entry {
    fn from_columns(c: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            index: c.int()?,
            at: c.time()?,
            kind: c.text()?,
            leaf: c.bytes()?,
            body: c.blob()?,
        })
    }
}

impl Tx {
    /// The number of entries, and the time of the last one.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn ledger_end(&mut self) -> Result<(i64, Timestamp), StoreError> {
        end_of(self.fetch(END, vec![]).await?)
    }

    /// Adds entries behind the last one.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the indexes do not follow.
    pub async fn insert_entries(&mut self, entries: Vec<Entry>) -> Result<(), StoreError> {
        let rows = entries
            .into_iter()
            .map(|e| {
                vec![
                    e.index.into(),
                    e.at.into(),
                    e.kind.into(),
                    e.leaf.into(),
                    e.body.into(),
                ]
            })
            .collect();
        self.insert(&TABLE, rows, "").await.map(drop)
    }
}

const END: &str = "SELECT idx, at FROM ledger_entry ORDER BY idx DESC LIMIT 1";

fn end_of(rows: Vec<crate::columns::Row>) -> Result<(i64, Timestamp), StoreError> {
    match rows.first() {
        None => Ok((0, Timestamp::EPOCH)),
        Some(row) => {
            let mut c = row.columns();
            Ok((c.int()? + 1, c.time()?))
        }
    }
}

async fn leaves(db: &Db, from: i64, most: u32) -> Result<Vec<[u8; 32]>, StoreError> {
    let sql = "SELECT leaf FROM ledger_entry WHERE idx >= $1 ORDER BY idx LIMIT $2";
    let rows = db.fetch(sql, vec![from.into(), i64::from(most).into()]).await?;
    rows.iter().map(|row| row.columns().bytes()).collect()
}

impl Store {
    /// The number of entries, and the time of the last one.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn ledger_end(&self) -> Result<(i64, Timestamp), StoreError> {
        end_of(self.db.fetch(END, vec![]).await?)
    }

    /// Up to `most` entries from an index on, in order.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn entries(&self, from: i64, most: u32) -> Result<Vec<Entry>, StoreError> {
        let sql = "SELECT idx, at, kind, leaf, body FROM ledger_entry WHERE idx >= $1 ORDER BY idx LIMIT $2";
        super::read_all(
            &self
                .db
                .fetch(sql, vec![from.into(), i64::from(most.min(ENTRIES_MAX)).into()])
                .await?,
        )
    }

    /// Up to `most` leaf hashes from an index on, in order.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn leaves(&self, from: i64, most: u32) -> Result<Vec<[u8; 32]>, StoreError> {
        leaves(&self.db, from, most).await
    }
}
