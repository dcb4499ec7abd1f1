//! Lines: one number under one contract each.

use super::{FromColumns, Kept, digest_columns, read_all, update_versioned};
use crate::columns::Columns;
use crate::db::{Arg, Table, Tx};
use crate::{BlindIndex, Store, StoreError};
use simwarden_model::{
    ImportId, LineKind, LockScope, LockSetter, PartyId, SubscriptionId, SubscriptionState, Timestamp,
};

pub(super) const TABLE: Table = Table {
    name: "subscription",
    columns: &[
        "id",
        "operator",
        "party_id",
        "msisdn_idx",
        "kind",
        "state",
        "sealed",
        "lock_scope",
        "lock_setter",
        "lock_expires_at",
        "frozen_at",
        "opened_at",
        "swapped_at",
        "device_changed_at",
        "contact_changed_at",
        "owner_changed_at",
        "port_at",
        "locked_at",
        "unlocked_at",
        "forwarding_at",
        "quarantined_at",
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
pub(super) const COLUMNS: &str = "id, operator, party_id, msisdn_idx, kind, state, sealed, lock_scope, lock_setter, lock_expires_at, frozen_at, opened_at, swapped_at, device_changed_at, contact_changed_at, owner_changed_at, port_at, locked_at, unlocked_at, forwarding_at, quarantined_at, version, import_id";

/// A line: one number under one contract.
#[derive(Debug, Clone, PartialEq)]
pub struct Subscription {
    /// Random name, also on the ledger.
    pub id: SubscriptionId,
    /// MCC-MNC of the operator.
    pub operator: String,
    /// Its owner.
    pub party_id: PartyId,
    /// Index of the number; none once erased.
    pub msisdn_idx: Option<BlindIndex>,
    /// Prepaid, postpaid …
    pub kind: LineKind,
    /// Where it is in its life.
    pub state: SubscriptionState,
    /// The number and the contact for notices, under the owner's key.
    pub sealed: Option<Vec<u8>>,
    /// What the lock in force covers.
    pub lock_scope: Option<LockScope>,
    /// Who set it.
    pub lock_setter: Option<LockSetter>,
    /// When it ends by itself; never when absent.
    pub lock_expires_at: Option<Timestamp>,
    /// When the line was frozen, if it is.
    pub frozen_at: Option<Timestamp>,
    /// When it was registered.
    pub opened_at: Timestamp,
    /// When the number last moved to another profile.
    pub swapped_at: Option<Timestamp>,
    /// When it was first seen in its present phone, if that is not its first.
    pub device_changed_at: Option<Timestamp>,
    /// When the contact last changed.
    pub contact_changed_at: Option<Timestamp>,
    /// When the owner last changed.
    pub owner_changed_at: Option<Timestamp>,
    /// When it came from another operator.
    pub port_at: Option<Timestamp>,
    /// When a lock was last set.
    pub locked_at: Option<Timestamp>,
    /// When a lock was last taken away.
    pub unlocked_at: Option<Timestamp>,
    /// When forwarding was last set.
    pub forwarding_at: Option<Timestamp>,
    /// When the last owner gave it up.
    pub quarantined_at: Option<Timestamp>,
    /// Grows with every change, from 1.
    pub version: i64,
    /// The import that brought it.
    pub import_id: Option<ImportId>,
}

impl Subscription {
    /// A line in service to which nothing has happened yet, prepaid, without a number.
    #[must_use]
    pub fn fresh(id: SubscriptionId, operator: String, party_id: PartyId, opened_at: Timestamp) -> Self {
        Self {
            id,
            operator,
            party_id,
            msisdn_idx: None,
            kind: LineKind::Prepaid,
            state: SubscriptionState::Active,
            sealed: None,
            lock_scope: None,
            lock_setter: None,
            lock_expires_at: None,
            frozen_at: None,
            opened_at,
            swapped_at: None,
            device_changed_at: None,
            contact_changed_at: None,
            owner_changed_at: None,
            port_at: None,
            locked_at: None,
            unlocked_at: None,
            forwarding_at: None,
            quarantined_at: None,
            version: 1,
            import_id: None,
        }
    }

    pub(super) fn args_with_origin(&self) -> Vec<Arg> {
        let mut args = self.args();
        args.push(digest_columns(Self::KIND, &args).into());
        args
    }

    fn args(&self) -> Vec<Arg> {
        vec![
            self.id.into(),
            self.operator.clone().into(),
            self.party_id.into(),
            self.msisdn_idx.into(),
            self.kind.as_str().into(),
            self.state.as_str().into(),
            self.sealed.clone().into(),
            self.lock_scope.map(|v| v.as_str()).into(),
            self.lock_setter.map(|v| v.as_str()).into(),
            self.lock_expires_at.into(),
            self.frozen_at.into(),
            self.opened_at.into(),
            self.swapped_at.into(),
            self.device_changed_at.into(),
            self.contact_changed_at.into(),
            self.owner_changed_at.into(),
            self.port_at.into(),
            self.locked_at.into(),
            self.unlocked_at.into(),
            self.forwarding_at.into(),
            self.quarantined_at.into(),
            self.version.into(),
            self.import_id.into(),
        ]
    }
}

impl FromColumns for Subscription {
    fn from_columns(c: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: c.id()?,
            operator: c.text()?,
            party_id: c.id()?,
            msisdn_idx: c.opt_index()?,
            kind: c.named()?,
            state: c.named()?,
            sealed: c.opt_blob()?,
            lock_scope: c.opt_named()?,
            lock_setter: c.opt_named()?,
            lock_expires_at: c.opt_time()?,
            frozen_at: c.opt_time()?,
            opened_at: c.time()?,
            swapped_at: c.opt_time()?,
            device_changed_at: c.opt_time()?,
            contact_changed_at: c.opt_time()?,
            owner_changed_at: c.opt_time()?,
            port_at: c.opt_time()?,
            locked_at: c.opt_time()?,
            unlocked_at: c.opt_time()?,
            forwarding_at: c.opt_time()?,
            quarantined_at: c.opt_time()?,
            version: c.int()?,
            import_id: c.opt_id()?,
        })
    }
}

