//! What stands behind a swap, so that a bank can tell a new phone from a theft: an API of our own.

use super::line::{LineFacts, Sim};
use super::{Denied, Gateway};
use crate::operation::Parts;
use crate::proof::ProofKind;
use serde::Serialize;
use simwarden_model::{Channel, OperationKind, OperationState, Timestamp};
use simwarden_store::records::operation::Operation;
use std::time::Duration;

/// Operations of a line that are looked at, the newest first.
const LOOKED_AT: u32 = 20;
const HOUR_S: u64 = 3600;

/// What is said of the last swap.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SwapContext {
    /// `esim`, `sim` or `none`.
    pub sim_type: &'static str,
    /// How long ago the number was last bound to a SIM: `under_1h`, `under_24h`, `under_72h`, `under_30d`, `older`.
    pub age_band: &'static str,
    /// `new`, `replacement`, `transfer`, `port_in`, `recovery`, `unknown`.
    pub cause: &'static str,
    /// How it was approved, the strongest first: `owner_device`, `totp`, `old_sim`, `second_approver`, `dealer`, `none`,
    /// `unknown`.
    pub approval: Vec<&'static str>,
    /// Until when something about the line is held.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold_ends: Option<Timestamp>,
    /// Whether the owner disputes an operation, or it is being taken back.
    pub open_dispute: bool,
    /// Whether the line is frozen.
    pub frozen: bool,
    /// `low`, `medium`, `high`.
    pub risk: &'static str,
    /// Why.
    pub reasons: Vec<&'static str>,
}

fn age_band(age: Duration) -> &'static str {
    match age.as_secs() / HOUR_S {
        0 => "under_1h",
        1..24 => "under_24h",
        24..72 => "under_72h",
        72..720 => "under_30d",
        _ => "older",
    }
}

fn cause(line: &LineFacts, last: Option<&Operation>) -> &'static str {
    let ported = line.row.port_at.is_some_and(|at| Some(at) == line.swapped_at);
    match (line.swapped_at, last.map(|operation| operation.kind)) {
        (None, _) => "new",
        _ if ported => "port_in",
        (_, Some(OperationKind::Replace)) => "replacement",
        (_, Some(OperationKind::TransferDevice | OperationKind::TransferOwner)) => "transfer",
        (_, Some(OperationKind::Issue | OperationKind::Activate | OperationKind::Register)) => "new",
        (_, Some(OperationKind::Resume)) => "recovery",
        _ => "unknown",
    }
}

fn approval(last: Option<&Operation>) -> Vec<&'static str> {
    let Some(operation) = last else {
        return vec!["unknown"];
    };
    let proofs = Parts::of(operation).map(|parts| parts.proofs).unwrap_or_default();
    let mut found = Vec::new();
    for (kind, name) in [
        (ProofKind::OwnerApproval, "owner_device"),
        (ProofKind::Totp, "totp"),
        (ProofKind::OldSimConfirm, "old_sim"),
        (ProofKind::SecondApprover, "second_approver"),
    ] {
        if proofs.iter().any(|proof| proof.kind == kind) {
            found.push(name);
        }
    }
    if operation.channel == Channel::Shop {
        found.push("dealer");
    }
    if found.is_empty() {
        found.push("none");
    }
    found
}

impl Gateway {
    /// What stands behind a line's last swap.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn swap_context(&self, line: &LineFacts) -> Result<SwapContext, Denied> {
        let now = self.now();
        let operations = self.app().store().operations_of(line.id, LOOKED_AT).await?;
        let moved = operations
            .iter()
            .filter(|operation| operation.state == OperationState::Completed)
            .find(|operation| operation.kind.moves_number());
        let dispute = operations.iter().any(|operation| {
            matches!(
                operation.state,
                OperationState::Frozen | OperationState::RollingBack | OperationState::Failed
            )
        });
        let hold_ends = operations
            .iter()
            .filter_map(|operation| operation.hold_until)
            .max();
        let hold_ends = hold_ends.filter(|until| *until > now);
        let age = now.since(line.bound_at());
        let approval = match line.swapped_at {
            Some(_) => approval(moved),
            None => vec!["none"],
        };
        let mut reasons = Vec::new();
        if dispute {
            reasons.push("owner_disputes");
        }
        if line.frozen {
            reasons.push("line_frozen");
        }
        if hold_ends.is_some() {
            reasons.push("hold_in_force");
        }
        let fresh = line.swapped_at.is_some() && age < Duration::from_secs(72 * HOUR_S);
        let weak = approval
            .iter()
            .all(|how| matches!(*how, "none" | "unknown" | "dealer"));
        if fresh {
            reasons.push(if weak {
                "recent_swap_weakly_approved"
            } else {
                "recent_swap"
            });
        }
        if !line.forwarding.is_empty() {
            reasons.push("calls_forwarded");
        }
        let risk = match (dispute || line.frozen || (fresh && weak), reasons.is_empty()) {
            (true, _) => "high",
            (false, false) => "medium",
            (false, true) => "low",
        };
        Ok(SwapContext {
            sim_type: if line.sim == Sim::None { "none" } else { "esim" },
            age_band: age_band(age),
            cause: cause(line, moved),
            approval,
            hold_ends,
            open_dispute: dispute,
            frozen: line.frozen,
            risk,
            reasons,
        })
    }
}
