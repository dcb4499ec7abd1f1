//! A request for an operation comes in: it is decided, recorded and followed up in one transaction.

use crate::committer::Job;
use crate::decide::{Work, fresh_steps};
use crate::draft::{About, Draft};
use crate::notice::Occasion;
use crate::operation::{KeptContext, LineRef, NewOperation, NewOwner, Parts};
use crate::operations::{Step, Wanted, plan};
use crate::secrets::{LineSecret, Of, PartySecret, Wish, open, seal, subject_key};
use crate::shared::Shared;
use crate::world::{Needs, World};
use crate::{Actor, Error, ErrorKind};
use sha2::{Digest as _, Sha256};
use simwarden_guard::{Decision, Notify, Verdict};
use simwarden_model::{
    Msisdn, OperationId, OperationKind, OperationState, PartyClass, PartyId, PartyKind, Role, SubscriptionId,
    SubscriptionState,
};
use simwarden_store::records::idempotency::Remembered;
use simwarden_store::records::operation::Operation;
use simwarden_store::records::party::Party;
use simwarden_store::records::subject_key::SubjectKeyRow;
use simwarden_store::records::subscription::Subscription;
use simwarden_store::{BlindIndex, Indexed, Keyring};
use std::sync::Arc;

/// What came of a request.
#[derive(Debug, Clone)]
pub struct Submitted {
    /// The operation as it now stands.
    pub operation: OperationId,
    /// The index of its ledger entry.
    pub entry: i64,
    /// The leaf hash of that entry; none when the answer is a repetition.
    pub leaf: Option<[u8; 32]>,
    /// The two digits that the requester's screen shows, for the owner to compare.
    pub match_number: Option<i64>,
    /// Whether this is the answer to an earlier request under the same idempotency key.
    pub repeated: bool,
    /// The operation's row as it was written, so that the answer needs no reading; none for a repetition.
    pub row: Option<Box<Operation>>,
}

/// The job of a request.
pub(crate) struct Submit {
    pub shared: Arc<Shared>,
    pub actor: Actor,
    pub order: NewOperation,
}

impl Submit {
    fn keyring(&self) -> &Keyring {
        &self.shared.keyring
    }

    fn remembered_key(&self) -> Option<BlindIndex> {
        self.order.idempotency_key.as_ref().map(|key| {
            let mut text = self.actor.token.as_bytes().to_vec();
            text.extend_from_slice(key.as_bytes());
            self.keyring().index(Indexed::Idempotency, &text)
        })
    }

    /// What the request says, as one keyed hash: another request under the same key is refused.
    fn request_digest(&self) -> [u8; 32] {
        let o = &self.order;
        let line = match &o.line {
            LineRef::Number(number) => number.reveal().to_owned(),
            LineRef::Id(id) => id.to_string(),
        };
        let text = format!(
            "{}|{}|{line}|{:?}|{:?}|{:?}|{:?}|{:?}|{:?}|{:?}|{:?}|{:?}|{:?}",
            o.kind,
            o.channel,
            o.claim,
            o.eid.as_ref().map(|e| e.reveal()),
            o.imei.as_ref().map(|e| e.reveal()),
            o.contact_phone,
            o.contact_email,
            o.forward_to.as_ref().map(|e| e.reveal()),
            o.lock_scope,
            o.new_owner.as_ref().map(|n| (&n.name, n.document.reveal())),
            o.document_shown.as_ref().map(|d| d.reveal()),
            o.context,
        );
        let keyed = self.keyring().index(Indexed::Idempotency, text.as_bytes());
        Sha256::digest(keyed.as_bytes()).into()
    }

    fn document(&self, document: &simwarden_model::DocumentKey) -> BlindIndex {
        self.keyring()
            .index(Indexed::Document, document.reveal().as_bytes())
    }

