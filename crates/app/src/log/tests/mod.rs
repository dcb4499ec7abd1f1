//! The log as a whole: real database, real files, real signatures, and things that go wrong.

mod faults;
mod mirroring;
mod quorum;
mod sequence;
mod servers;
mod tamper;
mod witnessing;

use super::steps::Steps;
use super::{Folder, LogConfig, LogError, Receipts, Sequencer, VerifyOptions, WitnessLink, verify};
use crate::{EntryBody, RowMark, SystemClock};
use simwarden_ledger::{KeyKind, NoteSigner, Policy, leaf_hash};
use simwarden_model::{Clock, Entropy, PartyClass, PartyId, PartyKind, Role, Timestamp};
use simwarden_store::records::Kept as _;
use simwarden_store::records::entry::Entry;
use simwarden_store::records::party::Party;
use simwarden_store::{Store, StoreError};
use std::path::PathBuf;
use std::sync::Arc;

pub(crate) const ORIGIN: &str = "ledger.example/kh";

/// Counts: the same every time.
pub(crate) struct Counting(pub u8);

impl Entropy for Counting {
    fn fill(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            self.0 = self.0.wrapping_mul(31).wrapping_add(7);
            *byte = self.0;
        }
    }
}

pub(crate) fn signer() -> NoteSigner {
    NoteSigner::from_seed(ORIGIN, KeyKind::Note, &[7; 32]).unwrap()
}

pub(crate) fn log_only() -> Policy {
    Policy::log_only(signer().verifier().clone()).unwrap()
}

/// A database and folders of its own.
pub(crate) struct World {
    pub dir: tempfile::TempDir,
    pub store: Store,
    pub clock: Arc<dyn Clock>,
    random: std::cell::RefCell<crate::OsEntropy>,
}

impl World {
    pub async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Self::store_in(&dir).await;
        let random = crate::OsEntropy::new().unwrap().into();
        Self {
            dir,
            store,
            clock: Arc::new(SystemClock::start()),
            random,
        }
    }

    async fn store_in(dir: &tempfile::TempDir) -> Store {
        let address = format!("sqlite:{}", dir.path().join("house.db").display());
        // On a machine whose disk is busy with other tests, making the database can take longer than a store waits.
        for _ in 0..20 {
            match Store::open(&address).await {
                Err(StoreError::Unavailable(_)) => {}
                opened => return opened.unwrap(),
            }
        }
        panic!("the database cannot be opened")
    }

    /// Another server's handle on the same database.
    pub async fn another_store(&self) -> Store {
        Self::store_in(&self.dir).await
    }

    pub fn folder(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn config(&self) -> LogConfig {
        LogConfig {
            folder: self.folder("ledger"),
            signer: signer(),
            policy: log_only(),
            witnesses: Vec::new(),
            rebuild: false,
        }
    }

    pub async fn open(&self) -> Result<Sequencer, LogError> {
        Sequencer::open(self.store.clone(), Arc::clone(&self.clock), self.config()).await
    }

    pub async fn open_breaking(&self, steps: Arc<dyn Steps>) -> Result<Sequencer, LogError> {
        Sequencer::open_with(self.store.clone(), Arc::clone(&self.clock), self.config(), steps).await
    }

    pub async fn open_witnessed(
        &self,
        policy: Policy,
        witnesses: Vec<WitnessLink>,
    ) -> Result<Sequencer, LogError> {
        let config = LogConfig {
            policy,
            witnesses,
            ..self.config()
        };
        Sequencer::open(self.store.clone(), Arc::clone(&self.clock), config).await
    }

    /// An entry's body about some rows.
    pub fn body(&self, kind: &str, rows: Vec<RowMark>) -> EntryBody {
        let mut body = EntryBody::new(
            kind,
            self.clock.now(),
            Role::Admin,
            &mut *self.random.borrow_mut(),
        );
        body.rows = rows;
        body
    }

    /// Makes `count` entries durable.
    pub async fn append(&self, count: usize) {
        let mut tx = self.store.begin().await.unwrap();
        let (end, last) = tx.ledger_end().await.unwrap();
        let bodies = (0..count).map(|_| self.body("test.done", Vec::new()));
        let entries = bodies
            .zip(end..)
            .map(|(body, index)| entry(index, body, last))
            .collect();
        tx.insert_entries(entries).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// Makes one entry durable.
    pub async fn append_body(&self, body: EntryBody) {
        let mut tx = self.store.begin().await.unwrap();
        let (end, last) = tx.ledger_end().await.unwrap();
        tx.insert_entries(vec![entry(end, body, last)]).await.unwrap();
        tx.commit().await.unwrap();
    }

    pub fn party(&self) -> Party {
        let now = self.clock.now();
        Party {
            id: PartyId::draw(now, &mut *self.random.borrow_mut()),
            operator: "456-01".into(),
            kind: PartyKind::Person,
            class: PartyClass::Ordinary,
            doc_idx: None,
            sealed: Some(vec![1, 2, 3]),
            flagged: false,
            created_at: now,
            version: 1,
            import_id: None,
        }
    }

    /// Adds a party with its entry in one transaction, and changes it once if asked.
    pub async fn add_party(&self, change: bool) -> Party {
        let mut party = self.party();
        let mut tx = self.store.begin().await.unwrap();
        let (end, last) = tx.ledger_end().await.unwrap();
        let mut entries = vec![entry(
            end,
            self.body("party.added", vec![RowMark::of(&party)]),
            last,
        )];
        tx.insert_parties(std::slice::from_ref(&party)).await.unwrap();
        if change {
            party.version = 2;
            party.flagged = true;
            tx.update_party(&party).await.unwrap();
            entries.push(entry(
                end + 1,
                self.body("party.changed", vec![RowMark::of(&party)]),
                last,
            ));
        }
        tx.insert_entries(entries).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(party.version(), party.version);
        party
    }

    /// Somebody with access to the database file.
    pub async fn sql(&self, sql: &str) {
        let file = self.dir.path().join("house.db");
        let rows = rusqlite::Connection::open(file)
            .unwrap()
            .execute(sql, [])
            .unwrap();
        assert!(rows > 0, "{sql} did nothing");
    }

    pub fn receipts(&self, sequencer: &Sequencer) -> Receipts {
        Receipts::new(
            self.store.clone(),
            sequencer.folder().clone(),
            log_only(),
            sequencer.published(),
        )
    }

    /// The published folder, checked as a stranger would, also against what was published before.
    pub fn audit(&self, folder: &str, remembered: &mut Option<Vec<u8>>) -> u64 {
        let options = VerifyOptions {
            remembered: remembered.clone(),
            ..VerifyOptions::all(log_only())
        };
        let audited = verify(&Folder::reading(self.folder(folder)), &options).unwrap();
        *remembered = Some(audited.note);
        audited.trusted.checkpoint.size
    }
}

pub(crate) fn entry(index: i64, mut body: EntryBody, last: Timestamp) -> Entry {
    body.at = body.at.max(last);
    let bytes = body.encode().unwrap();
    Entry {
        index,
        at: body.at,
        kind: body.kind,
        leaf: leaf_hash(&bytes).0,
        body: bytes,
    }
}
