//! Asks the guard about an operation and writes down what it said: the same for the first time and every time again.

use crate::draft::{About, Draft};
use crate::facts::{Sources, gather};
use crate::notice::{Occasion, queue_notices};
use crate::operation::{LineView, Parts, StepRecord, StepState, write_json};
use crate::operations::{Step, plan};
use crate::secrets::Wish;
use crate::shared::Shared;
use crate::world::World;
use crate::{Error, carry};
use simwarden_guard::{Decision, Factor, Facts, Request, Requirement, Verdict};
use simwarden_model::{ApprovalId, ApprovalState, OperationEvent, OperationState, OutboxId, Timestamp};
use simwarden_store::Indexed;
use simwarden_store::records::approval::Approval;
use simwarden_store::records::decision::DecisionRecord;
use simwarden_store::records::operation::Operation;
use simwarden_store::records::outbox::OutboxItem;

/// The brake's counts are stored once in so many ledger entries, and whenever a rule is disarmed.
const BRAKE_KEPT_EVERY: i64 = 64;

/// An operation while it is worked on in a batch.
pub(crate) struct Work<'a> {
    pub shared: &'a Shared,
    pub world: &'a World,
    pub operation: Operation,
    pub parts: Parts,
    pub wish: Wish,
}

impl<'a> Work<'a> {
    pub(crate) fn line(&self) -> Option<LineView<'a>> {
        self.operation
            .subscription_id
            .and_then(|id| LineView::of(self.world, id))
    }

    pub(crate) fn about(&self) -> About {
        About {
            line: self.operation.subscription_id,
            operation: Some(self.operation.id),
            profile: None,
        }
    }

    /// Asks the guard, with everything that is known now.
    pub(crate) fn ask(&self, now: Timestamp) -> (Request, Facts, Decision) {
        let keyring = &self.shared.keyring;
        let line = self.line();
        let facts = gather(&Sources {
            operation: &self.operation,
            context: &self.parts.context,
            proofs: &self.parts.proofs,
            line: line.as_ref(),
            target: self
                .wish
                .eid
                .as_deref()
                .map(|eid| keyring.index(Indexed::Eid, eid.as_bytes())),
            target_imei: self
                .wish
                .imei
                .as_deref()
                .map(|imei| keyring.index(Indexed::Imei, imei.as_bytes())),
            requester_since: self.parts.context.requester_since.unwrap_or(now),
            world: self.world,
            now,
        });
        let request = Request {
            operation: self.operation.kind,
            channel: self.operation.channel,
            role: self.operation.actor_role,
            requested_at: self.operation.requested_at,
            now,
        };
        let decision = self
            .shared
            .with_brake(|brake| self.shared.engine.decide(&request, &facts, brake));
        (request, facts, decision)
    }

    /// Asks the guard and moves the operation to where its answer puts it: nothing of an earlier answer is kept.
    pub(crate) fn decide(&mut self, draft: &mut Draft<'_>, first: bool) -> Result<Decision, Error> {
        let now = draft.now;
        let (request, facts, decision) = self.ask(now);
        if first {
            self.observe(&request, &decision, draft);
        }
        draft.decision(DecisionRecord {
            operation_id: self.operation.id,
            entry: draft.index(),
            at: now,
            request: write_json(&request)?,
            facts: facts.to_compact(),
            verdict: decision.verdict.as_str().to_owned(),
            rules: write_json(&decision.rules)?,
            policy_hash: decision.policy_hash.as_bytes().to_vec(),
        });
        self.enter(&decision)?;
        let event = match decision.verdict {
            Verdict::Allow => OperationEvent::DecidedAllow,
            Verdict::StepUp => OperationEvent::DecidedStepUp,
            Verdict::Hold => OperationEvent::DecidedHold,
            Verdict::Deny => OperationEvent::DecidedDeny,
        };
        let before = self.operation.state;
        self.operation.state = before.next(event)?;
        self.operation.hold_until = match self.operation.state {
            // The hold that ends first may change the answer, so that is when the guard is asked again.
            OperationState::Held => decision.decide_again_at.or(decision.hold_until),
            // An operation that nobody completes must not stay open for ever, or it could be finished years later.
            OperationState::AwaitingEvidence => Some(
                self.operation
                    .requested_at
                    .plus(self.shared.limits.evidence)
                    .max(now),
            ),
            _ => None,
        };
        draft.history(
            "decided",
            &self.about(),
            &serde_json::json!({
                "verdict": decision.verdict, "reasons": decision.reasons, "rules": decision.rules,
                "requirements": decision.requirements, "hold_until": self.operation.hold_until,
            }),
        );
        draft.entry().detail = serde_json::json!({
            "operation": self.operation.kind, "channel": self.operation.channel, "verdict": decision.verdict,
            "reasons": decision.reasons, "rules": decision.rules, "policy": decision.policy_hash,
        });
        Ok(decision)
    }

    fn enter(&mut self, decision: &Decision) -> Result<(), Error> {
        let operation = &mut self.operation;
        operation.verdict = decision.verdict.as_str().to_owned();
        operation.reasons = write_json(&decision.reasons)?;
        operation.rules = write_json(&decision.rules)?;
        operation.requirements = write_json(&decision.requirements)?;
        operation.policy_hash = decision.policy_hash.as_bytes().to_vec();
        operation.on_timeout = decision.on_timeout.map(|o| o.as_str().to_owned());
        Ok(())
    }

    fn observe(&self, request: &Request, decision: &Decision, draft: &mut Draft<'_>) {
        let (alarms, counts) = self.shared.with_brake(|brake| {
            let alarms = brake.observe(&self.shared.engine, request, decision);
            let due = !alarms.is_empty() || draft.index() % BRAKE_KEPT_EVERY == 0;
            (alarms, due.then(|| crate::shared::counts_of(brake, draft.now)))
        });
        if let Some(counts) = counts {
            draft.brakes(counts);
        }
        for alarm in alarms {
            tracing::error!(rule = %alarm.rule, share = alarm.share, "a rule hits too many lines and is disarmed");
            draft.history(
                "rule_disarmed",
                &self.about(),
                &serde_json::json!({ "rule": alarm.rule, "share": alarm.share, "max_share": alarm.max_share }),
            );
        }
    }

    /// What follows from a decision: notices, a question to the owner, the first step, the end.
    pub(crate) fn follow(&mut self, decision: &Decision, draft: &mut Draft<'_>) -> Result<(), Error> {
        match self.operation.state {
            OperationState::Approved => carry::begin(self, draft)?,
            OperationState::AwaitingEvidence | OperationState::Held => {
                let wanted = decision.requirements.iter().chain(&decision.released_by);
                if wanted.clone().any(asks_owner) {
                    self.question_owner(draft)?;
                }
            }
            _ => {}
        }
        self.operation.exclusive = self.operation.kind.moves_number() && self.operation.state.is_open();
        Ok(())
    }

    /// Asks the owner, on channels that the requester does not hold, unless a question is open already.
    fn question_owner(&mut self, draft: &mut Draft<'_>) -> Result<(), Error> {
        let now = draft.now;
        let asked = self
            .world
            .questions
            .get(&self.operation.id)
            .map_or(&[][..], Vec::as_slice);
        let open = asked
            .iter()
            .any(|q| q.state == ApprovalState::Pending && q.expires_at > now);
        if open || asked.len() >= self.shared.limits.prompts_max {
            return Ok(());
        }
        let id = ApprovalId::draw(now, draft.entropy);
        let number = two_digits(draft);
        let ends = self
            .operation
            .hold_until
            .unwrap_or(now)
            .max(now.plus(self.shared.limits.approval));
        draft.add_approval(Approval {
            id,
            operation_id: self.operation.id,
            party_id: self.operation.party_id,
            number,
            state: ApprovalState::Pending,
            created_at: now,
            expires_at: ends,
            decided_at: None,
            version: 1,
        });
        draft.history("approval_sent", &self.about(), &serde_json::Value::Null);
        Ok(())
    }

    /// Queues what people are told on an occasion.
    pub(crate) fn tell(
        &self,
        occasion: Occasion,
        to: &[simwarden_guard::Notify],
        draft: &mut Draft<'_>,
    ) -> Result<(), Error> {
        queue_notices(self, occasion, to, draft)
    }

    /// Puts a step into the outbox.
    pub(crate) fn queue_step(&mut self, step: Step, undo: bool, draft: &mut Draft<'_>) {
        let now = draft.now;
        let id = OutboxId::draw(now, draft.entropy);
        draft.outbox(OutboxItem {
            id,
            operation_id: Some(self.operation.id),
            party_id: Some(self.operation.party_id),
            kind: "step".to_owned(),
            payload: serde_json::json!({ "step": step, "undo": undo }).to_string(),
            sealed: None,
            due_at: now,
            attempts: 0,
            done_at: None,
            outcome: None,
            entry: draft.index(),
        });
    }

    /// Writes the operation, as it now is, into the entry that is open.
    pub(crate) fn save(mut self, draft: &mut Draft<'_>, fresh: bool) -> Result<Operation, Error> {
        self.operation.updated_at = draft.now;
        self.operation.entry = draft.index();
        self.operation.evidence = write_json(&self.parts.proofs)?;
        self.operation.steps = write_json(&self.parts.steps)?;
        self.operation.context = write_json(&self.parts.context)?;
        let entry = draft.entry();
        entry.operator = Some(self.operation.operator.clone());
        entry.subject = Some(self.operation.party_id);
        entry.line = self.operation.subscription_id;
        entry.operation = Some(self.operation.id);
        if !fresh {
            self.operation.version += 1;
        }
        let row = self.operation;
        draft.update(crate::Update {
            entry: draft.index(),
            operation: row.clone(),
        });
        if fresh {
            draft.add_operation(row.clone());
        } else {
            let mut before = row.clone();
            before.version -= 1;
            draft.change_operation(before);
        }
        Ok(row)
    }
}

/// Whether the owner's own word is among what is asked for.
fn asks_owner(requirement: &Requirement) -> bool {
    requirement
        .alternatives()
        .iter()
        .flatten()
        .any(|factor| matches!(factor, Factor::OwnerApproval))
}

/// Two digits to match, 10 to 99, without bias.
fn two_digits(draft: &mut Draft<'_>) -> i64 {
    loop {
        let mut byte = [0];
        draft.entropy.fill(&mut byte);
        if byte[0] < 180 {
            return i64::from(byte[0] % 90) + 10;
        }
    }
}

/// The steps of an operation, none of them begun.
pub(crate) fn fresh_steps(kind: simwarden_model::OperationKind) -> Vec<StepRecord> {
    plan(kind)
        .steps
        .iter()
        .map(|step| StepRecord {
            name: *step,
            state: StepState::Pending,
            at: None,
        })
        .collect()
}
