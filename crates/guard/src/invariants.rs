//! What no policy can switch off. Applied to every decision after the rules; a pack that tries to get round them is
//! refused when it is loaded.
//!
//! 1. Whoever moves a number proves to be its owner: knowledge questions, call logs, recent payments and an SMS to the
//!    new SIM have no word among the factors, so they never suffice.
//! 2. Failed challenges count over all channels, and a later success does not erase them.
//! 3. An owner's lock stops every role until the unlock ceremony; an order of an authority stops everything.
//! 4. A change of contact holds a move, and the old contact is told.
//! 5. Nobody approves what they asked for.
//! 6. Emergency calls are never restricted: [`crate::Service`] has no word for them.
//! 7. The owner's refusal ends the operation.
//! 8. What only protects is never delayed.
//! 9. Readers, feeds and administrators ask for no operation.

use crate::decision::{Notify, OnTimeout, Referral};
use crate::draft::{Draft, Weight};
use crate::engine::Engine;
use crate::fact::{Datum, Kind, Stored};
use crate::facts::Facts;
use crate::problem::{Problem, line_with};
use crate::request::Request;
use crate::requirement::{Factor, Requirement, SETTLED};
use simwarden_model::{Channel, OperationKind, ReasonCode, Role, Timestamp};
use std::sync::LazyLock;

/// Part of the policy hash; raise it with every change of what an invariant does.
pub(crate) const VERSION: &[u8] = b"simwarden invariants 1\n";

/// So many failed challenges within 24 hours force a pause.
pub const FAILURES_MAX: i64 = 3;
/// How long a failed challenge counts, in minutes.
const FAILURE_MINUTES: i64 = 24 * 60;

/// Every reason that an invariant can give.
pub const REASONS: &[&str] = &[
    "not_permitted",
    "rule_failed",
    "no_answer",
    "owner_refused",
    "owner_lock",
    "authority_lock",
    "unlock_owner_only",
    "unlock_ceremony",
    "owner_proof_needed",
    "too_many_failures",
    "recent_contact_change",
    "self_approval",
];

/// Roles that read or run the installation and decide nothing about a line.
const NEVER_ASK: &[Role] = &[Role::Auditor, Role::Feed, Role::Admin];

const PAPER_AT_COUNTER: [Factor; 2] = [Factor::InPerson, Factor::Document];

/// Any one of these ties a move to the owner. The least of it; packs ask for more.
static OWNER_PROOF: LazyLock<Requirement> = LazyLock::new(|| {
    let face = Factor::Face {
        far_ppm_max: None,
        frr_ppm_max: None,
        pad_level_min: None,
    };
    let finger = Factor::Fingers {
        count: 1,
        chosen: false,
        live: false,
    };
    Requirement::any_of(&[
        Factor::Passkey,
        Factor::Totp,
        Factor::OwnerApproval,
        Factor::OldSimConfirm,
        Factor::CallBack,
        Factor::DocumentChip,
        face,
        finger,
        Factor::DigitalId,
        Factor::CorporatePrimary,
    ])
    .or(&PAPER_AT_COUNTER)
});

/// To take away an owner's lock: a passkey and a second channel, or the person with a document and a body.
static UNLOCK_CEREMONY: LazyLock<Requirement> = LazyLock::new(|| {
    let face = Factor::Face {
        far_ppm_max: None,
        frr_ppm_max: None,
        pad_level_min: None,
    };
    let finger = Factor::Fingers {
        count: 1,
        chosen: false,
        live: false,
    };
    Requirement::any_of(&[])
        .or(&[Factor::Passkey, Factor::OwnerApproval])
        // Two proofs of different kinds, both from devices that were enrolled long ago.
        .or(&[Factor::Totp, Factor::OwnerApproval])
        .or(&[Factor::Passkey, Factor::OldSimConfirm])
        .or(&[Factor::InPerson, Factor::DocumentChip])
        .or(&[Factor::InPerson, Factor::Document, face])
        .or(&[Factor::InPerson, Factor::Document, finger])
        .or(&[Factor::DigitalId, Factor::OwnerApproval])
});

/// Whether the operation only makes the line safer and comes from somebody for whom it may not be delayed.
pub(crate) fn never_delayed(request: &Request) -> bool {
    delay_forbidden(request.operation, request.role)
}

const fn delay_forbidden(operation: OperationKind, role: Role) -> bool {
    match operation {
        OperationKind::Lock => true,
        OperationKind::Suspend => matches!(role, Role::Subscriber),
        _ => false,
    }
}

/// Adds what the invariants say to what the rules said.
pub(crate) fn apply(draft: &mut Draft, request: &Request, facts: &Facts) {
    if NEVER_ASK.contains(&request.role) {
        draft.deny("invariant/never_ask", ReasonCode::from_static("not_permitted"));
    }
    if bad(facts.signals.owner_refused) && !request.operation.protects() {
        draft.deny(
            "invariant/owner_refused",
            ReasonCode::from_static("owner_refused"),
        );
    }
    locks(draft, request, facts);
    if needs_owner(request.operation) && draft.require(&OWNER_PROOF, facts) {
        draft.name("invariant/owner_proof");
        draft.reason(Weight::StepUp, ReasonCode::from_static("owner_proof_needed"));
    }
    failures(draft, request, facts);
    contact(draft, request, facts);
    if draft.waits_for_approver() && bad(facts.actor.approver_is_requester) {
        draft.name("invariant/self_approval");
        draft.reason(Weight::StepUp, ReasonCode::from_static("self_approval"));
    }
}

/// Unknown risk flags count as true.
fn bad(flag: Option<bool>) -> bool {
    flag != Some(false)
}

