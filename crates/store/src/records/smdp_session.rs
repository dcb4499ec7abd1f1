//! Sessions of chips with the SM-DP+.

use super::{FromColumns, read_all};
use crate::columns::Columns;
use crate::db::{Arg, Table, Tx};
use crate::{BlindIndex, Store, StoreError};
use simwarden_model::Timestamp;

const TABLE: Table = Table {
    name: "smdp_session",
    columns: &["tid_idx", "order_id", "eid_idx", "phase", "sealed", "expires_at"],
};
/// The columns, as read.
const COLUMNS: &str = "tid_idx, order_id, eid_idx, phase, sealed, expires_at";
const OVER: &str = " ON CONFLICT (tid_idx) DO UPDATE SET order_id = excluded.order_id, phase = excluded.phase, \
                    sealed = excluded.sealed";

/// A session in which a chip has proven itself.
#[derive(Debug, Clone, PartialEq)]
pub struct SmdpSession {
    /// Its transaction id.
    pub tid_idx: BlindIndex,
    /// The order; none when the chip was refused.
    pub order_id: Option<[u8; 16]>,
    /// The chip.
    pub eid_idx: BlindIndex,
    /// How far it has come.
    pub phase: String,
    /// The whole session, under the installation's common key.
    pub sealed: Vec<u8>,
    /// Until when it can go on; an install result is taken later, too.
    pub expires_at: Timestamp,
}

impl SmdpSession {
    fn args(&self) -> Vec<Arg> {
        vec![
            self.tid_idx.into(),
            self.order_id.into(),
            self.eid_idx.into(),
            self.phase.clone().into(),
            self.sealed.clone().into(),
            self.expires_at.into(),
        ]
    }
}

impl FromColumns for SmdpSession {
    fn from_columns(c: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            tid_idx: BlindIndex::from_bytes(c.bytes()?),
            order_id: c.opt_bytes()?,
            eid_idx: BlindIndex::from_bytes(c.bytes()?),
            phase: c.text()?,
            sealed: c.blob()?,
            expires_at: c.time()?,
        })
    }
}

fn query(transactions: &[BlindIndex]) -> (String, Vec<Arg>) {
    let sql = format!("SELECT {COLUMNS} FROM smdp_session WHERE tid_idx IN (KEYS)");
    (sql, transactions.iter().map(|tid| (*tid).into()).collect())
}

impl Tx {
    /// Adds sessions, or writes over what is there.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn put_smdp_sessions(&mut self, rows: &[SmdpSession]) -> Result<(), StoreError> {
        let rows = rows.iter().map(SmdpSession::args).collect();
        self.insert(&TABLE, rows, OVER).await.map(drop)
    }

    /// The sessions with these transaction ids.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn smdp_sessions(
        &mut self,
        transactions: &[BlindIndex],
    ) -> Result<Vec<SmdpSession>, StoreError> {
        let (sql, keys) = query(transactions);
        read_all(&self.fetch_in(&sql, keys).await?)
    }

    /// Forgets sessions that ended before; answers how many.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn forget_smdp_sessions(&mut self, before: Timestamp) -> Result<u64, StoreError> {
        self.execute(
            "DELETE FROM smdp_session WHERE expires_at < $1",
            vec![before.into()],
        )
        .await
    }
}

impl Store {
    /// The session with this transaction id.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn smdp_session(&self, transaction: BlindIndex) -> Result<Option<SmdpSession>, StoreError> {
        let (sql, keys) = query(&[transaction]);
        Ok(read_all(&self.db.fetch_in(&sql, keys).await?)?.pop())
    }
}
