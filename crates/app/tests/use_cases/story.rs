//! One owner, one thief: the whole way of an operation on a real database.

use crate::house::House;
use simwarden_app::{Given, Outcome, OwnerAnswer};
use simwarden_model::{Channel, LockScope, OperationKind, OperationState, Role};

#[tokio::test]
async fn an_owner_moves_her_number_at_a_dealer_and_a_thief_does_not() {
    let house = House::build().await;
    let owner = house.person("Sok Dara", "85512345678").await;
    let agent = house.staff(Role::Agent, "shop-1").await;
    let supervisor = house.staff(Role::Supervisor, "shop-2").await;
    let device = house.device_of(&owner).await;

    let asked = house
        .ask(&agent, OperationKind::Replace, Channel::Shop, &owner)
        .await
        .unwrap();
    let seen = house.app.operation(&agent, asked.operation).await.unwrap();
    assert_eq!(seen.summary.state, OperationState::AwaitingEvidence, "{seen:#?}");

    // The same request under the same key gets the same answer, and another one is refused.
    let again = house
        .ask(&agent, OperationKind::TransferDevice, Channel::Shop, &owner)
        .await
        .unwrap();
    assert_ne!(again.operation, asked.operation);
    let denied = house.app.operation(&agent, again.operation).await.unwrap();
    assert_eq!(denied.summary.state, OperationState::Denied);
    assert!(
        denied.summary.reasons.contains(&"move_under_way".to_owned()),
        "{:?}",
        denied.summary.reasons
    );

    let own = house
        .app
        .give_proof(&agent, asked.operation, Given::SecondApprover)
        .await;
    assert_eq!(own.unwrap_err().code, "forbidden");
    let second = house
        .app
        .give_proof(&supervisor, asked.operation, Given::SecondApprover)
        .await
        .unwrap();
    assert_eq!(second, Outcome::Accepted);

    let questions = house.app.questions(&device).await.unwrap();
    assert_eq!(questions.len(), 1);
    let number = asked
        .match_number
        .expect("the requester's screen shows two digits");
    let answer = house
        .app
        .answer(&device, questions[0].id, OwnerAnswer::Yes(number))
        .await
        .unwrap();
    assert_eq!(answer, Outcome::Accepted);
    let seen = house.app.operation(&agent, asked.operation).await.unwrap();
    assert_eq!(seen.summary.state, OperationState::Executing, "{seen:#?}");
}

#[tokio::test]
async fn a_refusal_of_the_owner_freezes_the_line_for_everybody() {
    let house = House::build().await;
    let owner = house.person("Chan Thida", "85512345679").await;
    let agent = house.staff(Role::Agent, "shop-1").await;
    let device = house.device_of(&owner).await;
    let asked = house
        .ask(&agent, OperationKind::Replace, Channel::Shop, &owner)
        .await
        .unwrap();
    let question = house.app.questions(&device).await.unwrap().remove(0);
    house
        .app
        .answer(&device, question.id, OwnerAnswer::No)
        .await
        .unwrap();
    let seen = house.app.operation(&agent, asked.operation).await.unwrap();
    assert_eq!(seen.summary.state, OperationState::Frozen);
    let next = house
        .ask(&agent, OperationKind::Replace, Channel::Shop, &owner)
        .await
        .unwrap();
    let seen = house.app.operation(&agent, next.operation).await.unwrap();
    assert_eq!(seen.summary.state, OperationState::Denied);
    let again = house.app.answer(&device, question.id, OwnerAnswer::Yes(10)).await;
    assert_eq!(again.unwrap_err().code, "question_over");
}

#[tokio::test]
async fn a_wrong_number_ends_the_question_and_is_counted() {
    let house = House::build().await;
    let owner = house.person("Keo Bopha", "85512345670").await;
    let agent = house.staff(Role::Agent, "shop-1").await;
    let device = house.device_of(&owner).await;
    let asked = house
        .ask(&agent, OperationKind::Replace, Channel::Shop, &owner)
        .await
        .unwrap();
    let question = house.app.questions(&device).await.unwrap().remove(0);
    let wrong = if asked.match_number == Some(10) { 11 } else { 10 };
    let answer = house
        .app
        .answer(&device, question.id, OwnerAnswer::Yes(wrong))
        .await
        .unwrap();
    assert_eq!(answer, Outcome::Wrong);
    assert!(house.app.questions(&device).await.unwrap().is_empty());
    let seen = house.app.operation(&agent, asked.operation).await.unwrap();
    assert!(seen.timeline.iter().any(|item| item.kind == "evidence_failed"));
}

#[tokio::test]
async fn the_owners_lock_is_on_at_once_and_stops_every_role() {
    let house = House::build().await;
    let owner = house.person("Sok Dara", "85512345671").await;
    let device = house.device_of(&owner).await;
    let locked = house
        .ask(&device, OperationKind::Lock, Channel::App, &owner)
        .await
        .unwrap();
    let seen = house.app.operation(&device, locked.operation).await.unwrap();
    assert_eq!(seen.summary.state, OperationState::Completed, "{seen:#?}");
    let line = house.app.store().subscription(owner.line).await.unwrap().unwrap();
    assert_eq!(
        (line.lock_scope, line.lock_expires_at),
        (Some(LockScope::All), None)
    );
    for role in [Role::Agent, Role::Supervisor, Role::FraudAnalyst] {
        let staff = house.staff(role, "shop-1").await;
        let asked = house
            .ask(&staff, OperationKind::Replace, Channel::OwnedShop, &owner)
            .await
            .unwrap();
        let row = house
            .app
            .store()
            .operation(asked.operation)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(row.state, OperationState::Denied, "{role}");
    }
}
