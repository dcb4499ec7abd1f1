//! eSIM profiles.

use super::{FromColumns, Kept, digest_columns, read_all, update_versioned};
use crate::BlindIndex;
use crate::StoreError;
use crate::db::{Arg, Columns, Table};
use simwarden_model::{ImportId, ProfileId, ProfileState, SubscriptionId, Timestamp};

const TABLE: Table = Table {
    name: "profile",
    columns: &["id", "operator", "subscription_id", "iccid_idx", "imsi_idx", "eid_idx", "imei_idx", "state", "live", "sealed", "created_at", "version", "import_id", "origin"],
};
/// The columns, as read.
const COLUMNS: &str = "id, operator, subscription_id, iccid_idx, imsi_idx, eid_idx, imei_idx, state, live, sealed, created_at, version, import_id";

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
