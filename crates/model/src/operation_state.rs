//! The life of an operation: asked for, decided (again and again), carried out step by step, perhaps undone.

use crate::Refused;
use crate::named::named_enum;

named_enum! {
    /// Where an operation stands.
    pub enum OperationState ("operation state") {
        /// Asked for, not yet decided.
        Requested = "requested",
        /// Further evidence is required.
        AwaitingEvidence = "awaiting_evidence",
        /// Waits until a point in time; may be vetoed meanwhile.
        Held = "held",
        /// Allowed, not begun.
        Approved = "approved",
        /// Its steps are being carried out.
        Executing = "executing",
        /// All steps are done. Can still be rolled back.
        Completed = "completed",
        /// Decided against. Terminal.
        Denied = "denied",
        /// Called off, vetoed or run out of time before it began. Terminal.
        Cancelled = "cancelled",
        /// The owner said "that is not me": nobody revives it, a case looks into it. Terminal.
        Frozen = "frozen",
        /// Undoing it failed: a person has to look, and may order the roll-back again.
        Failed = "failed",
        /// The steps done are being undone.
        RollingBack = "rolling_back",
        /// Everything is as before. Terminal.
        RolledBack = "rolled_back",
    }
}

named_enum! {
    /// What can happen to an operation.
    pub enum OperationEvent ("operation event") {
        /// Decision: allow.
        DecidedAllow = "decided_allow",
        /// Decision: further evidence first.
        DecidedStepUp = "decided_step_up",
        /// Decision: wait.
        DecidedHold = "decided_hold",
        /// Decision: no.
        DecidedDeny = "decided_deny",
        /// The owner answered that the request is not theirs.
        OwnerDenied = "owner_denied",
        /// Somebody entitled to stopped it.
        Vetoed = "vetoed",
        /// Time is up and the rule says: do not do it.
        TimedOutCancel = "timed_out_cancel",
        /// The hold is over and the rule says: go on.
        TimedOutProceed = "timed_out_proceed",
        /// The requester called it off.
        Cancelled = "cancelled",
        /// The worker began with the first step.
        Started = "started",
        /// The last step is done.
        StepDoneAll = "step_done_all",
        /// A step, or the undoing of one, failed for good.
        StepFailed = "step_failed",
        /// Two persons ordered it undone.
        RollbackRequested = "rollback_requested",
        /// Everything is undone.
        RollbackDone = "rollback_done",
    }
}

impl OperationState {
    /// The state after an event.
    ///
    /// Until it is `executing` an operation is decided anew whenever the facts change: each decision leads to the
    /// state it names, wherever the operation stood. `timed_out_proceed` ends a hold only: required evidence never
    /// arrives by waiting. From `executing` on, a veto, the owner's denial, a cancellation or a failed step lead
    /// to `rolling_back`; `completed` is left by `rollback_requested` only.
    ///
    /// # Errors
    /// [`Refused`] when the event has no place in this state.
    pub const fn next(self, event: OperationEvent) -> Result<Self, Refused> {
        use OperationEvent as E;
        if self.is_undecided() {
            match event {
                E::DecidedAllow => return Ok(Self::Approved),
                E::DecidedStepUp => return Ok(Self::AwaitingEvidence),
                E::DecidedHold => return Ok(Self::Held),
                E::DecidedDeny => return Ok(Self::Denied),
                E::OwnerDenied => return Ok(Self::Frozen),
                E::Vetoed | E::TimedOutCancel | E::Cancelled => return Ok(Self::Cancelled),
                _ => {}
            }
        }
        match (self, event) {
            (Self::Held, E::TimedOutProceed) => Ok(Self::Approved),
            (Self::Approved, E::Started) => Ok(Self::Executing),
            (Self::Executing, E::StepDoneAll) => Ok(Self::Completed),
            (
                Self::Executing,
                E::OwnerDenied | E::Vetoed | E::Cancelled | E::StepFailed | E::RollbackRequested,
            )
            | (Self::Completed | Self::Failed, E::RollbackRequested) => Ok(Self::RollingBack),
            (Self::RollingBack, E::RollbackDone) => Ok(Self::RolledBack),
            (Self::RollingBack, E::StepFailed) => Ok(Self::Failed),
            _ => Err(Refused {
                what: "operation",
                state: self.as_str(),
                event: event.as_str(),
            }),
        }
    }

