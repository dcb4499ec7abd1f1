//! How values go to PostgreSQL: many rows, or many keys, as one array for each column, so that one prepared statement
//! serves every batch whatever its size, in one exchange with the server.

use crate::StoreError;
use crate::db::{Arg, Table};
use sqlx::Arguments as _;
use sqlx::postgres::PgArguments;

/// The binds of a statement, in order.
pub(crate) fn arguments(args: Vec<Arg>) -> Result<PgArguments, StoreError> {
    let mut bound = PgArguments::default();
    for arg in args {
        add(&mut bound, arg)?;
    }
    Ok(bound)
}

fn add(bound: &mut PgArguments, arg: Arg) -> Result<(), StoreError> {
    match arg {
        Arg::Int(v) => bound.add(v),
        Arg::Text(v) => bound.add(v),
        Arg::Word(v) => bound.add(v),
        Arg::Blob(v) => bound.add(v),
    }
    .map_err(|error| sqlx::Error::Encode(error).into())
}

/// One column of many rows; answers its type.
fn add_array(bound: &mut PgArguments, column: impl Iterator<Item = Arg>) -> Result<&'static str, StoreError> {
    let mut column = column.peekable();
    let (added, kind) = match column.peek() {
        Some(Arg::Int(_)) => {
            let values: Option<Vec<Option<i64>>> = column
                .map(|arg| match arg {
                    Arg::Int(v) => Some(v),
                    _ => None,
                })
                .collect();
            (bound.add(values.ok_or_else(mixed)?), "int8[]")
        }
        Some(Arg::Blob(_)) => {
            let values: Option<Vec<Option<Vec<u8>>>> = column
                .map(|arg| match arg {
                    Arg::Blob(v) => Some(v),
                    _ => None,
                })
                .collect();
            (bound.add(values.ok_or_else(mixed)?), "bytea[]")
        }
        _ => {
            let values: Option<Vec<Option<String>>> = column
                .map(|arg| match arg {
                    Arg::Text(v) => Some(v),
                    Arg::Word(v) => Some(Some(v.to_string())),
                    _ => None,
                })
                .collect();
            (bound.add(values.ok_or_else(mixed)?), "text[]")
        }
    };
    added.map_err(sqlx::Error::Encode)?;
    Ok(kind)
}

fn mixed() -> StoreError {
    StoreError::Conflict("a column was given values of two kinds".into())
}

/// An insert of many rows, given as their columns one behind the other; `tail` stands behind them, such as an ON
/// CONFLICT clause.
pub(crate) fn insert(table: &Table, args: Vec<Arg>, tail: &str) -> Result<(String, PgArguments), StoreError> {
    let width = table.columns.len();
    let mut columns: Vec<Vec<Arg>> = vec![Vec::with_capacity(args.len() / width); width];
    for (at, arg) in args.into_iter().enumerate() {
        columns[at % width].push(arg);
    }
    let mut bound = PgArguments::default();
    let mut arrays = Vec::with_capacity(width);
    for (at, column) in columns.into_iter().enumerate() {
        let kind = add_array(&mut bound, column.into_iter())?;
        arrays.push(format!("${}::{kind}", at + 1));
    }
    let sql = format!(
        "INSERT INTO {} ({}) SELECT * FROM UNNEST({}){tail}",
        table.name,
        table.columns.join(", "),
        arrays.join(", ")
    );
    Ok((sql, bound))
}

/// Puts one array where `IN (KEYS)` stands, behind the binds `first`.
pub(crate) fn keys(sql: &str, first: &[Arg], keys: Vec<Arg>) -> Result<(String, PgArguments), StoreError> {
    let mut bound = arguments(first.to_vec())?;
    let kind = add_array(&mut bound, keys.into_iter())?;
    let any = format!("= ANY(${}::{kind})", first.len() + 1);
    Ok((sql.replace("IN (KEYS)", &any), bound))
}
