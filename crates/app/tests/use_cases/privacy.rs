//! What a thief of the database, or of its backup, does not find in it; and what is left of a person who was erased.

use crate::house::{House, OPERATOR};
use sha2::{Digest as _, Sha256};
use simwarden_app::{Actor, NewToken, token_hash};
use simwarden_ledger::leaf_hash;
use simwarden_model::{Channel, OperationKind, Role, SubscriptionState};
use std::time::Duration;

const NAME: &str = "Chea Sophorn Vattanak";
const NUMBER: &str = "85517555123";

fn holds(hay: &[u8], needle: &[u8]) -> bool {
    hay.windows(needle.len()).any(|window| window == needle)
}

#[tokio::test]
async fn a_stolen_database_tells_no_name_no_number_and_no_hash_of_them() {
    let house = House::build().await;
    let owner = house.person(NAME, NUMBER).await;
    let agent = house.staff(Role::Agent, "shop-1").await;
    house
        .ask(&agent, OperationKind::Replace, Channel::Shop, &owner)
        .await
        .unwrap();
    house
        .ask(&agent, OperationKind::ChangeContact, Channel::Shop, &owner)
        .await
        .unwrap();
    let feed = house.staff(Role::Feed, "feed").await;
    let event = format!(
        "{{\"ts\":1767225600000,\"id\":1,\"type\":\"attach\",\"msisdn\":\"{NUMBER}\"}}\nno json {NUMBER}\n"
    );
    let report = house.app.accept_events(&feed, event.as_bytes()).await.unwrap();
    assert_eq!((report.accepted, report.quarantined), (1, 1));

    let files = house.raw_files();
    assert!(
        holds(&files, b"CREATE TABLE subscription"),
        "the files are the database's"
    );
    let document = format!("KHM:national_id:{NUMBER}");
    for secret in [
        NAME,
        NUMBER,
        "85598765432",
        "89049032123451234512345678901235",
        &document,
    ] {
        assert!(!holds(&files, secret.as_bytes()), "{secret} stands in the files");
        let digest = Sha256::digest(secret.as_bytes());
        assert!(
            !holds(&files, &digest[..16]),
            "a hash of {secret} that anybody can make stands in the files"
        );
    }
}

#[tokio::test]
async fn a_token_row_made_by_hand_opens_nothing() {
    let house = House::build().await;
    let agent = house.staff(Role::Agent, "shop-1").await;
    let forged = "swt_0000000000000000000000000000000000000000000000000000000000000000";
    let mut row = house.app.store().token(agent.token).await.unwrap().unwrap();
    row.id = simwarden_model::TokenId::from_bytes([9; 16]);
    row.hash = token_hash(forged);
    row.role = Role::Admin;
    let mut tx = house.app.store().begin().await.unwrap();
    tx.insert_tokens(&[row]).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(
        house.app.authenticate(forged).await.unwrap_err().code,
        "token_invalid"
    );
}

#[tokio::test]
async fn an_erased_person_is_gone_and_the_ledger_still_fits_together() {
    let house = House::build().await;
    let owner = house.person(NAME, NUMBER).await;
    let agent = house.staff(Role::Agent, "shop-1").await;
    house
        .ask(&agent, OperationKind::Suspend, Channel::Shop, &owner)
        .await
        .unwrap();
    let new = NewToken {
        role: Role::Admin,
        operator: Some(OPERATOR.to_owned()),
        name: "administrator".to_owned(),
        party: None,
        shop: None,
        terminal: None,
        life: Duration::from_secs(60),
        since: None,
    };
    let (_, secret) = house.app.make_token(&Actor::system(), new).await.unwrap();
    let admin = house.app.authenticate(&secret).await.unwrap();

    assert_eq!(
        house.app.erase(&admin, owner.party).await.unwrap_err().code,
        "lines_open"
    );
    let mut line = house.app.store().subscription(owner.line).await.unwrap().unwrap();
    line.state = SubscriptionState::Closed;
    line.version += 1;
    let mut tx = house.app.store().begin().await.unwrap();
    tx.update_subscription(&line).await.unwrap();
    tx.commit().await.unwrap();

    let until = house.app.now().plus(Duration::from_secs(3600));
    house.app.retain(&admin, owner.party, Some(until)).await.unwrap();
    assert_eq!(
        house.app.erase(&admin, owner.party).await.unwrap_err().code,
        "retained_by_law"
    );
    house.app.retain(&admin, owner.party, None).await.unwrap();
    house.app.erase(&admin, owner.party).await.unwrap();
    assert_eq!(
        house.app.erase(&admin, owner.party).await.unwrap_err().code,
        "erased"
    );

    let store = house.app.store();
    let key = store.subject_keys(&[owner.party]).await.unwrap().remove(0);
    assert!(key.wrapped.is_none() && key.destroyed_at.is_some());
    let party = store.party(owner.party).await.unwrap().unwrap();
    assert!(party.sealed.is_none() && party.doc_idx.is_none());
    let line = store.subscription(owner.line).await.unwrap().unwrap();
    assert!(line.sealed.is_none() && line.msisdn_idx.is_none());
    let entries = store.entries(0, 1000).await.unwrap();
    assert!(entries.iter().any(|entry| entry.kind == "subject.erased"));
    for (at, entry) in entries.iter().enumerate() {
        assert_eq!(entry.index, i64::try_from(at).unwrap());
        assert_eq!(entry.leaf, leaf_hash(&entry.body).0);
    }
}
