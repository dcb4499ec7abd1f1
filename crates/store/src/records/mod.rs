//! One file per table: the row as a struct, how it is written, how it is read and found.

pub mod account;
pub mod approval;
pub mod attempt;
pub mod brake;
pub mod ceremony;
pub mod checkpoint;
pub mod decision;
pub mod entry;
pub mod es2plus_caller;
pub mod event;
pub mod factor;
pub mod gateway_client;
pub mod gateway_consent;
pub mod gateway_grant;
pub mod gateway_line;
pub mod gateway_query;
mod gateway_row;
pub mod gateway_watch;
pub mod guess;
pub mod history;
pub mod idempotency;
pub mod import;
pub mod operation;
pub mod outbox;
pub mod page;
pub mod party;
pub mod passkey;
pub mod place;
pub mod profile;
pub mod recent;
pub mod recovery_code;
pub mod session;
pub mod sign_in;
pub mod signal;
pub mod smdp_chip;
pub mod smdp_freeze;
pub mod smdp_order;
pub mod smdp_package;
pub mod smdp_session;
pub mod subject_key;
pub mod subscription;
pub mod token;

use crate::StoreError;
use crate::columns::Columns;
use crate::db::{Arg, Table, Tx};
use sha2::{Digest as _, Sha256};

/// A row whose every version is vouched for by the ledger.
pub trait Kept: Sized + Send + Sync {
    /// What kind of row it is, as ledger entries name it: the name of its table.
    const KIND: &'static str;

    /// Which row.
    fn row_id(&self) -> [u8; 16];
    /// Which version of it.
    fn version(&self) -> i64;
    /// The SHA-256 over every column. Identifiers are in it only as keyed indexes and ciphertext, so it tells nobody
    /// anything, yet changes with every change.
    fn digest(&self) -> [u8; 32];
}

/// As long as most rows are.
const DIGESTED_BYTES: usize = 640;

/// SHA-256 over the columns of a row, each with its type and length, after the name of the table.
fn digest_columns(kind: &str, columns: &[Arg]) -> [u8; 32] {
    // Gathered first: hashing one long piece is quicker than fifty short ones.
    let mut bytes = Vec::with_capacity(DIGESTED_BYTES);
    bytes.extend_from_slice(kind.as_bytes());
    for column in columns {
        let (tag, value) = match column {
            Arg::Int(None) | Arg::Text(None) | Arg::Blob(None) => {
                bytes.push(0);
                continue;
            }
            Arg::Int(Some(v)) => {
                bytes.push(1);
                bytes.extend_from_slice(&v.to_be_bytes());
                continue;
            }
            Arg::Text(Some(v)) => (2, v.as_bytes()),
            Arg::Word(v) => (2, v.as_bytes()),
            Arg::Blob(Some(v)) => (3, v.as_slice()),
        };
        bytes.push(tag);
        bytes.extend_from_slice(&(value.len() as u64).to_be_bytes());
        bytes.extend_from_slice(value);
    }
    Sha256::digest(&bytes).into()
}