impl Kept for Subscription {
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
    pub async fn insert_subscriptions(&mut self, rows: &[Subscription]) -> Result<(), StoreError> {
        let rows = rows.iter().map(|row| row.args_with_origin()).collect();
        self.insert(&TABLE, rows, "").await.map(drop)
    }

    /// Writes a new version over the one before it.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when somebody else was faster.
    pub async fn update_subscription(&mut self, row: &Subscription) -> Result<(), StoreError> {
        // The digest of the first version stays: it is what the import's chunk was recorded by.
        update_versioned(self, &UPDATED, row.args(), row.row_id(), row.version()).await
    }

    /// The rows with these ids; ids that are not there are left out.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn subscriptions(&mut self, ids: &[SubscriptionId]) -> Result<Vec<Subscription>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM subscription WHERE id IN (KEYS)");
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
    pub async fn subscription(&self, id: SubscriptionId) -> Result<Option<Subscription>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM subscription WHERE id = $1");
        Ok(read_all(&self.db.fetch(&sql, vec![id.into()]).await?)?.pop())
    }

    /// The lines with these numbers.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn subscriptions_by_msisdn(
        &self,
        numbers: &[BlindIndex],
    ) -> Result<Vec<Subscription>, StoreError> {
        let sql =
            format!("SELECT {COLUMNS} FROM subscription WHERE msisdn_idx IN (KEYS) AND state <> 'closed'");
        read_all(
            &self
                .db
                .fetch_in(&sql, numbers.iter().map(|i| (*i).into()).collect())
                .await?,
        )
    }

    /// The lines of a party, the oldest first, at most 10,000.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn subscriptions_of(&self, party: PartyId) -> Result<Vec<Subscription>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM subscription WHERE party_id = $1 ORDER BY id LIMIT 10000");
        read_all(&self.db.fetch(&sql, vec![party.into()]).await?)
    }

    /// How many lines there are, by operator and state.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn subscription_counts(&self) -> Result<Vec<(String, SubscriptionState, i64)>, StoreError> {
        let sql = "SELECT operator, state, COUNT(*) FROM subscription GROUP BY operator, state ORDER BY operator, state";
        let rows = self.db.fetch(sql, vec![]).await?;
        rows.iter()
            .map(|row| {
                let mut c = row.columns();
                Ok((c.text()?, c.named()?, c.int()?))
            })
            .collect()
    }
}

impl Tx {
    /// The lines with these numbers.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn subscriptions_by_msisdn(
        &mut self,
        numbers: &[BlindIndex],
    ) -> Result<Vec<Subscription>, StoreError> {
        let sql =
            format!("SELECT {COLUMNS} FROM subscription WHERE msisdn_idx IN (KEYS) AND state <> 'closed'");
        read_all(
            &self
                .fetch_in(&sql, numbers.iter().map(|i| (*i).into()).collect())
                .await?,
        )
    }
}
