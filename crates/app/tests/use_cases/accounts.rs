//! Accounts: passkeys, sessions, signatures over requests, and everything about them that must be refused.

use crate::house::{House, Person, TestClock};
use crate::soft_key::SoftKey;
use simwarden_app::{
    Actor, Begun, Enrol, Error, Given, NewAccount, Outcome, OwnerAnswer, Sign, Signature, SignedIn,
    Whereabouts,
};
use simwarden_model::{Channel, OperationKind, OperationState, Role};
use std::sync::Arc;
use std::time::Duration;

const SITE: &str = "https://sim.example";
const HOUR: Duration = Duration::from_secs(3600);

pub fn somewhere(device: Option<&str>) -> Whereabouts {
    Whereabouts {
        address: "203.0.113.7".parse().unwrap(),
        device: device.map(str::to_owned),
        agent: "Mozilla/5.0 (Linux; Android 14) Chrome/126.0 Mobile".to_owned(),
        country: Some("KH".to_owned()),
    }
}

/// Somebody with an account, a phone that holds a passkey, and the cookies that the server left there.
pub struct Holder {
    pub key: SoftKey,
    pub device: String,
    pub secret: String,
}

impl Holder {
    pub async fn enrol(house: &House, new: NewAccount) -> Self {
        let mut key = SoftKey::at(SITE);
        let invited = house.app.make_account(&Actor::system(), new).await.unwrap();
        let (signed_in, _) = enrol_with(house, &mut key, &invited.code).await.unwrap();
        Self {
            key,
            device: signed_in.device,
            secret: signed_in.secret,
        }
    }

    pub async fn owner(house: &House, person: &Person) -> Self {
        Self::enrol(house, subscriber(person)).await
    }

    pub async fn sign_in(&mut self, house: &House) -> Result<(), Error> {
        let device = self.device.clone();
        let signed_in = sign_in(house, &mut self.key, &somewhere(Some(&device))).await?;
        self.secret = signed_in.secret;
        self.device = signed_in.device;
        Ok(())
    }

    pub async fn actor(&self, house: &House) -> Actor {
        self.try_actor(house).await.unwrap()
    }

    pub async fn try_actor(&self, house: &House) -> Result<Actor, Error> {
        let seen = house
            .app
            .recognise_session(&self.secret, Some(&self.device))
            .await;
        seen.map(|(actor, _)| actor)
    }

    pub fn sign(&mut self, begun: &Begun) -> Signature {
        Signature {
            ceremony: begun.ceremony.clone(),
            credential: self.key.get(&begun.options),
        }
    }
}

pub fn subscriber(person: &Person) -> NewAccount {
    NewAccount {
        role: Role::Subscriber,
        operator: Some(crate::house::OPERATOR.to_owned()),
        name: "Sok Dara".to_owned(),
        login: Some(format!("+{}", person.number.reveal())),
        party: Some(person.party),
        shop: None,
        terminal: None,
    }
}

pub async fn enrol_with(house: &House, key: &mut SoftKey, code: &str) -> Result<(SignedIn, Begun), Error> {
    let begun = house
        .app
        .begin_enrolment(&Enrol::Invited(code.to_owned()))
        .await?;
    let answer = key.create(&begun.options);
    let done = house
        .app
        .finish_invited_enrolment(&begun.ceremony, &answer, "my phone", &somewhere(None))
        .await?;
    Ok((done, begun))
}

pub async fn sign_in(house: &House, key: &mut SoftKey, from: &Whereabouts) -> Result<SignedIn, Error> {
    let begun = house.app.begin_sign_in()?;
    let answer = key.get(&begun.options);
    house.app.finish_sign_in(&begun.ceremony, &answer, from).await
}

pub async fn house() -> (House, Arc<TestClock>) {
    let clock = TestClock::start();
    let house = House::with(Some(SITE), Some(clock.clone()), "kh-default").await;
    (house, clock)
}

fn code(result: Result<impl std::fmt::Debug, Error>) -> &'static str {
    result.unwrap_err().code
}

