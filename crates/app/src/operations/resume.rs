//! Resume a suspended service.

use super::{Change, Plan, Step};
use crate::Error;
use simwarden_model::SubscriptionEvent;

pub(super) const PLAN: Plan = Plan {
    steps: &[Step::Network, Step::Apply],
    requires: &[],
    done,
    undone,
};

fn done(step: Step, change: &mut Change<'_>) -> Result<(), Error> {
    if step != Step::Apply {
        return Ok(());
    }
    change.line_event(SubscriptionEvent::Resume)?;
    change.line()?.frozen_at = None;
    Ok(())
}

fn undone(step: Step, change: &mut Change<'_>) -> Result<(), Error> {
    if step != Step::Apply {
        return Ok(());
    }
    change.line_event(SubscriptionEvent::Suspend)
}
