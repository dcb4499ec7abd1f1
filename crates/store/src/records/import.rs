//! Imports: what one brought and how it is recorded, and rows written in bulk.
//!
//! Says how many rows are written quickly, not which: that is the importer's business.

use super::profile::Profile;
use super::subject_key::SubjectKeyRow;
use super::subscription::Subscription;
use super::{FromColumns, Kept, party, party::Party, profile, read_all, subject_key, subscription};
use crate::columns::Columns;
use crate::db::{Arg, Table, Tx};
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

/// The columns of a line that say something when it is new; the others are null.
const FRESH_LINE: Table = Table {
    name: subscription::TABLE.name,
    columns: &[
        "id",
        "operator",
        "party_id",
        "msisdn_idx",
        "kind",
        "state",
        "sealed",
        "opened_at",
        "version",
        "import_id",
        "origin",
    ],
};

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
    /// By the columns of [`FRESH_LINE`].
    lines: Vec<Arg>,
    /// Lines that say more than that: none of an import's.
    full_lines: Vec<Arg>,
    profiles: Vec<Arg>,
    words: Words,
}

/// The few words that stand in every row: operator, kinds, states. Shared, they are not allocated row by row.
#[derive(Debug, Default)]
struct Words(Vec<std::sync::Arc<str>>);

/// More different words than any import has.
const WORDS_MAX: usize = 64;

impl Words {
    fn share(&mut self, arg: Arg) -> Arg {
        let Arg::Text(Some(text)) = arg else { return arg };
        if let Some(word) = self.0.iter().find(|word| ***word == *text) {
            return Arg::Word(word.clone());
        }
        if self.0.len() == WORDS_MAX {
            return Arg::Text(Some(text));
        }
        let word: std::sync::Arc<str> = text.into();
        self.0.push(word.clone());
        Arg::Word(word)
    }
}

/// The digest of a first version, which stands behind its columns.
fn origin<T: Kept>(row: &T, args: &[Arg]) -> [u8; 32] {
    debug_assert_eq!(row.version(), 1);
    match args.last() {
        Some(Arg::Blob(Some(digest))) => digest.as_slice().try_into().ok(),
        _ => None,
    }
    .unwrap_or_else(|| row.digest())
}

impl FreshRows {
    /// Adds a person with their key; answers the digest of the row.
    pub fn party(&mut self, row: &Party, key: &SubjectKeyRow) -> [u8; 32] {
        let args = row.args_with_origin();
        let origin = origin(row, &args);
        self.keys.extend(key.args());
        self.parties
            .extend(args.into_iter().map(|arg| self.words.share(arg)));
        origin
    }

    /// Adds a line; answers the digest of the row.
    pub fn subscription(&mut self, row: &Subscription) -> [u8; 32] {
        let args = row.args_with_origin();
        let origin = origin(row, &args);
        let said = |column: &str| FRESH_LINE.columns.contains(&column);
        let columns = subscription::TABLE.columns;
        let is_plain = columns.iter().zip(&args).all(|(column, arg)| {
            said(column) || matches!(arg, Arg::Int(None) | Arg::Text(None) | Arg::Blob(None))
        });
        if is_plain {
            let plain = columns.iter().zip(args).filter(|(column, _)| said(column));
            self.lines.extend(plain.map(|(_, arg)| self.words.share(arg)));
        } else {
            self.full_lines.extend(args);
        }
        origin
    }

    /// Adds a profile; answers the digest of the row.
    pub fn profile(&mut self, row: &Profile) -> [u8; 32] {
        let args = row.args_with_origin();
        let origin = origin(row, &args);
        self.profiles
            .extend(args.into_iter().map(|arg| self.words.share(arg)));
        origin
    }

    /// Whether there is nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
            && self.lines.is_empty()
            && self.full_lines.is_empty()
            && self.profiles.is_empty()
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
        self.insert_bulk(&subject_key::TABLE, rows.keys).await?;
        self.insert_bulk(&party::TABLE, rows.parties).await?;
        self.insert_bulk(&FRESH_LINE, rows.lines).await?;
        self.insert_bulk(&subscription::TABLE, rows.full_lines).await?;
        self.insert_bulk(&profile::TABLE, rows.profiles).await?;
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
        self.insert_bulk(&RUN, args).await.map(drop)
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
