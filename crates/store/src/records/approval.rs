//! Questions to the owner: is this you?

use super::{FromColumns, Kept, digest_columns, read_all, update_versioned};
use crate::columns::Columns;
use crate::db::{Arg, Table, Tx};
use crate::{Store, StoreError};
use simwarden_model::{ApprovalId, ApprovalState, OperationId, PartyId, Timestamp};

const TABLE: Table = Table {
    name: "approval",
    columns: &[
        "id",
        "operation_id",
        "party_id",
        "number",
        "state",
        "created_at",
        "expires_at",
        "decided_at",
        "version",
    ],
};
/// The columns, as read.
pub(super) const COLUMNS: &str =
    "id, operation_id, party_id, number, state, created_at, expires_at, decided_at, version";

/// A question to the owner, with a number to match.
#[derive(Debug, Clone, PartialEq)]
pub struct Approval {
    /// Its name.
    pub id: ApprovalId,
    /// The operation it is about.
    pub operation_id: OperationId,
    /// Who is asked.
    pub party_id: PartyId,
    /// The two digits to match, 10 to 99.
    pub number: i64,
    /// What became of it.
    pub state: ApprovalState,
    /// When it was asked.
    pub created_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
    /// When it was answered.
    pub decided_at: Option<Timestamp>,
    /// Grows with every change, from 1.
    pub version: i64,
}

impl Approval {
    fn args(&self) -> Vec<Arg> {
        vec![
            self.id.into(),
            self.operation_id.into(),
            self.party_id.into(),
            self.number.into(),
            self.state.as_str().into(),
            self.created_at.into(),
            self.expires_at.into(),
            self.decided_at.into(),
            self.version.into(),
        ]
    }
}

impl FromColumns for Approval {
    fn from_columns(c: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: c.id()?,
            operation_id: c.id()?,
            party_id: c.id()?,
            number: c.int()?,
            state: c.named()?,
            created_at: c.time()?,
            expires_at: c.time()?,
            decided_at: c.opt_time()?,
            version: c.int()?,
        })
    }
}

impl Kept for Approval {
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
    pub async fn insert_approvals(&mut self, rows: &[Approval]) -> Result<(), StoreError> {
        let rows = rows.iter().map(|row| row.args()).collect();
        self.insert(&TABLE, rows, "").await.map(drop)
    }

    /// Writes a new version over the one before it.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when somebody else was faster.
    pub async fn update_approval(&mut self, row: &Approval) -> Result<(), StoreError> {
        update_versioned(self, &TABLE, row.args(), row.row_id(), row.version()).await
    }

    /// The rows with these ids; ids that are not there are left out.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn approvals(&mut self, ids: &[ApprovalId]) -> Result<Vec<Approval>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM approval WHERE id IN (KEYS)");
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
    pub async fn approval(&self, id: ApprovalId) -> Result<Option<Approval>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM approval WHERE id = $1");
        Ok(read_all(&self.db.fetch(&sql, vec![id.into()]).await?)?.pop())
    }

    /// The questions that wait for a party, the newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn approvals_pending(&self, party: PartyId) -> Result<Vec<Approval>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM approval WHERE party_id = $1 AND state = 'pending' ORDER BY id DESC LIMIT 100"
        );
        read_all(&self.db.fetch(&sql, vec![party.into()]).await?)
    }
}

impl Tx {
    /// The questions about an operation, the newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn approvals_of(&mut self, operation: OperationId) -> Result<Vec<Approval>, StoreError> {
        let sql =
            format!("SELECT {COLUMNS} FROM approval WHERE operation_id = $1 ORDER BY id DESC LIMIT 100");
        read_all(&self.fetch(&sql, vec![operation.into()]).await?)
    }
}