    /// Whether a decision may still be made or made anew: nothing has been carried out.
    #[must_use]
    pub const fn is_undecided(self) -> bool {
        matches!(
            self,
            Self::Requested | Self::AwaitingEvidence | Self::Held | Self::Approved
        )
    }

    /// Whether something is still to come without anybody ordering it: undecided, executing or rolling back.
    ///
    /// At most one open operation of a line should move its number.
    #[must_use]
    pub const fn is_open(self) -> bool {
        self.is_undecided() || matches!(self, Self::Executing | Self::RollingBack)
    }

    /// Whether nothing can happen any more. `completed` and `failed` are neither open nor terminal: both can be
    /// rolled back by order.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(
            self,
            Self::Denied | Self::Cancelled | Self::Frozen | Self::RolledBack
        )
    }
}

#[cfg(test)]
mod tests {
    use super::{OperationEvent as E, OperationState as S};
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn terminal_means_terminal_and_everything_is_reachable() {
        let mut reached = BTreeSet::from([S::Requested]);
        for _ in S::ALL {
            let more: Vec<_> = reached
                .iter()
                .flat_map(|state| E::ALL.iter().filter_map(|event| state.next(*event).ok()))
                .collect();
            reached.extend(more);
        }
        assert_eq!(reached.len(), S::ALL.len());
        for state in S::ALL {
            let ways_out = E::ALL.iter().filter(|event| state.next(**event).is_ok()).count();
            assert_eq!(state.is_terminal(), ways_out == 0, "{state}");
            assert!(!(state.is_open() && state.is_terminal()));
        }
    }

    #[test]
    fn a_decision_counts_anew_until_the_first_step_and_never_after() {
        let decisions = [E::DecidedAllow, E::DecidedStepUp, E::DecidedHold, E::DecidedDeny];
        for state in S::ALL {
            for decision in decisions {
                assert_eq!(
                    state.next(decision).is_ok(),
                    state.is_undecided(),
                    "{state} {decision}"
                );
            }
            assert_eq!(state.next(E::Started).is_ok(), *state == S::Approved, "{state}");
            assert_eq!(
                state.next(E::TimedOutProceed).is_ok(),
                *state == S::Held,
                "{state}"
            );
        }
        assert_eq!(S::Approved.next(E::DecidedHold), Ok(S::Held));
    }

    #[test]
    fn the_owner_can_stop_it_until_the_last_step() {
        for state in [S::Requested, S::AwaitingEvidence, S::Held, S::Approved] {
            assert_eq!(state.next(E::OwnerDenied), Ok(S::Frozen));
            assert_eq!(state.next(E::Vetoed), Ok(S::Cancelled));
        }
        for event in [E::OwnerDenied, E::Vetoed, E::Cancelled, E::StepFailed] {
            assert_eq!(S::Executing.next(event), Ok(S::RollingBack));
            assert!(S::Completed.next(event).is_err());
        }
        assert_eq!(S::Completed.next(E::RollbackRequested), Ok(S::RollingBack));
        assert_eq!(S::Failed.next(E::RollbackRequested), Ok(S::RollingBack));
    }

    proptest! {
        #[test]
        fn nothing_is_carried_out_without_leave(acts in proptest::collection::vec(0_usize..14, 0..80)) {
            let (mut state, mut leave) = (S::Requested, false);
            for event in acts.into_iter().map(|at| E::ALL[at]) {
                let Ok(next) = state.next(event) else { continue };
                prop_assert!(!state.is_terminal());
                match event {
                    E::DecidedAllow | E::TimedOutProceed => leave = true,
                    E::DecidedStepUp | E::DecidedHold | E::DecidedDeny => leave = false,
                    _ => {}
                }
                prop_assert!(!matches!(next, S::Executing | S::Completed) || leave, "{state} {event} {next}");
                state = next;
            }
        }
    }
}
