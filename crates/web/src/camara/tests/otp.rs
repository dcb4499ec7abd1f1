//! One-time codes.

use super::world::{MACHINE, PHONE, UNKNOWN, World, line};
use serde_json::{Value, json};

const A: &str = "+855120000200";
const B: &str = "+855120000201";

struct Codes {
    world: World,
    token: String,
}

impl Codes {
    async fn build() -> Self {
        let world = World::build(vec![
            line(A, json!({})),
            line(B, json!({})),
            line("+855120000071", json!({ "sms": "incapable" })),
            line("+85523000072", json!({ "sms": "landline" })),
            line("+855120000073", json!({ "sms": "barred" })),
        ])
        .await;
        let token = world
            .two_legged("bank", "one-time-password-sms:send-validate")
            .await;
        Self { world, token }
    }

    async fn send(&self, phone: &str) -> super::world::Answer {
        let body = json!({ "phoneNumber": phone, "message": "{{code}} is your code" });
        self.world
            .post("/one-time-password-sms/v1/send-code", &self.token, body)
            .await
    }

    async fn sent(&self, phone: &str) -> (String, String) {
        let answer = self.send(phone).await.json();
        let texts = self.world.gateway.sandbox_texts(phone).unwrap();
        let code = texts.last().unwrap().split(' ').next().unwrap().to_owned();
        (answer["authenticationId"].as_str().unwrap().to_owned(), code)
    }

    async fn validate(&self, id: &str, code: &str) -> super::world::Answer {
        let body = json!({ "authenticationId": id, "code": code });
        self.world
            .post("/one-time-password-sms/v1/validate-code", &self.token, body)
            .await
    }
}

#[tokio::test]
async fn a_code_is_used_once_and_the_newest_only() {
    let codes = Codes::build().await;
    let (id, code) = codes.sent(A).await;
    let (newer, newest) = codes.sent(A).await;
    codes
        .validate(&id, &code)
        .await
        .is(400, "ONE_TIME_PASSWORD_SMS.VERIFICATION_EXPIRED");
    let other = codes
        .world
        .two_legged("shop", "one-time-password-sms:send-validate")
        .await;
    let body = json!({ "authenticationId": newer, "code": newest });
    let theirs = codes
        .world
        .post("/one-time-password-sms/v1/validate-code", &other, body)
        .await;
    theirs.is(404, "NOT_FOUND");
    assert_eq!(codes.validate(&newer, &newest).await.status, 204);
    codes
        .validate(&newer, &newest)
        .await
        .is(400, "ONE_TIME_PASSWORD_SMS.VERIFICATION_EXPIRED");
    let (late, code) = codes.sent(B).await;
    codes.world.gateway.sandbox_advance(181).unwrap();
    codes
        .validate(&late, &code)
        .await
        .is(400, "ONE_TIME_PASSWORD_SMS.VERIFICATION_EXPIRED");
    codes.validate("nothing", "1").await.is(404, "NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_at_the_same_time_gains_nothing() {
    let codes = std::sync::Arc::new(Codes::build().await);
    let (id, code) = codes.sent(A).await;
    let mut guesses = tokio::task::JoinSet::new();
    for n in 0..60_u32 {
        let (codes, id) = (codes.clone(), id.clone());
        let wrong = format!("{:06}", (code.parse::<u32>().unwrap() + 1 + n) % 1_000_000);
        guesses.spawn(async move { codes.validate(&id, &wrong).await.error().1 });
    }
    let said = guesses.join_all().await;
    let count = |word: &str| said.iter().filter(|code| code.ends_with(word)).count();
    assert_eq!((count("INVALID_OTP"), count("VERIFICATION_FAILED")), (3, 57));
    codes
        .validate(&id, &code)
        .await
        .is(400, "ONE_TIME_PASSWORD_SMS.VERIFICATION_FAILED");
}

#[tokio::test]
async fn codes_go_only_where_they_prove_something() {
    let codes = Codes::build().await;
    codes.send(UNKNOWN).await.is(404, "NOT_FOUND");
    codes.send("+4915112345678").await.is(404, "NOT_FOUND");
    for phone in ["+855120000071", "+85523000072", MACHINE] {
        codes
            .send(phone)
            .await
            .is(403, "ONE_TIME_PASSWORD_SMS.PHONE_NUMBER_NOT_ALLOWED");
    }
    codes
        .send("+855120000073")
        .await
        .is(403, "ONE_TIME_PASSWORD_SMS.PHONE_NUMBER_BLOCKED");
    codes.world.gateway.sandbox_sim_swap(PHONE).await.unwrap();
    codes
        .send(PHONE)
        .await
        .is(403, "ONE_TIME_PASSWORD_SMS.PHONE_NUMBER_BLOCKED");
    for _ in 0..5 {
        assert_eq!(codes.send(A).await.status, 200);
    }
    codes
        .send(A)
        .await
        .is(403, "ONE_TIME_PASSWORD_SMS.MAX_OTP_CODES_EXCEEDED");
    let send = async |body: Value| {
        codes
            .world
            .post("/one-time-password-sms/v1/send-code", &codes.token, body)
            .await
    };
    for message in [
        json!("no place for it"),
        json!(format!("{{{{code}}}}{}", "x".repeat(160))),
        json!(1),
        json!(null),
    ] {
        send(json!({ "phoneNumber": B, "message": message }))
            .await
            .is(400, "INVALID_ARGUMENT");
    }
    send(json!({ "message": "{{code}}" }))
        .await
        .is(400, "INVALID_ARGUMENT");
    codes
        .validate("a", "12345678901")
        .await
        .is(400, "INVALID_ARGUMENT");
}
