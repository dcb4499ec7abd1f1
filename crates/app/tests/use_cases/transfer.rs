//! A line goes to another owner, and its profiles with it.

use crate::house::{House, OPERATOR};
use simwarden_app::{
    LineRef, NewOperation, NewOwner, Of, OwnerAnswer, ProfileSecret, RequestContext, open, subject_key,
};
use simwarden_model::{Channel, DocumentKey, DocumentKind, OperationKind, OperationState, PartyId};

#[tokio::test]
async fn the_profiles_of_a_line_go_under_the_key_of_its_new_owner() {
    let house = House::under("base").await;
    let owner = house.person("Sok Dara", "85512345678").await;
    let (phone, tablet) = (house.device_of(&owner).await, house.device_of(&owner).await);
    let store = house.app.store();
    let profile = store.profiles_of(owner.line).await.unwrap().remove(0);
    let order = NewOperation {
        kind: OperationKind::TransferOwner,
        channel: Channel::App,
        line: LineRef::Number(owner.number),
        claim: None,
        eid: None,
        imei: None,
        contact_phone: None,
        contact_email: None,
        forward_to: None,
        lock_scope: None,
        new_owner: Some(NewOwner {
            name: "Keo Bopha".to_owned(),
            document: DocumentKey::new("KHM", DocumentKind::NationalId, "112233445").unwrap(),
        }),
        document_shown: None,
        context: RequestContext::default(),
        idempotency_key: None,
    };
    let asked = house.app.submit(&phone, order).await.unwrap();
    for question in house.app.questions(&tablet).await.unwrap() {
        let number = asked.match_number.unwrap();
        house
            .app
            .answer(&tablet, question.id, OwnerAnswer::Yes(number))
            .await
            .unwrap();
    }
    let seen = house.app.operation(&phone, asked.operation).await.unwrap();
    assert_eq!(seen.summary.state, OperationState::Completed, "{seen:#?}");

    let line = store.subscription(owner.line).await.unwrap().unwrap();
    assert_ne!(line.party_id, owner.party);
    assert_eq!(line.operator, OPERATOR);
    let after = store.profiles_of(owner.line).await.unwrap().remove(0);
    assert_eq!(after.id, profile.id);
    let opens = async |party: PartyId| {
        let rows = store.subject_keys(&[party]).await.unwrap();
        let key = subject_key(house.app.keyring(), rows.first()).unwrap();
        open::<ProfileSecret>(
            &key,
            Of::Profile,
            after.id.as_bytes(),
            after.sealed.as_ref().unwrap(),
        )
        .is_ok()
    };
    assert!(
        opens(line.party_id).await,
        "the new owner's key does not open the profile"
    );
    assert!(
        !opens(owner.party).await,
        "the old owner's key still opens the profile"
    );
}
