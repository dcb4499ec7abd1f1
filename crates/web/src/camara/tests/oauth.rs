//! The authorisation server: who gets a token, for how long, and when it is gone.

use super::world::{FRAUD, PHONE, REFUSING, UNKNOWN, World, key};
use axum::body::Body;
use axum::http::Request;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use simwarden_app::Actor;
use simwarden_model::{Role, TokenId};

const CIBA: &str = "urn:openid:params:grant-type:ciba";

async fn check(world: &World, token: &str, body: Value) -> super::world::Answer {
    world.post("/sim-swap/v2/check", token, body).await
}

/// The subscriber of a line.
async fn owner(world: &World, phone: &str) -> (Actor, simwarden_model::SubscriptionId) {
    let index = world.gateway.app().keyring().index(
        simwarden_store::Indexed::Msisdn,
        phone.trim_start_matches('+').as_bytes(),
    );
    let row = world
        .gateway
        .app()
        .store()
        .subscriptions_by_msisdn(&[index])
        .await
        .unwrap()
        .remove(0);
    let actor = Actor {
        token: TokenId::from_bytes([1; 16]),
        role: Role::Subscriber,
        operator: Some(row.operator.clone()),
        party: Some(row.party_id),
        name: "owner".to_owned(),
        ..Actor::system()
    };
    (actor, row.id)
}

#[tokio::test]
async fn discovery_names_what_is_there() {
    let world = World::build(vec![]).await;
    let get = async |path: &str| {
        world
            .send(Request::get(path).body(Body::empty()).unwrap())
            .await
            .json()
    };
    let found = get("/.well-known/openid-configuration").await;
    assert_eq!(found["issuer"], "https://gateway.example");
    assert_eq!(
        found["token_endpoint_auth_methods_supported"],
        json!(["private_key_jwt"])
    );
    let keys = get("/oauth2/jwks").await;
    assert_eq!(keys["keys"][0]["kty"], "EC");
    assert!(keys["keys"][0].get("d").is_none());
}

