//! A row that either database gave, read from left to right as what its columns should be.

use crate::{StoreError, sqlite};
use rusqlite::types::Value;
use sqlx::Row as _;
use sqlx::postgres::PgRow;

/// A row that was read; its columns are taken in order.
pub(crate) enum Row {
    Sqlite(sqlite::Values),
    Postgres(PgRow),
}

/// Takes the columns of a row from left to right.
pub(crate) struct Columns<'r> {
    row: &'r Row,
    at: usize,
}

/// What SQLite gave, as what it should be.
trait FromValue: Sized {
    fn from_value(value: &Value) -> Option<Self>;
}

impl FromValue for i64 {
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Integer(v) => Some(*v),
            _ => None,
        }
    }
}
impl FromValue for String {
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Text(v) => Some(v.clone()),
            _ => None,
        }
    }
}
impl FromValue for Vec<u8> {
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Blob(v) => Some(v.clone()),
            _ => None,
        }
    }
}
impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Null => Some(None),
            other => T::from_value(other).map(Some),
        }
    }
}

macro_rules! take {
    ($self:ident, $ty:ty) => {{
        let at = $self.at;
        $self.at += 1;
        match $self.row {
            Row::Sqlite(row) => row
                .get(at)
                .and_then(<$ty as FromValue>::from_value)
                .ok_or_else(|| StoreError::Corrupt(format!("column {at} holds another kind of value")))?,
            Row::Postgres(row) => row.try_get::<$ty, _>(at)?,
        }
    }};
}

impl Row {
    pub(crate) fn columns(&self) -> Columns<'_> {
        Columns { row: self, at: 0 }
    }
}

impl Columns<'_> {
    pub(crate) fn int(&mut self) -> Result<i64, StoreError> {
        Ok(take!(self, i64))
    }
    pub(crate) fn opt_int(&mut self) -> Result<Option<i64>, StoreError> {
        Ok(take!(self, Option<i64>))
    }
    pub(crate) fn flag(&mut self) -> Result<bool, StoreError> {
        Ok(self.int()? != 0)
    }
    pub(crate) fn time(&mut self) -> Result<simwarden_model::Timestamp, StoreError> {
        Ok(simwarden_model::Timestamp::from_micros(self.int()?))
    }
    pub(crate) fn opt_time(&mut self) -> Result<Option<simwarden_model::Timestamp>, StoreError> {
        Ok(self.opt_int()?.map(simwarden_model::Timestamp::from_micros))
    }
    pub(crate) fn text(&mut self) -> Result<String, StoreError> {
        Ok(take!(self, String))
    }
    pub(crate) fn opt_text(&mut self) -> Result<Option<String>, StoreError> {
        Ok(take!(self, Option<String>))
    }
    pub(crate) fn blob(&mut self) -> Result<Vec<u8>, StoreError> {
        Ok(take!(self, Vec<u8>))
    }
    pub(crate) fn opt_blob(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(take!(self, Option<Vec<u8>>))
    }
    pub(crate) fn bytes<const N: usize>(&mut self) -> Result<[u8; N], StoreError> {
        let blob = self.blob()?;
        <[u8; N]>::try_from(blob.as_slice())
            .map_err(|_| StoreError::Corrupt(format!("{} bytes stand where {N} belong", blob.len())))
    }
    pub(crate) fn opt_bytes<const N: usize>(&mut self) -> Result<Option<[u8; N]>, StoreError> {
        self.opt_blob()?
            .map(|blob| {
                <[u8; N]>::try_from(blob.as_slice())
                    .map_err(|_| StoreError::Corrupt(format!("{} bytes stand where {N} belong", blob.len())))
            })
            .transpose()
    }
    pub(crate) fn id<K>(&mut self) -> Result<simwarden_model::Id<K>, StoreError> {
        Ok(simwarden_model::Id::from_bytes(self.bytes()?))
    }
    pub(crate) fn opt_id<K>(&mut self) -> Result<Option<simwarden_model::Id<K>>, StoreError> {
        Ok(self.opt_bytes()?.map(simwarden_model::Id::from_bytes))
    }
    pub(crate) fn opt_index(&mut self) -> Result<Option<crate::BlindIndex>, StoreError> {
        Ok(self.opt_bytes()?.map(crate::BlindIndex::from_bytes))
    }
    /// A column that holds one of the names of an enumeration.
    pub(crate) fn named<T: std::str::FromStr>(&mut self) -> Result<T, StoreError>
    where
        T::Err: std::fmt::Display,
    {
        self.text()?
            .parse()
            .map_err(|e: T::Err| StoreError::Corrupt(e.to_string()))
    }
    pub(crate) fn opt_named<T: std::str::FromStr>(&mut self) -> Result<Option<T>, StoreError>
    where
        T::Err: std::fmt::Display,
    {
        self.opt_text()?
            .map(|text| {
                text.parse()
                    .map_err(|e: T::Err| StoreError::Corrupt(e.to_string()))
            })
            .transpose()
    }
}
