//! What is registered of the things that a batch of rows speaks of.

use super::merge::{Change, Stop};
use super::problem::Reason;
use super::row::Row;
use crate::secrets::subject_key;
use simwarden_model::{PartyId, ProfileId, SubscriptionId};
use simwarden_store::records::party::Party;
use simwarden_store::records::profile::Profile;
use simwarden_store::records::subject_key::SubjectKeyRow;
use simwarden_store::records::subscription::Subscription;
use simwarden_store::{BlindIndex, Keyring, StoreError, SubjectKey, Tx};
use std::collections::{BTreeSet, HashMap};

/// Registered things by what rows name them by, kept up to date while the batch is taken in.
#[derive(Default)]
pub(super) struct Known {
    pub profiles: HashMap<BlindIndex, Profile>,
    pub numbers: HashMap<BlindIndex, SubscriptionId>,
    pub lines: HashMap<SubscriptionId, Subscription>,
    /// Of this operator only: the same document at another one is another party.
    pub documents: HashMap<BlindIndex, PartyId>,
    pub parties: HashMap<PartyId, Party>,
    pub live: HashMap<SubscriptionId, ProfileId>,
    wrapped: HashMap<PartyId, SubjectKeyRow>,
    fresh: HashMap<PartyId, SubjectKey>,
}

impl Known {
    /// Reads what rows speak of.
    pub(super) async fn read<'r>(
        tx: &mut Tx,
        operator: &str,
        rows: impl Iterator<Item = &'r Row> + Clone,
    ) -> Result<Self, StoreError> {
        let mut known = Self::default();
        let iccids: Vec<_> = rows.clone().map(|row| row.iccid.index).collect();
        let of_lines = rows.filter_map(|row| row.line.as_ref());
        let numbers: BTreeSet<_> = of_lines.clone().map(|line| line.msisdn.index).collect();
        let documents: BTreeSet<_> = of_lines.filter_map(|line| Some(line.document?.index)).collect();

        for profile in tx.profiles_by_iccid(&iccids).await? {
            known.profiles.insert(profile.iccid_idx, profile);
        }
        let numbers: Vec<_> = numbers.into_iter().collect();
        for line in tx.subscriptions_by_msisdn(&numbers).await? {
            known.enter_line(&line);
        }
        let more: BTreeSet<_> = known
            .profiles
            .values()
            .filter_map(|p| p.subscription_id)
            .collect();
        let more: Vec<_> = more
            .into_iter()
            .filter(|id| !known.lines.contains_key(id))
            .collect();
        for line in tx.subscriptions(&more).await? {
            known.lines.insert(line.id, line);
        }
        let documents: Vec<_> = documents.into_iter().collect();
        for party in tx.parties_by_documents(&documents).await? {
            if party.operator == operator {
                known.enter(&party);
            }
        }
        let more: BTreeSet<_> = known.lines.values().map(|line| line.party_id).collect();
        let more: Vec<_> = more
            .into_iter()
            .filter(|id| !known.parties.contains_key(id))
            .collect();
        for party in tx.parties(&more).await? {
            known.enter(&party);
        }
        let parties: Vec<_> = known.parties.keys().copied().collect();
        for key in tx.subject_keys(&parties).await? {
            known.wrapped.insert(key.party_id, key);
        }
        let lines: Vec<_> = known.lines.keys().copied().collect();
        for profile in tx.profiles_of(&lines).await? {
            if let Some(line) = profile.subscription_id.filter(|_| profile.live) {
                known.live.insert(line, profile.id);
            }
        }
        Ok(known)
    }

    fn enter(&mut self, party: &Party) {
        if let Some(document) = party.doc_idx {
            self.documents.insert(document, party.id);
        }
        self.parties.insert(party.id, party.clone());
    }

    /// A party that was made now.
    pub(super) fn enter_party(&mut self, party: &Party, key: SubjectKey) {
        self.enter(party);
        self.fresh.insert(party.id, key);
    }

    /// A line that was found or made now.
    pub(super) fn enter_line(&mut self, line: &Subscription) {
        if let Some(number) = line.msisdn_idx.filter(|_| line.state.holds_number()) {
            self.numbers.insert(number, line.id);
        }
        self.lines.insert(line.id, line.clone());
    }

    /// What a row changed, for the rows behind it.
    pub(super) fn take_in(&mut self, change: &Option<Change>) {
        let Some(change) = change else { return };
        if let Some(party) = &change.party {
            self.parties.insert(party.id, party.clone());
        }
        if let Some(line) = &change.line {
            if !line.state.holds_number()
                && let Some(number) = line.msisdn_idx
            {
                self.numbers.remove(&number);
            }
            self.enter_line(line);
        }
        if let Some(profile) = &change.profile {
            self.profiles.insert(profile.iccid_idx, profile.clone());
        }
    }

    /// The open key of a party.
    pub(super) fn key(&self, keyring: &Keyring, party: PartyId) -> Result<SubjectKey, Stop> {
        if let Some(key) = self.fresh.get(&party) {
            return Ok(key.clone());
        }
        let row = self.wrapped.get(&party).ok_or(Reason::Erased)?;
        if row.wrapped.is_none() {
            return Err(Reason::Erased.into());
        }
        Ok(subject_key(keyring, Some(row))?)
    }
}
