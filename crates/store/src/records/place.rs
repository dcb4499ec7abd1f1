//! Chips and phones, and which profiles sat in them.

use crate::db::{Arg, Table, Tx};
use crate::{BlindIndex, Store, StoreError};
use simwarden_model::{ProfileId, Timestamp};

const EUICC: Table = Table {
    name: "euicc",
    columns: &["eid_idx", "eum", "first_seen_at"],
};
const DEVICE: Table = Table {
    name: "device",
    columns: &["imei_idx", "tac", "first_seen_at"],
};
const SITTING: Table = Table {
    name: "sitting",
    columns: &["profile_id", "until_at", "eid_idx", "imei_idx", "entry"],
};

/// A chip or a phone, as it is entered when first seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Index of the EID or IMEI.
    pub index: BlindIndex,
    /// The maker's part of it: EUM or TAC.
    pub maker: String,
    /// When it was first seen.
    pub first_seen_at: Timestamp,
}

/// Where a profile sat before it moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sitting {
    /// The profile.
    pub profile_id: ProfileId,
    /// Until when.
    pub until_at: Timestamp,
    /// On which chip.
    pub eid_idx: Option<BlindIndex>,
    /// In which phone.
    pub imei_idx: Option<BlindIndex>,
    /// The ledger entry of the move.
    pub entry: i64,
}

/// Which kind of place to search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlaceKind {
    /// A chip, by EID.
    Euicc,
    /// A phone, by IMEI.
    Device,
}

impl Tx {
    /// Enters chips or phones that were not known yet.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn see_places(&mut self, kind: PlaceKind, places: Vec<Place>) -> Result<(), StoreError> {
        let (table, tail) = match kind {
            PlaceKind::Euicc => (&EUICC, " ON CONFLICT (eid_idx) DO NOTHING"),
            PlaceKind::Device => (&DEVICE, " ON CONFLICT (imei_idx) DO NOTHING"),
        };
        let rows = places
            .into_iter()
            .map(|p| vec![p.index.into(), p.maker.into(), p.first_seen_at.into()])
            .collect();
        self.insert(table, rows, tail).await.map(drop)
    }

    /// Whether no chip and no phone was ever seen.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn no_place_is_known(&mut self) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM euicc UNION ALL SELECT 1 FROM device LIMIT 1";
        Ok(self.fetch(sql, vec![]).await?.is_empty())
    }

    /// Enters many chips or phones, each once, none of which is known: quicker than [`Self::see_places`].
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when one is known.
    pub async fn enter_places(&mut self, kind: PlaceKind, places: Vec<Place>) -> Result<(), StoreError> {
        let table = match kind {
            PlaceKind::Euicc => &EUICC,
            PlaceKind::Device => &DEVICE,
        };
        let args = places
            .into_iter()
            .flat_map(|p| [p.index.into(), p.maker.into(), p.first_seen_at.into()])
            .collect();
        self.insert_bulk(table, args).await.map(drop)
    }

    /// Remembers where profiles sat until now.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn insert_sittings(&mut self, sittings: &[Sitting]) -> Result<(), StoreError> {
        let rows = sittings
            .iter()
            .map(|s| {
                vec![
                    s.profile_id.into(),
                    s.until_at.into(),
                    s.eid_idx.into(),
                    s.imei_idx.into(),
                    s.entry.into(),
                ]
            })
            .collect();
        self.insert(&SITTING, rows, "").await.map(drop)
    }
}

impl Store {
    /// The profiles that sit in a chip or phone, or ever sat there, with the time they left.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn profiles_in(
        &self,
        kind: PlaceKind,
        place: BlindIndex,
    ) -> Result<Vec<(ProfileId, Option<Timestamp>)>, StoreError> {
        let (now, before) = match kind {
            PlaceKind::Euicc => (
                "SELECT id FROM profile WHERE eid_idx = $1 ORDER BY id LIMIT 1000",
                "SELECT profile_id, until_at FROM sitting WHERE eid_idx = $1 ORDER BY until_at DESC LIMIT 1000",
            ),
            PlaceKind::Device => (
                "SELECT id FROM profile WHERE imei_idx = $1 ORDER BY id LIMIT 1000",
                "SELECT profile_id, until_at FROM sitting WHERE imei_idx = $1 ORDER BY until_at DESC LIMIT 1000",
            ),
        };
        let mut found = Vec::new();
        for row in self.db.fetch(now, vec![Arg::from(place)]).await? {
            found.push((row.columns().id()?, None));
        }
        for row in self.db.fetch(before, vec![Arg::from(place)]).await? {
            let mut c = row.columns();
            found.push((c.id()?, Some(c.time()?)));
        }
        Ok(found)
    }
}
