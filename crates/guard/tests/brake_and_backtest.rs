//! The brake disarms a rule that hits too many; a back-test counts what a candidate would change; packs differ as said.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use simwarden_guard::{
    Age, Brake, Engine, Facts, Outcome, PackFile, PackSource, Record, Request, SAMPLE_MIN, Verdict, backtest,
    diff,
};
use simwarden_model::{Channel, OperationId, OperationKind, Role, Timestamp};

fn request(operation: OperationKind) -> Request {
    let now = Timestamp::from_millis(1_796_115_600_000);
    Request {
        operation,
        channel: Channel::App,
        role: Role::Subscriber,
        requested_at: now,
        now,
    }
}

fn engine(pack: &str, more: &[(&str, &str)]) -> Engine {
    let mut source = PackSource::built_in(pack).unwrap();
    source.rules.extend(more.iter().map(|(path, text)| PackFile {
        path: (*path).to_owned(),
        text: (*text).to_owned(),
    }));
    Engine::load(&source).unwrap()
}

fn honest() -> Facts {
    let mut facts = Facts::unremarkable();
    facts.line.in_requesters_name = Some(true);
    facts.target.eid_known = Some(true);
    facts.target.eid_as_ordered = Some(true);
    facts.evidence.passkey = Some(true);
    facts.evidence.passkey_age = Age::days(100);
    facts
}

const HASTY: &str = "@text(\"Written in a hurry.\")\n@effect(\"deny\")\n@reason(\"line_frozen\")\n@source(\"test\")\n\
                     @max_share(\"0.05\")\nforbid (principal, action in Action::\"moves_number\", resource)\n\
                     when { context.line.swap_age > 0 || true };";

#[test]
fn a_rule_that_hits_everybody_disarms_and_alarms_once() {
    let hasty = HASTY.replace(
        "context.line.swap_age > 0 || true",
        "context.line.swap_age < 99999999999",
    );
    let engine = engine("base", &[("house/hasty.cedar", &hasty)]);
    let (request, facts) = (request(OperationKind::Replace), honest());
    let mut brake = Brake::default();
    let mut alarms = Vec::new();
    for round in 0..SAMPLE_MIN + 50 {
        let decision = engine.decide(&request, &facts, &brake);
        let expected = if round < SAMPLE_MIN {
            Verdict::Deny
        } else {
            Verdict::Allow
        };
        assert_eq!(decision.verdict, expected, "round {round}");
        assert_eq!(decision.disarmed.len(), usize::from(round >= SAMPLE_MIN));
        alarms.extend(brake.observe(&engine, &request, &decision));
    }
    assert_eq!(alarms.len(), 1);
    assert_eq!(alarms[0].rule.as_str(), "house/hasty");
    assert!(alarms[0].share > 0.99);

    let kept: Brake = serde_json::from_str(&serde_json::to_string(&brake).unwrap()).unwrap();
    assert_eq!(kept, brake);
    brake.arm(&alarms[0].rule);
    assert_eq!(engine.decide(&request, &facts, &brake).verdict, Verdict::Deny);
}

#[test]
fn the_brake_does_not_reach_invariants() {
    let engine = engine("base", &[]);
    let mut facts = honest();
    facts.lock.owner_all = Some(true);
    let mut brake = Brake::default();
    for _ in 0..SAMPLE_MIN * 2 {
        let decision = engine.decide(&request(OperationKind::Replace), &facts, &brake);
        assert_eq!(decision.verdict, Verdict::Deny);
        assert!(
            brake
                .observe(&engine, &request(OperationKind::Replace), &decision)
                .is_empty()
        );
    }
}

#[test]
fn a_back_test_counts_honest_delays_and_thefts() {
    let old = engine("base", &[]);
    let new = engine("kh-default", &[]);
    let mut thief = honest();
    thief.evidence.passkey_age = Age::days(5);
    thief.session.new_device = Some(true);
    let record = |n: u8, facts: Facts, outcome: Outcome| Record {
        operation_id: OperationId::from_bytes([n; 16]),
        request: request(OperationKind::Replace),
        facts,
        verdict: old
            .decide(&request(OperationKind::Replace), &facts, &Brake::default())
            .verdict,
        outcome,
    };
    let records = [
        record(1, honest(), Outcome::Honest),
        record(2, thief, Outcome::Theft),
        record(3, thief, Outcome::Honest),
    ];
    let report = backtest(&records, &new);
    assert_eq!((report.decided, report.honest, report.thefts), (3, 2, 1));
    assert_eq!(
        (
            report.thefts_stopped,
            report.thefts_newly_stopped,
            report.thefts_let_through
        ),
        (1, 1, 0)
    );
    assert_eq!((report.honest_delayed_more, report.honest_delayed_less), (1, 0));
    assert_eq!(report.moved["allow>hold"], 2);
    assert_eq!(report.changes.len(), 2);
    let back = backtest(&records, &old);
    assert!(back.moved.is_empty() && back.changes.is_empty());
}

#[test]
fn packs_differ_as_said_and_hash_otherwise() {
    let old = engine(
        "base",
        &[(
            "house/hasty.cedar",
            &HASTY.replace("context.line.swap_age > 0 || true", "context.line.frozen"),
        )],
    );
    let new = engine(
        "base",
        &[
            (
                "house/hasty.cedar",
                &HASTY
                    .replace("context.line.swap_age > 0 || true", "context.line.suspended")
                    .replace("0.05", "0.06"),
            ),
            (
                "house/next.cedar",
                &HASTY.replace("context.line.swap_age > 0 || true", "context.line.frozen"),
            ),
        ],
    );
    let found = diff(&old, &new);
    assert_eq!(found.added.len(), 1);
    assert_eq!(found.changed.len(), 1);
    assert_eq!(found.changed[0].1.len(), 2, "{:?}", found.changed);
    assert_eq!(diff(&new, &old).removed, found.added);
    assert_ne!(old.policy_hash(), new.policy_hash());
    assert_eq!(old.policy_hash().len(), 64);
}

#[test]
fn an_operation_is_explained_in_words() {
    let engine = engine("kh-default", &[]);
    let explanation = engine.explain(OperationKind::PortOut);
    let text = explanation.to_string();
    for said in [
        "Who may ask",
        "six hours",
        "Anatel",
        "released by owner_approval|old_sim_confirm",
        "no law claimed",
    ] {
        assert!(text.contains(said), "{said} is missing in {text}");
    }
    assert!(
        explanation
            .rules
            .iter()
            .all(|rule| !rule.text.is_empty() && !rule.asked_by.is_empty())
    );
    assert!(!text.contains("recycle"));
}

#[test]
fn emergency_calls_have_no_name_among_services() {
    use simwarden_guard::Service;
    assert!(
        Service::ALL
            .iter()
            .all(|service| !service.as_str().contains("emergency"))
    );
    assert!("emergency".parse::<Service>().is_err());
}
