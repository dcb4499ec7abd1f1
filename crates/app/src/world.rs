//! What a batch of jobs must read before it decides, and what was read.

use crate::accounts::world::{AccountNeeds, AccountWorld};
use crate::operation::Parts;
use crate::smdp::world::{FREEZES, SmdpNeeds, SmdpWorld};
use simwarden_model::{
    ApprovalId, OperationId, OperationKind, OutboxId, PartyId, SubscriptionId, Timestamp, TokenId,
};
use simwarden_store::records::approval::Approval;
use simwarden_store::records::factor::Factor;
use simwarden_store::records::idempotency::Remembered;
use simwarden_store::records::operation::Operation;
use simwarden_store::records::party::Party;
use simwarden_store::records::profile::Profile;
use simwarden_store::records::signal::LineSignal;
use simwarden_store::records::subject_key::SubjectKeyRow;
use simwarden_store::records::subscription::Subscription;
use simwarden_store::{BlindIndex, StoreError, Tx};
use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::time::Duration;

/// The window in which failed challenges and an agent's operations count.
pub(crate) const DAY: Duration = Duration::from_secs(24 * 3600);
/// More of an agent's operations than this are not counted one by one.
const MOVES_MAX: u32 = 200;

/// What one job must have read before it runs.
#[derive(Debug, Default, Clone)]
pub(crate) struct Needs {
    /// Lines, by index of their number.
    pub numbers: Vec<BlindIndex>,
    /// Lines, by id.
    pub lines: Vec<SubscriptionId>,
    /// Operations, with their lines.
    pub operations: Vec<OperationId>,
    /// Questions, with their operations.
    pub approvals: Vec<ApprovalId>,
    /// Identity documents: parties and number of lines.
    pub documents: Vec<BlindIndex>,
    /// Parties, with their keys.
    pub parties: Vec<PartyId>,
    /// Chips: which profiles sit on them.
    pub chips: Vec<BlindIndex>,
    /// Profiles, by number.
    pub profiles: Vec<BlindIndex>,
    /// Members of staff whose operations are counted.
    pub staff: Vec<TokenId>,
    /// Idempotency keys.
    pub remembered: Vec<BlindIndex>,
    /// Operators whose stock of profiles is needed.
    pub stock: Vec<String>,
    /// The second factors of the parties.
    pub factors: bool,
    /// Events, by source and id: which of them are there already.
    pub events: Vec<(String, String)>,
    /// Effects: which of them are not over yet.
    pub effects: Vec<OutboxId>,
    /// What jobs of the SM-DP+ look at.
    pub smdp: SmdpNeeds,
    /// What jobs of accounts look at.
    pub accounts: AccountNeeds,
}

/// What was read, all of it in the transaction that will write.
#[derive(Debug, Default)]
pub(crate) struct World {
    /// By index of the number.
    pub numbers: HashMap<BlindIndex, SubscriptionId>,
    pub lines: HashMap<SubscriptionId, Subscription>,
    pub parties: HashMap<PartyId, Party>,
    pub keys: HashMap<PartyId, SubjectKeyRow>,
    pub profiles: HashMap<SubscriptionId, Vec<Profile>>,
    pub profiles_by_iccid: HashMap<BlindIndex, Profile>,
    pub signals: HashMap<BlindIndex, LineSignal>,
    /// Failed challenges of the last day, and when the last was.
    pub attempts: HashMap<SubscriptionId, (i64, Timestamp)>,
    pub exclusive: HashMap<SubscriptionId, OperationId>,
    pub operations: HashMap<OperationId, Operation>,
    pub approvals: HashMap<ApprovalId, Approval>,
    pub questions: HashMap<OperationId, Vec<Approval>>,
    pub by_document: HashMap<BlindIndex, Vec<Party>>,
    /// Lines in service on a document: by operator.
    pub document_lines: HashMap<BlindIndex, Vec<(String, i64)>>,
    pub on_chip: HashMap<BlindIndex, Vec<Profile>>,
    /// The newest first.
    pub moves: HashMap<TokenId, Vec<Timestamp>>,
    pub remembered: HashMap<BlindIndex, Remembered>,
    pub stock: HashMap<String, Vec<Profile>>,
    pub factors: HashMap<PartyId, Vec<Factor>>,
    /// By source: the ids that are there already.
    pub known_events: HashMap<String, HashSet<String>>,
    /// Effects that are not over yet.
    pub open_effects: HashSet<OutboxId>,
    /// What the SM-DP+ knows.
    pub smdp: SmdpWorld,
    /// What is known of accounts.
    pub accounts: AccountWorld,
}

