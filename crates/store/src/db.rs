//! The two databases behind one face.
//!
//! Every statement of simwarden is written once, in the SQL that SQLite and PostgreSQL share (`$n` binds, no vendor
//! functions); how each is reached stands in `sqlite` and `postgres`. Values are 64-bit integers, texts and byte strings,
//! nothing else, so that both databases mean the same by a column.

use crate::StoreError;
use crate::columns::Row;
use crate::postgres;
use crate::sqlite::{self, Sqlite};
use sqlx::postgres::{PgArguments, PgPool};
use sqlx::{AssertSqlSafe, Postgres, Transaction};
use std::sync::Arc;

/// A value bound to a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arg {
    /// A 64-bit integer, or none.
    Int(Option<i64>),
    /// A text, or none.
    Text(Option<String>),
    /// A text that many rows of a bulk insert share.
    Word(Arc<str>),
    /// A byte string, or none.
    Blob(Option<Vec<u8>>),
}

macro_rules! arg_from {
    ($($from:ty, $variant:ident, $value:ident => $convert:expr);+ $(;)?) => {$(
        impl From<$from> for Arg {
            fn from($value: $from) -> Self {
                Self::$variant(Some($convert))
            }
        }
        impl From<Option<$from>> for Arg {
            fn from(value: Option<$from>) -> Self {
                Self::$variant(value.map(|$value| $convert))
            }
        }
    )+};
}
arg_from! {
    i64, Int, v => v;
    bool, Int, v => i64::from(v);
    simwarden_model::Timestamp, Int, v => v.as_micros();
    String, Text, v => v;
    &str, Text, v => v.to_owned();
    Vec<u8>, Blob, v => v;
    [u8; 16], Blob, v => v.to_vec();
    [u8; 32], Blob, v => v.to_vec();
    crate::sealing::BlindIndex, Blob, v => v.as_bytes().to_vec();
}
impl<K> From<simwarden_model::Id<K>> for Arg {
    fn from(id: simwarden_model::Id<K>) -> Self {
        Self::Blob(Some(id.as_bytes().to_vec()))
    }
}
impl<K> From<Option<simwarden_model::Id<K>>> for Arg {
    fn from(id: Option<simwarden_model::Id<K>>) -> Self {
        Self::Blob(id.map(|id| id.as_bytes().to_vec()))
    }
}

/// A table that rows are added to in bulk.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) columns: &'static [&'static str],
}

/// Bulk inserts are cut into statements of these sizes, so that a handful of prepared statements serve every batch.
const INSERT_ROWS: [usize; 4] = [128, 32, 8, 1];
/// Rows of one statement on PostgreSQL, which takes them as arrays.
const ARRAY_ROWS_MAX: usize = 2048;
/// Longer ones for imports, where handing over the statement costs: 24 columns stay below SQLite's 32,766 binds.
const BULK_ROWS: [usize; 5] = [512, 128, 32, 8, 1];

impl Table {
    /// For SQLite, with binds that have no numbers: it searches the list of numbered ones anew for each bind, which for
    /// the thousands of binds of one statement costs more than the insert itself.
    fn insert_sql(&self, rows: usize, tail: &str) -> String {
        let mut sql = format!("INSERT INTO {} ({}) VALUES ", self.name, self.columns.join(", "));
        let row = format!("({})", vec!["?"; self.columns.len()].join(", "));
        sql.push_str(&vec![row; rows].join(", "));
        sql.push_str(tail);
        sql
    }
}

/// The connections of one database.
#[derive(Debug, Clone)]
pub(crate) enum Db {
    /// SQLite.
    Sqlite(Arc<Sqlite>),
    /// PostgreSQL.
    Postgres(PgPool),
}

/// PostgreSQL has no U+0000 in its texts, SQLite cuts them there: neither is given one.
fn refuse_zero(args: &[Arg]) -> Result<(), StoreError> {
    let zero = |arg: &Arg| match arg {
        Arg::Text(Some(text)) => text.contains('\0'),
        Arg::Word(text) => text.contains('\0'),
        _ => false,
    };
    if args.iter().any(zero) {
        return Err(StoreError::Conflict(
            "a text holds the character U+0000; leave it out".into(),
        ));
    }
    Ok(())
}

/// The key of PostgreSQL's advisory lock under which every writing transaction of simwarden stands.
const WRITER_LOCK: i64 = 0x7369_6d77_6172_6465;

