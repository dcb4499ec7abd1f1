//! What happened to a line, a profile, an operation.

use super::{FromColumns, read_all};
use crate::columns::Columns;
use crate::db::{Arg, Table, Tx};
use crate::{Store, StoreError};
use simwarden_model::{OperationId, ProfileId, Role, SubscriptionId, Timestamp, TokenId};

const TABLE: Table = Table {
    name: "history",
    columns: &[
        "entry",
        "ord",
        "at",
        "kind",
        "subscription_id",
        "profile_id",
        "operation_id",
        "actor_role",
        "actor",
        "detail",
    ],
};
/// The columns, as read.
const COLUMNS: &str =
    "entry, ord, at, kind, subscription_id, profile_id, operation_id, actor_role, actor, detail";

/// One thing that happened.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryItem {
    /// The ledger entry it stands in.
    pub entry: i64,
    /// Its place among those of the same entry.
    pub ord: i64,
    /// When.
    pub at: Timestamp,
    /// What: `requested`, `decided`, `viewed` …
    pub kind: String,
    /// The line.
    pub subscription_id: Option<SubscriptionId>,
    /// The profile.
    pub profile_id: Option<ProfileId>,
    /// The operation.
    pub operation_id: Option<OperationId>,
    /// Who did it, by role.
    pub actor_role: Role,
    /// Who did it, by token.
    pub actor: Option<TokenId>,
    /// More, JSON without personal data.
    pub detail: String,
}

impl HistoryItem {
    fn args(&self) -> Vec<Arg> {
        vec![
            self.entry.into(),
            self.ord.into(),
            self.at.into(),
            self.kind.clone().into(),
            self.subscription_id.into(),
            self.profile_id.into(),
            self.operation_id.into(),
            self.actor_role.as_str().into(),
            self.actor.into(),
            self.detail.clone().into(),
        ]
    }
}

impl FromColumns for HistoryItem {
    fn from_columns(c: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            entry: c.int()?,
            ord: c.int()?,
            at: c.time()?,
            kind: c.text()?,
            subscription_id: c.opt_id()?,
            profile_id: c.opt_id()?,
            operation_id: c.opt_id()?,
            actor_role: c.named()?,
            actor: c.opt_id()?,
            detail: c.text()?,
        })
    }
}

impl Tx {
    /// Adds rows.
    ///
    /// # Errors
    /// When the database cannot be written; [`StoreError::Conflict`] when one is there already.
    pub async fn insert_history(&mut self, rows: &[HistoryItem]) -> Result<(), StoreError> {
        let rows = rows.iter().map(HistoryItem::args).collect();
        self.insert(&TABLE, rows, "").await.map(drop)
    }
}

impl Store {
    /// What happened in an operation, in order.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn history_of_operation(&self, operation: OperationId) -> Result<Vec<HistoryItem>, StoreError> {
        let sql =
            format!("SELECT {COLUMNS} FROM history WHERE operation_id = $1 ORDER BY entry, ord LIMIT 10000");
        read_all(&self.db.fetch(&sql, vec![operation.into()]).await?)
    }

    /// What happened to a line, the newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn history_of_line(
        &self,
        line: SubscriptionId,
        most: u32,
    ) -> Result<Vec<HistoryItem>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM history WHERE subscription_id = $1 ORDER BY entry DESC, ord DESC LIMIT $2"
        );
        read_all(
            &self
                .db
                .fetch(&sql, vec![line.into(), i64::from(most).into()])
                .await?,
        )
    }

    /// What happened to a profile, the newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn history_of_profile(
        &self,
        profile: ProfileId,
        most: u32,
    ) -> Result<Vec<HistoryItem>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM history WHERE profile_id = $1 ORDER BY entry DESC, ord DESC LIMIT $2"
        );
        read_all(
            &self
                .db
                .fetch(&sql, vec![profile.into(), i64::from(most).into()])
                .await?,
        )
    }
}
