//! Gathers the facts of one operation: everything that the guard may look at, once, as plain data.
//!
//! Three kinds of sources: rows (the line, its owner, its signals, the agent's record), proofs given for this very
//! operation, and what the requester's own system says of the request ([`RequestContext`]). What that system was to
//! say and did not stays unknown, which the guard reads as the worst. Facts of sources that this installation does
//! not have (alerts of the detection, the device register) are entered as unremarkable, and become real with them.

use crate::operation::{KeptContext, LineView};
use crate::proof::{self, Proof};
use crate::world::{DAY, World};
use simwarden_guard::{Age, Facts};
use simwarden_model::{
    Channel, Claim, LineKind, LockScope, LockSetter, OperationKind, PartyClass, PartyKind, Role,
    SubscriptionState, Timestamp,
};
use simwarden_store::BlindIndex;
use simwarden_store::records::operation::Operation;
use std::time::Duration;

/// What facts are gathered from.
pub(crate) struct Sources<'a> {
    pub operation: &'a Operation,
    pub context: &'a KeptContext,
    pub proofs: &'a [Proof],
    pub line: Option<&'a LineView<'a>>,
    /// The chip that the profile shall go to.
    pub target: Option<BlindIndex>,
    /// The phone.
    pub target_imei: Option<BlindIndex>,
    /// Since when the requester's token exists.
    pub requester_since: Timestamp,
    pub world: &'a World,
    pub now: Timestamp,
}

fn count(n: usize) -> Option<u32> {
    Some(u32::try_from(n).unwrap_or(u32::MAX))
}

fn newest(a: Option<Timestamp>, b: Option<Timestamp>) -> Option<Timestamp> {
    a.max(b)
}

/// The facts of an operation, now.
pub(crate) fn gather(from: &Sources<'_>) -> Facts {
    let mut facts = Facts::unremarkable();
    line(from, &mut facts);
    subscriber(from, &mut facts);
    actor(from, &mut facts);
    session(from, &mut facts);
    signals(from, &mut facts);
    target(from, &mut facts);
    claim(from, &mut facts);
    proof::enter(
        from.proofs,
        from.operation.actor,
        from.operation.shop.as_deref(),
        from.now,
        &mut facts,
    );
    if from.context.said.customer_present == Some(true)
        && matches!(from.operation.channel, Channel::Shop | Channel::OwnedShop)
    {
        facts.evidence.in_person = Some(true);
    }
    let weak = &from.context.said.weak;
    facts.weak.knowledge = weak.knowledge;
    facts.weak.call_log = weak.call_log;
    facts.weak.recent_payment = weak.recent_payment;
    facts.weak.sms_to_new_sim = weak.sms_to_new_sim;
    facts.weak.device_numbers = weak.device_numbers;
    facts
}

fn line(from: &Sources<'_>, facts: &mut Facts) {
    let now = from.now;
    let Some(view) = from.line else { return };
    let row = view.row;
    let signal = view.signal;
    facts.line.prepaid = Some(row.kind == LineKind::Prepaid);
    facts.line.postpaid = Some(row.kind == LineKind::Postpaid);
    facts.line.limit_exempt = Some(matches!(
        row.kind,
        LineKind::DataOnly | LineKind::Iot | LineKind::Corporate
    ));
    facts.line.grandfathered = Some(false);
    facts.line.frozen = Some(row.frozen_at.is_some());
    facts.line.suspended = Some(row.state == SubscriptionState::Suspended);
    facts.line.in_requesters_name = from.context.in_requesters_name;
    facts.line.unregistered = Some(row.msisdn_idx.is_none());
    facts.line.registration_age = Age::at(now, Some(row.opened_at));
    facts.line.swap_age = Age::at(now, newest(row.swapped_at, signal.swap_at));
    facts.line.device_change_age = Age::at(now, newest(row.device_changed_at, signal.imei_changed_at));
    facts.line.contact_change_age = Age::at(now, newest(row.contact_changed_at, signal.contact_at));
    facts.line.owner_change_age = Age::at(now, row.owner_changed_at);
    facts.line.port_in_age = Age::at(now, row.port_at);
    facts.line.unlock_age = Age::at(now, row.unlocked_at);
    facts.line.given_up_age = Age::at(now, row.quarantined_at);
    let other = from
        .world
        .exclusive
        .get(&row.id)
        .is_some_and(|open| *open != from.operation.id);
    facts.line.other_operation_open = Some(other);

    if let (Some(scope), Some(setter)) = (row.lock_scope, row.lock_setter)
        && row.lock_expires_at.is_none_or(|end| end > now)
    {
        let lock = &mut facts.lock;
        match (setter, scope) {
            (LockSetter::Owner, LockScope::Swap) => lock.owner_swap = Some(true),
            (LockSetter::Owner, LockScope::Port) => lock.owner_port = Some(true),
            (LockSetter::Owner, LockScope::All) => lock.owner_all = Some(true),
            (LockSetter::Operator, LockScope::Swap) => lock.operator_swap = Some(true),
            (LockSetter::Operator, LockScope::Port) => lock.operator_port = Some(true),
            (LockSetter::Operator, LockScope::All) => {
                lock.operator_swap = Some(true);
                lock.operator_port = Some(true);
            }
            (LockSetter::Authority, _) => lock.authority = Some(true),
        }
    }
}

