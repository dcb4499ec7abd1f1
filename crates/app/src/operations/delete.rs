//! End the line and delete its profile. The number rests in quarantine.

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
        change.profile_event(live, ProfileEvent::Delete)?;
    }
    let now = change.now;
    change.line_event(SubscriptionEvent::Terminate)?;
    change.line()?.quarantined_at = Some(now);
    Ok(())
}