impl Db {
    /// Reads rows outside of any writing transaction.
    pub(crate) async fn fetch(&self, sql: &str, args: Vec<Arg>) -> Result<Vec<Row>, StoreError> {
        refuse_zero(&args)?;
        Ok(match self {
            Self::Sqlite(sqlite) => {
                let rows = sqlite.fetch(sql, &args).await?;
                rows.into_iter().map(Row::Sqlite).collect()
            }
            Self::Postgres(pool) => {
                sqlx::query_with(AssertSqlSafe(sql.to_owned()), postgres::arguments(args)?)
                    .fetch_all(pool)
                    .await?
                    .into_iter()
                    .map(Row::Postgres)
                    .collect()
            }
        })
    }

    /// Begins the one writing transaction: no other writer, of this or another process, works until it ends.
    pub(crate) async fn begin(&self) -> Result<Tx, StoreError> {
        let open = match self {
            Self::Sqlite(sqlite) => Open::Sqlite(sqlite.begin().await?),
            Self::Postgres(pool) => {
                // Whatever the server's default is: the first statement waits for the lock, and what is read behind
                // it must be what the writer before committed, not a picture from before the wait.
                let mut tx = pool
                    .begin_with("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE")
                    .await?;
                sqlx::query("SELECT pg_advisory_xact_lock($1)")
                    .bind(WRITER_LOCK)
                    .execute(&mut *tx)
                    .await?;
                Open::Postgres(tx)
            }
        };
        Ok(Tx {
            open,
            failed: false,
            rows: 0,
        })
    }
}

/// The one writing transaction. Dropped without [`Tx::commit`], it leaves nothing behind.
///
/// A statement that fails takes the whole transaction with it, on both databases alike: nothing more is run in it and
/// it can no longer be committed. (PostgreSQL would answer COMMIT as if all were well and roll back; SQLite would
/// commit the rest.)
pub struct Tx {
    open: Open,
    failed: bool,
    /// Rows written so far.
    rows: u64,
}

enum Open {
    Sqlite(sqlite::Writing),
    Postgres(Transaction<'static, Postgres>),
}

fn gone() -> StoreError {
    StoreError::Unavailable("a statement of this transaction failed before".into())
}

impl Tx {
    pub(crate) async fn fetch(&mut self, sql: &str, args: Vec<Arg>) -> Result<Vec<Row>, StoreError> {
        self.claim()?;
        refuse_zero(&args)?;
        let rows = match &mut self.open {
            Open::Sqlite(tx) => tx.fetch(sql, &args)?.into_iter().map(Row::Sqlite).collect(),
            Open::Postgres(tx) => sqlx::query_with(AssertSqlSafe(sql.to_owned()), postgres::arguments(args)?)
                .fetch_all(&mut **tx)
                .await?
                .into_iter()
                .map(Row::Postgres)
                .collect(),
        };
        self.failed = false;
        Ok(rows)
    }

    /// Before a statement: counts it as failed until it has come back, so that one that was given up halfway counts
    /// as failed too.
    fn claim(&mut self) -> Result<(), StoreError> {
        if std::mem::replace(&mut self.failed, true) {
            return Err(gone());
        }
        Ok(())
    }

    /// What is refused before it is sent fails the transaction as a statement would.
    fn or_fail<T>(&mut self, outcome: Result<T, StoreError>) -> Result<T, StoreError> {
        self.failed |= outcome.is_err();
        outcome
    }

    /// Runs a statement; answers the number of rows it touched.
    pub(crate) async fn execute(&mut self, sql: &str, args: Vec<Arg>) -> Result<u64, StoreError> {
        self.claim()?;
        refuse_zero(&args)?;
        let rows = match &mut self.open {
            Open::Sqlite(tx) => tx.execute(sql, &args)?,
            Open::Postgres(tx) => sqlx::query_with(AssertSqlSafe(sql.to_owned()), postgres::arguments(args)?)
                .execute(&mut **tx)
                .await?
                .rows_affected(),
        };
        self.failed = false;
        self.rows += rows;
        Ok(rows)
    }

    /// Runs statements that take nothing and answer nothing, for a schema.
    pub(crate) async fn run_all(&mut self, sql: &str) -> Result<(), StoreError> {
        self.claim()?;
        match &mut self.open {
            Open::Sqlite(tx) => sqlite::run_all(tx, sql)?,
            Open::Postgres(tx) => {
                sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
                    .execute(&mut **tx)
                    .await?;
            }
        }
        self.failed = false;
        Ok(())
    }

