//! Adding a bad fact, or losing a fact, never loosens a decision: for every pack, operation, role and channel.

use crate::brake::Brake;
use crate::cedar_oracle::Oracle;
use crate::decision::{Decision, OnTimeout, Verdict};
use crate::engine::Engine;
use crate::fact::{Datum, NEVER_MINUTES};
use crate::facts::{CATALOGUE, Facts};
use crate::pack::{PackSource, Shelf};
use crate::request::Request;
use crate::requirement::Requirement;
use proptest::prelude::*;
use simwarden_model::{Channel, OperationKind, Role, Timestamp};
use std::collections::BTreeSet;
use std::sync::LazyLock;
use std::time::Duration;

static ENGINES: LazyLock<Vec<Engine>> = LazyLock::new(|| {
    let shelf = Shelf::built_in().unwrap();
    let names: Vec<&str> = shelf.packs().map(|(name, _)| name).collect();
    let mut engines: Vec<Engine> = names
        .iter()
        .map(|name| Engine::load(&PackSource::built_in(name).unwrap()).unwrap())
        .collect();
    engines.push(Engine::load(&shelf.source(&names).unwrap()).unwrap());
    engines
});

static ORACLES: LazyLock<Vec<Oracle>> = LazyLock::new(|| ENGINES.iter().map(Oracle::new).collect());

/// What a decision asks that the stricter one does not; nothing when it is at least as strict.
fn looser(strict: &Decision, lax: &Decision) -> Option<String> {
    if strict.verdict < lax.verdict {
        return Some(format!("{} became {}", lax.verdict, strict.verdict));
    }
    if strict.verdict == Verdict::Deny {
        return None;
    }
    let still = |asked: &Requirement| strict.requirements.iter().any(|r| r.implies(asked));
    if let Some(lost) = lax.requirements.iter().find(|asked| !still(asked)) {
        return Some(format!("{lost} is no longer asked for"));
    }
    if strict.hold_until < lax.hold_until {
        return Some("the hold became shorter".into());
    }
    if lax.on_timeout == Some(OnTimeout::Cancel) && strict.on_timeout != lax.on_timeout {
        return Some("the hold no longer cancels".into());
    }
    if lax.restrictions.iter().any(|r| !strict.restrictions.contains(r))
        || lax.endings.iter().any(|e| !strict.endings.contains(e))
    {
        return Some("a restriction was lost".into());
    }
    if lax
        .rules
        .iter()
        .any(|rule| !strict.rules.contains(rule) && !rule.is_invariant())
    {
        return Some("a rule no longer applies".into());
    }
    let releasable = |d: &Decision| d.verdict == Verdict::Hold && !d.released_by.is_empty();
    if lax.verdict == Verdict::Hold && releasable(strict) && !releasable(lax) {
        return Some("a hold can now be released".into());
    }
    None
}

/// A value for a fact: mostly unremarkable, so that rules are met one by one.
fn facts() -> impl Strategy<Value = Facts> {
    let one = (0..CATALOGUE.len(), any::<bool>(), number());
    (prop::collection::vec(one, 0..40), any::<bool>(), any::<bool>()).prop_map(
        |(changes, proven, unknown)| {
            let mut facts = if unknown {
                Facts::default()
            } else {
                Facts::unremarkable()
            };
            if proven {
                for fact in CATALOGUE.iter().filter(|f| !f.kind.larger_is_worse()) {
                    let good = if fact.kind.is_flag() {
                        Datum::Flag(true)
                    } else {
                        Datum::Number(500_000)
                    };
                    (fact.set)(&mut facts, good);
                }
                facts.evidence.face_far_ppm = Some(10);
                facts.evidence.face_frr_ppm = Some(10);
                facts.actor.approver_is_requester = Some(false);
            }
            for (index, flag, number) in changes {
                let fact = &CATALOGUE[index];
                let datum = if fact.kind.is_flag() {
                    Datum::Flag(flag)
                } else {
                    Datum::Number(number)
                };
                (fact.set)(&mut facts, datum);
            }
            facts
        },
    )
}

fn number() -> impl Strategy<Value = i64> {
    prop_oneof![
        Just(NEVER_MINUTES),
        0..12_i64,
        Just(59),
        Just(60),
        0..1_500_i64,
        4_000..5_000_i64,
        10_000..10_200_i64,
        0..200_000_i64
    ]
}

fn request() -> impl Strategy<Value = Request> {
    (
        prop::sample::select(OperationKind::ALL),
        prop::sample::select(Role::ALL),
        prop::sample::select(Channel::ALL),
        prop_oneof![Just(0_u64), 0..100_u64],
    )
        .prop_map(|(operation, role, channel, hours)| {
            let requested_at = Timestamp::from_millis(1_796_115_600_000);
            Request {
                operation,
                role,
                channel,
                requested_at,
                now: requested_at.plus(Duration::from_secs(hours * 3_600)),
            }
        })
}

