//! Effects that wait to leave.

use super::{FromColumns, read_all};
use crate::columns::Columns;
use crate::db::{Arg, Table, Tx};
use crate::{Store, StoreError};
use simwarden_model::{OperationId, OutboxId, PartyId, Timestamp};

const TABLE: Table = Table {
    name: "outbox",
    columns: &[
        "id",
        "operation_id",
        "party_id",
        "kind",
        "payload",
        "sealed",
        "due_at",
        "attempts",
        "done_at",
        "outcome",
        "entry",
    ],
};
/// The columns, as read.
const COLUMNS: &str =
    "id, operation_id, party_id, kind, payload, sealed, due_at, attempts, done_at, outcome, entry";

/// One effect. It may leave once its entry is in a signed tree.
#[derive(Debug, Clone, PartialEq)]
pub struct OutboxItem {
    /// Its name; receivers drop a second one with the same name.
    pub id: OutboxId,
    /// The operation it belongs to.
    pub operation_id: Option<OperationId>,
    /// Under whose key it is sealed.
    pub party_id: Option<PartyId>,
    /// `notify`, `step` …
    pub kind: String,
    /// What to do, JSON without personal data.
    pub payload: String,
    /// What to do, the personal part.
    pub sealed: Option<Vec<u8>>,
    /// When to try next.
    pub due_at: Timestamp,
    /// How often it was tried.
    pub attempts: i64,
    /// When it was done, or given up.
    pub done_at: Option<Timestamp>,
    /// What became of it.
    pub outcome: Option<String>,
    /// The ledger entry that must be in a signed tree before it leaves.
    pub entry: i64,
}

impl OutboxItem {
    fn args(&self) -> Vec<Arg> {
        vec![
            self.id.into(),
            self.operation_id.into(),
            self.party_id.into(),
            self.kind.clone().into(),
            self.payload.clone().into(),
            self.sealed.clone().into(),
            self.due_at.into(),
            self.attempts.into(),
            self.done_at.into(),
            self.outcome.clone().into(),
            self.entry.into(),
        ]
    }
}

impl FromColumns for OutboxItem {
    fn from_columns(c: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: c.id()?,
            operation_id: c.opt_id()?,
            party_id: c.opt_id()?,
            kind: c.text()?,
            payload: c.text()?,
            sealed: c.opt_blob()?,
            due_at: c.time()?,
            attempts: c.int()?,
            done_at: c.opt_time()?,
            outcome: c.opt_text()?,
            entry: c.int()?,
        })
    }
}

impl Tx {
    /// Adds rows.
    ///
    /// # Errors
    /// When the database cannot be written; [`StoreError::Conflict`] when one is there already.
    pub async fn insert_outbox(&mut self, rows: &[OutboxItem]) -> Result<(), StoreError> {
        let rows = rows.iter().map(OutboxItem::args).collect();
        self.insert(&TABLE, rows, "").await.map(drop)
    }

    /// Says what became of an effect, or when to try again.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn update_outbox(&mut self, item: &OutboxItem) -> Result<(), StoreError> {
        let sql = "UPDATE outbox SET due_at = $1, attempts = $2, done_at = $3, outcome = $4 \
                   WHERE id = $5 AND done_at IS NULL";
        let args = vec![
            item.due_at.into(),
            item.attempts.into(),
            item.done_at.into(),
            item.outcome.clone().into(),
            item.id.into(),
        ];
        match self.execute(sql, args).await? {
            1 => Ok(()),
            _ => Err(StoreError::Stale { what: "outbox" }),
        }
    }

    /// Of these effects, those that are not over yet.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn open_effects(&mut self, ids: &[OutboxId]) -> Result<Vec<OutboxId>, StoreError> {
        let sql = "SELECT id FROM outbox WHERE id IN (KEYS) AND done_at IS NULL";
        let rows = self
            .fetch_in(sql, ids.iter().map(|id| (*id).into()).collect())
            .await?;
        rows.iter().map(|row| row.columns().id()).collect()
    }

    /// Ends many effects in the same way.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when one of them is over already.
    pub async fn end_effects(
        &mut self,
        ids: &[OutboxId],
        done_at: Timestamp,
        outcome: &str,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE outbox SET done_at = $1, outcome = $2 WHERE id IN (KEYS) AND done_at IS NULL";
        let first = vec![done_at.into(), outcome.to_owned().into()];
        let ids_args = ids.iter().map(|id| (*id).into()).collect();
        match self.execute_in(sql, &first, ids_args).await? {
            ended if ended == ids.len() as u64 => Ok(()),
            _ => Err(StoreError::Stale { what: "outbox" }),
        }
    }

    /// Takes back the effects of an operation that have not left yet, of one kind.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn drop_outbox(
        &mut self,
        operation: OperationId,
        kind: &str,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let sql = "UPDATE outbox SET done_at = $1, outcome = 'withdrawn' \
                   WHERE operation_id = $2 AND kind = $3 AND done_at IS NULL";
        self.execute(sql, vec![now.into(), operation.into(), kind.into()])
            .await
    }
}

impl Store {
    /// Effects that are due and whose entry is in the signed tree of `size` entries.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn outbox_due(
        &self,
        now: Timestamp,
        size: i64,
        most: u32,
    ) -> Result<Vec<OutboxItem>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM outbox WHERE done_at IS NULL AND due_at <= $1 AND entry < $2 ORDER BY due_at LIMIT $3"
        );
        read_all(
            &self
                .db
                .fetch(&sql, vec![now.into(), size.into(), i64::from(most).into()])
                .await?,
        )
    }

    /// How many effects wait, and since when the oldest.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn outbox_backlog(&self) -> Result<(i64, Option<Timestamp>), StoreError> {
        let rows = self
            .db
            .fetch(
                "SELECT COUNT(*), MIN(due_at) FROM outbox WHERE done_at IS NULL",
                vec![],
            )
            .await?;
        match rows.first() {
            Some(row) => {
                let mut c = row.columns();
                Ok((c.int()?, c.opt_time()?))
            }
            None => Ok((0, None)),
        }
    }
}
