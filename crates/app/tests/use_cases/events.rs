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

#[tokio::test]
async fn a_burst_of_bank_codes_is_counted_and_pauses_the_move() {
    let house = House::build().await;
    let owner = house.person("Sok Dara", "85512345678").await;
    let feed = house.staff(Role::Feed, "feed").await;
    let agent = house.staff(Role::Agent, "shop-1").await;
    let now = house.app.now().as_millis();
    let mut batch = String::new();
    // Six within the hour, in disorder; two before it; one that no bank sent.
    for (id, minutes, sender) in [
        (1, 50, "bank:aba"),
        (2, 3, "bank:aba"),
        (3, 70, "bank:aba"),
        (4, 2, "bank:acleda"),
        (5, 20, "bank:aba"),
        (6, 90, "bank:aba"),
        (7, 10, "bank:aba"),
        (8, 30, "bank:wing"),
        (9, 1, "shop"),
    ] {
        let ts = now - minutes * 60_000;
        let _ = writeln!(
            batch,
            "{{\"ts\":{ts},\"id\":{id},\"type\":\"otp_sms\",\"msisdn\":\"+85512345678\",\"sender\":\"{sender}\"}}"
        );
    }
    let report = house.app.accept_events(&feed, batch.as_bytes()).await.unwrap();
    assert_eq!((report.accepted, report.quarantined), (9, 0));
    let asked = house
        .ask(&agent, OperationKind::Replace, Channel::Shop, &owner)
        .await
        .unwrap();
    let decisions = house.app.store().decisions_of(asked.operation).await.unwrap();
    let facts = Facts::from_compact(&decisions[0].facts).unwrap();
    assert_eq!(facts.signals.otp_1h, Some(6));
    let row = asked.row.unwrap();
    assert!(row.rules.contains("otp_burst"), "{}", row.rules);
}
