//! Give a quarantined number free for a new owner: the old line ends.

use super::{Change, Plan, Step};
use crate::Error;
use simwarden_model::SubscriptionEvent;

pub(super) const PLAN: Plan = Plan {
    steps: &[Step::Apply],
    requires: &[],
    done,
    undone: super::nothing,
};

fn done(step: Step, change: &mut Change<'_>) -> Result<(), Error> {
    if step != Step::Apply {
        return Ok(());
    }
    change.line_event(SubscriptionEvent::Recycle)
}
