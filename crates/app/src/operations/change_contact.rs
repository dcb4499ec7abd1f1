//! Change the contact that notices go to. The old contact hears of it, and of what follows.

use super::{Change, Plan, Step, Wanted};
use crate::Error;

pub(super) const PLAN: Plan = Plan {
    steps: &[Step::Apply],
    requires: &[Wanted::Contact],
    done,
    undone: super::nothing,
};

fn done(step: Step, change: &mut Change<'_>) -> Result<(), Error> {
    if step != Step::Apply {
        return Ok(());
    }
    let before = change
        .secret
        .contact_phone
        .clone()
        .or_else(|| change.secret.contact_email.clone());
    change.secret.old_contact = before.or_else(|| change.secret.old_contact.clone());
    if change.wish.contact_phone.is_some() {
        change.secret.contact_phone.clone_from(&change.wish.contact_phone);
    }
    if change.wish.contact_email.is_some() {
        change.secret.contact_email.clone_from(&change.wish.contact_email);
    }
    change.secret_changed = true;
    let now = change.now;
    change.line()?.contact_changed_at = Some(now);
    Ok(())
}
