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
use simwarden_guard::{Notify, SETTLED, Verdict};
use simwarden_model::{
    ApprovalId, ApprovalState, Channel, OperationEvent, OperationId, OperationState, Role,
};
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
    fn again(&mut self, draft: &mut Draft<'_>) -> Result<(), Error> {
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
    /// The chip of the operation, read before.
    pub eid: Option<String>,
}

/// Evidence, before it is checked.
#[derive(Debug, Clone)]
pub enum Given {
    /// A code of the owner's authenticator.
    Totp(String),
    /// The actor approves as a second member of staff.
    SecondApprover,
}

impl Job for GiveProof {
    type Answer = Outcome;

    fn needs(&self) -> Needs {
        Needs {
            factors: true,
            ..needs_of(&self.shared, self.operation, self.eid.as_deref())
        }
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
        let since = match &self.given {
            Given::SecondApprover => self.second(&work)?,
            Given::Totp(code) => match self.totp(code, &work, world, draft)? {
                Some(since) => since,
                None => return self.wrong("totp", work, draft),
            },
        };
        let kind = match self.given {
            Given::Totp(_) => ProofKind::Totp,
            Given::SecondApprover => ProofKind::SecondApprover,
        };
        draft.begin_entry("evidence.given", self.actor.role, Some(self.actor.token));
        draft.history("evidence", &work.about(), &serde_json::json!({ "kind": kind }));
        work.parts
            .proofs
            .retain(|p| !(p.kind == kind && p.by == self.actor.token));
        work.parts.proofs.push(Proof {
            kind,
            at: draft.now,
            by: self.actor.token,
            shop: self.actor.shop.clone(),
            since,
            party: self.actor.party,
        });
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

/// The owner answers "is this you?".
pub(crate) struct AnswerQuestion {
    pub shared: Arc<Shared>,
    pub actor: Actor,
    pub approval: ApprovalId,
    /// Yes with the number seen, or no.
    pub answer: OwnerAnswer,
    pub eid: Option<String>,
}

/// The owner's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnerAnswer {
    /// It is me; this is the number on the other screen.
    Yes(i64),
    /// It is not me: freeze.
    No,
}

impl Job for AnswerQuestion {
    type Answer = Outcome;

    fn needs(&self) -> Needs {
        let mut needs = Needs {
            approvals: vec![self.approval],
            ..Needs::default()
        };
        needs.chips.extend(
            self.eid
                .as_deref()
                .map(|eid| self.shared.keyring.index(Indexed::Eid, eid.as_bytes())),
        );
        needs
    }

    fn run(&self, world: &World, draft: &mut Draft<'_>) -> Result<Outcome, Error> {
        let mut question = world
            .approvals
            .get(&self.approval)
            .cloned()
            .ok_or_else(|| Error::not_found("question"))?;
        if self.actor.role != Role::Subscriber || self.actor.party != Some(question.party_id) {
            return Err(Error::not_found("question"));
        }
        if question.state != ApprovalState::Pending || question.expires_at <= draft.now {
            return Err(Error::new(
                ErrorKind::State,
                "question_over",
                "this question is over; nothing was changed",
            ));
        }
        let mut work = Work::load(&self.shared, world, question.operation_id)?;
        match self.answer {
            OwnerAnswer::No => {
                draft.begin_entry("approval.refused", self.actor.role, Some(self.actor.token));
                question.state = ApprovalState::Refused;
                question.decided_at = Some(draft.now);
                draft.change_approval(question);
                freeze(&mut work, draft)?;
            }
            OwnerAnswer::Yes(number) => {
                if self.actor.token == work.operation.actor {
                    return Err(Error::new(
                        ErrorKind::Forbidden,
                        "own_request",
                        "answer on another device than the one that asked",
                    ));
                }
                let settled = std::time::Duration::from_secs(u64::from(SETTLED.minutes()) * 60);
                if draft.now.since(self.actor.since) < settled {
                    // Its yes would not count, and must not use up the question that the owner should see.
                    return Err(Error::new(
                        ErrorKind::Forbidden,
                        "device_too_new",
                        "this device is known for less than 72 hours: say yes on an older one; no is heard from any",
                    ));
                }
                if number != question.number {
                    // One wrong number ends the question: two digits must not be guessed.
                    return wrong_number(&self.actor, question, work, draft);
                }
                draft.begin_entry("approval.granted", self.actor.role, Some(self.actor.token));
                question.state = ApprovalState::Granted;
                question.decided_at = Some(draft.now);
                draft.change_approval(question);
                draft.history("approved", &work.about(), &serde_json::Value::Null);
                work.parts.proofs.push(Proof {
                    kind: ProofKind::OwnerApproval,
                    at: draft.now,
                    by: self.actor.token,
                    shop: None,
                    since: self.actor.since,
                    party: self.actor.party,
                });
                if !work.operation.state.is_undecided() {
                    return Err(Error::new(
                        ErrorKind::State,
                        "question_over",
                        "this operation waits for nobody any more",
                    ));
                }
                work.again(draft)?;
            }
        }
        work.save(draft, false)?;
        draft.end_entry()?;
        Ok(Outcome::Accepted)
    }
}

fn wrong_number(
    actor: &Actor,
    mut question: simwarden_store::records::approval::Approval,
    work: Work<'_>,
    draft: &mut Draft<'_>,
) -> Result<Outcome, Error> {
    draft.begin_entry("approval.mismatch", actor.role, Some(actor.token));
    question.state = ApprovalState::Withdrawn;
    question.decided_at = Some(draft.now);
    draft.change_approval(question);
    if let Some(line) = work.operation.subscription_id {
        draft.attempt(line, Channel::App, "number_match");
    }
    draft.history(
        "evidence_failed",
        &work.about(),
        &serde_json::json!({ "kind": "number_match" }),
    );
    work.save(draft, false)?;
    draft.end_entry()?;
    Ok(Outcome::Wrong)
}

/// The owner said no: the operation ends, or is taken back, and the line is frozen against changes.
fn freeze(work: &mut Work<'_>, draft: &mut Draft<'_>) -> Result<(), Error> {
    draft.history("denied", &work.about(), &serde_json::Value::Null);
    if work.operation.state.is_undecided() {
        work.operation.state = work.operation.state.next(OperationEvent::OwnerDenied)?;
        work.operation.exclusive = false;
        work.operation.hold_until = None;
        draft.rare(Rare::Withdraw {
            operation: work.operation.id,
            kind: "step",
        });
    } else if work.operation.state == OperationState::Executing {
        turn_around(work, OperationEvent::OwnerDenied, draft)?;
    }
    let line = work.line().map(|view| view.row.clone());
    if let Some(mut line) = line
        && line.frozen_at.is_none()
    {
        line.frozen_at = Some(draft.now);
        draft.change_subscription(line);
        draft.history("frozen", &work.about(), &serde_json::Value::Null);
    }
    work.tell(
        Occasion::Frozen,
        &[Notify::OldSim, Notify::App, Notify::Contact, Notify::FraudDesk],
        draft,
    )
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
