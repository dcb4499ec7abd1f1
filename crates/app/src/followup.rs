//! What happens to an operation after it was asked for: evidence, the owner's answer, a veto, the end of a hold, the
//! outcome of a step, a roll-back. Each is one job, one transaction, one ledger entry.

use crate::carry::turn_around;
use crate::committer::Job;
use crate::decide::Work;
use crate::draft::{Draft, Rare};
use crate::notice::Occasion;
use crate::operation::Parts;
use crate::proof::{Proof, ProofKind};
use crate::secrets::{Of, Wish, open, subject_key};
use crate::shared::Shared;
use crate::world::{Needs, World};
use crate::{Actor, Error, ErrorKind};
use simwarden_guard::{Notify, Verdict};
use simwarden_model::{OperationEvent, OperationId, OperationState, Role};
use simwarden_store::Indexed;
use std::sync::Arc;

impl<'a> Work<'a> {
    /// An operation as it was read, ready to be worked on.
    pub(crate) fn load(shared: &'a Shared, world: &'a World, id: OperationId) -> Result<Self, Error> {
        let operation = world
            .operations
            .get(&id)
            .cloned()
            .ok_or_else(|| Error::not_found("operation"))?;
        let parts = Parts::of(&operation)?;
        let key = subject_key(&shared.keyring, world.keys.get(&operation.party_id))?;
        let wish = match &operation.sealed {
            Some(sealed) => open(&key, Of::Operation, operation.id.as_bytes(), sealed)?,
            None => Wish::default(),
        };
        Ok(Self {
            shared,
            world,
            operation,
            parts,
            wish,
        })
    }

    /// Refuses whoever may not know of the operation.
    fn seen_by(&self, actor: &Actor) -> Result<(), Error> {
        let own = actor.role != Role::Subscriber || actor.party == Some(self.operation.party_id);
        if own && (actor.role == Role::System || actor.sees_operator(&self.operation.operator)) {
            Ok(())
        } else {
            Err(Error::not_found("operation"))
        }
    }

    /// Decides again and goes on from there.
    pub(crate) fn again(&mut self, draft: &mut Draft<'_>) -> Result<(), Error> {
        let decision = self.decide(draft, false)?;
        if decision.verdict == Verdict::Deny {
            self.tell(
                Occasion::Denied,
                &[Notify::OldSim, Notify::App, Notify::Contact],
                draft,
            )?;
        }
        self.follow(&decision, draft)
    }
}

/// What the needs of every job about one operation have in common.
pub(crate) fn needs_of(shared: &Shared, id: OperationId, wish_eid: Option<&str>) -> Needs {
    let mut needs = Needs {
        operations: vec![id],
        ..Needs::default()
    };
    needs
        .chips
        .extend(wish_eid.map(|eid| shared.keyring.index(Indexed::Eid, eid.as_bytes())));
    needs
}

/// What became of an attempt to prove something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It counts; the operation was decided again.
    Accepted,
    /// It was wrong. The failure was recorded and counts, whatever comes later.
    Wrong,
}

/// Evidence is given.
pub(crate) struct GiveProof {
    pub shared: Arc<Shared>,
    pub actor: Actor,
    pub operation: OperationId,
    pub given: Given,
    /// A passkey's signature that was checked; none for other evidence, and for a wrong one.
    pub signed: Option<crate::accounts::Verified>,
    /// The chip of the operation, read before.
    pub eid: Option<String>,
}

/// Evidence, before it is checked.
#[derive(Debug, Clone)]
pub enum Given {
    /// A code of the owner's authenticator.
    Totp(String),
    /// A passkey's signature over this operation.
    Passkey(crate::accounts::Signature),
    /// The actor approves as a second member of staff.
    SecondApprover,
}

impl Job for GiveProof {
    type Answer = Outcome;

    fn needs(&self) -> Needs {
        let mut needs = needs_of(&self.shared, self.operation, self.eid.as_deref());
        needs.factors = true;
        if let Some(signed) = &self.signed {
            needs.accounts.accounts.push(signed.account());
            needs.accounts.ceremonies.push(signed.ceremony());
        }
        needs
    }