#[tokio::test]
async fn a_client_proves_who_it_is_once_and_in_time() {
    let world = World::build(vec![]).await;
    let send = async |assertion: String| {
        world
            .form(
                "/oauth2/token",
                &[
                    ("grant_type", "client_credentials"),
                    ("scope", "sim-swap"),
                    (
                        "client_assertion_type",
                        "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                    ),
                    ("client_assertion", &assertion),
                ],
            )
            .await
    };
    let good = World::sign(&world.claims("bank"), 7);
    assert_eq!(send(good.clone()).await.status, 200);
    send(good).await.is_client_error();
    let now = world.seconds();
    for (name, value) in [
        ("aud", json!("https://other.example/oauth2/token")),
        ("aud", json!([])),
        ("exp", json!(now - 1)),
        ("exp", json!(now + 301)),
        ("exp", json!("soon")),
        ("iat", json!(now + 60)),
        ("iat", json!(now - 290)),
        ("nbf", json!(now + 60)),
        ("jti", json!("")),
        ("jti", Value::Null),
        ("sub", json!("shop")),
        ("iss", json!("nobody")),
    ] {
        let mut claims = world.claims("bank");
        claims[name] = value.clone();
        send(World::sign(&claims, 7)).await.is_client_error();
    }
    send(World::sign(&world.claims("bank"), 8))
        .await
        .is_client_error();
    let secret = EncodingKey::from_secret(key(7).1["x"].as_str().unwrap().as_bytes());
    let shared = encode(&Header::new(Algorithm::HS256), &world.claims("bank"), &secret).unwrap();
    send(shared).await.is_client_error();
    let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#);
    let body = URL_SAFE_NO_PAD.encode(world.claims("bank").to_string());
    send(format!("{none}.{body}.")).await.is_client_error();
    for broken in ["", "a", "a.b", "a.b.c", &"a".repeat(20_000)] {
        send(broken.to_owned()).await.is_client_error();
    }
}

impl super::world::Answer {
    fn is_client_error(&self) {
        self.is(401, "invalid_client");
    }
}

#[tokio::test]
async fn tokens_are_given_for_known_scopes_one_purpose_and_an_allowed_grant() {
    let world = World::build(vec![]).await;
    let ask = async |client: &str, grant: &str, scope: &str| {
        world
            .token(client, &[("grant_type", grant), ("scope", scope)])
            .await
    };
    for scope in ["", "nothing", "openid", "dpv:A dpv:B sim-swap", "sim-swap no"] {
        ask("bank", "client_credentials", scope)
            .await
            .is(400, "invalid_scope");
    }
    ask("narrow", "client_credentials", "sim-swap:retrieve-date")
        .await
        .is(400, "invalid_scope");
    assert_eq!(
        ask("narrow", "client_credentials", "sim-swap:check").await.status,
        200
    );
    ask("bank", "password", "sim-swap")
        .await
        .is(400, "unsupported_grant_type");
    world.token("bank", &[]).await.is(400, "invalid_request");
    world
        .token("narrow", &[("grant_type", CIBA), ("auth_req_id", "a")])
        .await
        .is(400, "unauthorized_client");
    let twice = world
        .form("/oauth2/token", &[("grant_type", "a"), ("grant_type", "b")])
        .await;
    twice.is(400, "invalid_request");
    let tel = format!("tel:{PHONE}");
    let word = async |hint: &str, scope: &str| world.signed_word("bank", hint, scope).await;
    word(&tel, "sim-swap").await.is(400, "invalid_scope");
    word(&format!("tel:{UNKNOWN}"), &format!("{FRAUD} sim-swap"))
        .await
        .is(400, "invalid_grant");
    word(&format!("tel:{REFUSING}"), &format!("{FRAUD} sim-swap"))
        .await
        .is(400, "invalid_grant");
    word(&tel, "dpv:Marketing sim-swap")
        .await
        .is(400, "invalid_grant");
    word("operatortoken:swo_made_up", &format!("{FRAUD} sim-swap"))
        .await
        .is(400, "invalid_grant");
    let fine = word(&tel, &format!("openid {FRAUD} sim-swap")).await.json();
    let claims = fine["id_token"]
        .as_str()
        .unwrap()
        .split('.')
        .nth(1)
        .unwrap()
        .to_owned();
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    assert_eq!(claims["aud"], "bank");
    assert!(!claims["sub"].as_str().unwrap().contains("855"));
    assert!(fine.get("refresh_token").is_none());
}

#[tokio::test]
async fn a_token_ends_to_the_second_and_with_its_client() {
    let world = World::build(vec![]).await;
    let body = json!({ "phoneNumber": PHONE });
    let token = world.two_legged("brief", "sim-swap").await;
    assert_eq!(check(&world, &token, body.clone()).await.status, 200);
    tokio::time::sleep(std::time::Duration::from_millis(1_001)).await;
    check(&world, &token, body.clone())
        .await
        .is(401, "UNAUTHENTICATED");

    let token = world.two_legged("bank", "sim-swap").await;
    let mut bank = world
        .gateway
        .all_clients()
        .await
        .unwrap()
        .into_iter()
        .find(|c| c.id == "bank")
        .unwrap();
    bank.frozen_at = Some(world.gateway.now());
    world.gateway.put_client(&Actor::system(), bank).await.unwrap();
    check(&world, &token, body).await.is(401, "UNAUTHENTICATED");
    world
        .token(
            "bank",
            &[("grant_type", "client_credentials"), ("scope", "sim-swap")],
        )
        .await
        .is_client_error();
    let taken = world.two_legged("shop", "sim-swap").await;
    let revoked = world
        .authenticated("/oauth2/revoke", "shop", &[("token", &taken)])
        .await;
    assert_eq!(revoked.status, 200);
    check(&world, &taken, json!({ "phoneNumber": PHONE }))
        .await
        .is(401, "UNAUTHENTICATED");
}

#[tokio::test]
async fn withdrawing_ends_every_token_and_the_subscriber_sees_who_asked() {
    let world = World::build(vec![]).await;
    let (actor, line) = owner(&world, PHONE).await;
    let token = world
        .three_legged("bank", &format!("tel:{PHONE}"), "sim-swap")
        .await;
    assert_eq!(check(&world, &token, json!({})).await.status, 200);
    let asked = world.gateway.who_asked(&actor, line).await.unwrap();
    assert_eq!(
        (asked[0].client.as_str(), asked[0].api.as_str()),
        ("bank", "sim-swap/check")
    );
    assert_eq!(asked[0].purpose, FRAUD);
    let (stranger, _) = owner(&world, super::world::OTHER).await;
    assert!(world.gateway.who_asked(&stranger, line).await.is_err());
    assert!(
        world
            .gateway
            .decide_consent(&stranger, line, FRAUD, None, false)
            .await
            .is_err()
    );
    world
        .gateway
        .decide_consent(&actor, line, FRAUD, None, false)
        .await
        .unwrap();
    check(&world, &token, json!({})).await.is(401, "UNAUTHENTICATED");
    let again = world
        .signed_word("bank", &format!("tel:{PHONE}"), &format!("{FRAUD} sim-swap"))
        .await;
    again.is(400, "invalid_grant");
    // A client that asks on a basis of its own is told that the subscriber objects.
    let two = world.two_legged("bank", &format!("{FRAUD} sim-swap")).await;
    check(&world, &two, json!({ "phoneNumber": PHONE }))
        .await
        .is(403, "PERMISSION_DENIED");
    let info = world.two_legged("bank", "consent-info:retrieve").await;
    let body =
        json!({ "phoneNumber": PHONE, "scopes": ["sim-swap"], "purpose": FRAUD, "requestCaptureUrl": true });
    let answer = world
        .post("/consent-info/v0.2/retrieve", &info, body)
        .await
        .json();
    assert_eq!(answer["statusInfo"][0]["statusReason"], "DENIED");
    assert!(
        answer["captureUrl"]
            .as_str()
            .unwrap()
            .starts_with("https://gateway.example/oauth2/consent/")
    );
    let asks = world.gateway.own_asks(&actor).await.unwrap();
    assert_eq!(asks.len(), 1);
    world
        .gateway
        .answer_own_ask(&actor, &asks[0].id, true)
        .await
        .unwrap();
    let again = world
        .signed_word("bank", &format!("tel:{PHONE}"), &format!("{FRAUD} sim-swap"))
        .await;
    assert_eq!(again.status, 200);
    let body =
        json!({ "phoneNumber": PHONE, "scopes": ["no"], "purpose": FRAUD, "requestCaptureUrl": false });
    let refused = world.post("/consent-info/v0.2/retrieve", &info, body).await;
    refused.is(403, "CONSENT_INFO.NOT_ALLOWED_SCOPES_PURPOSE");
    let body = json!({ "phoneNumber": PHONE, "scopes": ["sim-swap"], "purpose": FRAUD, "requestCaptureUrl": true,
        "callbackUrl": "https://evil.example/" });
    let refused = world.post("/consent-info/v0.2/retrieve", &info, body).await;
    refused.is(403, "CONSENT_INFO.INVALID_CALLBACK_URL");
}

#[tokio::test]
async fn a_subscriber_is_asked_out_of_band() {
    let world = World::build(vec![]).await;
    let scope = format!("openid {FRAUD} sim-swap");
    let ask = async |hint: &str| {
        world
            .authenticated(
                "/oauth2/bc-authorize",
                "bank",
                &[("scope", &scope), ("login_hint", hint)],
            )
            .await
    };
    let poll = async |client: &str, id: &str| {
        world
            .token(client, &[("grant_type", CIBA), ("auth_req_id", id)])
            .await
    };
    ask(&format!("tel:{UNKNOWN}")).await.is(400, "unknown_user_id");
    ask("ipport:10.0.0.1:80").await.is(400, "unknown_user_id");
    let id = ask(&format!("tel:{REFUSING}")).await.json()["auth_req_id"]
        .as_str()
        .unwrap()
        .to_owned();
    poll("bank", &id).await.is(400, "authorization_pending");
    poll("bank", &id).await.is(400, "slow_down");
    poll("shop", &id).await.is(400, "invalid_grant");
    world.gateway.sandbox_decide(&id, true).await.unwrap();
    let token = poll("bank", &id).await.json()["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(check(&world, &token, json!({})).await.status, 200);
    poll("bank", &id).await.is(400, "invalid_grant");
    let id = ask(&format!("tel:{PHONE}")).await.json()["auth_req_id"]
        .as_str()
        .unwrap()
        .to_owned();
    world.gateway.sandbox_decide(&id, false).await.unwrap();
    poll("bank", &id).await.is(400, "access_denied");
    let id = ask(&format!("tel:{PHONE}")).await.json()["auth_req_id"]
        .as_str()
        .unwrap()
        .to_owned();
    world.gateway.sandbox_advance(301).unwrap();
    poll("bank", &id).await.is(400, "expired_token");
    let word = world.gateway.sandbox_operator_token(PHONE).await.unwrap();
    let id = ask(&format!("operatortoken:{word}")).await.json()["auth_req_id"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(poll("bank", &id).await.status, 200);
}

#[tokio::test]
async fn a_code_is_used_once_and_refreshing_rotates() {
    let world = World::build(vec![]).await;
    let back = "https://app.example/back";
    let verifier = "v".repeat(50);
    let challenge = URL_SAFE_NO_PAD.encode(digest(verifier.as_bytes()));
    let authorize = async |word: Option<&str>, changes: &[(&str, &str)]| {
        let scope = format!("openid offline_access {FRAUD} sim-swap");
        let mut fields = vec![
            ("response_type", "code"),
            ("client_id", "bank"),
            ("redirect_uri", back),
            ("scope", &scope),
            ("state", "s"),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        fields.retain(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
        fields.extend(changes);
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let mut request = Request::get(format!("/oauth2/authorize?{query}"));
        if let Some(word) = word {
            request = request.header("x-operator-token", word);
        }
        world.send(request.body(Body::empty()).unwrap()).await
    };
    let word = world.gateway.sandbox_operator_token(PHONE).await.unwrap();
    let part = |answer: &super::world::Answer, name: &str| {
        let location = answer.headers["location"].to_str().unwrap().to_owned();
        let query = location
            .strip_prefix("https://app.example/back?")
            .unwrap()
            .to_owned();
        form_urlencoded::parse(query.as_bytes())
            .find(|(found, _)| found == name)
            .map(|(_, value)| value.into_owned())
    };
    authorize(Some(&word), &[("redirect_uri", "https://evil.example/")])
        .await
        .is(400, "invalid_request");
    authorize(Some(&word), &[("client_id", "nobody")])
        .await
        .is(400, "invalid_request");
    assert_eq!(
        part(&authorize(None, &[]).await, "error").unwrap(),
        "login_required"
    );
    let plain = authorize(Some(&word), &[("code_challenge_method", "plain")]).await;
    assert_eq!(part(&plain, "error").unwrap(), "invalid_request");
    let answer = authorize(Some(&word), &[]).await;
    assert_eq!(
        (answer.status, part(&answer, "state").unwrap().as_str()),
        (302, "s")
    );
    let code = part(&answer, "code").unwrap();
    let redeem = async |code: &str, verifier: &str| {
        world
            .token(
                "bank",
                &[
                    ("grant_type", "authorization_code"),
                    ("code", code),
                    ("redirect_uri", back),
                    ("code_verifier", verifier),
                ],
            )
            .await
    };
    redeem(
        &part(&authorize(Some(&word), &[]).await, "code").unwrap(),
        "wrong",
    )
    .await
    .is(400, "invalid_grant");
    let first = redeem(&code, &verifier).await.json();
    let token = first["access_token"].as_str().unwrap().to_owned();
    assert_eq!(check(&world, &token, json!({})).await.status, 200);
    redeem(&code, &verifier).await.is(400, "invalid_grant");
    // Shown twice: what came of it is gone.
    check(&world, &token, json!({})).await.is(401, "UNAUTHENTICATED");

    let refresh = async |secret: &str| {
        world
            .token(
                "bank",
                &[("grant_type", "refresh_token"), ("refresh_token", secret)],
            )
            .await
    };
    let old = first["refresh_token"].as_str().unwrap().to_owned();
    let new = refresh(&old).await.json()["refresh_token"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_ne!(old, new);
    let newer = refresh(&new).await.json()["refresh_token"]
        .as_str()
        .unwrap()
        .to_owned();
    refresh(&old).await.is(400, "invalid_grant");
    refresh(&newer).await.is(400, "invalid_grant");

    let code = part(&authorize(Some(&word), &[]).await, "code").unwrap();
    let kept = redeem(&code, &verifier).await.json()["refresh_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let (actor, line) = owner(&world, PHONE).await;
    world
        .gateway
        .decide_consent(&actor, line, FRAUD, Some("bank"), false)
        .await
        .unwrap();
    refresh(&kept).await.is(400, "invalid_grant");
}

fn digest(bytes: &[u8]) -> Vec<u8> {
    // The hash that the answer about numbers uses, read back from its hexadecimal digits.
    let hex = simwarden_app::gateway::phone_hash(std::str::from_utf8(bytes).unwrap());
    (0..32)
        .map(|n| u8::from_str_radix(&hex[2 * n..2 * n + 2], 16).unwrap())
        .collect()
}

#[tokio::test]
async fn a_sandbox_leaves_real_lines_and_clients_alone() {
    let world = World::build(vec![]).await;
    let token = world.two_legged("bank", "sim-swap").await;
    world
        .seed(json!({ "clients": [], "lines": [super::world::line("+855120000555", json!({}))] }))
        .await;
    check(&world, &token, json!({ "phoneNumber": PHONE }))
        .await
        .is(401, "UNAUTHENTICATED");
    world
        .token(
            "bank",
            &[("grant_type", "client_credentials"), ("scope", "sim-swap")],
        )
        .await
        .is_client_error();
    // The line of the scene before is closed: nothing can be done to it, or asked about it.
    assert!(world.gateway.sandbox_sim_swap(PHONE).await.is_err());
    assert!(world.gateway.sandbox_sim_swap(UNKNOWN).await.is_err());
    assert!(world.gateway.sandbox_operator_token(UNKNOWN).await.is_err());
}
