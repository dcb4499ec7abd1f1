//! The owner answers "is this you?": yes with the number on the other screen and, where they have a passkey, with its
//! signature over what would happen; or no, which ends the operation and freezes the line.

use crate::accounts::{Verified, has_settled_passkey};
use crate::carry::turn_around;
use crate::committer::Job;
use crate::decide::Work;
use crate::draft::{Draft, Rare};
use crate::followup::Outcome;
use crate::notice::Occasion;
use crate::proof::{Proof, ProofKind};
use crate::shared::Shared;
use crate::world::{Needs, World};
use crate::{Actor, Error, ErrorKind};
use simwarden_guard::{Notify, SETTLED};
use simwarden_model::{AccountId, ApprovalId, ApprovalState, Channel, OperationEvent, OperationState, Role};
use simwarden_store::Indexed;
use simwarden_store::records::approval::Approval;
use std::sync::Arc;

/// The owner answers "is this you?".
pub(crate) struct AnswerQuestion {
    pub shared: Arc<Shared>,
    pub actor: Actor,
    pub approval: ApprovalId,
    /// Yes with the number seen, or no.
    pub answer: OwnerAnswer,
    /// The accounts of the owner: with a passkey there, a bare yes is none.
    pub owner_accounts: Vec<AccountId>,
    /// A passkey's signature over the question.
    pub signed: Option<Verified>,
    /// Whether a signature came and was wrong.
    pub wrong_signature: bool,
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
        needs.accounts.accounts.extend(&self.owner_accounts);
        if let Some(signed) = &self.signed {
            needs.accounts.accounts.push(signed.account());
            needs.accounts.ceremonies.push(signed.ceremony());
        }
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
                if draft.now.since(self.actor.since) < SETTLED.duration() {
                    // Its yes would not count, and must not use up the question that the owner should see.
                    return Err(Error::new(
                        ErrorKind::Forbidden,
                        "device_too_new",
                        "this device is known for less than 72 hours: say yes on an older one; no is heard from any",
                    ));
                }
                let bare = self.signed.is_none() && !self.wrong_signature;
                if bare && has_settled_passkey(world, question.party_id, draft.now) {
                    return Err(Error::new(
                        ErrorKind::Forbidden,
                        "passkey_needed",
                        "sign this with your passkey: the number alone is not enough",
                    ));
                }
                if number != question.number || self.wrong_signature {
                    // One wrong number ends the question: two digits must not be guessed.
                    return wrong_number(&self.actor, question, work, draft);
                }
                draft.begin_entry("approval.granted", self.actor.role, Some(self.actor.token));
                self.grant(number, question, &mut work, world, draft)?;
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

impl AnswerQuestion {
    /// Takes the yes, and the signature with it.
    fn grant(
        &self,
        number: i64,
        mut question: Approval,
        work: &mut Work<'_>,
        world: &World,
        draft: &mut Draft<'_>,
    ) -> Result<(), Error> {
        if let Some(signed) = &self.signed {
            let asked = Some((&question, number));
            let about = (&work.operation, &work.wish, &work.parts.context, asked);
            let proof = signed.enter(&self.shared, &self.actor, about, world, draft)?;
            work.parts.proofs.push(proof);
        }
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
            synced: false,
        });
        Ok(())
    }
}

fn wrong_number(
    actor: &Actor,
    mut question: Approval,
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
pub(crate) fn freeze(work: &mut Work<'_>, draft: &mut Draft<'_>) -> Result<(), Error> {
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
