//! Guessing is hopeless, and failing costs: over addresses, accounts and channels together.

use crate::accounts::{Holder, house, somewhere};
use crate::house::{House, Person};
use simwarden_app::{Actor, Given, Outcome, PasswordSignIn, Sign, Whereabouts};
use simwarden_identity::passwords::Cost;
use simwarden_model::{Channel, OperationKind, OperationState, PartyId, Role};
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);
const PASSWORD: &str = "tuk kdau nov leu phnom";

fn from_address(n: u32) -> Whereabouts {
    Whereabouts {
        address: std::net::Ipv4Addr::from(0x0A00_0000 + n * 257).into(),
        ..somewhere(None)
    }
}

fn guess(person: &Person, password: &str) -> PasswordSignIn {
    PasswordSignIn {
        login: format!("+{}", person.number.reveal()),
        password: password.to_owned(),
        code: None,
    }
}

/// Ten thousand passwords from a thousand addresses within a day: fewer than a hundred are looked at, and the owner
/// gets in all the same.
#[tokio::test]
async fn ten_thousand_passwords_from_a_thousand_addresses_get_a_hundred_looks_at_most() {
    let (house, clock) = house().await;
    let person = house.person("Sok Dara", "85512345678").await;
    let mut owner = Holder::owner(&house, &person).await;
    let actor = owner.actor(&house).await;
    house.app.set_password(&actor, PASSWORD).await.unwrap();
    let before = house.app.passwords_evaluated();
    let mut slowed = 0;
    for n in 0..10_000_u32 {
        let from = from_address(n % 1_000);
        let given = guess(&person, &format!("guess number {n}"));
        let tried = house.app.sign_in_with_password(given, &from);
        match tried.await.unwrap_err().code {
            "slow_down" => slowed += 1,
            code => assert_eq!(code, "sign_in_refused"),
        }
        clock.forward(Duration::from_millis(8_640));
        if n % 2_500 == 1_250 {
            owner.sign_in(&house).await.unwrap();
        }
    }
    let evaluated = house.app.passwords_evaluated() - before;
    println!("evaluated {evaluated} of 10,000, {slowed} turned away");
    assert!(evaluated <= 100, "{evaluated}");
    assert!(
        evaluated >= 50,
        "the delays are meant to slow down, not to lock: {evaluated}"
    );
    // On her own phone, where she signed in before, she need not wait for the thief either.
    let own = somewhere(Some(&owner.device));
    let signed_in = house
        .app
        .sign_in_with_password(guess(&person, PASSWORD), &own)
        .await;
    assert_eq!(signed_in.unwrap().session.how, "password");
}

/// A thousand guesses in the same moment are not one.
#[tokio::test]
async fn guesses_at_the_same_moment_are_counted_one_by_one() {
    let (house, _) = house().await;
    let person = house.person("Sok Dara", "85512345678").await;
    let owner = Holder::owner(&house, &person).await;
    let actor = owner.actor(&house).await;
    house.app.set_password(&actor, PASSWORD).await.unwrap();
    let before = house.app.passwords_evaluated();
    let mut tries = tokio::task::JoinSet::new();
    for n in 0..100 {
        let (app, given) = (house.app.clone(), guess(&person, "wrong"));
        tries.spawn(async move { app.sign_in_with_password(given, &from_address(n)).await.is_err() });
    }
    while let Some(tried) = tries.join_next().await {
        assert!(tried.unwrap());
    }
    let evaluated = house.app.passwords_evaluated() - before;
    assert!(evaluated <= 3, "{evaluated} of 100 at once");
}

fn code(secret: &[u8], now: simwarden_model::Timestamp) -> String {
    let totp = totp_rs::Builder::new()
        .with_algorithm(totp_rs::Algorithm::SHA1)
        .with_digits(6)
        .with_skew(0)
        .with_step_duration(30)
        .with_secret(secret.to_vec())
        .build()
        .unwrap();
    totp.generate(u64::try_from(now.as_secs()).unwrap()).to_string()
}

/// A right code with its last digit changed.
fn wrong_code(secret: &[u8], now: simwarden_model::Timestamp) -> String {
    let mut code = code(secret, now);
    let last = code.pop().unwrap();
    code.push(if last == '7' { '3' } else { '7' });
    code
}

#[derive(Debug, Clone, Copy)]
enum Place {
    Shop,
    Hotline,
    AppPasskey,
    WebSignIn,
}

struct Caller<'a> {
    house: &'a House,
    person: &'a Person,
    totp: Vec<u8>,
}

