//! Forward calls to another number, or take forwarding away.

use super::{Change, Plan, Step};
use crate::Error;

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
    change.secret.forward_to.clone_from(&change.wish.forward_to);
    change.secret_changed = true;
    let now = change.now;
    change.line()?.forwarding_at = Some(now);
    Ok(())
}
