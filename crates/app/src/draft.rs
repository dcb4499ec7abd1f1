//! What a batch of jobs wants to write: collected in memory, then written in one transaction.

use crate::accounts::world::AccountWrite;
use crate::entry::{EntryBody, RowMark};
use crate::gateway::GatewayWrite;
use crate::smdp::world::SmdpWrite;
use crate::{Error, Update};
use simwarden_ledger::leaf_hash;
use simwarden_model::{Entropy, OperationId, PartyId, ProfileId, Role, SubscriptionId, Timestamp, TokenId};
use simwarden_store::records::approval::Approval;
use simwarden_store::records::attempt::Attempt;
use simwarden_store::records::brake::BrakeCount;
use simwarden_store::records::decision::DecisionRecord;
use simwarden_store::records::entry::Entry;
use simwarden_store::records::event::{EventRecord, QuarantinedLine};
use simwarden_store::records::factor::Factor;
use simwarden_store::records::history::HistoryItem;
use simwarden_store::records::idempotency::Remembered;
use simwarden_store::records::operation::Operation;
use simwarden_store::records::outbox::OutboxItem;
use simwarden_store::records::party::Party;
use simwarden_store::records::place::{Place, PlaceKind, Sitting};
use simwarden_store::records::profile::Profile;
use simwarden_store::records::signal::LineSignal;
use simwarden_store::records::subject_key::SubjectKeyRow;
use simwarden_store::records::subscription::Subscription;
use simwarden_store::records::token::Token;
use simwarden_store::{BlindIndex, StoreError, Tx};

/// A row to add or to write over.
#[derive(Debug)]
enum Put<T> {
    Insert(T),
    Update(T),
}

/// Everything that a batch will write.
pub(crate) struct Draft<'e> {
    /// The time of the batch: the wall clock, but never before the ledger's last entry.
    pub now: Timestamp,
    /// Where chance comes from.
    pub entropy: &'e mut dyn Entropy,
    next: i64,
    open: Option<EntryBody>,
    ord: i64,
    entries: Vec<Entry>,
    parties: Vec<Put<Party>>,
    subscriptions: Vec<Put<Subscription>>,
    profiles: Vec<Put<Profile>>,
    operations: Vec<Put<Operation>>,
    approvals: Vec<Put<Approval>>,
    decisions: Vec<DecisionRecord>,
    history: Vec<HistoryItem>,
    attempts: Vec<Attempt>,
    outbox: Vec<OutboxItem>,
    remembered: Vec<Remembered>,
    factors: Vec<Factor>,
    tokens: Vec<Token>,
    subject_keys: Vec<SubjectKeyRow>,
    sittings: Vec<Sitting>,
    chips: Vec<Place>,
    devices: Vec<Place>,
    events: Vec<EventRecord>,
    quarantine: Vec<QuarantinedLine>,
    signals: Vec<(BlindIndex, LineSignal)>,
    brakes: Vec<BrakeCount>,
    rare: Vec<Rare>,
    smdp: Vec<SmdpWrite>,
    accounts: Vec<AccountWrite>,
    gateway: Vec<GatewayWrite>,
    updates: Vec<Update>,
}

/// Writes that happen seldom enough to be made one by one.
#[derive(Debug)]
pub(crate) enum Rare {
    /// An effect that was tried.
    Outbox(OutboxItem),
    /// Effects that ended alike.
    EndEffects {
        ids: Vec<simwarden_model::OutboxId>,
        outcome: String,
    },
    /// The effects of an operation that have not left and must not leave any more.
    Withdraw {
        operation: OperationId,
        kind: &'static str,
    },
    /// A code that was used.
    FactorStep {
        id: simwarden_model::FactorId,
        step: i64,
    },
    /// A token taken back.
    RevokeToken(TokenId),
    /// A subject's key, destroyed together with the factors sealed under it.
    Erase(PartyId),
    /// Until when the law forbids erasing.
    Retain(PartyId, Option<Timestamp>),
}

/// How long each list was, to take back what a job wrote before it failed.
pub(crate) struct Mark([usize; 23], i64);

macro_rules! lists {
    ($draft:ident) => {
        [
            $draft.entries.len(),
            $draft.parties.len(),
            $draft.subscriptions.len(),
            $draft.profiles.len(),
            $draft.operations.len(),
            $draft.approvals.len(),
            $draft.decisions.len(),
            $draft.history.len(),
            $draft.attempts.len(),
            $draft.outbox.len(),
            $draft.remembered.len(),
            $draft.factors.len(),
            $draft.tokens.len(),
            $draft.subject_keys.len(),
            $draft.sittings.len(),
            $draft.chips.len(),
            $draft.devices.len(),
            $draft.rare.len(),
            $draft.updates.len(),
            $draft.signals.len(),
            $draft.smdp.len(),
            $draft.accounts.len(),
            $draft.gateway.len(),
        ]
    };
}