/// To whom an operation gives its line.
fn new_owner(operation: &Operation) -> Option<PartyId> {
    (operation.kind == OperationKind::TransferOwner)
        .then(|| Parts::of(operation).ok()?.context.new_owner)
        .flatten()
}

fn unique<T: Eq + Hash + Copy>(lists: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut seen = HashSet::new();
    lists.into_iter().filter(|item| seen.insert(*item)).collect()
}

/// The union of what a batch needs.
pub(crate) fn union(needs: &[Needs]) -> Needs {
    let mut stock: Vec<String> = needs.iter().flat_map(|n| n.stock.clone()).collect();
    stock.sort();
    stock.dedup();
    Needs {
        numbers: unique(needs.iter().flat_map(|n| n.numbers.iter().copied())),
        lines: unique(needs.iter().flat_map(|n| n.lines.iter().copied())),
        operations: unique(needs.iter().flat_map(|n| n.operations.iter().copied())),
        approvals: unique(needs.iter().flat_map(|n| n.approvals.iter().copied())),
        documents: unique(needs.iter().flat_map(|n| n.documents.iter().copied())),
        parties: unique(needs.iter().flat_map(|n| n.parties.iter().copied())),
        chips: unique(needs.iter().flat_map(|n| n.chips.iter().copied())),
        profiles: unique(needs.iter().flat_map(|n| n.profiles.iter().copied())),
        staff: unique(needs.iter().flat_map(|n| n.staff.iter().copied())),
        remembered: unique(needs.iter().flat_map(|n| n.remembered.iter().copied())),
        stock,
        factors: needs.iter().any(|n| n.factors),
        events: needs.iter().flat_map(|n| n.events.iter().cloned()).collect(),
        effects: unique(needs.iter().flat_map(|n| n.effects.iter().copied())),
        smdp: SmdpNeeds::union(needs.iter().map(|n| &n.smdp)),
        accounts: AccountNeeds::union(needs.iter().map(|n| &n.accounts)),
    }
}

impl World {
    /// Reads everything, in as few statements as there are kinds of things.
    pub(crate) async fn read(tx: &mut Tx, needs: &Needs, now: Timestamp) -> Result<Self, StoreError> {
        let mut world = Self::default();
        world.read_operations(tx, needs).await?;
        world.read_lines(tx, needs, now).await?;
        world.accounts = AccountWorld::read(tx, &needs.accounts).await?;
        world.read_parties(tx, needs).await?;
        world.read_rest(tx, needs, now).await?;
        if !needs.smdp.is_empty() {
            let numbers = world.lines.values().filter_map(|line| line.msisdn_idx);
            world.smdp = SmdpWorld::read(tx, &needs.smdp, numbers.collect(), now).await?;
        }
        Ok(world)
    }

    async fn read_operations(&mut self, tx: &mut Tx, needs: &Needs) -> Result<(), StoreError> {
        if !needs.approvals.is_empty() {
            self.approvals = tx
                .approvals(&needs.approvals)
                .await?
                .into_iter()
                .map(|a| (a.id, a))
                .collect();
        }
        let wanted = unique(
            needs
                .operations
                .iter()
                .copied()
                .chain(self.approvals.values().map(|a| a.operation_id)),
        );
        if !wanted.is_empty() {
            self.operations = tx
                .operations(&wanted)
                .await?
                .into_iter()
                .map(|o| (o.id, o))
                .collect();
            for operation in wanted {
                let questions = tx.approvals_of(operation).await?;
                if !questions.is_empty() {
                    self.questions.insert(operation, questions);
                }
            }
        }
        Ok(())
    }