    /// Adds rows in as few statements as possible; `tail` stands behind VALUES, such as an ON CONFLICT clause.
    /// Answers the number of rows touched.
    pub(crate) async fn insert(
        &mut self,
        table: &Table,
        rows: Vec<Vec<Arg>>,
        tail: &str,
    ) -> Result<u64, StoreError> {
        let args = rows.into_iter().flatten().collect();
        self.insert_cut(table, args, tail, &INSERT_ROWS).await
    }

    /// Adds many rows, given as their columns one behind the other.
    pub(crate) async fn insert_bulk(&mut self, table: &Table, args: Vec<Arg>) -> Result<u64, StoreError> {
        self.insert_cut(table, args, "", &BULK_ROWS).await
    }

    async fn insert_cut(
        &mut self,
        table: &Table,
        args: Vec<Arg>,
        tail: &str,
        sizes: &[usize],
    ) -> Result<u64, StoreError> {
        let width = table.columns.len();
        debug_assert_eq!(
            args.len() % width,
            0,
            "a row of {} has the wrong width",
            table.name
        );
        if let Open::Postgres(_) = &self.open {
            let mut touched = 0;
            let mut args = args.into_iter().peekable();
            while args.peek().is_some() {
                let rows: Vec<Arg> = args.by_ref().take(ARRAY_ROWS_MAX * width).collect();
                self.or_fail(refuse_zero(&rows))?;
                let (sql, bound) = self.or_fail(postgres::insert(table, rows, tail))?;
                touched += self.execute_bound(&sql, bound).await?;
            }
            return Ok(touched);
        }
        let mut touched = 0;
        let mut left = args.len() / width;
        let mut args = args.into_iter();
        while left > 0 {
            let size = sizes.iter().copied().find(|size| *size <= left).unwrap_or(1);
            let sql = table.insert_sql(size, tail);
            touched += self
                .execute(&sql, args.by_ref().take(size * width).collect())
                .await?;
            left -= size;
        }
        Ok(touched)
    }

    /// Runs a statement on PostgreSQL whose binds are bound already.
    async fn execute_bound(&mut self, sql: &str, bound: PgArguments) -> Result<u64, StoreError> {
        self.claim()?;
        let Open::Postgres(tx) = &mut self.open else {
            return Err(StoreError::Conflict("binds of another database".into()));
        };
        let done = sqlx::query_with(AssertSqlSafe(sql.to_owned()), bound)
            .execute(&mut **tx)
            .await?;
        self.failed = false;
        self.rows += done.rows_affected();
        Ok(done.rows_affected())
    }

    /// Whether this is SQLite.
    pub(crate) fn is_embedded(&self) -> bool {
        matches!(self.open, Open::Sqlite(_))
    }

    /// The indexes of these tables that stand beside their primary keys: (name, the statement that makes it).
    pub(crate) async fn indexes_of(
        &mut self,
        tables: &[&'static str],
    ) -> Result<Vec<(String, String)>, StoreError> {
        let sql = match &self.open {
            Open::Sqlite(_) => {
                "SELECT name, sql FROM sqlite_master \
                 WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN (KEYS) ORDER BY name"
            }
            Open::Postgres(_) => {
                "SELECT i.indexname::text, i.indexdef FROM pg_indexes i \
                 WHERE i.schemaname = current_schema() AND i.tablename IN (KEYS) \
                 AND i.indexname NOT IN (SELECT conname FROM pg_constraint) ORDER BY 1"
            }
        };
        let rows = self
            .fetch_in(sql, tables.iter().map(|table| (*table).into()).collect())
            .await?;
        rows.iter()
            .map(|row| {
                let mut c = row.columns();
                Ok((c.text()?, c.text()?))
            })
            .collect()
    }

    /// Reads the rows whose key is one of `keys`; `sql` holds the word `KEYS` where the list of binds belongs.
    /// No key may stand in it twice.
    pub(crate) async fn fetch_in(&mut self, sql: &str, keys: Vec<Arg>) -> Result<Vec<Row>, StoreError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        if let Open::Postgres(_) = &self.open {
            self.or_fail(refuse_zero(&keys))?;
            let (sql, bound) = self.or_fail(postgres::keys(sql, &[], keys))?;
            self.claim()?;
            let Open::Postgres(tx) = &mut self.open else {
                return Err(gone());
            };
            let rows = sqlx::query_with(AssertSqlSafe(sql), bound)
                .fetch_all(&mut **tx)
                .await?;
            self.failed = false;
            return Ok(rows.into_iter().map(Row::Postgres).collect());
        }
        let mut rows = Vec::with_capacity(keys.len());
        for chunk in keys.chunks(IN_KEYS_MAX) {
            let (sql, args) = with_keys(sql, &[], chunk);
            rows.extend(self.fetch(&sql, args).await?);
        }
        Ok(rows)
    }

