//! Imports: what one brought and how it is recorded, and rows written in bulk.
//!
//! Says how many rows are written quickly, not which: that is the importer's business.

use super::profile::Profile;
use super::subject_key::SubjectKeyRow;
use super::subscription::Subscription;
use super::{FromColumns, Kept, party, party::Party, profile, read_all, subject_key, subscription};
use crate::db::{Arg, Columns, Table, Tx};
use crate::{Store, StoreError};
use simwarden_model::{ImportId, ProfileId, Timestamp};

const RUN: Table = Table {
    name: "import_run",
    columns: &["id", "operator", "file", "started_at", "rows", "report", "entry"],
};
const CHUNK: Table = Table {
    name: "import_chunk",
    columns: &["import_id", "kind", "n", "first_id", "last_id", "rows", "digest"],
};
/// The tables that an import fills and whose indexes it may leave out while it does.
const FILLED: [&str; 3] = [party::TABLE.name, subscription::TABLE.name, profile::TABLE.name];

/// One run of an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportRun {
    /// Its random name, also on the ledger.
    pub id: ImportId,
    /// MCC-MNC of the operator whose inventory it was.
    pub operator: String,
    /// The name of the file, without its folder.
    pub file: String,
    /// When it began.
    pub started_at: Timestamp,
    /// How many rows the file had, the quarantined ones included.
    pub rows: i64,
    /// The counts, as JSON.
    pub report: String,
    /// The ledger entry that records it.
    pub entry: i64,
}

impl FromColumns for ImportRun {
    fn from_columns(c: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: c.id()?,
            operator: c.text()?,
            file: c.text()?,
            started_at: c.time()?,
            rows: c.int()?,
            report: c.text()?,
            entry: c.int()?,
        })
    }
}

/// Up to 4096 rows of one table that an import brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportChunk {
    /// The import.
    pub import_id: ImportId,
    /// The table.
    pub kind: String,
    /// Which chunk of that table, from 0.
    pub n: i64,
    /// The first row in the order of ids.
    pub first_id: [u8; 16],
    /// The last one.
    pub last_id: [u8; 16],
    /// How many.
    pub rows: i64,
    /// SHA-256 over the digests of the first versions of the rows, in the order of ids.
    pub digest: [u8; 32],
}

/// New rows, collected to be written with few statements.
#[derive(Debug, Default)]
pub struct FreshRows {
    keys: Vec<Arg>,
    parties: Vec<Arg>,
    subscriptions: Vec<Arg>,
    profiles: Vec<Arg>,
}

/// Adds the columns of a row with the digest of its first version behind them; answers that digest.
fn add<T: Kept>(to: &mut Vec<Arg>, row: &T, args: Vec<Arg>) -> [u8; 32] {
    debug_assert_eq!(row.version(), 1);
    let origin = match args.last() {
        Some(Arg::Blob(Some(digest))) => <[u8; 32]>::try_from(digest.as_slice()).ok(),
        _ => None,
    };
    to.extend(args);
    origin.unwrap_or_else(|| row.digest())
}

impl FreshRows {
    /// Adds a person with their key; answers the digest of the row.
    pub fn party(&mut self, row: &Party, key: &SubjectKeyRow) -> [u8; 32] {
        self.keys.extend(key.args());
        add(&mut self.parties, row, row.args_with_origin())
    }

    /// Adds a line; answers the digest of the row.
    pub fn subscription(&mut self, row: &Subscription) -> [u8; 32] {
        add(&mut self.subscriptions, row, row.args_with_origin())
    }

    /// Adds a profile; answers the digest of the row.
    pub fn profile(&mut self, row: &Profile) -> [u8; 32] {
        add(&mut self.profiles, row, row.args_with_origin())
    }

    /// Whether there is nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.subscriptions.is_empty() && self.profiles.is_empty()
    }
}

/// Indexes that were left out, by the statements that make them again.
#[derive(Debug)]
#[must_use = "the indexes must be made again before the transaction is committed"]
pub struct LeftOut(Vec<String>);