    /// The line that is meant, if the asker may know of it.
    fn line<'w>(&self, world: &'w World) -> Result<Option<&'w Subscription>, Error> {
        let id = match &self.order.line {
            LineRef::Id(id) => Some(*id),
            LineRef::Number(number) => world
                .numbers
                .get(&self.keyring().index(Indexed::Msisdn, number.reveal().as_bytes()))
                .copied(),
        };
        let Some(line) = id.and_then(|id| world.lines.get(&id)) else {
            return Ok(None);
        };
        let own = self.actor.role != Role::Subscriber || self.actor.party == Some(line.party_id);
        if own && self.actor.sees_operator(&line.operator) {
            Ok(Some(line))
        } else {
            Err(Error::not_found("line"))
        }
    }

    fn check(&self) -> Result<(), Error> {
        for wanted in plan(self.order.kind).requires {
            let (there, what) = match wanted {
                Wanted::Eid => (
                    self.order.eid.is_some(),
                    "`eid`, the chip that the profile shall go to",
                ),
                Wanted::Contact => (
                    self.order.contact_phone.is_some() || self.order.contact_email.is_some(),
                    "`contact_phone` or `contact_email`",
                ),
                Wanted::Owner => (
                    self.order.new_owner.is_some(),
                    "`new_owner` with name and document",
                ),
                Wanted::LockScope => (self.order.lock_scope.is_some(), "`lock_scope`: swap, port or all"),
            };
            if !there {
                return Err(Error::invalid(
                    "incomplete",
                    format!("{} needs {what}", self.order.kind),
                ));
            }
        }
        Ok(())
    }

    /// The party that the line goes to: known by its document, or entered now.
    fn owner(
        &self,
        person: &NewOwner,
        operator: &str,
        world: &World,
        draft: &mut Draft<'_>,
    ) -> Result<Party, Error> {
        let document = self.document(&person.document);
        let known = world
            .by_document
            .get(&document)
            .and_then(|p| p.iter().find(|p| p.operator == operator));
        if let Some(party) = known {
            return Ok(party.clone());
        }
        let id = PartyId::draw(draft.now, draft.entropy);
        let (key, wrapped) = self.keyring().new_subject_key(id.as_bytes(), draft.entropy);
        let (country, kind, number) = document_parts(&person.document);
        let secret = PartySecret {
            name: person.name.clone(),
            document_country: Some(country),
            document_kind: Some(kind),
            document_number: Some(number),
        };
        let party = Party {
            id,
            operator: operator.to_owned(),
            kind: PartyKind::Person,
            class: PartyClass::Ordinary,
            doc_idx: Some(document),
            sealed: Some(seal(&key, Of::Party, id.as_bytes(), &secret, draft.entropy)?),
            flagged: false,
            created_at: draft.now,
            version: 1,
            import_id: None,
        };
        draft.subject_key(SubjectKeyRow {
            party_id: id,
            wrapped: Some(wrapped),
            retain_until: None,
            destroyed_at: None,
        });
        draft.add_party(party.clone());
        Ok(party)
    }

    /// The row of a line that does not exist yet: a registration reserves its number.
    fn reserve(
        &self,
        number: &Msisdn,
        party: &Party,
        world: &World,
        draft: &mut Draft<'_>,
    ) -> Result<Subscription, Error> {
        let id = SubscriptionId::draw(draft.now, draft.entropy);
        let key = match world.keys.get(&party.id) {
            Some(row) => subject_key(self.keyring(), Some(row))?,
            // A party that was entered a moment ago in this very draft.
            None => draft
                .fresh_subject_key(party.id)
                .map(|row| subject_key(self.keyring(), Some(&row)))
                .ok_or_else(|| Error::internal("a party without a key"))??,
        };
        let secret = LineSecret {
            msisdn: number.reveal().to_owned(),
            ..LineSecret::default()
        };
        Ok(Subscription {
            msisdn_idx: Some(self.keyring().index(Indexed::Msisdn, number.reveal().as_bytes())),
            state: SubscriptionState::Reserved,
            sealed: Some(seal(&key, Of::Line, id.as_bytes(), &secret, draft.entropy)?),
            ..Subscription::fresh(id, party.operator.clone(), party.id, draft.now)
        })
    }

    fn wish(&self) -> Wish {
        let o = &self.order;
        Wish {
            eid: o.eid.as_ref().map(|e| e.reveal().to_owned()),
            imei: o.imei.as_ref().map(|i| i.reveal().to_owned()),
            msisdn: None,
            contact_phone: o.contact_phone.clone(),
            contact_email: o.contact_email.clone(),
            forward_to: o.forward_to.as_ref().map(|m| m.reveal().to_owned()),
        }
    }

    fn context(&self, line: Option<&Subscription>, new_owner: Option<PartyId>, world: &World) -> KeptContext {
        let owner = line.and_then(|l| world.parties.get(&l.party_id));
        let shown = self.order.document_shown.as_ref().map(|d| self.document(d));
        let in_requesters_name = match self.actor.role {
            Role::Subscriber => Some(owner.is_some_and(|o| Some(o.id) == self.actor.party)),
            _ => shown.map(|shown| owner.is_some_and(|o| o.doc_idx == Some(shown))),
        };
        KeptContext {
            said: self.order.context.clone(),
            in_requesters_name,
            lock_scope: self.order.lock_scope,
            requester_since: Some(self.actor.since),
            signs: self.actor.signs,
            rollback_asked_by: None,
            new_owner,
            replaced: None,
        }
    }

    fn row(&self, line: &Subscription, masked: String, draft: &mut Draft<'_>) -> Operation {
        Operation {
            id: OperationId::draw(draft.now, draft.entropy),
            operator: line.operator.clone(),
            subscription_id: Some(line.id),
            party_id: line.party_id,
            kind: self.order.kind,
            channel: self.order.channel,
            actor_role: self.actor.role,
            actor: self.actor.token,
            shop: self.actor.shop.clone(),
            terminal: self.actor.terminal.clone(),
            claim: self.order.claim,
            state: OperationState::Requested,
            exclusive: false,
            verdict: String::new(),
            reasons: String::new(),
            rules: String::new(),
            requirements: String::new(),
            policy_hash: Vec::new(),
            hold_until: None,
            on_timeout: None,
            context: String::new(),
            evidence: String::new(),
            steps: String::new(),
            line_masked: masked,
            sealed: None,
            requested_at: draft.now,
            updated_at: draft.now,
            entry: draft.index(),
            version: 1,
        }
    }
}

