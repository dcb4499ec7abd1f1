//! Move the line to another owner.

use super::{Change, Plan, Step, Wanted};
use crate::Error;

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
    let now = change.now;
    let owner = change
        .new_owner
        .ok_or_else(|| Error::invalid("owner_missing", "say who the new owner is"))?;
    // How to reach the one before is his own affair; notices to it would tell him of another person's line.
    change.secret.contact_phone = None;
    change.secret.contact_email = None;
    change.secret.old_contact = None;
    change.secret_changed = true;
    let line = change.line()?;
    line.party_id = owner;
    line.owner_changed_at = Some(now);
    line.lock_scope = None;
    line.lock_setter = None;
    line.lock_expires_at = None;
    Ok(())
}