impl<'e> Draft<'e> {
    pub(crate) fn new(now: Timestamp, next: i64, entropy: &'e mut dyn Entropy) -> Self {
        Self {
            now,
            entropy,
            next,
            open: None,
            ord: 0,
            entries: Vec::new(),
            parties: Vec::new(),
            subscriptions: Vec::new(),
            profiles: Vec::new(),
            operations: Vec::new(),
            approvals: Vec::new(),
            decisions: Vec::new(),
            history: Vec::new(),
            attempts: Vec::new(),
            outbox: Vec::new(),
            remembered: Vec::new(),
            factors: Vec::new(),
            tokens: Vec::new(),
            subject_keys: Vec::new(),
            sittings: Vec::new(),
            chips: Vec::new(),
            devices: Vec::new(),
            events: Vec::new(),
            quarantine: Vec::new(),
            signals: Vec::new(),
            brakes: Vec::new(),
            rare: Vec::new(),
            smdp: Vec::new(),
            accounts: Vec::new(),
            gateway: Vec::new(),
            updates: Vec::new(),
        }
    }

    pub(crate) fn mark(&self) -> Mark {
        Mark(lists!(self), self.next)
    }

    pub(crate) fn take_back(&mut self, mark: &Mark) {
        let [
            e,
            p,
            s,
            pr,
            o,
            a,
            d,
            h,
            at,
            ob,
            r,
            f,
            t,
            k,
            si,
            ch,
            de,
            ra,
            up,
            sg,
            sm,
            ac,
            gw,
        ] = mark.0;
        self.entries.truncate(e);
        self.parties.truncate(p);
        self.subscriptions.truncate(s);
        self.profiles.truncate(pr);
        self.operations.truncate(o);
        self.approvals.truncate(a);
        self.decisions.truncate(d);
        self.history.truncate(h);
        self.attempts.truncate(at);
        self.outbox.truncate(ob);
        self.remembered.truncate(r);
        self.factors.truncate(f);
        self.tokens.truncate(t);
        self.subject_keys.truncate(k);
        self.sittings.truncate(si);
        self.chips.truncate(ch);
        self.devices.truncate(de);
        self.rare.truncate(ra);
        self.updates.truncate(up);
        self.signals.truncate(sg);
        self.smdp.truncate(sm);
        self.accounts.truncate(ac);
        self.gateway.truncate(gw);
        self.open = None;
        self.next = mark.1;
    }

