//! Carrying an operation out, and taking it back: how each step changes rows, and which step comes next.

use crate::decide::Work;
use crate::draft::{About, Draft, Rare};
use crate::gateway::GatewayWrite;
use crate::notice::Occasion;
use crate::operation::StepState;
use crate::operations::{Change, Step, plan, record_step, travel};
use crate::secrets::{LineSecret, Of, ProfileSecret, open, seal, subject_key};
use crate::world::World;
use crate::{Error, ErrorKind};
use simwarden_guard::Notify;
use simwarden_model::{OperationEvent, OperationState, Role, SubscriptionId};
use simwarden_store::SubjectKey;
use simwarden_store::records::place::{Place, Sitting};
use simwarden_store::records::profile::Profile;

/// Begins an approved operation. One that only changes the registry is carried out at once, in the same transaction.
pub(crate) fn begin(work: &mut Work<'_>, draft: &mut Draft<'_>) -> Result<(), Error> {
    work.operation.state = work.operation.state.next(OperationEvent::Started)?;
    match plan(work.operation.kind).steps {
        [Step::Apply] => step_done(work, Step::Apply, draft),
        [first, ..] => {
            work.queue_step(*first, false, draft);
            Ok(())
        }
        [] => Err(Error::internal("an operation without steps")),
    }
}

/// Records that a step was done, changes the rows, and goes on with the next one.
pub(crate) fn step_done(work: &mut Work<'_>, step: Step, draft: &mut Draft<'_>) -> Result<(), Error> {
    let now = draft.now;
    let Some(place) = work.parts.steps.iter().position(|s| s.name == step) else {
        return Err(Error::internal(format!(
            "{} has no step {}",
            work.operation.kind,
            step.as_str()
        )));
    };
    if work.parts.steps[place].state == StepState::Done {
        return Ok(());
    }
    change_rows(work, plan(work.operation.kind).done, step, draft)?;
    work.parts.steps[place].state = StepState::Done;
    work.parts.steps[place].at = Some(now);
    record_step(draft, step, "step_done", &work.operation);
    match work.parts.steps.get(place + 1).map(|s| s.name) {
        Some(next) => work.queue_step(next, false, draft),
        None => {
            work.operation.state = work.operation.state.next(OperationEvent::StepDoneAll)?;
            work.operation.exclusive = false;
            draft.history("completed", &work.about(), &serde_json::Value::Null);
            work.tell(
                Occasion::Completed,
                &[Notify::OldSim, Notify::App, Notify::Contact],
                draft,
            )?;
        }
    }
    Ok(())
}

/// Turns an operation that is being carried out, or was, around: what was done is taken back, the last step first.
pub(crate) fn turn_around(
    work: &mut Work<'_>,
    event: OperationEvent,
    draft: &mut Draft<'_>,
) -> Result<(), Error> {
    work.operation.state = work.operation.state.next(event)?;
    if work.operation.state != OperationState::RollingBack {
        return Ok(());
    }
    work.operation.exclusive = work.operation.kind.moves_number();
    draft.rare(Rare::Withdraw {
        operation: work.operation.id,
        kind: "step",
    });
    draft.history("rolling_back", &work.about(), &serde_json::Value::Null);
    next_undo(work, draft)
}

/// The step that was handed out without an answer is taken back as well: it may have been done.
fn next_undo(work: &mut Work<'_>, draft: &mut Draft<'_>) -> Result<(), Error> {
    let last = work
        .parts
        .steps
        .iter()
        .rev()
        .find(|s| matches!(s.state, StepState::Done | StepState::Running));
    match last.map(|s| s.name) {
        Some(Step::Apply) => step_undone(work, Step::Apply, draft),
        Some(step) => {
            work.queue_step(step, true, draft);
            Ok(())
        }
        None => {
            work.operation.state = work.operation.state.next(OperationEvent::RollbackDone)?;
            work.operation.exclusive = false;
            draft.history("rolled_back", &work.about(), &serde_json::Value::Null);
            work.tell(
                Occasion::RolledBack,
                &[Notify::OldSim, Notify::App, Notify::Contact, Notify::FraudDesk],
                draft,
            )
        }
    }
}

/// Records that a step was taken back, and goes on with the one before it.
pub(crate) fn step_undone(work: &mut Work<'_>, step: Step, draft: &mut Draft<'_>) -> Result<(), Error> {
    let now = draft.now;
    let recorded = work
        .parts
        .steps
        .iter()
        .any(|s| s.name == step && s.state == StepState::Done);
    // A switch that was begun and never recorded changed no rows: what is live here is still the owner's own profile.
    if recorded || step != Step::Switch {
        change_rows(work, plan(work.operation.kind).undone, step, draft)?;
    }
    if let Some(record) = work.parts.steps.iter_mut().find(|s| s.name == step) {
        record.state = StepState::Undone;
        record.at = Some(now);
    }
    record_step(draft, step, "step_undone", &work.operation);
    next_undo(work, draft)
}

/// The profiles that a step may touch: those of the line, and one from stock to take.
fn reachable(work: &Work<'_>, world: &World) -> Vec<Profile> {
    let mut profiles: Vec<Profile> = work
        .operation
        .subscription_id
        .and_then(|line| world.profiles.get(&line))
        .cloned()
        .unwrap_or_default();
    if let Some(stock) = world.stock.get(&work.operation.operator) {
        profiles.extend(stock.first().cloned());
    }
    profiles
}

