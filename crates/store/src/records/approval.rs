//! Questions to the owner: is this you?

use super::{FromColumns, Kept, digest_columns, read_all, update_versioned};
use crate::StoreError;
use crate::db::{Arg, Columns, Table};
use simwarden_model::{ApprovalId, ApprovalState, OperationId, PartyId, Timestamp};

const TABLE: Table = Table {
    name: "approval",
    columns: &["id", "operation_id", "party_id", "number", "state", "created_at", "expires_at", "decided_at", "version"],
};
/// The columns, as read.
const COLUMNS: &str = "id, operation_id, party_id, number, state, created_at, expires_at, decided_at, version";

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
