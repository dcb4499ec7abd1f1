//! How often somebody guessed, by a keyed mark of what is counted for.

use crate::columns::Row;
use crate::db::{Arg, Table, Tx};
use crate::{BlindIndex, Store, StoreError};
use simwarden_model::Timestamp;

const TABLE: Table = Table {
    name: "guess",
    columns: &["key", "guesses", "last_at"],
};
const OVER: &str = " ON CONFLICT (key) DO UPDATE SET guesses = excluded.guesses, last_at = excluded.last_at";

/// A count.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GuessRow {
    /// What is counted for.
    pub key: BlindIndex,
    /// How often.
    pub guesses: i64,
    /// When the last was.
    pub last_at: Timestamp,
}

fn query(keys: &[BlindIndex]) -> (&'static str, Vec<Arg>) {
    let sql = "SELECT key, guesses, last_at FROM guess WHERE key IN (KEYS)";
    (sql, keys.iter().map(|key| (*key).into()).collect())
}

fn read(rows: &[Row]) -> Result<Vec<GuessRow>, StoreError> {
    rows.iter()
        .map(|row| {
            let mut c = row.columns();
            Ok(GuessRow {
                key: BlindIndex::from_bytes(c.bytes()?),
                guesses: c.int()?,
                last_at: c.time()?,
            })
        })
        .collect()
}

impl Store {
    /// The counts of these keys, outside of the writing transaction.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn guesses(&self, keys: &[BlindIndex]) -> Result<Vec<GuessRow>, StoreError> {
        let (sql, args) = query(keys);
        read(&self.db.fetch_in(sql, args).await?)
    }
}

impl Tx {
    /// Writes counts over what is there.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn put_guesses(&mut self, rows: &[GuessRow]) -> Result<(), StoreError> {
        let args =
            |row: &GuessRow| -> Vec<Arg> { vec![row.key.into(), row.guesses.into(), row.last_at.into()] };
        self.insert(&TABLE, rows.iter().map(args).collect(), OVER)
            .await
            .map(drop)
    }

    /// The counts of these keys; keys without one are left out.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn guesses(&mut self, keys: &[BlindIndex]) -> Result<Vec<GuessRow>, StoreError> {
        let (sql, args) = query(keys);
        read(&self.fetch_in(sql, args).await?)
    }

    /// Forgets counts whose last guess was before; answers how many.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn forget_guesses(&mut self, before: Timestamp) -> Result<u64, StoreError> {
        self.execute("DELETE FROM guess WHERE last_at < $1", vec![before.into()])
            .await
    }
}