/// Takes a profile from stock for the operation. Without one nothing changes, and the step that needs it fails.
pub(crate) fn reserve(work: &mut Work<'_>, draft: &mut Draft<'_>) -> Result<(), Error> {
    change_rows(work, |_, change| travel::reserve(change), Step::Order, draft)
}

/// How a step changes rows.
type Changes = fn(Step, &mut Change<'_>) -> Result<(), Error>;

fn change_rows(
    work: &mut Work<'_>,
    changes: Changes,
    step: Step,
    draft: &mut Draft<'_>,
) -> Result<(), Error> {
    let old_key = subject_key(
        &work.shared.keyring,
        work.world.keys.get(&work.operation.party_id),
    )?;
    let line = work.line().map(|view| view.row.clone());
    let secret: LineSecret = match line.as_ref().and_then(|l| l.sealed.as_ref().map(|s| (l.id, s))) {
        Some((id, sealed)) => open(&old_key, Of::Line, id.as_bytes(), sealed)?,
        None => LineSecret::default(),
    };
    let mut change = Change {
        operation: &work.operation,
        wish: &work.wish,
        scope: work.parts.context.lock_scope,
        by_owner: work.operation.actor_role == Role::Subscriber,
        line,
        line_changed: false,
        secret,
        secret_changed: false,
        profiles: reachable(work, work.world),
        changed: Vec::new(),
        replaced: work.parts.context.replaced,
        new_owner: work.parts.context.new_owner,
        keyring: &work.shared.keyring,
        key: &old_key,
        now: draft.now,
        entropy: &mut *draft.entropy,
    };
    let before: Vec<Profile> = change.profiles.clone();
    changes(step, &mut change)?;

    let Change {
        line,
        line_changed,
        secret,
        secret_changed,
        mut profiles,
        mut changed,
        replaced,
        ..
    } = change;
    work.parts.context.replaced = replaced;
    if let Some(mut line) = line.filter(|_| line_changed || secret_changed) {
        if secret_changed {
            // The line's personal part goes under the key of whom it belongs to now.
            let owner = line.party_id;
            let fresh = draft.fresh_subject_key(owner);
            let row = work.world.keys.get(&owner).or(fresh.as_ref());
            let key = subject_key(&work.shared.keyring, row)?;
            line.sealed = Some(seal(&key, Of::Line, line.id.as_bytes(), &secret, draft.entropy)?);
            if owner != work.operation.party_id {
                reseal_profiles(&mut profiles, &mut changed, line.id, (&old_key, &key), draft)?;
                // What the owner before agreed to binds nobody else.
                draft.gateway(GatewayWrite::DropOf(line.id));
            }
        }
        draft.change_subscription(line);
    }
    for place in changed {
        moved(&before[place], &profiles[place], draft);
        let about = About {
            line: work.operation.subscription_id,
            profile: Some(profiles[place].id),
            operation: Some(work.operation.id),
        };
        draft.history(
            "profile",
            &about,
            &serde_json::json!({ "state": profiles[place].state }),
        );
        draft.change_profile(profiles[place].clone());
    }
    Ok(())
}

/// Puts the personal parts of a line's profiles under the key of its new owner, so that erasing the old one does not
/// take them along, and leaves them readable.
fn reseal_profiles(
    profiles: &mut [Profile],
    changed: &mut Vec<usize>,
    line: SubscriptionId,
    (old, new): (&SubjectKey, &SubjectKey),
    draft: &mut Draft<'_>,
) -> Result<(), Error> {
    for (place, profile) in profiles.iter_mut().enumerate() {
        if profile.subscription_id != Some(line) {
            continue;
        }
        let Some(sealed) = &profile.sealed else { continue };
        let secret: ProfileSecret = open(old, Of::Profile, profile.id.as_bytes(), sealed)?;
        profile.sealed = Some(seal(
            new,
            Of::Profile,
            profile.id.as_bytes(),
            &secret,
            draft.entropy,
        )?);
        if !changed.contains(&place) {
            changed.push(place);
        }
    }
    Ok(())
}

/// Remembers where a profile sat before, and the chip and phone it goes to.
fn moved(before: &Profile, after: &Profile, draft: &mut Draft<'_>) {
    let now = draft.now;
    if (before.eid_idx, before.imei_idx) != (after.eid_idx, after.imei_idx)
        && (before.eid_idx.is_some() || before.imei_idx.is_some())
    {
        draft.sitting(Sitting {
            profile_id: before.id,
            until_at: now,
            eid_idx: before.eid_idx,
            imei_idx: before.imei_idx,
            entry: draft.index(),
        });
    }
    if let Some(index) = after.eid_idx.filter(|_| before.eid_idx.is_none()) {
        draft.chip(Place {
            index,
            maker: String::new(),
            first_seen_at: now,
        });
    }
    if let Some(index) = after.imei_idx.filter(|_| before.imei_idx.is_none()) {
        draft.device(Place {
            index,
            maker: String::new(),
            first_seen_at: now,
        });
    }
}

/// The first step that is not done.
pub(crate) fn current_step(work: &Work<'_>) -> Result<Step, Error> {
    work.parts
        .steps
        .iter()
        .find(|s| s.state != StepState::Done)
        .map(|s| s.name)
        .ok_or_else(|| {
            Error::new(
                ErrorKind::State,
                "no_step_left",
                "every step of this operation is done",
            )
        })
}