    /// Whether the batch writes anything.
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.rare.is_empty() && self.accounts.is_empty() && self.gateway.is_empty()
    }

    /// Begins the one ledger entry of a job; answers its index.
    pub(crate) fn begin_entry(&mut self, kind: &str, role: Role, actor: Option<TokenId>) -> i64 {
        debug_assert!(self.open.is_none(), "one job makes one entry");
        let mut body = EntryBody::new(kind, self.now, role, self.entropy);
        body.actor = actor;
        self.open = Some(body);
        self.ord = 0;
        self.next
    }

    /// The entry that is being written.
    pub(crate) fn entry(&mut self) -> &mut EntryBody {
        self.open.as_mut().expect("`begin_entry` comes first")
    }

    /// The index of the entry that is being written.
    pub(crate) fn index(&self) -> i64 {
        self.next
    }

    /// Ends the entry; answers its index and leaf hash.
    pub(crate) fn end_entry(&mut self) -> Result<(i64, [u8; 32]), Error> {
        let Some(body) = self.open.take() else {
            return Err(Error::internal("an entry was ended that was not begun"));
        };
        let bytes = body.encode()?;
        let leaf = leaf_hash(&bytes).0;
        let index = self.next;
        self.entries.push(Entry {
            index,
            at: self.now,
            kind: body.kind,
            leaf,
            body: bytes,
        });
        self.next += 1;
        Ok((index, leaf))
    }

    pub(crate) fn has_open_entry(&self) -> bool {
        self.open.is_some()
    }

    /// Adds a thing that happened, in the entry that is being written.
    pub(crate) fn history(&mut self, kind: &str, about: &About, detail: &serde_json::Value) {
        let body = self.open.as_ref().expect("`begin_entry` comes first");
        let item = HistoryItem {
            entry: self.next,
            ord: self.ord,
            at: self.now,
            kind: kind.to_owned(),
            subscription_id: about.line,
            profile_id: about.profile,
            operation_id: about.operation,
            actor_role: body.role,
            actor: body.actor,
            detail: detail.to_string(),
        };
        self.ord += 1;
        self.history.push(item);
    }

    /// Adds a failed challenge.
    pub(crate) fn attempt(&mut self, line: SubscriptionId, channel: simwarden_model::Channel, kind: &str) {
        self.attempts.push(Attempt {
            entry: self.next,
            ord: self.ord,
            subscription_id: line,
            at: self.now,
            channel,
            kind: kind.to_owned(),
        });
        self.ord += 1;
    }

    pub(crate) fn decision(&mut self, record: DecisionRecord) {
        self.decisions.push(record);
    }
    pub(crate) fn outbox(&mut self, item: OutboxItem) {
        self.outbox.push(item);
    }
    pub(crate) fn remember(&mut self, item: Remembered) {
        self.remembered.push(item);
    }
    pub(crate) fn factor(&mut self, factor: Factor) {
        self.factors.push(factor);
    }
    pub(crate) fn token(&mut self, token: Token) {
        self.tokens.push(token);
    }
    pub(crate) fn subject_key(&mut self, key: SubjectKeyRow) {
        self.subject_keys.push(key);
    }
    pub(crate) fn sitting(&mut self, sitting: Sitting) {
        self.sittings.push(sitting);
    }
    pub(crate) fn chip(&mut self, place: Place) {
        self.chips.push(place);
    }
    pub(crate) fn device(&mut self, place: Place) {
        self.devices.push(place);
    }
    pub(crate) fn signal(&mut self, line: BlindIndex, signal: LineSignal) {
        self.signals.push((line, signal));
    }
    pub(crate) fn events(&mut self, events: Vec<EventRecord>, quarantine: Vec<QuarantinedLine>) {
        self.events.extend(events);
        self.quarantine.extend(quarantine);
    }
    pub(crate) fn brakes(&mut self, counts: Vec<BrakeCount>) {
        self.brakes = counts;
    }
    pub(crate) fn rare(&mut self, write: Rare) {
        self.rare.push(write);
    }
    /// Writes something of the SM-DP+; orders are marked in the entry.
    pub(crate) fn smdp(&mut self, write: SmdpWrite) {
        if let SmdpWrite::Insert(row) | SmdpWrite::Update(row) = &write {
            let mark = RowMark::of(row);
            self.entry().rows.push(mark);
        }
        self.smdp.push(write);
    }
    /// Writes something of the accounts.
    pub(crate) fn account(&mut self, write: AccountWrite) {
        self.accounts.push(write);
    }
    /// Writes something of the gateway.
    pub(crate) fn gateway(&mut self, write: GatewayWrite) {
        self.gateway.push(write);
    }
    pub(crate) fn update(&mut self, update: Update) {
        self.updates.push(update);
    }
    /// The key of a party that this draft enters.
    pub(crate) fn fresh_subject_key(&self, party: PartyId) -> Option<SubjectKeyRow> {
        self.subject_keys
            .iter()
            .find(|key| key.party_id == party)
            .cloned()
    }
    /// A party that this draft enters.
    pub(crate) fn fresh_party(&self, id: PartyId) -> Option<Party> {
        self.parties.iter().find_map(|put| match put {
            Put::Insert(party) if party.id == id => Some(party.clone()),
            _ => None,
        })
    }
    /// The number to match of a question that this draft asks.
    pub(crate) fn fresh_number(&self, operation: OperationId) -> Option<i64> {
        self.approvals.iter().find_map(|put| match put {
            Put::Insert(approval) if approval.operation_id == operation => Some(approval.number),
            _ => None,
        })
    }
    /// What those who watch are told once the batch is durable.
    pub(crate) fn take_updates(&mut self) -> Vec<Update> {
        std::mem::take(&mut self.updates)
    }
}

/// What a history item is about.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct About {
    pub line: Option<SubscriptionId>,
    pub profile: Option<ProfileId>,
    pub operation: Option<OperationId>,
}

