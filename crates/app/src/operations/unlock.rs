//! Take a lock away: stronger than setting it.

use super::{Change, Plan, Step};
use crate::Error;

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
    let now = change.now;
    let line = change.line()?;
    line.lock_scope = None;
    line.lock_setter = None;
    line.lock_expires_at = None;
    line.unlocked_at = Some(now);
    Ok(())
}
