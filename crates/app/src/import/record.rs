//! What an import or export leaves on the ledger.

use super::merge::Change;
use crate::entry::{EntryBody, RowMark};
use crate::{Actor, Error};
use simwarden_ledger::leaf_hash;
use simwarden_model::{Entropy, Timestamp};
use simwarden_store::records::entry::Entry;
use simwarden_store::records::history::HistoryItem;
use simwarden_store::{StoreError, Tx};

/// The most rows that one entry names: some 100 bytes each, of 65,535.
const MARKS_MAX: usize = 500;

/// Writes the entries of one transaction.
pub(super) struct Recorder {
    pub now: Timestamp,
    next: i64,
    actor: Actor,
    operator: String,
    open: Option<EntryBody>,
    history: Vec<HistoryItem>,
}

impl Recorder {
    pub(super) fn new(next: i64, now: Timestamp, actor: Actor, operator: String) -> Self {
        Self {
            now,
            next,
            actor,
            operator,
            open: None,
            history: Vec::new(),
        }
    }

    fn body(&self, kind: &str, entropy: &mut dyn Entropy) -> EntryBody {
        let mut body = EntryBody::new(kind, self.now, self.actor.role, entropy);
        body.actor = Some(self.actor.token);
        body.operator = Some(self.operator.clone());
        body
    }

    /// Names the rows that one row of a file changed; answers the entry that does.
    pub(super) async fn mark(
        &mut self,
        change: &Change,
        tx: &mut Tx,
        entropy: &mut dyn Entropy,
    ) -> Result<i64, Error> {
        let marks: Vec<RowMark> = [
            change.party.as_ref().map(RowMark::of),
            change.line.as_ref().map(RowMark::of),
            change.profile.as_ref().map(RowMark::of),
        ]
        .into_iter()
        .flatten()
        .collect();
        if self
            .open
            .as_ref()
            .is_some_and(|open| open.rows.len() + marks.len() > MARKS_MAX)
        {
            self.end_changes(tx).await?;
        }
        let mut open = match self.open.take() {
            Some(open) => open,
            None => self.body("import.changed", entropy),
        };
        open.rows.extend(marks);
        self.open = Some(open);
        self.history.push(HistoryItem {
            entry: self.next,
            ord: i64::try_from(self.history.len()).unwrap_or(i64::MAX),
            at: self.now,
            kind: "import_changed".to_owned(),
            subscription_id: change.line.as_ref().map(|line| line.id).or(change
                .profile
                .as_ref()
                .and_then(|profile| profile.subscription_id)),
            profile_id: change.profile.as_ref().map(|profile| profile.id),
            operation_id: None,
            actor_role: self.actor.role,
            actor: Some(self.actor.token),
            detail: "{}".to_owned(),
        });
        Ok(self.next)
    }

    /// Writes the entry that names changed rows, if one is open.
    pub(super) async fn end_changes(&mut self, tx: &mut Tx) -> Result<(), Error> {
        if let Some(body) = self.open.take() {
            self.write(body, tx).await?;
            tx.insert_history(&std::mem::take(&mut self.history)).await?;
        }
        Ok(())
    }

    /// Writes an entry of its own; answers its index.
    pub(super) async fn entry(
        &mut self,
        kind: &str,
        detail: serde_json::Value,
        tx: &mut Tx,
        entropy: &mut dyn Entropy,
    ) -> Result<i64, Error> {
        self.end_changes(tx).await?;
        let mut body = self.body(kind, entropy);
        body.detail = detail;
        self.write(body, tx).await
    }

    async fn write(&mut self, body: EntryBody, tx: &mut Tx) -> Result<i64, Error> {
        let bytes = body.encode()?;
        let index = self.next;
        let entry = Entry {
            index,
            at: self.now,
            kind: body.kind,
            leaf: leaf_hash(&bytes).0,
            body: bytes,
        };
        tx.insert_entries(vec![entry]).await?;
        self.next += 1;
        Ok(index)
    }
}

/// Writes the rows that a row of a file changed.
pub(super) async fn write_change(change: Change, entry: i64, tx: &mut Tx) -> Result<(), StoreError> {
    if let Some(party) = &change.party {
        tx.update_party(party).await?;
    }
    if let Some(line) = &change.line {
        tx.update_subscription(line).await?;
    }
    if let Some(profile) = &change.profile {
        tx.update_profile(profile).await?;
    }
    if let Some(mut sitting) = change.sitting {
        sitting.entry = entry;
        tx.insert_sittings(&[sitting]).await?;
    }
    Ok(())
}
