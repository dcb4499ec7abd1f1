//! eSIM profiles.

use super::{FromColumns, Kept, digest_columns, read_all, update_versioned};
use crate::columns::Columns;
use crate::db::{Arg, Table, Tx};
use crate::{BlindIndex, Store, StoreError};
use simwarden_model::{ImportId, ProfileId, ProfileState, SubscriptionId, Timestamp};

pub(super) const TABLE: Table = Table {
    name: "profile",
    columns: &[
        "id",
        "operator",
        "subscription_id",
        "iccid_idx",
        "imsi_idx",
        "eid_idx",
        "imei_idx",
        "state",
        "live",
        "sealed",
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
pub(super) const COLUMNS: &str = "id, operator, subscription_id, iccid_idx, imsi_idx, eid_idx, imei_idx, state, live, sealed, created_at, version, import_id";

/// One eSIM profile.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// Random name, also on the ledger.
    pub id: ProfileId,
    /// MCC-MNC of the operator.
    pub operator: String,
    /// The line it belongs to; none while in stock.
    pub subscription_id: Option<SubscriptionId>,
    /// Index of its number.
    pub iccid_idx: BlindIndex,
    /// Index of its subscriber identity.
    pub imsi_idx: Option<BlindIndex>,
    /// Index of the chip it sits on or is bound to.
    pub eid_idx: Option<BlindIndex>,
    /// Index of the phone it was last seen in.
    pub imei_idx: Option<BlindIndex>,
    /// Where it is in its life.
    pub state: ProfileState,
    /// Whether it is the one live profile of its line.
    pub live: bool,
    /// ICCID, IMSI, EID, IMEI: under the owner's key, or the common one while in stock.
    pub sealed: Option<Vec<u8>>,
    /// When it was entered.
    pub created_at: Timestamp,
    /// Grows with every change, from 1.
    pub version: i64,
    /// The import that brought it.
    pub import_id: Option<ImportId>,
}

impl Profile {
    pub(super) fn args_with_origin(&self) -> Vec<Arg> {
        let mut args = self.args();
        args.push(digest_columns(Self::KIND, &args).into());
        args
    }

    fn args(&self) -> Vec<Arg> {
        vec![
            self.id.into(),
            self.operator.clone().into(),
            self.subscription_id.into(),
            self.iccid_idx.into(),
            self.imsi_idx.into(),
            self.eid_idx.into(),
            self.imei_idx.into(),
            self.state.as_str().into(),
            self.live.into(),
            self.sealed.clone().into(),
            self.created_at.into(),
            self.version.into(),
            self.import_id.into(),
        ]
    }
}

impl FromColumns for Profile {
    fn from_columns(c: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: c.id()?,
            operator: c.text()?,
            subscription_id: c.opt_id()?,
            iccid_idx: BlindIndex::from_bytes(c.bytes()?),
            imsi_idx: c.opt_index()?,
            eid_idx: c.opt_index()?,
            imei_idx: c.opt_index()?,
            state: c.named()?,
            live: c.flag()?,
            sealed: c.opt_blob()?,
            created_at: c.time()?,
            version: c.int()?,
            import_id: c.opt_id()?,
        })
    }
}

impl Kept for Profile {
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
    pub async fn insert_profiles(&mut self, rows: &[Profile]) -> Result<(), StoreError> {
        let rows = rows.iter().map(|row| row.args_with_origin()).collect();
        self.insert(&TABLE, rows, "").await.map(drop)
    }

    /// Writes a new version over the one before it.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when somebody else was faster.
    pub async fn update_profile(&mut self, row: &Profile) -> Result<(), StoreError> {
        // The digest of the first version stays: it is what the import's chunk was recorded by.
        update_versioned(self, &UPDATED, row.args(), row.row_id(), row.version()).await
    }

    /// The rows with these ids; ids that are not there are left out.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn profiles(&mut self, ids: &[ProfileId]) -> Result<Vec<Profile>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM profile WHERE id IN (KEYS)");
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
    pub async fn profile(&self, id: ProfileId) -> Result<Option<Profile>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM profile WHERE id = $1");
        Ok(read_all(&self.db.fetch(&sql, vec![id.into()]).await?)?.pop())
    }

    /// The profile with this number.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn profile_by_iccid(&self, iccid: BlindIndex) -> Result<Option<Profile>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM profile WHERE iccid_idx = $1");
        Ok(read_all(&self.db.fetch(&sql, vec![iccid.into()]).await?)?.pop())
    }

    /// The profiles with this subscriber identity.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn profiles_by_imsi(&self, imsi: BlindIndex) -> Result<Vec<Profile>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM profile WHERE imsi_idx = $1 ORDER BY id LIMIT 100");
        read_all(&self.db.fetch(&sql, vec![imsi.into()]).await?)
    }

    /// The profiles of a line, the oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn profiles_of(&self, line: SubscriptionId) -> Result<Vec<Profile>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM profile WHERE subscription_id = $1 ORDER BY id LIMIT 1000");
        read_all(&self.db.fetch(&sql, vec![line.into()]).await?)
    }
}

impl Tx {
    /// The profiles of these lines.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn profiles_of(&mut self, lines: &[SubscriptionId]) -> Result<Vec<Profile>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM profile WHERE subscription_id IN (KEYS) ORDER BY id");
        read_all(
            &self
                .fetch_in(&sql, lines.iter().map(|id| (*id).into()).collect())
                .await?,
        )
    }

    /// The profiles with these numbers.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn profiles_by_iccid(&mut self, iccids: &[BlindIndex]) -> Result<Vec<Profile>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM profile WHERE iccid_idx IN (KEYS)");
        read_all(
            &self
                .fetch_in(&sql, iccids.iter().map(|i| (*i).into()).collect())
                .await?,
        )
    }

    /// The profiles that sit on these chips now.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn profiles_on(&mut self, chips: &[BlindIndex]) -> Result<Vec<Profile>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM profile WHERE eid_idx IN (KEYS)");
        read_all(
            &self
                .fetch_in(&sql, chips.iter().map(|i| (*i).into()).collect())
                .await?,
        )
    }

    /// A profile in stock of an operator, never given out; the oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn profiles_in_stock(&mut self, operator: &str, most: u32) -> Result<Vec<Profile>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM profile \
             WHERE subscription_id IS NULL AND operator = $1 AND state = 'available' ORDER BY id LIMIT $2"
        );
        read_all(
            &self
                .fetch(&sql, vec![operator.into(), i64::from(most).into()])
                .await?,
        )
    }
}

impl Store {
    /// The profile in stock that is given out next.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn next_in_stock(&self, operator: &str) -> Result<Option<Profile>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM profile \
             WHERE subscription_id IS NULL AND operator = $1 AND state = 'available' ORDER BY id LIMIT 1"
        );
        Ok(read_all(&self.db.fetch(&sql, vec![operator.into()]).await?)?.pop())
    }
}