fn subscriber(from: &Sources<'_>, facts: &mut Facts) {
    let Some(party) = from.world.parties.get(&from.operation.party_id) else {
        return;
    };
    let s = &mut facts.subscriber;
    s.corporate = Some(party.kind == PartyKind::Company || party.class == PartyClass::Corporate);
    s.minor = Some(party.class == PartyClass::Minor);
    s.tourist = Some(party.class == PartyClass::Tourist);
    s.foreigner = Some(matches!(party.class, PartyClass::Foreigner | PartyClass::Tourist));
    s.machine = Some(party.class == PartyClass::Iot);
    s.vulnerable = Some(party.class == PartyClass::Vulnerable);
    s.high_value = Some(party.class == PartyClass::HighValue);
    s.survivor = Some(party.class == PartyClass::Survivor);
    s.identity_flagged = Some(party.flagged);
    let lines = party
        .doc_idx
        .and_then(|document| from.world.document_lines.get(&document));
    let total = |own: Option<&str>| {
        lines.map_or(0, |lines| {
            lines
                .iter()
                .filter(|(operator, _)| own.is_none_or(|own| own == operator))
                .map(|(_, n)| n)
                .sum::<i64>()
        })
    };
    s.lines_on_document = Some(u32::try_from(total(None)).unwrap_or(u32::MAX));
    s.lines_at_operator = Some(u32::try_from(total(Some(&party.operator))).unwrap_or(u32::MAX));
}

fn actor(from: &Sources<'_>, facts: &mut Facts) {
    let said = &from.context.said;
    let a = &mut facts.actor;
    if matches!(
        from.operation.actor_role,
        Role::Agent | Role::Supervisor | Role::Hotline | Role::FraudAnalyst
    ) {
        // What the shop's system must say. Silence is read as the worst.
        a.interaction_authenticated = said.interaction_authenticated;
        a.has_ticket = said.has_ticket;
        a.looked_before_authenticated = said.looked_before_authenticated.or(Some(false));
        a.in_geofence = said.in_geofence;
        a.in_shift = said.in_shift;
        a.terminal_known = said.terminal_known;
        a.out_of_district = said.out_of_district.or(Some(false));
        a.is_override = said.is_override.or(Some(false));
    }
    if let Some(moves) = from.world.moves.get(&from.operation.actor) {
        let hour = from.now.minus(Duration::from_secs(3600));
        a.operations_1h = count(moves.iter().filter(|at| **at > hour).count());
        a.operations_24h = count(moves.iter().filter(|at| **at > from.now.minus(DAY)).count());
        a.terminal_success_age = Age::at(from.now, moves.first().copied());
    }
    if let Some(target) = from.target
        && let Some(on_chip) = from.world.on_chip.get(&target)
    {
        let mut lines: Vec<_> = on_chip
            .iter()
            .filter(|p| p.subscription_id != from.operation.subscription_id)
            .filter_map(|p| p.subscription_id)
            .collect();
        lines.sort();
        lines.dedup();
        a.same_target_lines = count(lines.len());
    }
}

