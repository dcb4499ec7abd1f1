//! Profiles of the SM-DP+ and their download orders.

use super::{FromColumns, Kept, digest_columns, read_all, update_versioned};
use crate::columns::Columns;
use crate::db::{Arg, Table, Tx};
use crate::{BlindIndex, Store, StoreError};
use simwarden_model::{OperationId, ProfileState, Timestamp};

const TABLE: Table = Table {
    name: "smdp_order",
    columns: &[
        "id",
        "operator",
        "profile_type",
        "operation_id",
        "iccid_idx",
        "matching_idx",
        "eid_idx",
        "default_for_eid",
        "state",
        "sealed",
        "expires_at",
        "created_at",
        "version",
    ],
};
/// The columns, as read.
pub(super) const COLUMNS: &str = "id, operator, profile_type, operation_id, iccid_idx, matching_idx, eid_idx, default_for_eid, state, sealed, expires_at, created_at, version";

/// The most orders that one look-up answers.
const FOUND_MAX: i64 = 16_384;

/// A profile of the SM-DP+ and what was agreed about its download.
#[derive(Debug, Clone, PartialEq)]
pub struct SmdpOrder {
    /// Which: drawn at random, the same for its whole life.
    pub id: [u8; 16],
    /// The operator or reseller whose it is.
    pub operator: String,
    /// Its type, as operators name it.
    pub profile_type: String,
    /// The operation that stands behind the order; none for an imported one.
    pub operation_id: Option<OperationId>,
    /// The profile.
    pub iccid_idx: BlindIndex,
    /// The matching id, when it has one.
    pub matching_idx: Option<BlindIndex>,
    /// The chip that it is bound to.
    pub eid_idx: Option<BlindIndex>,
    /// Whether it is a default order of that chip.
    pub default_for_eid: bool,
    /// Where it stands.
    pub state: ProfileState,
    /// The whole order, under the installation's common key.
    pub sealed: Vec<u8>,
    /// When it lapses.
    pub expires_at: Option<Timestamp>,
    /// When the profile was imported.
    pub created_at: Timestamp,
    /// Counts up with every change.
    pub version: i64,
}

impl SmdpOrder {
    fn args(&self) -> Vec<Arg> {
        vec![
            self.id.into(),
            self.operator.clone().into(),
            self.profile_type.clone().into(),
            self.operation_id.into(),
            self.iccid_idx.into(),
            self.matching_idx.into(),
            self.eid_idx.into(),
            self.default_for_eid.into(),
            self.state.as_str().into(),
            self.sealed.clone().into(),
            self.expires_at.into(),
            self.created_at.into(),
            self.version.into(),
        ]
    }
}

impl FromColumns for SmdpOrder {
    fn from_columns(c: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: c.bytes()?,
            operator: c.text()?,
            profile_type: c.text()?,
            operation_id: c.opt_id()?,
            iccid_idx: BlindIndex::from_bytes(c.bytes()?),
            matching_idx: c.opt_index()?,
            eid_idx: c.opt_index()?,
            default_for_eid: c.flag()?,
            state: c.named()?,
            sealed: c.blob()?,
            expires_at: c.opt_time()?,
            created_at: c.time()?,
            version: c.int()?,
        })
    }
}

impl Kept for SmdpOrder {
    const KIND: &'static str = TABLE.name;

    fn row_id(&self) -> [u8; 16] {
        self.id
    }
    fn version(&self) -> i64 {
        self.version
    }
    fn digest(&self) -> [u8; 32] {
        digest_columns(TABLE.name, &self.args())
    }
}

/// How orders are found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SmdpOrderKey {
    /// By their own ids.
    Ids(Vec<[u8; 16]>),
    /// By the profiles' numbers.
    Iccids(Vec<BlindIndex>),
    /// By matching ids.
    Matching(Vec<BlindIndex>),
    /// The default orders of these chips.
    DefaultOf(Vec<BlindIndex>),
    /// By the operations behind them.
    Operations(Vec<OperationId>),
}

impl SmdpOrderKey {
    fn query(self) -> (String, Vec<Arg>) {
        let indexes = |all: Vec<BlindIndex>| all.into_iter().map(Arg::from).collect();
        let (column, keys) = match self {
            Self::Ids(ids) => ("id", ids.into_iter().map(Arg::from).collect()),
            Self::Iccids(all) => ("iccid_idx", indexes(all)),
            Self::Matching(all) => ("matching_idx", indexes(all)),
            Self::DefaultOf(all) => ("default_for_eid = 1 AND eid_idx", indexes(all)),
            Self::Operations(ids) => ("operation_id", ids.into_iter().map(Arg::from).collect()),
        };
        let sql = format!(
            "SELECT {COLUMNS} FROM smdp_order WHERE {column} IN (KEYS) ORDER BY created_at DESC LIMIT {}",
            FOUND_MAX
        );
        (sql, keys)
    }
}

impl Tx {
    /// Adds rows.
    ///
    /// # Errors
    /// When the database cannot be written; [`StoreError::Conflict`] when a profile or matching id is there already.
    pub async fn insert_smdp_orders(&mut self, rows: &[SmdpOrder]) -> Result<(), StoreError> {
        let rows = rows.iter().map(SmdpOrder::args).collect();
        self.insert(&TABLE, rows, "").await.map(drop)
    }

    /// Writes a new version over the one before it.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when somebody was faster; [`StoreError::Conflict`] when the matching id is another's.
    pub async fn update_smdp_order(&mut self, row: &SmdpOrder) -> Result<(), StoreError> {
        update_versioned(self, &TABLE, row.args(), row.id, row.version).await
    }

    /// The orders behind these keys, the newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn smdp_orders(&mut self, key: SmdpOrderKey) -> Result<Vec<SmdpOrder>, StoreError> {
        let (sql, keys) = key.query();
        read_all(&self.fetch_in(&sql, keys).await?)
    }

    /// Profiles of a type that are nobody's yet, at most so many.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn smdp_stock(&mut self, profile_type: &str, limit: u32) -> Result<Vec<SmdpOrder>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM smdp_order WHERE state = 'available' AND profile_type = $1 ORDER BY id LIMIT $2"
        );
        read_all(
            &self
                .fetch(&sql, vec![profile_type.into(), i64::from(limit).into()])
                .await?,
        )
    }
}

impl Tx {
    /// Whose profiles are of this type, at most eight.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn smdp_type_owners(&mut self, profile_type: &str) -> Result<Vec<String>, StoreError> {
        let sql = "SELECT DISTINCT operator FROM smdp_order WHERE profile_type = $1 LIMIT 8";
        let rows = self.fetch(sql, vec![profile_type.into()]).await?;
        rows.iter().map(|row| row.columns().text()).collect()
    }

    /// A profile of this type and owner that is nobody's yet.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn smdp_free(
        &mut self,
        profile_type: &str,
        owner: &str,
    ) -> Result<Option<SmdpOrder>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM smdp_order WHERE state = 'available' AND profile_type = $1 AND operator = $2 \
             ORDER BY id LIMIT 1"
        );
        let rows = self.fetch(&sql, vec![profile_type.into(), owner.into()]).await?;
        Ok(read_all(&rows)?.pop())
    }
}

impl Store {
    /// The orders behind these keys, the newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn smdp_orders(&self, key: SmdpOrderKey) -> Result<Vec<SmdpOrder>, StoreError> {
        let (sql, keys) = key.query();
        read_all(&self.db.fetch_in(&sql, keys).await?)
    }
}