    async fn read_lines(&mut self, tx: &mut Tx, needs: &Needs, now: Timestamp) -> Result<(), StoreError> {
        let mut found = Vec::new();
        if !needs.numbers.is_empty() {
            found.extend(tx.subscriptions_by_msisdn(&needs.numbers).await?);
        }
        let have: HashSet<SubscriptionId> = found.iter().map(|s| s.id).collect();
        let ids = unique(
            needs
                .lines
                .iter()
                .copied()
                .chain(self.operations.values().filter_map(|o| o.subscription_id))
                .filter(|id| !have.contains(id)),
        );
        if !ids.is_empty() {
            found.extend(tx.subscriptions(&ids).await?);
        }
        if found.is_empty() {
            return Ok(());
        }
        let ids: Vec<SubscriptionId> = unique(found.iter().map(|s| s.id));
        let indexes: Vec<BlindIndex> = unique(found.iter().filter_map(|s| s.msisdn_idx));
        for profile in tx.profiles_of(&ids).await? {
            if let Some(line) = profile.subscription_id {
                self.profiles.entry(line).or_default().push(profile);
            }
        }
        self.signals = tx.signals(&indexes).await?.into_iter().collect();
        let attempts = tx.attempts_since(&ids, now.minus(DAY)).await?;
        self.attempts = attempts
            .into_iter()
            .map(|(line, count, last)| (line, (count, last)))
            .collect();
        self.exclusive = tx.exclusive_operations(&ids).await?.into_iter().collect();
        for line in found {
            if let Some(index) = line.msisdn_idx {
                self.numbers.insert(index, line.id);
            }
            self.lines.insert(line.id, line);
        }
        Ok(())
    }

    async fn read_parties(&mut self, tx: &mut Tx, needs: &Needs) -> Result<(), StoreError> {
        let ids = unique(
            needs
                .parties
                .iter()
                .copied()
                .chain(self.lines.values().map(|s| s.party_id))
                .chain(self.operations.values().map(|o| o.party_id))
                .chain(self.operations.values().filter_map(new_owner))
                .chain(self.accounts.accounts.values().filter_map(|a| a.party_id)),
        );
        if !ids.is_empty() {
            self.parties = tx.parties(&ids).await?.into_iter().map(|p| (p.id, p)).collect();
        }
        if !needs.documents.is_empty() {
            for party in tx.parties_by_documents(&needs.documents).await? {
                if let Some(document) = party.doc_idx {
                    self.by_document.entry(document).or_default().push(party.clone());
                }
                self.parties.insert(party.id, party);
            }
        }
        let ids: Vec<PartyId> = self
            .parties
            .keys()
            .copied()
            .chain(ids)
            .collect::<HashSet<_>>()
            .into_iter()
            .collect();
        if !ids.is_empty() {
            self.keys = tx
                .subject_keys(&ids)
                .await?
                .into_iter()
                .map(|k| (k.party_id, k))
                .collect();
            if needs.factors {
                for factor in tx.factors_of(&ids).await? {
                    self.factors.entry(factor.party_id).or_default().push(factor);
                }
            }
        }
        let documents = unique(
            needs
                .documents
                .iter()
                .copied()
                .chain(self.parties.values().filter_map(|p| p.doc_idx)),
        );
        if !documents.is_empty() {
            for (document, operator, lines) in tx.lines_on_documents(&documents).await? {
                self.document_lines
                    .entry(document)
                    .or_default()
                    .push((operator, lines));
            }
        }
        Ok(())
    }

    async fn read_rest(&mut self, tx: &mut Tx, needs: &Needs, now: Timestamp) -> Result<(), StoreError> {
        if !needs.chips.is_empty() {
            for profile in tx.profiles_on(&needs.chips).await? {
                if let Some(chip) = profile.eid_idx {
                    self.on_chip.entry(chip).or_default().push(profile);
                }
            }
        }
        if !needs.profiles.is_empty() {
            let found = tx.profiles_by_iccid(&needs.profiles).await?;
            self.profiles_by_iccid = found.into_iter().map(|p| (p.iccid_idx, p)).collect();
        }
        for staff in &needs.staff {
            self.moves.insert(
                *staff,
                tx.moves_by_actor(*staff, now.minus(DAY), MOVES_MAX).await?,
            );
        }
        if !needs.remembered.is_empty() {
            self.remembered = tx
                .remembered(&needs.remembered)
                .await?
                .into_iter()
                .map(|r| (r.key, r))
                .collect();
        }
        let mut by_source: HashMap<&str, Vec<String>> = HashMap::new();
        for (source, id) in &needs.events {
            by_source.entry(source).or_default().push(id.clone());
        }
        for (source, mut ids) in by_source {
            ids.sort();
            ids.dedup();
            self.known_events
                .insert(source.to_owned(), tx.known_events(source, &ids).await?);
        }
        if !needs.effects.is_empty() {
            self.open_effects = tx.open_effects(&needs.effects).await?.into_iter().collect();
        }
        for operator in &needs.stock {
            self.stock
                .insert(operator.clone(), tx.profiles_in_stock(operator, 64).await?);
        }
        Ok(())
    }

