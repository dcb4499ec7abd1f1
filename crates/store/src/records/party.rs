//! Persons and companies, as one operator knows them.

use super::{FromColumns, Kept, digest_columns, read_all, update_versioned};
use crate::BlindIndex;
use crate::StoreError;
use crate::db::{Arg, Columns, Table};
use simwarden_model::{ImportId, PartyClass, PartyId, PartyKind, Timestamp};

const TABLE: Table = Table {
    name: "party",
    columns: &["id", "operator", "kind", "class", "doc_idx", "sealed", "flagged", "created_at", "version", "import_id", "origin"],
};
/// The columns, as read.
const COLUMNS: &str = "id, operator, kind, class, doc_idx, sealed, flagged, created_at, version, import_id";

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
