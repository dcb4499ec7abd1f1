//! Move the number to another operator. Without an answer of the owner it does not happen.

use super::{Change, Plan, Step};
use crate::Error;
use simwarden_model::{ProfileEvent, SubscriptionEvent};

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
    if let Some(live) = change.live() {
        change.profile_event(live, ProfileEvent::Disable)?;
    }
    change.line_event(SubscriptionEvent::PortRequest)?;
    change.line_event(SubscriptionEvent::PortOut)
}
