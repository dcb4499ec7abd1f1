//! One step of an operation, around the outside world: asked for again right before it, recorded right behind it.

use crate::Error;
use crate::carry::{self, turn_around};
use crate::committer::Job;
use crate::decide::Work;
use crate::draft::{Draft, Rare};
use crate::followup::needs_of;
use crate::notice::Occasion;
use crate::operation::StepState;
use crate::operations::Step;
use crate::shared::Shared;
use crate::world::{Needs, World};
use simwarden_guard::{Notify, Verdict};
use simwarden_model::{OperationEvent, OperationId, OperationState, Role};
use simwarden_store::records::operation::Operation;
use std::sync::Arc;

/// Right before a step, at the point of use: may it still go on?
pub(crate) struct AskAgain {
    pub shared: Arc<Shared>,
    pub operation: OperationId,
    pub step: Step,
    pub eid: Option<String>,
    /// MCC-MNC: whose stock the step may take from.
    pub operator: String,
}

impl Job for AskAgain {
    /// The operation when the step may be done; none when it may not.
    type Answer = Option<Operation>;

    fn needs(&self) -> Needs {
        let mut needs = needs_of(&self.shared, self.operation, self.eid.as_deref());
        if crate::submit::takes_stock(self.step, false) {
            needs.stock.push(self.operator.clone());
        }
        needs
    }

    fn run(&self, world: &World, draft: &mut Draft<'_>) -> Result<Option<Operation>, Error> {
        let mut work = Work::load(&self.shared, world, self.operation)?;
        if work.operation.state != OperationState::Executing || carry::current_step(&work)? != self.step {
            return Ok(None);
        }
        if self.step.is_point_of_use() {
            let (_, _, decision) = work.ask(draft.now);
            if decision.verdict != Verdict::Allow {
                draft.begin_entry("step.refused", Role::System, None);
                draft.history(
                    "refused_at_use",
                    &work.about(),
                    &serde_json::json!({ "step": self.step, "verdict": decision.verdict, "reasons": decision.reasons }),
                );
                turn_around(&mut work, OperationEvent::StepFailed, draft)?;
                work.tell(
                    Occasion::Stopped,
                    &[Notify::OldSim, Notify::App, Notify::Contact],
                    draft,
                )?;
                work.save(draft, false)?;
                draft.end_entry()?;
                return Ok(None);
            }
        }
        let Some(place) = work.parts.steps.iter().position(|s| s.name == self.step) else {
            return Ok(None);
        };
        if work.parts.steps[place].state == StepState::Running {
            return Ok(Some(work.operation));
        }
        // From here on the outside world may have done it, whatever becomes of this process.
        draft.begin_entry("step.begun", Role::System, None);
        if crate::submit::takes_stock(self.step, false) {
            // Taken before anybody outside hears of it: two orders at the same time must not name one profile.
            carry::reserve(&mut work, draft)?;
        }
        work.parts.steps[place].state = StepState::Running;
        work.parts.steps[place].at = Some(draft.now);
        draft.history(
            "step_started",
            &work.about(),
            &serde_json::json!({ "step": self.step }),
        );
        let operation = work.save(draft, false)?;
        draft.end_entry()?;
        Ok(Some(operation))
    }
}

/// The outside world answered.
pub(crate) struct StepEnded {
    pub shared: Arc<Shared>,
    pub operation: OperationId,
    pub item: simwarden_store::records::outbox::OutboxItem,
    pub step: Step,
    pub undo: bool,
    pub failed: Option<String>,
}

impl Job for StepEnded {
    type Answer = ();

    fn needs(&self) -> Needs {
        needs_of(&self.shared, self.operation, None)
    }

    fn run(&self, world: &World, draft: &mut Draft<'_>) -> Result<(), Error> {
        let mut work = Work::load(&self.shared, world, self.operation)?;
        draft.begin_entry(
            if self.failed.is_some() {
                "step.failed"
            } else {
                "step.done"
            },
            Role::System,
            None,
        );
        let mut item = self.item.clone();
        item.done_at = Some(draft.now);
        item.outcome = Some(self.failed.clone().unwrap_or_else(|| "done".to_owned()));
        draft.rare(Rare::Outbox(item));
        let wanted = if self.undo {
            OperationState::RollingBack
        } else {
            OperationState::Executing
        };
        if work.operation.state != wanted {
            // It was turned around while the outside world worked; the undo follows by itself.
            draft.history(
                "step_answer_late",
                &work.about(),
                &serde_json::json!({ "step": self.step }),
            );
        } else if let Some(why) = &self.failed {
            tracing::warn!(step = self.step.as_str(), %why, "a step failed");
            draft.history(
                "step_failed",
                &work.about(),
                &serde_json::json!({ "step": self.step }),
            );
            if self.undo {
                work.operation.state = work.operation.state.next(OperationEvent::StepFailed)?;
                work.operation.exclusive = false;
            } else {
                turn_around(&mut work, OperationEvent::StepFailed, draft)?;
            }
        } else if self.undo {
            carry::step_undone(&mut work, self.step, draft)?;
        } else {
            carry::step_done(&mut work, self.step, draft)?;
        }
        work.save(draft, false)?;
        draft.end_entry()?;
        Ok(())
    }
}
