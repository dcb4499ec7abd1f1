//! Bring a registered line to life.

use super::{Change, Plan, Step};
use crate::Error;
use simwarden_model::SubscriptionEvent;

pub(super) const PLAN: Plan = Plan {
    steps: &[Step::Network, Step::Apply],
    requires: &[],
    done,
    undone: super::nothing,
};

fn done(step: Step, change: &mut Change<'_>) -> Result<(), Error> {
    if step != Step::Apply {
        return Ok(());
    }
    change.line_event(SubscriptionEvent::Activate)
}