#[tokio::test]
async fn somebody_is_invited_enrols_a_passkey_and_signs_in_with_it() {
    let (house, clock) = house().await;
    let person = house.person("Sok Dara", "85512345678").await;
    let invited = house
        .app
        .make_account(&Actor::system(), subscriber(&person))
        .await
        .unwrap();
    let mut key = SoftKey::at(SITE);
    let (first, begun) = enrol_with(&house, &mut key, &invited.code).await.unwrap();
    assert_eq!(first.session.reasons, ["first_sign_in"]);
    // The code is good for one passkey, and so is the challenge.
    let again = house.app.begin_enrolment(&Enrol::Invited(invited.code)).await;
    assert_eq!(code(again), "invitation_invalid");
    let answer = SoftKey::at(SITE).create(&begun.options);
    let here = somewhere(None);
    let replay = house
        .app
        .finish_invited_enrolment(&begun.ceremony, &answer, "again", &here);
    assert_eq!(code(replay.await), "challenge_over");

    clock.forward(HOUR);
    let second = sign_in(&house, &mut key, &somewhere(Some(&first.device)))
        .await
        .unwrap();
    assert_eq!(second.device, first.device);
    let (actor, _) = house
        .app
        .recognise_session(&second.secret, Some(&second.device))
        .await
        .unwrap();
    assert_eq!((actor.role, actor.party), (Role::Subscriber, Some(person.party)));
    assert_eq!(house.app.sessions(&actor).await.unwrap().len(), 2);
    let keys = house.app.passkeys(&actor).await.unwrap();
    assert_eq!(
        (keys.len(), &*keys[0].name, keys[0].synced),
        (1, "my phone", false)
    );
    assert!(keys[0].used_at.is_some());

    house.app.end_other_sessions(&actor).await.unwrap();
    let old = house
        .app
        .recognise_session(&first.secret, Some(&first.device))
        .await;
    assert_eq!(code(old), "session_over");
    house.app.end_session(&actor, second.session.id).await.unwrap();
    let ended = house
        .app
        .recognise_session(&second.secret, Some(&second.device))
        .await;
    assert_eq!(code(ended), "session_over");
    // No secret, name or login stands in the files.
    let files = house.raw_files();
    for needle in [&second.secret[..], &second.device, "my phone", "+85512345678"] {
        let found = files
            .windows(needle.len())
            .any(|window| window == needle.as_bytes());
        assert!(!found, "{needle} stands in the clear");
    }
}