/// Makes one fact worse, or unknown; says whether anything changed.
fn worsen(facts: &mut Facts, index: usize, forget: bool, number: i64) -> bool {
    let before = *facts;
    let fact = &CATALOGUE[index];
    if forget {
        (fact.forget)(facts);
    } else {
        let worse = match (fact.seen)(facts) {
            Datum::Flag(_) => Datum::Flag(fact.kind.larger_is_worse()),
            Datum::Number(now) if fact.kind.larger_is_worse() => Datum::Number(now.max(number)),
            Datum::Number(now) => Datum::Number(now.min(number)),
        };
        (fact.set)(facts, worse);
    }
    before != *facts
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn a_worse_or_missing_fact_never_loosens(
        facts in facts(),
        request in request(),
        index in 0..CATALOGUE.len(),
        forget in any::<bool>(),
        number in number(),
        which in 0..ENGINES.len(),
    ) {
        let engine = &ENGINES[which];
        let brake = Brake::default();
        let mut worse = facts;
        worsen(&mut worse, index, forget, number);
        let (lax, strict) = (engine.decide(&request, &facts, &brake), engine.decide(&request, &worse, &brake));
        if let Some(what) = looser(&strict, &lax) {
            prop_assert!(false, "{:?} under {}: {what}\n{lax:?}\n{strict:?}", CATALOGUE[index], engine.name());
        }
    }

    #[test]
    fn invariants_hold_whatever_the_facts(facts in facts(), request in request(), which in 0..ENGINES.len()) {
        let decision = ENGINES[which].decide(&request, &facts, &Brake::default());
        let op = request.operation;
        if decision.verdict == Verdict::Allow && !op.protects() {
            prop_assert!(facts.signals.owner_refused == Some(false));
            prop_assert!(facts.lock.authority == Some(false));
            if op != OperationKind::Unlock {
                prop_assert!(facts.lock.owner_all == Some(false));
            }
            if op.moves_number() && op != OperationKind::PortOut {
                prop_assert!(facts.lock.owner_swap == Some(false));
            }
            if op.moves_number() && op != OperationKind::Recycle {
                prop_assert!(facts.signals.failed_24h.is_some_and(|n| n < 3)
                    || matches!(facts.signals.failed_age, crate::Age::Minutes(m) if m >= 1_439) || facts.signals.failed_age == crate::Age::Never);
                let e = facts.evidence;
                let some = |f: Option<bool>| f == Some(true);
                prop_assert!(
                    some(e.passkey) || some(e.totp) || some(e.owner_approval) || some(e.old_sim_confirm)
                    || some(e.call_back) || some(e.document_chip) || some(e.face) || e.fingers > Some(0)
                    || some(e.digital_id) || some(e.corporate_primary) || (some(e.document) && some(e.in_person))
                );
            }
        }
        if op == OperationKind::Lock {
            prop_assert!(matches!(decision.verdict, Verdict::Allow | Verdict::Deny));
        }
        prop_assert_eq!(decision.hold_until.is_some(), decision.verdict == Verdict::Hold);
        prop_assert_eq!(decision.on_timeout.is_some(), decision.verdict == Verdict::Hold);
        prop_assert!(decision.verdict != Verdict::StepUp || !decision.requirements.is_empty());
        prop_assert!(decision.verdict == Verdict::Allow || !decision.reasons.is_empty(), "{:?}", decision);
    }

    #[test]
    fn cedar_itself_finds_the_same_rules(facts in facts(), request in request(), which in 0..ENGINES.len()) {
        let decision = ENGINES[which].decide(&request, &facts, &Brake::default());
        let ours: BTreeSet<String> = decision.rules.iter().filter(|r| !r.is_invariant()).map(ToString::to_string).collect();
        let (permitted, cedars) = ORACLES[which].ask(&request, &facts);
        prop_assert_eq!(ours, cedars);
        let refused = decision.rules.iter().any(|r| r.as_str() == "invariant/not_permitted");
        prop_assert_eq!(permitted, !refused);
    }

    #[test]
    fn weak_proofs_change_nothing(facts in facts(), request in request(), which in 0..ENGINES.len()) {
        let mut weak = facts;
        weak.weak = crate::Weak {
            knowledge: true,
            call_log: true,
            recent_payment: true,
            sms_to_new_sim: true,
            device_numbers: true,
        };
        let brake = Brake::default();
        prop_assert_eq!(
            ENGINES[which].decide(&request, &facts, &brake),
            ENGINES[which].decide(&request, &weak, &brake)
        );
    }

    #[test]
    fn facts_and_decisions_read_what_they_write(facts in facts(), request in request()) {
        let text = serde_json::to_string(&facts).unwrap();
        prop_assert_eq!(serde_json::from_str::<Facts>(&text).unwrap(), facts);
        let decision = ENGINES[0].decide(&request, &facts, &Brake::default());
        let text = serde_json::to_string(&decision).unwrap();
        prop_assert_eq!(serde_json::from_str::<Decision>(&text).unwrap(), decision);
    }
}

#[test]
fn knowing_nothing_moves_nothing() {
    let now = Timestamp::from_millis(1_796_115_600_000);
    for engine in ENGINES.iter() {
        for operation in OperationKind::ALL.iter().filter(|op| op.moves_number()) {
            for role in Role::ALL {
                for channel in Channel::ALL {
                    let request = Request {
                        operation: *operation,
                        channel: *channel,
                        role: *role,
                        requested_at: now,
                        now,
                    };
                    let decision = engine.decide(&request, &Facts::default(), &Brake::default());
                    assert_eq!(decision.verdict, Verdict::Deny, "{request:?} {decision:?}");
                }
            }
        }
    }
}