impl Tx {
    /// Whether no operator's person, line or profile is stored.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn registry_is_empty(&mut self) -> Result<bool, StoreError> {
        for table in FILLED {
            let sql = format!("SELECT 1 FROM {table} LIMIT 1");
            if !self.fetch(&sql, vec![]).await?.is_empty() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Writes new rows.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when one is there already.
    pub async fn insert_fresh(&mut self, rows: FreshRows) -> Result<(), StoreError> {
        self.insert_flat(&subject_key::TABLE, rows.keys, "").await?;
        self.insert_flat(&party::TABLE, rows.parties, "").await?;
        self.insert_flat(&subscription::TABLE, rows.subscriptions, "")
            .await?;
        self.insert_flat(&profile::TABLE, rows.profiles, "").await?;
        Ok(())
    }

    /// Takes the indexes of the registry away for the length of this transaction: filling empty tables and sorting
    /// at the end is many times quicker than keeping the indexes up to date row by row. Nobody else sees the
    /// registry without them: SQLite's readers keep their snapshot, PostgreSQL's wait.
    ///
    /// # Errors
    /// When somebody reads the tables for too long.
    pub async fn leave_out_indexes(&mut self) -> Result<LeftOut, StoreError> {
        let mut again = Vec::new();
        for (name, statement) in self.indexes_of(&FILLED).await? {
            self.execute(&format!("DROP INDEX {name}"), vec![]).await?;
            again.push(statement);
        }
        Ok(LeftOut(again))
    }

    /// How many indexes are still to be made again; makes the next one.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when a rule of uniqueness does not hold.
    pub async fn make_next_index(&mut self, left: &mut LeftOut) -> Result<usize, StoreError> {
        if let Some(statement) = left.0.pop() {
            self.execute(&statement, vec![]).await?;
        }
        Ok(left.0.len())
    }

    /// Records a run.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn insert_import_run(&mut self, run: ImportRun) -> Result<(), StoreError> {
        let args = vec![
            run.id.into(),
            run.operator.into(),
            run.file.into(),
            run.started_at.into(),
            run.rows.into(),
            run.report.into(),
            run.entry.into(),
        ];
        self.insert_flat(&RUN, args, "").await.map(drop)
    }

    /// Records the chunks of a run.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn insert_import_chunks(&mut self, chunks: Vec<ImportChunk>) -> Result<(), StoreError> {
        let rows = chunks
            .into_iter()
            .map(|c| {
                vec![
                    c.import_id.into(),
                    c.kind.into(),
                    c.n.into(),
                    c.first_id.into(),
                    c.last_id.into(),
                    c.rows.into(),
                    c.digest.into(),
                ]
            })
            .collect();
        self.insert(&CHUNK, rows, "").await.map(drop)
    }

    /// The newest run of an operator's imports.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn last_import(&mut self, operator: &str) -> Result<Option<ImportRun>, StoreError> {
        Ok(read_all(&self.fetch(LAST, vec![operator.into()]).await?)?.pop())
    }
}

const LAST: &str = "SELECT id, operator, file, started_at, rows, report, entry FROM import_run \
                    WHERE operator = $1 ORDER BY started_at DESC, entry DESC LIMIT 1";

impl Store {
    /// The newest run of an operator's imports.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn last_import(&self, operator: &str) -> Result<Option<ImportRun>, StoreError> {
        Ok(read_all(&self.db.fetch(LAST, vec![operator.into()]).await?)?.pop())
    }

    /// Up to `most` profiles of an operator behind an id, in the order of ids.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn profiles_after(
        &self,
        operator: &str,
        after: ProfileId,
        most: u32,
    ) -> Result<Vec<Profile>, StoreError> {
        let sql = format!(
            "SELECT {} FROM profile WHERE operator = $1 AND id > $2 ORDER BY id LIMIT $3",
            profile::COLUMNS
        );
        let args = vec![operator.into(), after.into(), i64::from(most).into()];
        read_all(&self.db.fetch(&sql, args).await?)
    }

    /// The lines with these ids; ids that are not there are left out.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn subscriptions_with(
        &self,
        ids: &[simwarden_model::SubscriptionId],
    ) -> Result<Vec<Subscription>, StoreError> {
        let sql = format!(
            "SELECT {} FROM subscription WHERE id IN (KEYS)",
            subscription::COLUMNS
        );
        read_all(
            &self
                .db
                .fetch_in(&sql, ids.iter().map(|id| (*id).into()).collect())
                .await?,
        )
    }

    /// The parties with these ids; ids that are not there are left out.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn parties_with(&self, ids: &[simwarden_model::PartyId]) -> Result<Vec<Party>, StoreError> {
        let sql = format!("SELECT {} FROM party WHERE id IN (KEYS)", party::COLUMNS);
        read_all(
            &self
                .db
                .fetch_in(&sql, ids.iter().map(|id| (*id).into()).collect())
                .await?,
        )
    }
}

impl Tx {
    /// How many profiles an operator has.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn profile_count(&mut self, operator: &str) -> Result<i64, StoreError> {
        let rows = self
            .fetch(
                "SELECT COUNT(*) FROM profile WHERE operator = $1",
                vec![operator.into()],
            )
            .await?;
        rows.first().map_or(Ok(0), |row| row.columns().int())
    }
}