#[tokio::test]
async fn what_a_passkey_must_not_do_is_refused() {
    let (house, clock) = house().await;
    let person = house.person("Sok Dara", "85512345678").await;
    let mut holder = Holder::owner(&house, &person).await;
    let here = somewhere(None);

    holder.key.origin = "https://sim-example.kh.example".to_owned();
    assert_eq!(
        code(sign_in(&house, &mut holder.key, &here).await),
        "wrong_origin"
    );
    holder.key.origin = SITE.to_owned();
    holder.key.verifies = false;
    assert_eq!(
        code(sign_in(&house, &mut holder.key, &here).await),
        "user_not_verified"
    );
    holder.key.verifies = true;

    // A challenge takes one answer, ends, and is for one thing.
    let begun = house.app.begin_sign_in().unwrap();
    let answer = holder.key.get(&begun.options);
    house
        .app
        .finish_sign_in(&begun.ceremony, &answer, &here)
        .await
        .unwrap();
    let replay = house.app.finish_sign_in(&begun.ceremony, &answer, &here).await;
    assert_eq!(code(replay), "challenge_over");
    holder
        .try_actor(&house)
        .await
        .expect("an answer sent twice is no copy of the key");

    let late = house.app.begin_sign_in().unwrap();
    let answer = holder.key.get(&late.options);
    clock.forward(Duration::from_secs(301));
    assert_eq!(
        code(house.app.finish_sign_in(&late.ceremony, &answer, &here).await),
        "challenge_over"
    );
    let wrong = house.app.finish_sign_in("AAAA", &answer, &here).await;
    assert_eq!(code(wrong), "challenge_over");

    // A copy: the count goes backwards.
    sign_in(&house, &mut holder.key, &here).await.unwrap();
    holder.key.counter = 0;
    assert_eq!(
        code(sign_in(&house, &mut holder.key, &here).await),
        "passkey_cloned"
    );
    holder.key.counter = 100;
    assert_eq!(
        code(sign_in(&house, &mut holder.key, &here).await),
        "sign_in_refused"
    );
    assert!(holder.try_actor(&house).await.is_err());

    // An administrator invites her again; an earlier invitation, and what was begun with it, is over.
    let account = house
        .app
        .store()
        .account_of_party(person.party)
        .await
        .unwrap()
        .unwrap();
    let first = house.app.invite(&Actor::system(), account.id).await.unwrap();
    let begun = house
        .app
        .begin_enrolment(&Enrol::Invited(first.code))
        .await
        .unwrap();
    let second = house.app.invite(&Actor::system(), account.id).await.unwrap();
    let answer = SoftKey::at(SITE).create(&begun.options);
    let stale = house
        .app
        .finish_invited_enrolment(&begun.ceremony, &answer, "late", &here);
    assert_eq!(code(stale.await), "invitation_invalid");
    enrol_with(&house, &mut SoftKey::at(SITE), &second.code)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_session_is_bound_to_its_device_changes_its_secret_and_ends() {
    let (house, clock) = house().await;
    let person = house.person("Sok Dara", "85512345678").await;
    let mut holder = Holder::owner(&house, &person).await;
    let other = house.app.recognise_session(&holder.secret, Some("swd_00")).await;
    assert_eq!(code(other), "session_over");
    assert_eq!(
        code(house.app.recognise_session(&holder.secret, None).await),
        "session_over"
    );
    assert_eq!(
        code(house.app.authenticate(&holder.secret).await),
        "token_invalid"
    );

    clock.forward(Duration::from_secs(16 * 60));
    let old = holder.secret.clone();
    let (_, next) = house
        .app
        .recognise_session(&old, Some(&holder.device))
        .await
        .unwrap();
    holder.secret = next.expect("after a quarter of an hour the secret changes");
    // Requests that were on their way still pass, for a minute.
    let (_, none) = house
        .app
        .recognise_session(&old, Some(&holder.device))
        .await
        .unwrap();
    assert_eq!(none, None);
    clock.forward(Duration::from_secs(61));
    // Whoever shows it later has copied it: the session ends for both.
    assert_eq!(
        code(house.app.recognise_session(&old, Some(&holder.device)).await),
        "session_over"
    );
    assert!(holder.try_actor(&house).await.is_err());

    holder.sign_in(&house).await.unwrap();
    clock.forward(12 * HOUR);
    assert!(
        holder.try_actor(&house).await.is_err(),
        "no session lives longer than twelve hours"
    );
}

#[tokio::test]
async fn staff_take_keys_that_stay_in_one_device() {
    let (house, _) = house().await;
    let new = NewAccount {
        role: Role::Agent,
        operator: Some(crate::house::OPERATOR.to_owned()),
        name: "An agent".to_owned(),
        login: None,
        party: None,
        shop: Some("shop-1".to_owned()),
        terminal: Some("shop-1-t1".to_owned()),
    };
    let invited = house.app.make_account(&Actor::system(), new).await.unwrap();
    let mut synced = SoftKey::at(SITE);
    synced.synced = true;
    assert_eq!(
        code(enrol_with(&house, &mut synced, &invited.code).await),
        "passkey_synced"
    );
    let mut bound = SoftKey::at(SITE);
    let (signed_in, _) = enrol_with(&house, &mut bound, &invited.code).await.unwrap();
    let (actor, _) = house
        .app
        .recognise_session(&signed_in.secret, Some(&signed_in.device))
        .await
        .unwrap();
    assert_eq!((actor.role, actor.shop.as_deref()), (Role::Agent, Some("shop-1")));
    house
        .app
        .shut_out(&Actor::system(), invited.account, true)
        .await
        .unwrap();
    assert_eq!(
        code(sign_in(&house, &mut bound, &somewhere(None)).await),
        "sign_in_refused"
    );
}

#[tokio::test]
async fn an_owner_moves_her_line_in_the_app_by_signing_that_very_move() {
    let (house, clock) = house().await;
    let person = house.person("Sok Dara", "85512345678").await;
    let mut holder = Holder::owner(&house, &person).await;
    clock.forward(80 * HOUR);
    holder.sign_in(&house).await.unwrap();
    let actor = holder.actor(&house).await;
    let asked = house
        .ask(&actor, OperationKind::Replace, Channel::App, &person)
        .await
        .unwrap();
    let other = house
        .ask(&actor, OperationKind::ChangeContact, Channel::App, &person)
        .await
        .unwrap();
    let begun = house
        .app
        .begin_signature(&actor, Sign::Operation(asked.operation))
        .await
        .unwrap();
    let signature = holder.sign(&begun);
    // A signature over one operation is none over another.
    let wrong = house
        .app
        .give_proof(&actor, other.operation, Given::Passkey(signature.clone()));
    assert_eq!(code(wrong.await), "challenge_over");
    let given = house
        .app
        .give_proof(&actor, asked.operation, Given::Passkey(signature.clone()))
        .await
        .unwrap();
    assert_eq!(given, Outcome::Accepted);
    let seen = house.app.operation(&actor, asked.operation).await.unwrap();
    assert_eq!(seen.summary.state, OperationState::Executing, "{seen:#?}");
    let replay = house
        .app
        .give_proof(&actor, other.operation, Given::Passkey(signature));
    assert!(replay.await.is_err());
}

#[tokio::test]
async fn a_new_passkey_moves_nothing_and_one_that_can_be_copied_waits() {
    let (house, clock) = house().await;
    let person = house.person("Sok Dara", "85512345678").await;
    let mut thief = Holder::owner(&house, &person).await;
    let actor = thief.actor(&house).await;
    let state = async |holder: &mut Holder, actor: &Actor| {
        let asked = house
            .ask(actor, OperationKind::Replace, Channel::App, &person)
            .await
            .unwrap();
        let begun = house
            .app
            .begin_signature(actor, Sign::Operation(asked.operation))
            .await
            .unwrap();
        let signature = holder.sign(&begun);
        let given = house
            .app
            .give_proof(actor, asked.operation, Given::Passkey(signature))
            .await
            .unwrap();
        assert_eq!(given, Outcome::Accepted);
        let seen = house.app.operation(actor, asked.operation).await.unwrap();
        if seen.summary.state != OperationState::Executing {
            house.app.stop(actor, asked.operation).await.unwrap();
        }
        seen.summary
    };
    let seen = state(&mut thief, &actor).await;
    assert!(
        matches!(
            seen.state,
            OperationState::AwaitingEvidence | OperationState::Held
        ),
        "{seen:?}"
    );
    assert!(
        seen.reasons.contains(&"recent_factor".to_owned()),
        "{:?}",
        seen.reasons
    );

    // The same person with a passkey of the cloud, long ago enrolled on this very phone.
    let person = house.person("Keo Bopha", "85512345679").await;
    let invited = house
        .app
        .make_account(&Actor::system(), subscriber(&person))
        .await
        .unwrap();
    let mut key = SoftKey::at(SITE);
    (key.synced, key.counts) = (true, false);
    let (signed_in, _) = enrol_with(&house, &mut key, &invited.code).await.unwrap();
    let mut holder = Holder {
        key,
        device: signed_in.device,
        secret: signed_in.secret,
    };
    clock.forward(100 * HOUR);
    holder.sign_in(&house).await.unwrap();
    let actor = holder.actor(&house).await;
    let asked = house
        .ask(&actor, OperationKind::Replace, Channel::App, &person)
        .await
        .unwrap();
    let begun = house
        .app
        .begin_signature(&actor, Sign::Operation(asked.operation))
        .await
        .unwrap();
    let signature = holder.sign(&begun);
    house
        .app
        .give_proof(&actor, asked.operation, Given::Passkey(signature))
        .await
        .unwrap();
    let seen = house.app.operation(&actor, asked.operation).await.unwrap();
    assert_eq!(seen.summary.state, OperationState::Held, "{seen:#?}");
    assert_eq!(seen.summary.reasons, ["synced_passkey"]);
    clock.forward(13 * HOUR);
    house.app.time_up().await.unwrap();
    let seen = house
        .app
        .store()
        .operation(asked.operation)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(seen.state, OperationState::Executing);
}

#[tokio::test]
async fn an_approval_takes_the_number_and_a_signature_over_what_would_happen() {
    let (house, clock) = house().await;
    let person = house.person("Sok Dara", "85512345678").await;
    let mut holder = Holder::owner(&house, &person).await;
    clock.forward(80 * HOUR);
    holder.sign_in(&house).await.unwrap();
    let owner = holder.actor(&house).await;
    let agent = house.staff(Role::Agent, "shop-1").await;
    let supervisor = house.staff(Role::Supervisor, "shop-2").await;
    let asked = house
        .ask(&agent, OperationKind::Replace, Channel::Shop, &person)
        .await
        .unwrap();
    house
        .app
        .give_proof(&supervisor, asked.operation, Given::SecondApprover)
        .await
        .unwrap();
    let question = house.app.questions(&owner).await.unwrap().remove(0);
    assert!(question.words["en"].contains("shop-1"), "{:?}", question.words);
    assert!(!question.words["km"].is_empty() && !question.words["zh"].contains('{'));
    let number = asked.match_number.unwrap();

    // The bare number, from whatever device, is no yes once its owner has a passkey.
    let bare = house
        .app
        .answer(&owner, question.id, OwnerAnswer::Yes(number))
        .await;
    assert_eq!(code(bare), "passkey_needed");
    let token = house.device_of(&person).await;
    let bare = house
        .app
        .answer(&token, question.id, OwnerAnswer::Yes(number))
        .await;
    assert_eq!(code(bare), "passkey_needed");
    // What was signed with one number is not another.
    let begun = house
        .app
        .begin_signature(&owner, Sign::Question(question.id, number + 1))
        .await
        .unwrap();
    let signature = holder.sign(&begun);
    let changed = house.app.approve(&owner, question.id, number, &signature).await;
    assert_eq!(code(changed), "request_changed");

    let begun = house
        .app
        .begin_signature(&owner, Sign::Question(question.id, number))
        .await
        .unwrap();
    let signature = holder.sign(&begun);
    let yes = house
        .app
        .approve(&owner, question.id, number, &signature)
        .await
        .unwrap();
    assert_eq!(yes, Outcome::Accepted);
    let seen = house.app.operation(&agent, asked.operation).await.unwrap();
    assert_eq!(seen.summary.state, OperationState::Executing, "{seen:#?}");
    let twice = house.app.approve(&owner, question.id, number, &signature).await;
    assert_eq!(code(twice), "challenge_over");
}