fn session(from: &Sources<'_>, facts: &mut Facts) {
    if from.operation.actor_role != Role::Subscriber {
        return;
    }
    let signal = from.line.map(|view| view.signal).unwrap_or_default();
    let s = &mut facts.session;
    // A device that was enrolled within the last three days is a new one, whatever its owner says.
    s.new_device = Some(from.now.since(from.requester_since) < 3 * DAY);
    // A subscriber's own word that all is well is none; that it is not, is taken.
    s.new_network = from.context.said.new_network.filter(|new| *new);
    s.country_mismatch = from.context.said.country_mismatch.or(Some(false));
    s.password_leaked = from.context.said.password_leaked.or(Some(false));
    let mut password_at = signal.password_reset_at;
    let mut factor_at = signal.factor_added_at;
    if let Some(signs) = &from.context.signs {
        // A session of our own: what was seen of it is known, whatever the asker says.
        s.new_network = Some(signs.new_network || s.new_network == Some(true));
        s.country_mismatch = Some(signs.new_country || s.country_mismatch == Some(true));
        s.password_leaked = Some(signs.password_leaked || s.password_leaked == Some(true));
        password_at = newest(password_at, signs.password_at);
        factor_at = newest(factor_at, signs.factor_added_at);
    }
    s.password_reset_age = Age::at(from.now, password_at);
    s.factor_added_age = Age::at(from.now, factor_at);
}

fn signals(from: &Sources<'_>, facts: &mut Facts) {
    let Some(view) = from.line else { return };
    let signal = view.signal;
    let s = &mut facts.signals;
    s.old_device_attach_age = Age::at(from.now, signal.attach_at);
    s.forwarding_age = Age::at(from.now, newest(view.row.forwarding_at, signal.forwarding_at));
    let hour_ago = from.now.minus(Duration::from_secs(3600));
    s.otp_1h = Some(signal.bank_otps.after(hour_ago));
    let (failed, last) = from.world.attempts.get(&view.row.id).copied().unwrap_or_default();
    s.failed_24h = Some(u32::try_from(failed).unwrap_or(u32::MAX));
    s.failed_age = Age::at(from.now, (failed > 0).then_some(last));
    s.call_in_progress = from.context.said.call_in_progress.or(Some(false));
    let questions = from.world.questions.get(&from.operation.id);
    let ten_minutes_ago = from.now.minus(Duration::from_secs(600));
    s.prompts_10m =
        count(questions.map_or(0, |q| q.iter().filter(|a| a.created_at > ten_minutes_ago).count()));
    s.owner_refused = Some(questions.is_some_and(|q| {
        q.iter()
            .any(|a| a.state == simwarden_model::ApprovalState::Refused)
    }));
}

fn target(from: &Sources<'_>, facts: &mut Facts) {
    // What is ordered now is what is asked for now; the download of the profile compares again.
    facts.target.eid_as_ordered = Some(true);
    let Some(chip) = from.target else { return };
    let on_chip = from.world.on_chip.get(&chip).map_or(&[][..], Vec::as_slice);
    let own = |p: &&simwarden_store::records::profile::Profile| {
        p.subscription_id.is_some() && p.subscription_id == from.operation.subscription_id
    };
    let t = &mut facts.target;
    t.eid_known = Some(on_chip.iter().any(|p| own(&p)));
    let strangers = on_chip
        .iter()
        .filter(|p| p.subscription_id.is_some() && !own(p) && p.live)
        .count();
    t.eid_other_owners = count(strangers);
    let day_ago = from.now.minus(DAY);
    t.eid_lines_24h = count(
        on_chip
            .iter()
            .filter(|p| p.created_at > day_ago && !own(p))
            .count(),
    );
    if let Some(imei) = from.target_imei {
        let seen = from
            .line
            .is_some_and(|view| view.profiles.iter().any(|p| p.imei_idx == Some(imei)));
        t.imei_changed = Some(!seen);
    }
    t.forward_to_stranger = from.context.said.forward_to_stranger.or(Some(false));
}

fn claim(from: &Sources<'_>, facts: &mut Facts) {
    let gone = matches!(from.operation.claim, Some(Claim::Lost | Claim::Stolen));
    facts.claim.device_gone = Some(gone);
    facts.claim.device_broken = Some(from.operation.claim == Some(Claim::Broken));
    facts.claim.old_sim_gone = Some(gone && from.operation.kind == OperationKind::Replace);
    if from.operation.kind == OperationKind::SetForwarding {
        // A subscriber's own word that all is well is none.
        let own = from.operation.actor_role == Role::Subscriber;
        let said = from
            .context
            .said
            .forward_to_stranger
            .filter(|stranger| *stranger || !own);
        facts.target.forward_to_stranger = said.or(Some(true));
    }
}