    /// As [`Self::fetch_in`] for a statement that changes rows; `first` are its binds before the keys. Answers the
    /// number of rows it touched.
    pub(crate) async fn execute_in(
        &mut self,
        sql: &str,
        first: &[Arg],
        keys: Vec<Arg>,
    ) -> Result<u64, StoreError> {
        if keys.is_empty() {
            return Ok(0);
        }
        if let Open::Postgres(_) = &self.open {
            self.or_fail(refuse_zero(&keys))?;
            let (sql, bound) = self.or_fail(postgres::keys(sql, first, keys))?;
            return self.execute_bound(&sql, bound).await;
        }
        let mut rows = 0;
        for chunk in keys.chunks(IN_KEYS_MAX) {
            let (sql, args) = with_keys(sql, first, chunk);
            rows += self.execute(&sql, args).await?;
        }
        Ok(rows)
    }

    /// Makes everything durable, or answers that it is not, or that it is unknown.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] when PostgreSQL was interrupted in the middle of the commit, or says by a warning that
    /// the standby did not confirm it (it then answers COMMIT as if all were well).
    /// [`StoreError::Unavailable`] when a statement of it had failed: it is rolled back.
    pub async fn commit(self) -> Result<(), StoreError> {
        if self.failed {
            // The rollback may find nothing to roll back; the answer is the same.
            let _ = self.rollback().await;
            return Err(gone());
        }
        match self.open {
            Open::Sqlite(tx) => tx.commit(self.rows),
            Open::Postgres(tx) => crate::commit_notice::commit(tx).await,
        }
    }

    /// Takes everything back.
    ///
    /// # Errors
    /// When the connection is gone, in which case the database has rolled back itself.
    pub async fn rollback(self) -> Result<(), StoreError> {
        match self.open {
            Open::Sqlite(tx) => drop(tx),
            Open::Postgres(tx) => tx.rollback().await?,
        }
        Ok(())
    }
}

/// The longest list behind one IN.
const IN_KEYS_MAX: usize = 128;

/// Puts the binds in place of `KEYS`. The list is filled up to one of few lengths by repeating the last key, so that
/// few statements are ever prepared. `first` are the binds that stand before them.
fn with_keys(sql: &str, first: &[Arg], keys: &[Arg]) -> (String, Vec<Arg>) {
    let width = [1, 8, 32]
        .into_iter()
        .find(|width| keys.len() <= *width)
        .unwrap_or(IN_KEYS_MAX);
    let mut args = [first, keys].concat();
    if let Some(last) = keys.last() {
        args.resize(first.len() + width, last.clone());
    }
    let binds: Vec<String> = (first.len() + 1..=args.len()).map(|n| format!("${n}")).collect();
    (sql.replace("KEYS", &binds.join(", ")), args)
}

impl Db {
    /// As [`Tx::fetch_in`], outside of the writing transaction.
    pub(crate) async fn fetch_in(&self, sql: &str, keys: Vec<Arg>) -> Result<Vec<Row>, StoreError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        if let Self::Postgres(pool) = self {
            refuse_zero(&keys)?;
            let (sql, bound) = postgres::keys(sql, &[], keys)?;
            let rows = sqlx::query_with(AssertSqlSafe(sql), bound)
                .fetch_all(pool)
                .await?;
            return Ok(rows.into_iter().map(Row::Postgres).collect());
        }
        let mut rows = Vec::with_capacity(keys.len());
        for chunk in keys.chunks(IN_KEYS_MAX) {
            let (sql, args) = with_keys(sql, &[], chunk);
            rows.extend(self.fetch(&sql, args).await?);
        }
        Ok(rows)
    }
}