    fn run(&self, world: &World, draft: &mut Draft<'_>) -> Result<Outcome, Error> {
        let mut work = Work::load(&self.shared, world, self.operation)?;
        work.seen_by(&self.actor)?;
        if !work.operation.state.is_undecided() {
            return Err(Error::new(
                ErrorKind::State,
                "no_evidence_wanted",
                format!(
                    "this operation is {}; it takes no evidence any more",
                    work.operation.state
                ),
            ));
        }
        let (kind, since) = match &self.given {
            Given::SecondApprover => (ProofKind::SecondApprover, self.second(&work)?),
            Given::Totp(code) => match self.totp(code, &work, world, draft)? {
                Some(since) => (ProofKind::Totp, since),
                None => return self.wrong("totp", work, draft),
            },
            Given::Passkey(_) if self.signed.is_none() => return self.wrong("passkey", work, draft),
            Given::Passkey(_) => (ProofKind::Passkey, draft.now),
        };
        draft.begin_entry("evidence.given", self.actor.role, Some(self.actor.token));
        draft.history("evidence", &work.about(), &serde_json::json!({ "kind": kind }));
        let proof = match &self.signed {
            Some(signed) => {
                let about = (&work.operation, &work.wish, &work.parts.context, None);
                signed.enter(&self.shared, &self.actor, about, world, draft)?
            }
            None => Proof {
                kind,
                at: draft.now,
                by: self.actor.token,
                shop: self.actor.shop.clone(),
                since,
                party: self.actor.party,
                synced: false,
            },
        };
        work.parts
            .proofs
            .retain(|p| !(p.kind == kind && p.by == self.actor.token));
        work.parts.proofs.push(proof);
        work.again(draft)?;
        work.save(draft, false)?;
        draft.end_entry()?;
        Ok(Outcome::Accepted)
    }
}

impl GiveProof {
    fn second(&self, work: &Work<'_>) -> Result<simwarden_model::Timestamp, Error> {
        if !matches!(self.actor.role, Role::Supervisor | Role::FraudAnalyst) {
            return Err(Error::forbidden(
                "a second approver is a supervisor or a fraud analyst",
            ));
        }
        if self.actor.token == work.operation.actor {
            return Err(Error::new(
                ErrorKind::Forbidden,
                "own_request",
                "nobody approves what they asked for; ask somebody else",
            ));
        }
        Ok(self.actor.since)
    }

    /// Since when the authenticator exists whose code this is.
    fn totp(
        &self,
        code: &str,
        work: &Work<'_>,
        world: &World,
        draft: &mut Draft<'_>,
    ) -> Result<Option<simwarden_model::Timestamp>, Error> {
        if self.actor.role == Role::Subscriber && self.actor.party != Some(work.operation.party_id) {
            return Err(Error::not_found("operation"));
        }
        let key = subject_key(&self.shared.keyring, world.keys.get(&work.operation.party_id))?;
        let factors = world
            .factors
            .get(&work.operation.party_id)
            .map_or(&[][..], Vec::as_slice);
        for factor in factors.iter().filter(|f| f.kind == "totp") {
            let secret: Vec<u8> = open(&key, Of::Factor, factor.id.as_bytes(), &factor.sealed)?;
            if let Some(step) = crate::totp::matching_step(&secret, code, draft.now) {
                if step <= factor.last_step {
                    return Ok(None);
                }
                draft.rare(Rare::FactorStep { id: factor.id, step });
                return Ok(Some(factor.added_at));
            }
        }
        Ok(None)
    }

    fn wrong(&self, kind: &str, work: Work<'_>, draft: &mut Draft<'_>) -> Result<Outcome, Error> {
        draft.begin_entry("evidence.failed", self.actor.role, Some(self.actor.token));
        if let Some(line) = work.operation.subscription_id {
            draft.attempt(line, work.operation.channel, kind);
        }
        draft.history(
            "evidence_failed",
            &work.about(),
            &serde_json::json!({ "kind": kind }),
        );
        work.save(draft, false)?;
        draft.end_entry()?;
        Ok(Outcome::Wrong)
    }
}

/// Somebody stops an operation: always the safe direction, so weak evidence is enough.
pub(crate) struct Stop {
    pub shared: Arc<Shared>,
    pub actor: Actor,
    pub operation: OperationId,
}

impl Job for Stop {
    type Answer = ();

    fn needs(&self) -> Needs {
        needs_of(&self.shared, self.operation, None)
    }

