//! May this profile go out now? Freezes, and the operation behind the order, asked in the writing transaction.

use super::world::{number_key, operator_key};
use crate::carry::current_step;
use crate::decide::Work;
use crate::operations::Step;
use crate::shared::Shared;
use crate::world::World;
use simwarden_guard::Verdict;
use simwarden_model::{OperationId, OperationState, ReasonCode, Timestamp};
use simwarden_rsp::Gate;
use simwarden_store::records::smdp_order::SmdpOrder;

/// A freeze of the SM-DP+ stands.
const FROZEN: ReasonCode = ReasonCode::from_static("download_frozen");
/// No approved operation stands behind the order at this moment.
const NOT_APPROVED: ReasonCode = ReasonCode::from_static("operation_not_approved");
/// The owner's lock or the network's freeze is on the line.
const LINE_LOCKED: ReasonCode = ReasonCode::from_static("line_locked");

/// What a freeze is looked up by, before the order is known.
pub(crate) fn freeze_keys(eid_key: String, tac: &str, eum: &str) -> Vec<String> {
    vec![
        "all".to_owned(),
        eid_key,
        format!("tac:{tac}"),
        format!("eum:{eum}"),
    ]
}

/// Asks. `keys` are those of [`freeze_keys`]; the operator and the number are added here.
pub(crate) fn gate(shared: &Shared, world: &World, row: &SmdpOrder, keys: &[String], now: Timestamp) -> Gate {
    let operator = operator_key(&row.operator);
    if let Some(reason) = keys.iter().chain([&operator]).find_map(|key| frozen(world, key)) {
        return Gate::closed(reason);
    }
    match row.operation_id {
        None => Gate::Open,
        Some(operation) => ask_operation(shared, world, operation, now),
    }
}

fn frozen(world: &World, key: &str) -> Option<ReasonCode> {
    let freeze = world.smdp.freezes.get(key)?;
    Some(freeze.reason.parse().unwrap_or(FROZEN))
}

/// The guard, as the worker asks it right before a step: the operation must stand where a chip may fetch.
fn ask_operation(shared: &Shared, world: &World, operation: OperationId, now: Timestamp) -> Gate {
    let Ok(work) = Work::load(shared, world, operation) else {
        // Unknown, erased, or unreadable: nothing is released on a guess.
        return Gate::closed(NOT_APPROVED);
    };
    let stands = matches!(current_step(&work), Ok(Step::Release | Step::Install));
    if work.operation.state != OperationState::Executing || !stands {
        return Gate::closed(NOT_APPROVED);
    }
    if let Some(line) = work.operation.subscription_id.and_then(|id| world.lines.get(&id)) {
        let number = line.msisdn_idx.as_ref().map(number_key);
        if let Some(reason) = number.and_then(|key| frozen(world, &key)) {
            return Gate::closed(reason);
        }
        if line.frozen_at.is_some() {
            return Gate::closed(LINE_LOCKED);
        }
    }
    let (_, _, decision) = work.ask(now);
    match decision.verdict {
        Verdict::Allow => Gate::Open,
        _ => Gate::closed(decision.reasons.first().cloned().unwrap_or(NOT_APPROVED)),
    }
}
