//! Accounts through the edge: cookies, rows, shapes, and a page that can only say no.

use super::world::{Answer, World, replace, request};
use crate::account_shapes as shapes;
use crate::tests::soft_key::SoftKey;
use axum::body::Body;
use serde_json::{Value, json};
use simwarden_app::Passkeys;
use simwarden_model::Role;

const SITE: &str = "https://sim.example";

/// A browser: it keeps cookies and sends what our own page sends.
#[derive(Default)]
struct Browser {
    cookies: Vec<(String, String)>,
}

impl Browser {
    async fn send(&mut self, world: &World, method: &str, path: &str, body: Option<Value>) -> Answer {
        let cookies: Vec<String> = self.cookies.iter().map(|(k, v)| format!("{k}={v}")).collect();
        let mut sent = request(method, "", path).header("x-simwarden", "1");
        if !cookies.is_empty() {
            sent = sent.header("cookie", cookies.join("; "));
        }
        let body = match body {
            Some(body) => {
                sent = sent.header("content-type", "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        let answer = world.send(sent.body(body).unwrap()).await;
        for cookie in answer.headers.get_all("set-cookie") {
            let text = cookie.to_str().unwrap();
            for part in ["HttpOnly", "SameSite=Strict", "Path=/", "Secure"] {
                assert!(text.contains(part), "{text}");
            }
            let (name, value) = text.split(';').next().unwrap().split_once('=').unwrap();
            assert!(name.starts_with("__Host-"), "{text}");
            self.cookies.retain(|(known, _)| known != name);
            self.cookies.push((name.to_owned(), value.to_owned()));
        }
        answer
    }

    async fn post(&mut self, world: &World, path: &str, body: Value) -> Answer {
        self.send(world, "POST", path, Some(body)).await
    }

    async fn get(&mut self, world: &World, path: &str) -> Answer {
        self.send(world, "GET", path, None).await
    }

    async fn sign_in(&mut self, world: &World, key: &mut SoftKey) -> Answer {
        let begun: shapes::Begun = self.send(world, "POST", "/v1/sign-in/begin", None).await.json();
        let answer = json!({ "ceremony": begun.ceremony, "credential": key.get(&begun.options) });
        self.post(world, "/v1/sign-in/finish", answer).await
    }
}

async fn world() -> World {
    let world = World::with(crate::WebLimits::default(), true).await;
    world.app.open_site(Passkeys::new(SITE, &[]).unwrap()).unwrap();
    world
}

async fn invited(world: &World, account: Value) -> shapes::Invitation {
    let admin = world.token(Role::Admin, None, None).await;
    let answer = world.post(&admin, "/v1/accounts", account).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()
}

async fn enrolled(world: &World, account: Value) -> (Browser, SoftKey, shapes::Invitation) {
    let invitation = invited(world, account).await;
    let (mut browser, mut key) = (Browser::default(), SoftKey::at(SITE));
    let body = json!({ "invitation": invitation.invitation });
    let begun: shapes::Begun = browser.post(world, "/v1/sign-up/begin", body).await.json();
    let body = json!({
        "ceremony": begun.ceremony, "credential": key.create(&begun.options), "name": "my phone",
    });
    let answer = browser.post(world, "/v1/sign-up/finish", body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let _: shapes::SignedIn = answer.json();
    (browser, key, invitation)
}

#[tokio::test]
async fn a_person_signs_up_signs_in_looks_around_and_signs_out() {
    let world = world().await;
    let owner = world.person("Sok Dara", "85512345678").await;
    let account = json!({
        "role": "subscriber", "operator": "999-01", "name": "Sok Dara", "login": "dara@example.com",
        "party": owner.party,
    });
    let (mut browser, mut key, invitation) = enrolled(&world, account).await;
    assert_eq!(browser.cookies.len(), 2);
    let me: crate::shapes::Me = browser.get(&world, "/v1/me").await.json();
    assert_eq!((&*me.role, &*me.name), ("subscriber", "Sok Dara"));
    let account: shapes::Account = browser.get(&world, "/v1/account").await.json();
    assert_eq!(
        (account.id, account.password),
        (invitation.account.clone(), false)
    );
    let passkeys: shapes::Passkeys = browser.get(&world, "/v1/passkeys").await.json();
    assert_eq!(passkeys.passkeys.len(), 1);
    let path = format!("/v1/passkeys/{}", passkeys.passkeys[0].id);
    assert_eq!(
        browser
            .post(&world, &path, json!({ "name": "blue phone" }))
            .await
            .status,
        204
    );
    let last = browser.send(&world, "DELETE", &path, None).await;
    assert_eq!(
        (last.status.as_u16(), last.code()),
        (409, "last_passkey".to_owned())
    );

    // Another passkey, by the same browser.
    let begun: shapes::Begun = browser
        .send(&world, "POST", "/v1/passkeys/begin", None)
        .await
        .json();
    let mut second = SoftKey::at(SITE);
    let body = json!({
        "ceremony": begun.ceremony, "credential": second.create(&begun.options), "name": "key ring",
    });
    let added = browser.post(&world, "/v1/passkeys", body).await;
    assert_eq!(added.status, 201, "{added:?}");
    let _: shapes::Passkey = added.json();

    let mut laptop = Browser::default();
    assert_eq!(laptop.sign_in(&world, &mut second).await.status, 200);
    let sessions: shapes::Sessions = laptop.get(&world, "/v1/sessions").await.json();
    assert_eq!(sessions.sessions.len(), 2);
    let other = sessions.sessions.iter().find(|session| !session.current).unwrap();
    let path = format!("/v1/sessions/{}", other.id);
    assert_eq!(laptop.send(&world, "DELETE", &path, None).await.status, 204);
    assert_eq!(browser.get(&world, "/v1/me").await.status, 401);

    // A foreign page cannot write, a stolen cookie without the device's mark is nothing, a bearer neither.
    let mut thief = Browser {
        cookies: laptop.cookies.clone(),
    };
    thief.cookies.retain(|(name, _)| name == "__Host-simwarden");
    assert_eq!(thief.get(&world, "/v1/me").await.status, 401);
    let secret = thief.cookies[0].1.clone();
    assert_eq!(world.get(&secret, "/v1/me").await.status, 401);
    let foreign = request("POST", "", "/v1/sign-in/begin")
        .body(Body::empty())
        .unwrap();
    assert_eq!(world.send(foreign).await.status, 403);

    assert_eq!(
        laptop.send(&world, "DELETE", "/v1/session", None).await.status,
        204
    );
    laptop.cookies.retain(|(name, _)| name != "__Host-simwarden");
    laptop.cookies.push(("__Host-simwarden".to_owned(), secret));
    assert_eq!(
        laptop.get(&world, "/v1/me").await.status,
        401,
        "signed out is signed out"
    );
    assert_eq!(browser.sign_in(&world, &mut key).await.status, 200);

    let admin = world.token(Role::Admin, None, None).await;
    let path = format!("/v1/accounts/{}", invitation.account);
    let access: shapes::AccountAccess = world.get(&admin, &path).await.json();
    assert_eq!((access.passkeys.len(), access.sessions.len()), (2, 1));
    let again = world.raw(&admin, &format!("{path}/invitation"), "").await;
    let _: shapes::Invitation = again.json();
    let closed = world
        .post(&admin, &format!("{path}/shut-out"), json!({ "close": true }))
        .await;
    assert_eq!(closed.status, 204);
    assert_eq!(browser.get(&world, "/v1/me").await.status, 401);
    let refused = browser.sign_in(&world, &mut key).await;
    assert_eq!(
        (refused.status.as_u16(), refused.code()),
        (401, "sign_in_refused".to_owned())
    );
}

#[tokio::test]
async fn a_password_and_a_recovery_code_are_ways_in_and_every_wrong_one_looks_alike() {
    let world = world().await;
    let owner = world.person("Sok Dara", "85512345678").await;
    let account = json!({
        "role": "subscriber", "operator": "999-01", "name": "Sok Dara", "login": "dara@example.com",
        "party": owner.party,
    });
    let (mut browser, ..) = enrolled(&world, account).await;
    let weak = browser
        .post(
            &world,
            "/v1/account/password",
            json!({ "password": "Phnompenh2026!" }),
        )
        .await;
    assert_eq!(
        (weak.status.as_u16(), weak.code()),
        (400, "password_too_short".to_owned())
    );
    let good = json!({ "password": "tuk kdau nov leu phnom" });
    assert_eq!(
        browser.post(&world, "/v1/account/password", good).await.status,
        204
    );
    let codes: shapes::RecoveryCodes = browser
        .send(&world, "POST", "/v1/account/recovery-codes", None)
        .await
        .json();
    assert_eq!(codes.codes.len(), 10);

    let by_password = |login: &str, password: &str| json!({ "login": login, "password": password });
    let mut elsewhere = Browser::default();
    let path = "/v1/sign-in/password";
    let wrong = elsewhere
        .post(
            &world,
            path,
            by_password("dara@example.com", "tuk kdau nov leu phno"),
        )
        .await;
    let unknown = Browser::default()
        .post(
            &world,
            path,
            by_password("nobody@example.com", "tuk kdau nov leu phnom"),
        )
        .await;
    let but_id = |answer: &Answer| {
        let mut body: Value = answer.json();
        body["request_id"] = Value::Null;
        (answer.status, body)
    };
    assert_eq!(but_id(&wrong), but_id(&unknown));
    let right = elsewhere
        .post(
            &world,
            path,
            by_password(" Dara@Example.com", "tuk kdau nov leu phnom"),
        )
        .await;
    let signed_in: shapes::SignedIn = right.json();
    assert_eq!(signed_in.session.how, "password");
    let code = json!({ "login": "dara@example.com", "code": codes.codes[0].to_lowercase() });
    let path = "/v1/sign-in/recovery";
    let recovered = Browser::default().post(&world, path, code.clone()).await;
    assert_eq!(recovered.json::<shapes::SignedIn>().session.how, "recovery");
    let twice = Browser::default().post(&world, path, code).await;
    assert_eq!(
        (twice.status.as_u16(), twice.code()),
        (401, "sign_in_refused".to_owned())
    );
}

#[tokio::test]
async fn the_link_in_a_mail_says_no_once_and_cannot_say_yes() {
    let world = world().await;
    let owner = world
        .person_with_mail("Sok Dara", "85512345678", "dara@example.com")
        .await;
    let agent = world.token(Role::Agent, Some("shop-1"), None).await;
    let asked = world.post(&agent, "/v1/operations", replace(&owner)).await;
    let asked: crate::shapes::OperationAsked = asked.json();
    let link = world.link_in_mail(&owner).await;
    let path = link.strip_prefix(SITE).unwrap().to_owned();
    let page = world.get("", &path).await;
    assert_eq!(page.status, 200, "{page:?}");
    assert!(page.text.contains("shop-1") && page.text.contains("<form method=\"post\">"));
    assert!(!page.text.contains("<script"));
    let csp = page.headers["content-security-policy"].to_str().unwrap();
    assert!(
        csp.contains("form-action 'self'") && csp.contains("default-src 'none'"),
        "{csp}"
    );
    let form = request("POST", "", &path)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::empty())
        .unwrap();
    assert_eq!(world.send(form).await.status, 200);
    let path_of = format!("/v1/operations/{}", asked.summary.id);
    let seen: crate::shapes::OperationDetail = world.get(&agent, &path_of).await.json();
    assert_eq!(seen.summary.state, "frozen");
    assert_eq!(world.raw("", &path, "").await.status, 410, "once");
    assert_eq!(world.get("", "/deny/AAAA").await.status, 410);
}