    /// Whether an event is there already.
    pub(crate) fn knows_event(&self, source: &str, id: &str) -> bool {
        self.known_events.get(source).is_some_and(|ids| ids.contains(id))
    }

    /// This world and a line that a draft is about to enter, with its owner.
    pub(crate) fn with_fresh(&self, line: Subscription, draft: &crate::draft::Draft<'_>) -> Self {
        let owner = line.party_id;
        let mut world = Self {
            exclusive: HashMap::new(),
            document_lines: self.document_lines.clone(),
            on_chip: self.on_chip.clone(),
            moves: self.moves.clone(),
            stock: self.stock.clone(),
            ..Self::default()
        };
        world.parties.extend(
            self.parties
                .get(&owner)
                .cloned()
                .or_else(|| draft.fresh_party(owner))
                .map(|p| (owner, p)),
        );
        world.keys.extend(
            self.keys
                .get(&owner)
                .cloned()
                .or_else(|| draft.fresh_subject_key(owner))
                .map(|k| (owner, k)),
        );
        world.lines.insert(line.id, line);
        world
    }

    /// Every row that a job with these needs may change, as bytes: two jobs of one batch must not share one.
    pub(crate) fn touched(&self, needs: &Needs) -> Vec<[u8; 16]> {
        let mut keys: Vec<[u8; 16]> = Vec::new();
        keys.extend(needs.remembered.iter().map(|k| *k.as_bytes()));
        keys.extend(needs.chips.iter().map(|k| *k.as_bytes()));
        keys.extend(needs.documents.iter().map(|k| *k.as_bytes()));
        keys.extend(needs.parties.iter().map(|k| *k.as_bytes()));
        keys.extend(needs.staff.iter().map(|k| *k.as_bytes()));
        keys.extend(needs.lines.iter().map(|k| *k.as_bytes()));
        keys.extend(needs.effects.iter().map(|k| *k.as_bytes()));
        keys.extend(
            needs
                .numbers
                .iter()
                .filter_map(|n| self.numbers.get(n))
                .map(|k| *k.as_bytes()),
        );
        let of_approvals = needs
            .approvals
            .iter()
            .filter_map(|a| self.approvals.get(a))
            .map(|a| a.operation_id);
        for operation in needs.operations.iter().copied().chain(of_approvals) {
            keys.push(*operation.as_bytes());
            if let Some(line) = self.operations.get(&operation).and_then(|o| o.subscription_id) {
                keys.push(*line.as_bytes());
            }
        }
        keys.extend(self.smdp.touched(&needs.smdp));
        keys.extend(needs.accounts.touched());
        // Batches of one feed may hold the same event, so only one of them goes into a transaction.
        keys.extend(
            needs
                .events
                .first()
                .map(|(source, _)| labelled(*b"events of a feed", source)),
        );
        // Stock is taken in order, so only one job of a batch may take from an operator's.
        keys.extend(
            needs
                .stock
                .iter()
                .map(|operator| labelled(*b"stock of profile", operator)),
        );
        keys
    }

    /// What a job with these needs trusts to be as it was read: no other job of its batch may change it before.
    pub(crate) fn leans_on(needs: &Needs) -> Vec<[u8; 16]> {
        let rows = needs.smdp.leans_on.iter().map(|it| *it.as_bytes());
        let freezes = (!needs.smdp.freezes.is_empty()).then_some(FREEZES);
        rows.chain(freezes).collect()
    }
}

/// A key that stands for something with a name rather than an id.
fn labelled(mut label: [u8; 16], name: &str) -> [u8; 16] {
    for (slot, byte) in label.iter_mut().rev().zip(name.bytes().rev()) {
        *slot = byte;
    }
    label
}