fn number<T: Stored>(fact: T, kind: Kind) -> i64 {
    match fact.seen(kind) {
        Datum::Number(number) => number,
        Datum::Flag(_) => 0,
    }
}

const fn needs_owner(operation: OperationKind) -> bool {
    use OperationKind::{Issue, PortOut, Replace, TransferDevice, TransferOwner};
    matches!(
        operation,
        Issue | Replace | TransferDevice | TransferOwner | PortOut
    )
}

fn locks(draft: &mut Draft, request: &Request, facts: &Facts) {
    use OperationKind::{PortOut, Unlock};
    if request.operation.protects() {
        return;
    }
    let lock = &facts.lock;
    if bad(lock.authority) {
        draft.deny(
            "invariant/authority_lock",
            ReasonCode::from_static("authority_lock"),
        );
        draft.refer(Referral::Authority);
    }
    let owner_locked = bad(lock.owner_all) || bad(lock.owner_swap) || bad(lock.owner_port);
    if request.operation == Unlock {
        if owner_locked {
            unlock(draft, request, facts);
        }
        return;
    }
    let stops = bad(lock.owner_all)
        || (bad(lock.owner_swap) && request.operation.moves_number() && request.operation != PortOut)
        || (bad(lock.owner_port) && request.operation == PortOut);
    if stops {
        draft.deny("invariant/owner_lock", ReasonCode::from_static("owner_lock"));
        draft.tell(&[Notify::OldSim, Notify::App, Notify::Contact]);
    }
}

fn unlock(draft: &mut Draft, request: &Request, facts: &Facts) {
    let owner_present = matches!(
        (request.role, request.channel),
        (Role::Subscriber, Channel::App | Channel::Web)
            | (Role::Agent | Role::Supervisor, Channel::OwnedShop)
    );
    if !owner_present {
        draft.deny(
            "invariant/unlock_owner_only",
            ReasonCode::from_static("unlock_owner_only"),
        );
        draft.refer(Referral::OwnedShop);
    }
    if draft.require(&UNLOCK_CEREMONY, facts) {
        draft.name("invariant/unlock_ceremony");
        draft.reason(Weight::StepUp, ReasonCode::from_static("unlock_ceremony"));
    }
}

fn failures(draft: &mut Draft, request: &Request, facts: &Facts) {
    use OperationKind::{ChangeContact, Recycle, SetForwarding, Unlock};
    let guarded = request.operation.moves_number() && request.operation != Recycle
        || matches!(request.operation, ChangeContact | SetForwarding | Unlock);
    if !guarded || number(facts.signals.failed_24h, Kind::RiskCount) < FAILURES_MAX {
        return;
    }
    let age = number(facts.signals.failed_age, Kind::RecentRisk);
    let until = minutes_from(request.now, (FAILURE_MINUTES - age).max(1));
    if draft
        .hold(until, OnTimeout::Proceed, None, request, facts)
        .is_some()
    {
        draft.name("invariant/failed_challenges");
        draft.reason(Weight::Hold, ReasonCode::from_static("too_many_failures"));
        draft.tell(&[Notify::OldSim, Notify::App, Notify::Contact, Notify::FraudDesk]);
    }
}

fn contact(draft: &mut Draft, request: &Request, facts: &Facts) {
    let moves = request.operation.moves_number() && request.operation != OperationKind::Recycle;
    if moves {
        draft.tell(&[Notify::OldSim, Notify::App, Notify::Contact]);
    }
    if request.operation == OperationKind::ChangeContact {
        draft.tell(&[Notify::OldContact, Notify::OldSim, Notify::App]);
    }
    let left = i64::from(SETTLED.minutes()) - number(facts.line.contact_change_age, Kind::RecentRisk);
    if left <= 0 {
        return;
    }
    draft.tell(&[Notify::OldContact]);
    let until = minutes_from(request.now, left);
    if moves
        && draft
            .hold(until, OnTimeout::Proceed, None, request, facts)
            .is_some()
    {
        draft.name("invariant/contact_change");
        draft.reason(Weight::Hold, ReasonCode::from_static("recent_contact_change"));
    }
}

fn minutes_from(now: Timestamp, minutes: i64) -> Timestamp {
    let seconds = u64::try_from(minutes).unwrap_or(0).saturating_mul(60);
    now.plus(std::time::Duration::from_secs(seconds))
}

impl Engine {
    /// Finds rules that would break an invariant if they were in force.
    pub(crate) fn refuse_what_breaks_invariants(&self, problems: &mut Vec<Problem>) {
        for operation in OperationKind::ALL {
            for role in Role::ALL {
                for channel in Channel::ALL {
                    for rule in self.rules_for(*operation, *role, *channel) {
                        let file = format!("{}.cedar", rule.id);
                        let line = |word: &str| {
                            let text = rule.policy.to_string();
                            line_with(&text, word)
                        };
                        if rule.is_permit() && NEVER_ASK.contains(role) {
                            problems.push(Problem::new(
                                &file,
                                line("permit"),
                                "permits operations to auditor, feed or admin, who may never ask for one; name the \
                                 roles: `principal == Role::\"agent\"`",
                            ));
                        }
                        let delays = rule.clauses.iter().any(crate::effect::Clause::delays);
                        if delays && delay_forbidden(*operation, *role) {
                            problems.push(Problem::new(
                                &file,
                                line("@effect"),
                                format!(
                                    "would delay `{operation}`, which only protects and is never delayed; name the \
                                     actions, or all that do more than protect: `action in Action::\"sensitive\"`"
                                ),
                            ));
                        }
                    }
                }
            }
        }
    }
}
