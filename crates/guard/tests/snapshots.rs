//! A few whole decisions and texts, kept as they are read by the desk and the auditor.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use simwarden_guard::{Age, Brake, Engine, Facts, PackSource, Request};
use simwarden_model::{Channel, OperationKind, Role, Timestamp};

fn decide(
    operation: OperationKind,
    channel: Channel,
    role: Role,
    change: impl Fn(&mut Facts),
) -> serde_json::Value {
    let engine = Engine::load(&PackSource::built_in("kh-default").unwrap()).unwrap();
    let now = Timestamp::from_millis(1_796_115_600_000);
    let mut facts = Facts::unremarkable();
    facts.line.in_requesters_name = Some(true);
    facts.target.eid_known = Some(true);
    facts.target.eid_as_ordered = Some(true);
    facts.actor.interaction_authenticated = Some(true);
    facts.actor.terminal_known = Some(true);
    facts.actor.in_geofence = Some(true);
    facts.actor.in_shift = Some(true);
    facts.actor.has_ticket = Some(true);
    change(&mut facts);
    let request = Request {
        operation,
        channel,
        role,
        requested_at: now,
        now,
    };
    let mut decision = serde_json::to_value(engine.decide(&request, &facts, &Brake::default())).unwrap();
    decision["policy_hash"] = "(of the rules)".into();
    decision
}

#[test]
fn honest_replacement_in_the_app() {
    insta::assert_json_snapshot!(decide(
        OperationKind::Replace,
        Channel::App,
        Role::Subscriber,
        |f| {
            f.evidence.passkey = Some(true);
            f.evidence.passkey_age = Age::days(90);
        }
    ));
}

#[test]
fn thief_with_a_stolen_account() {
    insta::assert_json_snapshot!(decide(
        OperationKind::Replace,
        Channel::App,
        Role::Subscriber,
        |f| {
            f.line.contact_change_age = Age::hours(2);
            f.session.new_device = Some(true);
            f.session.password_reset_age = Age::hours(3);
            f.target.eid_known = Some(false);
        }
    ));
}

#[test]
fn thief_at_a_dealer() {
    insta::assert_json_snapshot!(decide(OperationKind::Replace, Channel::Shop, Role::Agent, |f| {
        f.claim.device_gone = Some(true);
        f.signals.old_device_attach_age = Age::Minutes(2);
        f.signals.failed_24h = Some(3);
        f.signals.failed_age = Age::hours(1);
    }));
}

#[test]
fn facts_that_nobody_knows() {
    insta::assert_json_snapshot!(serde_json::to_value(Facts::default()).unwrap()["line"]);
}
