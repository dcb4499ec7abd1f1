//! A thief with the victim's SMS, mail and password and one bribed employee: in whatever order they act, nothing is
//! completed before the delay, and the owner's no ends it at any time.

use crate::accounts::{Holder, house, somewhere};
use crate::house::{House, Person};
use crate::soft_key::SoftKey;
use simwarden_app::{Actor, Enrol, Given, OwnerAnswer, PasswordSignIn, Sign, Signature, Submitted};
use simwarden_model::{Channel, OperationKind, OperationState, Role};
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);
const PASSWORD: &str = "tuk kdau nov leu phnom";

struct Gang<'a> {
    house: &'a House,
    victim: &'a Person,
    agent: Actor,
    thief: Holder,
    asked: Submitted,
}

impl<'a> Gang<'a> {
    async fn begin(house: &'a House, victim: &'a Person, n: usize) -> Self {
        let agent = house.staff(Role::Agent, &format!("shop-{n}")).await;
        // The agent lies in everything that the shop's system says, and shows the victim's document.
        let asked = house
            .ask(&agent, OperationKind::Replace, Channel::Shop, victim)
            .await
            .unwrap();
        let given = PasswordSignIn {
            login: format!("+{}", victim.number.reveal()),
            password: PASSWORD.to_owned(),
            code: None,
        };
        let signed_in = house
            .app
            .sign_in_with_password(given, &somewhere(None))
            .await
            .unwrap();
        let thief = Holder {
            key: SoftKey::at("https://sim.example"),
            device: signed_in.device,
            secret: signed_in.secret,
        };
        Self {
            house,
            victim,
            agent,
            thief,
            asked,
        }
    }

    async fn act(&mut self, act: usize) {
        let app = &self.house.app;
        let Ok(actor) = self.thief.try_actor(self.house).await else {
            return;
        };
        match act {
            // The digits are on the agent's screen: the thief says yes with them.
            0 => {
                for question in app.questions(&actor).await.unwrap() {
                    let number = self.asked.match_number.unwrap_or(10);
                    let _ = app.answer(&actor, question.id, OwnerAnswer::Yes(number)).await;
                }
            }
            // A passkey of the thief's own, and its signature over the move and over the yes.
            1 => {
                if let Ok(begun) = app
                    .begin_enrolment(&Enrol::SignedIn(Box::new(actor.clone())))
                    .await
                {
                    let answer = self.thief.key.create(&begun.options);
                    app.finish_added_passkey(&actor, &begun.ceremony, &answer, "x")
                        .await
                        .unwrap();
                }
                self.sign(&actor).await;
            }
            // The agent approves their own request as well.
            2 => {
                let own = app
                    .give_proof(&self.agent, self.asked.operation, Given::SecondApprover)
                    .await;
                assert!(own.is_err());
            }
            // The thief asks for the same in the app.
            _ => {
                let asked = self
                    .house
                    .ask(&actor, OperationKind::TransferDevice, Channel::App, self.victim)
                    .await;
                if let Ok(asked) = asked {
                    let seen = app.operation(&actor, asked.operation).await.unwrap();
                    assert!(!carried(seen.summary.state), "{seen:?}");
                }
            }
        }
    }

    async fn sign(&mut self, actor: &Actor) {
        let app = &self.house.app;
        let number = self.asked.match_number.unwrap_or(10);
        let mut wanted = vec![Sign::Operation(self.asked.operation)];
        for question in app.questions(actor).await.unwrap() {
            wanted.push(Sign::Question(question.id, number));
        }
        for what in wanted {
            let Ok(begun) = app.begin_signature(actor, what).await else {
                continue;
            };
            let signature: Signature = self.thief.sign(&begun);
            let _ = match what {
                Sign::Operation(id) => app.give_proof(actor, id, Given::Passkey(signature)).await,
                Sign::Question(id, number) => app.approve(actor, id, number, &signature).await,
            };
        }
    }

    async fn state(&self) -> OperationState {
        let row = self.house.app.store().operation(self.asked.operation).await;
        row.unwrap().unwrap().state
    }
}

fn carried(state: OperationState) -> bool {
    matches!(
        state,
        OperationState::Approved | OperationState::Executing | OperationState::Completed
    )
}

fn orders() -> Vec<[usize; 4]> {
    let mut all = Vec::new();
    for a in 0..4 {
        for b in (0..4).filter(|b| *b != a) {
            for c in (0..4).filter(|c| *c != a && *c != b) {
                all.push([a, b, c, 6 - a - b - c]);
            }
        }
    }
    all
}

#[tokio::test]
async fn sms_mail_password_and_one_employee_complete_nothing_and_the_owners_no_ends_it() {
    let (house, clock) = house().await;
    for (n, order) in orders().into_iter().enumerate() {
        let victim = house.person("Sok Dara", &format!("855123456{n:02}")).await;
        let owner = Holder::owner(&house, &victim).await;
        let actor = owner.actor(&house).await;
        house.app.set_password(&actor, PASSWORD).await.unwrap();
        clock.forward(80 * HOUR);
        let phone = house.device_of(&victim).await;
        let mut gang = Gang::begin(&house, &victim, n).await;
        // In every second order the owner says no, after the first, second … act.
        let no_after = (n % 2 == 0).then_some(n / 2 % 4);
        for (at, act) in order.into_iter().enumerate() {
            gang.act(act).await;
            assert!(!carried(gang.state().await), "{order:?} after {at}");
            if no_after == Some(at) {
                for question in house.app.questions(&phone).await.unwrap() {
                    house
                        .app
                        .answer(&phone, question.id, OwnerAnswer::No)
                        .await
                        .unwrap();
                }
                if !gang.state().await.is_terminal() {
                    house.app.stop(&phone, gang.asked.operation).await.unwrap();
                }
            }
        }
        for _ in 0..3 {
            clock.forward(8 * HOUR);
            house.app.time_up().await.unwrap();
            assert!(!carried(gang.state().await), "{order:?} later");
        }
        if no_after.is_some() {
            assert!(gang.state().await.is_terminal(), "{:?}", gang.state().await);
        }
    }
}
