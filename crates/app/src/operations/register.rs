//! Enter a line into the registry, in the name of a person.

use super::{Change, Plan, Step, Wanted};
use crate::Error;
use simwarden_model::SubscriptionEvent;

pub(super) const PLAN: Plan = Plan {
    steps: &[Step::Apply],
    requires: &[Wanted::Owner],
    done,
    undone: super::nothing,
};

fn done(step: Step, change: &mut Change<'_>) -> Result<(), Error> {
    if step != Step::Apply {
        return Ok(());
    }
    change.line_event(SubscriptionEvent::Register)
}