impl Caller<'_> {
    async fn fail(&self, at: Place, holder: &mut Holder) {
        let app = &self.house.app;
        match at {
            Place::Shop | Place::Hotline => {
                let agent = self.house.staff(Role::Agent, "shop-1").await;
                let asked = self
                    .house
                    .ask(&agent, OperationKind::Replace, Channel::Shop, self.person)
                    .await
                    .unwrap();
                let who = match at {
                    Place::Hotline => self.house.staff(Role::Hotline, "hotline").await,
                    _ => agent.clone(),
                };
                let given = Given::Totp(wrong_code(&self.totp, app.now()));
                let outcome = app.give_proof(&who, asked.operation, given).await.unwrap();
                assert_eq!(outcome, Outcome::Wrong);
                app.stop(&agent, asked.operation).await.unwrap();
            }
            Place::AppPasskey => {
                let actor = holder.actor(self.house).await;
                let asked = self
                    .house
                    .ask(&actor, OperationKind::ChangeContact, Channel::App, self.person)
                    .await
                    .unwrap();
                let begun = app
                    .begin_signature(&actor, Sign::Operation(asked.operation))
                    .await
                    .unwrap();
                holder.key.verifies = false;
                let given = Given::Passkey(holder.sign(&begun));
                holder.key.verifies = true;
                let outcome = app.give_proof(&actor, asked.operation, given).await.unwrap();
                assert_eq!(outcome, Outcome::Wrong);
                app.stop(&actor, asked.operation).await.unwrap();
            }
            Place::WebSignIn => {
                let given = PasswordSignIn {
                    code: Some(wrong_code(&self.totp, app.now())),
                    ..guess(self.person, PASSWORD)
                };
                let tried = app.sign_in_with_password(given, &from_address(7)).await;
                assert_eq!(tried.unwrap_err().code, "sign_in_refused");
            }
        }
    }
}

async fn totp(house: &House, party: PartyId) -> Vec<u8> {
    let since = Some(house.app.now().minus(200 * HOUR));
    house
        .app
        .enrol_totp(&Actor::system(), party, since)
        .await
        .unwrap()
        .1
}

/// The lesson of the 39 successful swaps of 50 in a study of shops and hotlines: there, one right answer after many
/// wrong ones was enough. Here a caller who failed three times, wherever, and then passes everything, waits.
#[tokio::test]
async fn who_fails_three_times_on_any_mix_of_channels_and_then_passes_is_held() {
    use Place::{AppPasskey, Hotline, Shop, WebSignIn};
    let (house, clock) = house().await;
    let mixes: [&[Place]; 7] = [
        &[],
        &[Shop, Shop, Shop],
        &[Shop, Hotline, WebSignIn],
        &[WebSignIn, AppPasskey, Hotline],
        &[AppPasskey, AppPasskey, Shop],
        &[Hotline, Shop, AppPasskey, WebSignIn],
        &[WebSignIn, WebSignIn, WebSignIn],
    ];
    for (n, mix) in mixes.iter().enumerate() {
        let person = house.person("Sok Dara", &format!("8551234560{n}")).await;
        let mut holder = Holder::owner(&house, &person).await;
        let actor = holder.actor(&house).await;
        house.app.set_password(&actor, PASSWORD).await.unwrap();
        clock.forward(80 * HOUR);
        holder.sign_in(&house).await.unwrap();
        let caller = Caller {
            house: &house,
            person: &person,
            totp: totp(&house, person.party).await,
        };
        for place in *mix {
            caller.fail(*place, &mut holder).await;
            clock.forward(Duration::from_secs(600));
        }
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
        let given = Given::Passkey(holder.sign(&begun));
        assert_eq!(
            house
                .app
                .give_proof(&actor, asked.operation, given)
                .await
                .unwrap(),
            Outcome::Accepted
        );
        let seen = house
            .app
            .operation(&actor, asked.operation)
            .await
            .unwrap()
            .summary;
        if mix.is_empty() {
            assert_eq!(seen.state, OperationState::Executing, "{seen:?}");
        } else {
            assert_ne!(seen.state, OperationState::Executing, "{mix:?} {seen:?}");
            assert!(
                seen.reasons.contains(&"too_many_failures".to_owned()),
                "{mix:?} {seen:?}"
            );
        }
    }
}

#[test]
fn the_cost_of_a_real_installation_is_owasps() {
    assert_eq!(simwarden_app::Limits::default().password_cost, Cost::OWASP);
}
