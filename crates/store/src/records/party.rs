//! Persons and companies, as one operator knows them.

use super::{FromColumns, Kept, digest_columns, read_all, update_versioned};
use crate::columns::Columns;
use crate::db::{Arg, Table, Tx};
use crate::{BlindIndex, Store, StoreError};
use simwarden_model::{ImportId, PartyClass, PartyId, PartyKind, Timestamp};

pub(super) const TABLE: Table = Table {
    name: "party",
    columns: &[
        "id",
        "operator",
        "kind",
        "class",
        "doc_idx",
        "sealed",
        "flagged",
        "created_at",
        "version",
        "import_id",
        "origin",
    ],
};
/// What a change writes: everything but `origin`.
const UPDATED: Table = Table {
    name: TABLE.name,
    columns: TABLE.columns.split_at(TABLE.columns.len() - 1).0,
};
/// The columns, as read.
pub(super) const COLUMNS: &str =
    "id, operator, kind, class, doc_idx, sealed, flagged, created_at, version, import_id";

/// A person or company, as one operator knows them. The same document at two operators is two parties.
#[derive(Debug, Clone, PartialEq)]
pub struct Party {
    /// Random name, also on the ledger.
    pub id: PartyId,
    /// MCC-MNC of the operator.
    pub operator: String,
    /// Person or company.
    pub kind: PartyKind,
    /// What the law says of them.
    pub class: PartyClass,
    /// Index of the identity document.
    pub doc_idx: Option<BlindIndex>,
    /// Name, document, contacts, under the subject's key; none once erased.
    pub sealed: Option<Vec<u8>>,
    /// The identity is flagged by an authority or by fraud cases.
    pub flagged: bool,
    /// When they were entered.
    pub created_at: Timestamp,
    /// Grows with every change, from 1.
    pub version: i64,
    /// The import that brought them.
    pub import_id: Option<ImportId>,
}

impl Party {
    pub(super) fn args_with_origin(&self) -> Vec<Arg> {
        let mut args = self.args();
        args.push(digest_columns(Self::KIND, &args).into());
        args
    }

    fn args(&self) -> Vec<Arg> {
        vec![
            self.id.into(),
            self.operator.clone().into(),
            self.kind.as_str().into(),
            self.class.as_str().into(),
            self.doc_idx.into(),
            self.sealed.clone().into(),
            self.flagged.into(),
            self.created_at.into(),
            self.version.into(),
            self.import_id.into(),
        ]
    }
}

impl FromColumns for Party {
    fn from_columns(c: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: c.id()?,
            operator: c.text()?,
            kind: c.named()?,
            class: c.named()?,
            doc_idx: c.opt_index()?,
            sealed: c.opt_blob()?,
            flagged: c.flag()?,
            created_at: c.time()?,
            version: c.int()?,
            import_id: c.opt_id()?,
        })
    }
}

impl Kept for Party {
    const KIND: &'static str = TABLE.name;

    fn row_id(&self) -> [u8; 16] {
        *self.id.as_bytes()
    }
    fn version(&self) -> i64 {
        self.version
    }
    fn digest(&self) -> [u8; 32] {
        digest_columns(Self::KIND, &self.args())
    }
}

impl Tx {
    /// Adds rows.
    ///
    /// # Errors
    /// When the database cannot be written; [`StoreError::Conflict`] when one is there already.
    pub async fn insert_parties(&mut self, rows: &[Party]) -> Result<(), StoreError> {
        let rows = rows.iter().map(|row| row.args_with_origin()).collect();
        self.insert(&TABLE, rows, "").await.map(drop)
    }

    /// Writes a new version over the one before it.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when somebody else was faster.
    pub async fn update_party(&mut self, row: &Party) -> Result<(), StoreError> {
        // The digest of the first version stays: it is what the import's chunk was recorded by.
        update_versioned(self, &UPDATED, row.args(), row.row_id(), row.version()).await
    }

    /// The rows with these ids; ids that are not there are left out.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn parties(&mut self, ids: &[PartyId]) -> Result<Vec<Party>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM party WHERE id IN (KEYS)");
        read_all(
            &self
                .fetch_in(&sql, ids.iter().map(|id| (*id).into()).collect())
                .await?,
        )
    }
}

impl Store {
    /// The row with this id.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn party(&self, id: PartyId) -> Result<Option<Party>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM party WHERE id = $1");
        Ok(read_all(&self.db.fetch(&sql, vec![id.into()]).await?)?.pop())
    }

    /// The parties with this document, at every operator.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn parties_by_document(&self, document: BlindIndex) -> Result<Vec<Party>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM party WHERE doc_idx = $1 ORDER BY operator");
        read_all(&self.db.fetch(&sql, vec![document.into()]).await?)
    }
}

impl Tx {
    /// The parties with these documents, at every operator.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn parties_by_documents(&mut self, documents: &[BlindIndex]) -> Result<Vec<Party>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM party WHERE doc_idx IN (KEYS)");
        read_all(
            &self
                .fetch_in(&sql, documents.iter().map(|i| (*i).into()).collect())
                .await?,
        )
    }

    /// How many lines in service, exempt kinds left out, are on these documents: (document, operator, lines).
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn lines_on_documents(
        &mut self,
        documents: &[BlindIndex],
    ) -> Result<Vec<(BlindIndex, String, i64)>, StoreError> {
        // A count for each party instead of a join: no planner, with or without statistics, reads all lines for it.
        let sql = "SELECT p.doc_idx, p.operator, (SELECT COUNT(*) FROM subscription s WHERE s.party_id = p.id \
                   AND s.state IN ('registered', 'active', 'suspended', 'porting') \
                   AND s.kind IN ('prepaid', 'postpaid')) FROM party p WHERE p.doc_idx IN (KEYS)";
        let rows = self
            .fetch_in(sql, documents.iter().map(|i| (*i).into()).collect())
            .await?;
        let counts = rows.iter().map(|row| {
            let mut c = row.columns();
            Ok((BlindIndex::from_bytes(c.bytes()?), c.text()?, c.int()?))
        });
        counts.filter(|count| !matches!(count, Ok((_, _, 0)))).collect()
    }
}
