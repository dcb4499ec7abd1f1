//! Lock the line against sensitive operations. On at once.

use super::{Change, Plan, Step, Wanted};
use crate::Error;
use simwarden_model::{LockScope, LockSetter};
use std::time::Duration;

/// How long a lock lasts that the owner did not set.
const STAFF_LOCK: Duration = Duration::from_secs(7 * 24 * 3600);

pub(super) const PLAN: Plan = Plan {
    steps: &[Step::Apply],
    requires: &[Wanted::LockScope],
    done,
    undone: super::nothing,
};

fn done(step: Step, change: &mut Change<'_>) -> Result<(), Error> {
    if step != Step::Apply {
        return Ok(());
    }
    let scope = change.scope.unwrap_or(LockScope::All);
    let (now, by_owner) = (change.now, change.by_owner);
    let setter = if by_owner {
        LockSetter::Owner
    } else {
        LockSetter::Operator
    };
    let line = change.line()?;
    // A lock of the owner or of an authority is never replaced by a weaker one.
    if line
        .lock_setter
        .is_none_or(|before| before == LockSetter::Operator || by_owner && before == LockSetter::Owner)
    {
        line.lock_scope = Some(
            if line.lock_setter == Some(setter) && line.lock_scope != Some(scope) {
                LockScope::All
            } else {
                scope
            },
        );
        line.lock_setter = Some(setter);
        // What staff set by themselves ends by itself.
        line.lock_expires_at = (!by_owner).then(|| now.plus(STAFF_LOCK));
    }
    line.locked_at = Some(now);
    Ok(())
}