/// Reads a row out of its columns, in the order of its table.
pub(crate) trait FromColumns: Sized {
    fn from_columns(columns: &mut Columns<'_>) -> Result<Self, StoreError>;
}

pub(crate) fn read_all<T: FromColumns>(rows: &[crate::columns::Row]) -> Result<Vec<T>, StoreError> {
    rows.iter()
        .map(|row| T::from_columns(&mut row.columns()))
        .collect()
}

/// The columns that indexes of these tables look at, `id` aside. SQLite makes an index entry anew whenever its columns
/// are set, were it to what they are; so they are left out when they stay.
const INDEXED: &[(&str, &[&str])] = &[
    ("approval", &["operation_id", "party_id", "state"]),
    (
        "operation",
        &[
            "actor",
            "actor_role",
            "exclusive",
            "hold_until",
            "requested_at",
            "subscription_id",
        ],
    ),
    ("party", &["doc_idx", "operator"]),
    (
        "profile",
        &[
            "eid_idx",
            "iccid_idx",
            "imei_idx",
            "imsi_idx",
            "live",
            "operator",
            "state",
            "subscription_id",
        ],
    ),
    ("subscription", &["msisdn_idx", "party_id", "state"]),
];

/// Writes a new version of a row over the one before it; nobody may have been faster.
pub(crate) async fn update_versioned(
    tx: &mut Tx,
    table: &Table,
    columns: Vec<Arg>,
    id: [u8; 16],
    version: i64,
) -> Result<(), StoreError> {
    let indexed = INDEXED.iter().find(|(name, _)| *name == table.name);
    let names = || table.columns.iter().copied().zip(columns.iter());
    let own = |name: &str| name != "id";
    let stays = |name: &str| indexed.is_some_and(|(_, columns)| columns.contains(&name));
    if indexed.is_some() && tx.is_embedded() {
        let mut sql = Sentence::update(table.name);
        names()
            .filter(|(name, _)| own(name) && !stays(name))
            .for_each(|(name, arg)| sql.set(name, arg));
        sql.of_version(id, version - 1);
        names()
            .filter(|(name, _)| stays(name))
            .for_each(|(name, arg)| sql.is(name, arg));
        if tx.execute(&sql.text, sql.args).await? == 1 {
            return Ok(());
        }
    }
    let mut sql = Sentence::update(table.name);
    names()
        .filter(|(name, _)| own(name))
        .for_each(|(name, arg)| sql.set(name, arg));
    sql.of_version(id, version - 1);
    if tx.execute(&sql.text, sql.args).await? == 1 {
        Ok(())
    } else {
        Err(StoreError::Stale { what: table.name })
    }
}

/// An `UPDATE` with its binds.
struct Sentence {
    text: String,
    args: Vec<Arg>,
}

impl Sentence {
    fn update(table: &str) -> Self {
        Self {
            text: format!("UPDATE {table} SET"),
            args: Vec::new(),
        }
    }
    fn bound(&mut self, before: &str, arg: Arg) {
        self.args.push(arg);
        self.text.push_str(&format!("{before}${}", self.args.len()));
    }
    fn set(&mut self, column: &str, to: &Arg) {
        let comma = if self.args.is_empty() { "" } else { "," };
        self.bound(&format!("{comma} {column} = "), to.clone());
    }
    fn of_version(&mut self, id: [u8; 16], version: i64) {
        self.bound(" WHERE id = ", id.into());
        self.bound(" AND version = ", version.into());
    }
    fn is(&mut self, column: &str, value: &Arg) {
        self.bound(&format!(" AND {column} IS "), value.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::INDEXED;
    use crate::migrate::STEPS;

    #[test]
    fn every_column_that_an_index_looks_at_is_known() {
        let db = rusqlite::Connection::open_in_memory().expect("memory");
        for (_, _, sql) in STEPS {
            db.execute_batch(sql).expect("the schema");
        }
        for (table, known) in INDEXED {
            let mut columns = db
                .prepare(&format!("SELECT name FROM pragma_table_info('{table}')"))
                .expect("columns");
            let mut indexes = db
                .prepare("SELECT sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name = ?1")
                .expect("indexes");
            let texts: Vec<String> = indexes
                .query_map([table], |row| row.get(0))
                .expect("rows")
                .map(|text| text.expect("text"))
                .collect();
            let looked_at = |column: &str| {
                let columns = texts
                    .iter()
                    .filter_map(|text| text.split_once('('))
                    .map(|(_, rest)| rest);
                columns
                    .flat_map(|rest| rest.split(|c: char| !c.is_alphanumeric() && c != '_'))
                    .any(|word| word == column)
            };
            let names = columns
                .query_map([], |row| row.get::<_, String>(0))
                .expect("rows");
            let mut wanted: Vec<String> = names
                .map(|name| name.expect("name"))
                .filter(|name| name != "id" && looked_at(name))
                .collect();
            wanted.sort();
            assert_eq!(wanted, *known, "the indexes of {table} look at these");
        }
    }
}
