//! Events come in while operations run: counted exactly, and seen by the next decision.

use crate::house::House;
use simwarden_guard::{Age, Facts};
use simwarden_model::{Channel, OperationKind, Role};
use std::fmt::Write as _;

#[tokio::test]
async fn counts_are_exact_whatever_comes_twice_or_broken() {
    let house = House::build().await;
    let feed = house.staff(Role::Feed, "feed").await;
    let mut batch = String::new();
    for n in 0..5_000 {
        let _ = writeln!(
            batch,
            "{{\"ts\":{},\"id\":{},\"type\":\"sms\",\"msisdn\":\"855123{:05}\"}}",
            1_767_225_600_000_u64 + n,
            n,
            n
        );
        if n % 10 == 0 {
            let _ = writeln!(batch, "{{\"ts\":1,\"id\":{n},\"type\":\"sms\"}}");
        }
        if n % 100 == 0 {
            let _ = writeln!(batch, "{{\"ts\":\"x\"}}");
        }
    }
    let first = house.app.accept_events(&feed, batch.as_bytes()).await.unwrap();
    assert_eq!(
        (first.accepted, first.duplicate, first.quarantined),
        (5_000, 500, 50)
    );
    assert_eq!(first.problems.len(), 50);
    let again = house.app.accept_events(&feed, batch.as_bytes()).await.unwrap();
    assert_eq!(
        (again.accepted, again.duplicate, again.quarantined),
        (0, 5_500, 50)
    );
    assert_eq!(house.app.store().event_counts().await.unwrap(), (5_000, 100));

    let agent = house.staff(Role::Agent, "shop").await;
    assert_eq!(
        house
            .app
            .accept_events(&agent, batch.as_bytes())
            .await
            .unwrap_err()
            .code,
        "forbidden"
    );
}

#[tokio::test]
async fn a_decision_sees_that_the_old_phone_was_attached_two_minutes_ago() {
    let house = House::build().await;
    let owner = house.person("Sok Dara", "85512345678").await;
    let feed = house.staff(Role::Feed, "feed").await;
    let agent = house.staff(Role::Agent, "shop-1").await;
    let at = house.app.now().as_millis() - 2 * 60_000 - 5_000;
    for (id, ts) in [(1, at - 600_000), (2, at), (3, at - 60_000)] {
        let event = format!("{{\"ts\":{ts},\"id\":{id},\"type\":\"attach\",\"msisdn\":\"+85512345678\"}}");
        assert_eq!(
            house
                .app
                .accept_events(&feed, event.as_bytes())
                .await
                .unwrap()
                .accepted,
            1
        );
    }
    let asked = house
        .ask(&agent, OperationKind::Replace, Channel::Shop, &owner)
        .await
        .unwrap();
    let decision = house
        .app
        .store()
        .decisions_of(asked.operation)
        .await
        .unwrap()
        .remove(0);
    let facts = Facts::from_compact(&decision.facts).unwrap();
    assert_eq!(facts.signals.old_device_attach_age, Age::Minutes(2));
}
