//! How a row of the gateway is written down once: as a struct, as a table, as what is read and written.

use crate::db::Table;

/// Stands behind VALUES: writes over the row with the same key.
pub(super) fn over(table: &Table, keys: &[&str]) -> String {
    let set: Vec<String> = table
        .columns
        .iter()
        .filter(|column| !keys.contains(column))
        .map(|column| format!("{column} = excluded.{column}"))
        .collect();
    format!(
        " ON CONFLICT ({}) DO UPDATE SET {}",
        keys.join(", "),
        set.join(", ")
    )
}

/// A struct whose fields are the columns of a table, in order, each with the word by which it is read.
macro_rules! gateway_row {
    ($(#[$of:meta])* $name:ident in $table:literal by [$($key:literal),+], put $put:ident {
        $($(#[$meta:meta])* $field:ident: $kind:ty => $read:ident,)+
    }) => {
        const TABLE: $crate::db::Table = $crate::db::Table {
            name: $table,
            columns: &[$(stringify!($field)),+],
        };

        $(#[$of])*
        #[derive(Debug, Clone, PartialEq)]
        pub struct $name {
            $($(#[$meta])* pub $field: $kind,)+
        }

        impl $crate::records::FromColumns for $name {
            fn from_columns(c: &mut $crate::columns::Columns<'_>) -> Result<Self, $crate::StoreError> {
                Ok(Self { $($field: c.$read()?,)+ })
            }
        }

        impl $name {
            fn args(&self) -> Vec<$crate::db::Arg> {
                vec![$(self.$field.clone().into()),+]
            }
        }

        impl $crate::db::Tx {
            /// Writes rows, over those with the same key. No key may stand in them twice.
            ///
            /// # Errors
            /// When the database cannot be written.
            pub async fn $put(&mut self, rows: &[$name]) -> Result<(), $crate::StoreError> {
                let tail = $crate::records::gateway_row::over(&TABLE, &[$($key),+]);
                let rows = rows.iter().map($name::args).collect();
                self.insert(&TABLE, rows, &tail).await.map(drop)
            }
        }
    };
}
pub(super) use gateway_row;

/// `SELECT` and every column of a table.
pub(super) fn select(table: &Table) -> String {
    format!("SELECT {} FROM {}", table.columns.join(", "), table.name)
}