fn document_parts(document: &simwarden_model::DocumentKey) -> (String, String, String) {
    let text = document.reveal();
    let mut parts = text.splitn(3, ':').map(str::to_owned);
    let mut next = || parts.next().unwrap_or_default();
    (next(), next(), next())
}

impl Job for Submit {
    type Answer = Submitted;

    fn needs(&self) -> Needs {
        let mut needs = Needs {
            remembered: self.remembered_key().into_iter().collect(),
            ..Needs::default()
        };
        match &self.order.line {
            LineRef::Number(number) => {
                needs
                    .numbers
                    .push(self.keyring().index(Indexed::Msisdn, number.reveal().as_bytes()));
            }
            LineRef::Id(id) => needs.lines.push(*id),
        }
        needs
            .documents
            .extend(self.order.new_owner.as_ref().map(|n| self.document(&n.document)));
        needs.chips.extend(
            self.order
                .eid
                .as_ref()
                .map(|eid| self.keyring().index(Indexed::Eid, eid.reveal().as_bytes())),
        );
        if self.actor.is_staff() {
            needs.staff.push(self.actor.token);
        }
        needs
    }

    fn run(&self, world: &World, draft: &mut Draft<'_>) -> Result<Submitted, Error> {
        self.check()?;
        if let Some(before) = self.remembered_key().and_then(|key| world.remembered.get(&key)) {
            return self.repeat(before);
        }
        let found = self.line(world)?;
        let kind = self.order.kind.as_str();
        let entry = draft.begin_entry(
            &format!("operation.{kind}"),
            self.actor.role,
            Some(self.actor.token),
        );
        let (line, new_owner) = match (found, &self.order.kind, &self.order.line) {
            (None, OperationKind::Register, LineRef::Number(number)) => {
                let operator = self.actor.operator.clone().ok_or_else(|| {
                    Error::forbidden("a line is registered by a token that is bound to an operator")
                })?;
                let person = self
                    .order
                    .new_owner
                    .as_ref()
                    .ok_or_else(|| Error::not_found("person"))?;
                let party = self.owner(person, &operator, world, draft)?;
                let line = self.reserve(number, &party, world, draft)?;
                draft.add_subscription(line.clone());
                (line, Some(party.id))
            }
            (Some(_), OperationKind::Register, _) => {
                return Err(Error::new(
                    ErrorKind::Conflict,
                    "number_taken",
                    "this number is registered already",
                ));
            }
            (None, ..) => return Err(Error::not_found("line")),
            (Some(line), ..) => {
                let new_owner = match &self.order.new_owner {
                    Some(person) => Some(self.owner(person, &line.operator, world, draft)?.id),
                    None => None,
                };
                (line.clone(), new_owner)
            }
        };
        self.decide(&line, new_owner, world, entry, draft)
    }
}

