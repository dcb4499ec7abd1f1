//! Events of the network, the shops and the portals.

use super::{FromColumns, read_all};
use crate::columns::Columns;
use crate::db::{Arg, Table, Tx};
use crate::{BlindIndex, Store, StoreError};
use simwarden_model::Timestamp;

const TABLE: Table = Table {
    name: "event",
    columns: &[
        "source",
        "ext_id",
        "at",
        "kind",
        "operator",
        "msisdn_idx",
        "received_at",
        "sealed",
    ],
};
/// The columns, as read.
const COLUMNS: &str = "source, ext_id, at, kind, operator, msisdn_idx, received_at, sealed";

/// One event, kept; what it says is sealed.
#[derive(Debug, Clone, PartialEq)]
pub struct EventRecord {
    /// The feed.
    pub source: String,
    /// Its id there.
    pub ext_id: String,
    /// When it happened.
    pub at: Timestamp,
    /// Its type.
    pub kind: String,
    /// MCC-MNC.
    pub operator: Option<String>,
    /// Index of the line.
    pub msisdn_idx: Option<BlindIndex>,
    /// When it came in.
    pub received_at: Timestamp,
    /// The whole event, under the common key.
    pub sealed: Vec<u8>,
}

impl EventRecord {
    fn args(&self) -> Vec<Arg> {
        vec![
            self.source.clone().into(),
            self.ext_id.clone().into(),
            self.at.into(),
            self.kind.clone().into(),
            self.operator.clone().into(),
            self.msisdn_idx.into(),
            self.received_at.into(),
            self.sealed.clone().into(),
        ]
    }
}

impl FromColumns for EventRecord {
    fn from_columns(c: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            source: c.text()?,
            ext_id: c.text()?,
            at: c.time()?,
            kind: c.text()?,
            operator: c.opt_text()?,
            msisdn_idx: c.opt_index()?,
            received_at: c.time()?,
            sealed: c.blob()?,
        })
    }
}

const QUARANTINE: Table = Table {
    name: "event_quarantine",
    columns: &["batch", "line", "source", "reason", "sealed", "received_at"],
};

/// A line that could not be taken as an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuarantinedLine {
    /// The batch it came in.
    pub batch: [u8; 16],
    /// Its line number there, from 1.
    pub line: i64,
    /// The feed.
    pub source: String,
    /// Why.
    pub reason: String,
    /// The line itself, under the common key.
    pub sealed: Vec<u8>,
    /// When it came in.
    pub received_at: Timestamp,
}

impl Tx {
    /// Which of these events, by source and id, are there already. At most 128 may be asked for at once.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn known_events(
        &mut self,
        source: &str,
        ids: &[String],
    ) -> Result<std::collections::HashSet<String>, StoreError> {
        let mut known = std::collections::HashSet::new();
        // The source is part of every event of a batch, so it is folded into the text rather than bound per key.
        for chunk in ids.chunks(127) {
            let binds: Vec<String> = (2..=chunk.len() + 1).map(|n| format!("${n}")).collect();
            let sql = format!(
                "SELECT ext_id FROM event WHERE source = $1 AND ext_id IN ({})",
                binds.join(", ")
            );
            let mut args: Vec<Arg> = vec![source.into()];
            args.extend(chunk.iter().map(|id| Arg::from(id.as_str())));
            for row in self.fetch(&sql, args).await? {
                known.insert(row.columns().text()?);
            }
        }
        Ok(known)
    }

    /// Adds events.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when one is there already.
    pub async fn insert_events(&mut self, rows: &[EventRecord]) -> Result<(), StoreError> {
        let rows = rows.iter().map(EventRecord::args).collect();
        self.insert(&TABLE, rows, "").await.map(drop)
    }

    /// Adds lines to the quarantine.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn quarantine(&mut self, lines: Vec<QuarantinedLine>) -> Result<(), StoreError> {
        let rows = lines
            .into_iter()
            .map(|q| {
                vec![
                    q.batch.into(),
                    q.line.into(),
                    q.source.into(),
                    q.reason.into(),
                    q.sealed.into(),
                    q.received_at.into(),
                ]
            })
            .collect();
        self.insert(&QUARANTINE, rows, "").await.map(drop)
    }
}

impl Store {
    /// How many events are kept, and how many lines are in quarantine.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn event_counts(&self) -> Result<(i64, i64), StoreError> {
        let count = |rows: Vec<crate::columns::Row>| rows.first().map_or(Ok(0), |row| row.columns().int());
        Ok((
            count(self.db.fetch("SELECT COUNT(*) FROM event", vec![]).await?)?,
            count(
                self.db
                    .fetch("SELECT COUNT(*) FROM event_quarantine", vec![])
                    .await?,
            )?,
        ))
    }

    /// The events of a line, the newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn events_of(&self, line: BlindIndex, most: u32) -> Result<Vec<EventRecord>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM event WHERE msisdn_idx = $1 ORDER BY at DESC LIMIT $2");
        read_all(
            &self
                .db
                .fetch(&sql, vec![line.into(), i64::from(most).into()])
                .await?,
        )
    }
}