macro_rules! put {
    ($($add:ident, $change:ident, $list:ident, $row:ty);+ $(;)?) => {
        impl Draft<'_> {$(
            /// Adds a row and marks it in the entry.
            pub(crate) fn $add(&mut self, row: $row) {
                let mark = RowMark::of(&row);
                self.entry().rows.push(mark);
                self.$list.push(Put::Insert(row));
            }
            /// Writes the next version of a row, counted up here, and marks it in the entry.
            /// A row that this very draft adds stays a first version, as it then becomes durable.
            pub(crate) fn $change(&mut self, mut row: $row) {
                let fresh = self.$list.iter().rposition(|put| matches!(put, Put::Insert(new) if new.id == row.id));
                if let Some(place) = fresh {
                    let mark = RowMark::of(&row);
                    let id = mark.1.clone();
                    self.$list[place] = Put::Insert(row);
                    if let Some(before) = self.entry().rows.iter_mut().find(|m| m.0 == mark.0 && m.1 == id) {
                        *before = mark;
                    }
                    return;
                }
                row.version += 1;
                let mark = RowMark::of(&row);
                self.entry().rows.push(mark);
                self.$list.push(Put::Update(row));
            }
        )+}
    };
}
put! {
    add_party, change_party, parties, Party;
    add_subscription, change_subscription, subscriptions, Subscription;
    add_operation, change_operation, operations, Operation;
    add_approval, change_approval, approvals, Approval;
}

impl Draft<'_> {
    /// Adds a profile and marks it in the entry: for sandboxes, whose lines are invented. Others come by imports only.
    pub(crate) fn add_profile(&mut self, row: Profile) {
        let mark = RowMark::of(&row);
        self.entry().rows.push(mark);
        self.profiles.push(Put::Insert(row));
    }

    /// Writes the next version of a profile and marks it in the entry.
    pub(crate) fn change_profile(&mut self, mut row: Profile) {
        row.version += 1;
        let mark = RowMark::of(&row);
        self.entry().rows.push(mark);
        self.profiles.push(Put::Update(row));
    }
}

macro_rules! write_puts {
    ($tx:ident, $list:expr, $insert:ident, $update:ident) => {
        let mut fresh = Vec::new();
        let mut changed = Vec::new();
        for put in $list {
            match put {
                Put::Insert(row) => fresh.push(row),
                Put::Update(row) => changed.push(row),
            }
        }
        // Changes come first: a profile must stop being live before another may become so.
        for row in &changed {
            $tx.$update(row).await?;
        }
        if !fresh.is_empty() {
            $tx.$insert(&fresh).await?;
        }
    };
}

impl Draft<'_> {
    /// Writes everything into the transaction.
    pub(crate) async fn write(self, tx: &mut Tx) -> Result<(), StoreError> {
        // What must not leave any more is taken back before what shall leave instead is put in.
        for write in &self.rare {
            if let Rare::Withdraw { operation, kind } = write {
                tx.drop_outbox(*operation, kind, self.now).await?;
            }
        }
        tx.insert_entries(self.entries).await?;
        tx.insert_subject_keys(&self.subject_keys).await?;
        write_puts!(tx, self.parties, insert_parties, update_party);
        write_puts!(tx, self.subscriptions, insert_subscriptions, update_subscription);
        write_puts!(tx, self.profiles, insert_profiles, update_profile);
        write_puts!(tx, self.operations, insert_operations, update_operation);
        write_puts!(tx, self.approvals, insert_approvals, update_approval);
        tx.insert_decisions(&self.decisions).await?;
        tx.insert_history(&self.history).await?;
        tx.insert_attempts(&self.attempts).await?;
        tx.insert_outbox(&self.outbox).await?;
        tx.insert_remembered(&self.remembered).await?;
        tx.insert_factors(&self.factors).await?;
        tx.insert_tokens(&self.tokens).await?;
        tx.insert_sittings(&self.sittings).await?;
        tx.see_places(PlaceKind::Euicc, self.chips).await?;
        tx.see_places(PlaceKind::Device, self.devices).await?;
        tx.insert_events(&self.events).await?;
        tx.quarantine(self.quarantine).await?;
        if !self.signals.is_empty() {
            tx.merge_signals(self.signals).await?;
        }
        if !self.brakes.is_empty() {
            tx.put_brake_counts(&self.brakes).await?;
        }
        for write in self.rare {
            match write {
                Rare::Outbox(item) => tx.update_outbox(&item).await?,
                Rare::Withdraw { .. } => {}
                Rare::EndEffects { ids, outcome } => tx.end_effects(&ids, self.now, &outcome).await?,
                Rare::FactorStep { id, step } => tx.use_factor_step(id, step).await?,
                Rare::RevokeToken(id) => {
                    tx.revoke_token(id, self.now).await?;
                }
                Rare::Erase(party) => {
                    tx.destroy_subject_key(party, self.now).await?;
                    tx.delete_factors_of(party).await?;
                    tx.delete_accounts_of(party).await?;
                }
                Rare::Retain(party, until) => {
                    tx.retain_subject(party, until).await?;
                }
            }
        }
        for write in self.smdp {
            write.write(tx).await?;
        }
        for write in self.accounts {
            write.write(tx, self.now).await?;
        }
        for write in self.gateway {
            write.write(tx, self.now).await?;
        }
        Ok(())
    }
}