impl Submit {
    fn repeat(&self, before: &Remembered) -> Result<Submitted, Error> {
        if before.request != self.request_digest() {
            return Err(Error::new(
                ErrorKind::Conflict,
                "key_reused",
                "this Idempotency-Key was used for another request; use a new key for a new request",
            ));
        }
        Ok(Submitted {
            operation: OperationId::from_bytes(
                before.subject.as_slice().try_into().map_err(Error::internal)?,
            ),
            entry: 0,
            leaf: None,
            match_number: None,
            repeated: true,
            row: None,
        })
    }

    fn decide(
        &self,
        line: &Subscription,
        new_owner: Option<PartyId>,
        world: &World,
        entry: i64,
        draft: &mut Draft<'_>,
    ) -> Result<Submitted, Error> {
        // What is new in this very draft is not in the world that was read.
        let fresh_world;
        let world = if world.lines.contains_key(&line.id) {
            world
        } else {
            fresh_world = world.with_fresh(line.clone(), draft);
            &fresh_world
        };
        let key = subject_key(self.keyring(), world.keys.get(&line.party_id))?;
        let secret: LineSecret = match &line.sealed {
            Some(sealed) => open(&key, Of::Line, line.id.as_bytes(), sealed)?,
            None => LineSecret::default(),
        };
        let masked = Msisdn::from_e164(&secret.msisdn).map_or_else(|_| "•".to_owned(), |n| n.to_string());
        let wish = self.wish();
        let mut operation = self.row(line, masked, draft);
        operation.sealed = Some(seal(
            &key,
            Of::Operation,
            operation.id.as_bytes(),
            &wish,
            draft.entropy,
        )?);
        let parts = Parts {
            context: self.context(Some(line), new_owner, world),
            proofs: Vec::new(),
            steps: fresh_steps(self.order.kind),
        };
        let id = operation.id;
        let mut work = Work {
            shared: &self.shared,
            world,
            operation,
            parts,
            wish,
        };
        let about = About {
            line: Some(line.id),
            operation: Some(id),
            profile: None,
        };
        draft.history(
            "requested",
            &about,
            &serde_json::json!({ "operation": self.order.kind, "channel": self.order.channel, "claim": self.order.claim }),
        );
        let decision = work.decide(draft, true)?;
        announce(&work, &decision, draft)?;
        work.follow(&decision, draft)?;
        let row = work.save(draft, true)?;
        if let Some(key) = self.remembered_key() {
            let request = self.request_digest();
            draft.remember(Remembered {
                key,
                request,
                subject: id.as_bytes().to_vec(),
                at: draft.now,
            });
        }
        let match_number = draft.fresh_number(id);
        let (_, leaf) = draft.end_entry()?;
        Ok(Submitted {
            operation: id,
            entry,
            leaf: Some(leaf),
            match_number,
            repeated: false,
            row: Some(Box::new(row)),
        })
    }
}

/// Tells who must hear of a request before anything is carried out.
pub(crate) fn announce(work: &Work<'_>, decision: &Decision, draft: &mut Draft<'_>) -> Result<(), Error> {
    let mut to = decision.notify.clone();
    if work.operation.kind.moves_number() || work.operation.kind == OperationKind::ChangeContact {
        // Whatever the rules say, the old SIM and the contact of record hear of every move before it happens.
        to.extend([Notify::OldSim, Notify::Contact]);
    }
    let occasion = match decision.verdict {
        Verdict::Hold => Occasion::Held,
        Verdict::Deny => Occasion::Denied,
        Verdict::StepUp => Occasion::Question,
        Verdict::Allow => Occasion::Requested,
    };
    work.tell(occasion, &to, draft)
}

/// Whether a step needs a profile from stock.
pub(crate) const fn takes_stock(step: Step, undo: bool) -> bool {
    matches!(step, Step::Order) && !undo
}