    fn run(&self, world: &World, draft: &mut Draft<'_>) -> Result<(), Error> {
        let mut work = Work::load(&self.shared, world, self.operation)?;
        work.seen_by(&self.actor)?;
        let own = work.operation.actor == self.actor.token;
        let may = matches!(
            self.actor.role,
            Role::Subscriber | Role::Hotline | Role::FraudAnalyst | Role::Supervisor | Role::Regulator
        );
        if !own && !may {
            return Err(Error::forbidden(
                "only the owner, the requester, the hotline and the fraud desk stop operations",
            ));
        }
        let event = if own && self.actor.role != Role::Subscriber {
            OperationEvent::Cancelled
        } else {
            OperationEvent::Vetoed
        };
        draft.begin_entry("operation.stopped", self.actor.role, Some(self.actor.token));
        if work.operation.state == OperationState::Executing {
            draft.history("vetoed", &work.about(), &serde_json::Value::Null);
            turn_around(&mut work, event, draft)?;
        } else {
            work.operation.state = work.operation.state.next(event)?;
            work.operation.exclusive = false;
            work.operation.hold_until = None;
            let kind = if event == OperationEvent::Vetoed {
                "vetoed"
            } else {
                "cancelled"
            };
            draft.history(kind, &work.about(), &serde_json::Value::Null);
        }
        work.tell(
            Occasion::Stopped,
            &[Notify::OldSim, Notify::App, Notify::Contact],
            draft,
        )?;
        work.save(draft, false)?;
        draft.end_entry()?;
        Ok(())
    }
}

/// The time of an operation is up: it ends, or is decided again without the hold.
pub(crate) struct TimeUp {
    pub shared: Arc<Shared>,
    pub operation: OperationId,
    pub eid: Option<String>,
}

impl Job for TimeUp {
    type Answer = ();

    fn needs(&self) -> Needs {
        needs_of(&self.shared, self.operation, self.eid.as_deref())
    }

    fn run(&self, world: &World, draft: &mut Draft<'_>) -> Result<(), Error> {
        let mut work = Work::load(&self.shared, world, self.operation)?;
        // Somebody may have been faster.
        if work.operation.hold_until.is_none_or(|end| end > draft.now) || !work.operation.state.is_undecided()
        {
            return Ok(());
        }
        draft.begin_entry("operation.time_up", Role::System, None);
        draft.history("timed_out", &work.about(), &serde_json::Value::Null);
        if work.operation.state == OperationState::Held {
            // The guard knows what becomes of a hold that nobody answered.
            work.again(draft)?;
        } else {
            work.operation.state = work.operation.state.next(OperationEvent::TimedOutCancel)?;
            work.operation.exclusive = false;
            work.operation.hold_until = None;
            work.tell(
                Occasion::Stopped,
                &[Notify::OldSim, Notify::App, Notify::Contact],
                draft,
            )?;
        }
        work.save(draft, false)?;
        draft.end_entry()?;
        Ok(())
    }
}

/// What became of a roll-back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RollBackAnswer {
    /// The first person asked for it; a second one must.
    WaitsForSecond,
    /// It began.
    Begun,
}

/// A finished operation is taken back, by two different persons.
pub(crate) struct RollBack {
    pub shared: Arc<Shared>,
    pub actor: Actor,
    pub operation: OperationId,
}

impl Job for RollBack {
    type Answer = RollBackAnswer;

    fn needs(&self) -> Needs {
        needs_of(&self.shared, self.operation, None)
    }

    fn run(&self, world: &World, draft: &mut Draft<'_>) -> Result<RollBackAnswer, Error> {
        let mut work = Work::load(&self.shared, world, self.operation)?;
        work.seen_by(&self.actor)?;
        if !matches!(self.actor.role, Role::FraudAnalyst | Role::Supervisor) {
            return Err(Error::forbidden(
                "a roll-back takes two persons: fraud analysts or supervisors",
            ));
        }
        if !matches!(
            work.operation.state,
            OperationState::Completed | OperationState::Failed
        ) {
            return Err(Error::new(
                ErrorKind::State,
                "not_finished",
                format!(
                    "this operation is {}; only a finished one is rolled back, stop this one",
                    work.operation.state
                ),
            ));
        }
        let asked = work.parts.context.rollback_asked_by;
        let Some(first) = asked else {
            draft.begin_entry("rollback.requested", self.actor.role, Some(self.actor.token));
            work.parts.context.rollback_asked_by = Some(self.actor.token);
            draft.history("rollback_requested", &work.about(), &serde_json::Value::Null);
            work.save(draft, false)?;
            draft.end_entry()?;
            return Ok(RollBackAnswer::WaitsForSecond);
        };
        if first == self.actor.token || work.operation.actor == self.actor.token {
            return Err(Error::new(
                ErrorKind::Forbidden,
                "same_person",
                "the second person must be another than the first and than whoever asked for the operation",
            ));
        }
        draft.begin_entry("rollback.approved", self.actor.role, Some(self.actor.token));
        turn_around(&mut work, OperationEvent::RollbackRequested, draft)?;
        work.save(draft, false)?;
        draft.end_entry()?;
        Ok(RollBackAnswer::Begun)
    }
}
