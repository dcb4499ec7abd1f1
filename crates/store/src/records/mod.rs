//! One file per table: the row as a struct, how it is written, how it is read and found.

pub mod approval;
pub mod attempt;
pub mod brake;
pub mod checkpoint;
pub mod decision;
pub mod entry;
pub mod event;
pub mod factor;
pub mod gateway_client;
pub mod gateway_consent;
pub mod gateway_grant;
pub mod gateway_line;
pub mod gateway_query;
mod gateway_row;
pub mod gateway_watch;
pub mod history;
pub mod idempotency;
pub mod import;
pub mod operation;
pub mod outbox;
pub mod page;
pub mod party;
pub mod place;
pub mod profile;
pub mod recent;
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

/// Writes a new version of a row over the one before it; nobody may have been faster.
pub(crate) async fn update_versioned(
    tx: &mut Tx,
    table: &Table,
    mut columns: Vec<Arg>,
    id: [u8; 16],
    version: i64,
) -> Result<(), StoreError> {
    use std::fmt::Write as _;
    let mut sql = format!("UPDATE {} SET ", table.name);
    for (n, column) in table.columns.iter().enumerate() {
        let _ = write!(sql, "{}{column} = ${}", if n == 0 { "" } else { ", " }, n + 1);
    }
    let width = table.columns.len();
    let _ = write!(sql, " WHERE id = ${} AND version = ${}", width + 1, width + 2);
    columns.push(id.into());
    columns.push((version - 1).into());
    if tx.execute(&sql, columns).await? == 1 {
        Ok(())
    } else {
        Err(StoreError::Stale { what: table.name })
    }
}
