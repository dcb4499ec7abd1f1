//! Ways around the wall that worked elsewhere. Each must end as if it had not been tried.

use super::world::{World, request};
use crate::WebLimits;
use axum::body::Body;
use axum::http::HeaderValue;
use simwarden_model::Role;
use std::num::NonZeroU32;

const AUDIT: &str = "/v1/operations/0192a3b4-c5d6-7e8f-9a0b-1c2d3e4f5061/decisions";

#[tokio::test]
async fn no_spelling_of_a_path_leads_around_the_wall() {
    let world = World::build().await;
    let agent = world.token(Role::Agent, Some("shop-1"), None).await;
    let spellings = [
        "/V1/tokens",
        "/v1/Tokens",
        "//v1/tokens",
        "/v1//tokens",
        "/v1/tokens/",
        "/v1/./tokens",
        "/v1/../v1/tokens",
        "/v1/%2e/tokens",
        "/v1/%2e%2e/v1/tokens",
        "/v1%2ftokens",
        "/v1/%74okens",
        "/v1/tokens%00",
        "/v1/tokens%20",
        "/v1/tokens;x=1",
        "/v1/tokens.json",
        "/healthz/../v1/tokens",
        "/console/../v1/tokens",
        "/assets/..%2f..%2fv1/tokens",
        "/v1/tok%C4%B1ens",
        "/v1/tokens?role=admin",
        "/v1/tokens#admin",
    ];
    for path in spellings {
        let body = serde_json::json!({ "role": "admin", "name": "thief" });
        let answer = world.post(&agent, path, body).await;
        assert!(
            matches!(answer.status.as_u16(), 403..=405),
            "{path} answered {}: {}",
            answer.status,
            answer.text
        );
    }
    for path in [
        "/ledger/tile/%65ntries/000",
        "/ledger/tile/entries%2f000",
        "/ledger/tile/Entries/000",
        "/ledger/tile//entries/000",
        "/ledger/tile/0/../entries/000",
        "/ledger/tile/./entries/000",
        "/ledger/tile/../../secret",
        "/ledger/tile/..%2f..%2fsecret",
        "/ledger/tile/0/%2e%2e/%2e%2e/%2e%2e/secret",
        "/ledger/tile/entries/000",
        "/ledger/checkpoint/../secret",
    ] {
        let answer = world.get("", path).await;
        assert!(
            matches!(answer.status.as_u16(), 401 | 404),
            "{path} answered {}",
            answer.status
        );
        assert!(
            !answer.text.contains('\u{2}') && answer.text != "secret",
            "{path}"
        );
    }
    assert_eq!(world.get("", "/ledger/tile/0/000").await.status, 200);
    let auditor = world.token(Role::Auditor, None, None).await;
    assert_eq!(world.get(&auditor, "/ledger/tile/entries/000").await.status, 200);
    assert_eq!(
        world
            .get(&auditor, "/ledger/tile/entries/../../checkpoint")
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn no_header_makes_somebody_else_of_the_asker() {
    let world = World::build().await;
    let agent = world.token(Role::Agent, Some("shop-1"), None).await;
    let admin = world.token(Role::Admin, None, None).await;
    for (name, value) in [
        ("x-http-method-override", "GET"),
        ("x-http-method", "DELETE"),
        ("x-method-override", "DELETE"),
        ("x-original-url", "/healthz"),
        ("x-rewrite-url", "/healthz"),
        ("x-forwarded-for", "127.0.0.1"),
        ("x-forwarded-host", "localhost"),
        ("x-forwarded-user", "admin"),
        ("x-forwarded-proto", "https"),
        ("forwarded", "for=127.0.0.1"),
        ("x-real-ip", "127.0.0.1"),
        ("x-remote-user", "admin"),
        ("x-role", "admin"),
        ("x-request-id", "mine"),
        ("host", "admin.localhost"),
        ("origin", "null"),
    ] {
        let sent = request("GET", &agent, AUDIT)
            .header(name, value)
            .body(Body::empty())
            .unwrap();
        let answer = world.send(sent).await;
        assert_eq!(answer.status, 403, "{name}: {value}");
        assert_ne!(answer.headers["x-request-id"], "mine");
    }
    for path in [
        format!("{AUDIT}?token={admin}"),
        format!("{AUDIT}?access_token={admin}"),
        format!("{AUDIT}?authorization=Bearer%20{admin}"),
    ] {
        assert_eq!(world.get("", &path).await.status, 401, "{path}");
    }
    let cookie = |name: &str, token: &str| format!("{name}={token}");
    for (bearer, cookies, status) in [
        (agent.as_str(), cookie("simwarden_session", &admin), 400),
        ("", cookie("__Host-simwarden", &admin), 401),
        ("", cookie("Simwarden_Session", &admin), 401),
        ("", cookie("simwarden_session", "\"\""), 401),
        (
            "",
            format!("simwarden_session={agent}; simwarden_session={admin}"),
            401,
        ),
    ] {
        let sent = request("GET", bearer, AUDIT).header("cookie", cookies.as_str());
        let answer = world.send(sent.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, status, "{cookies}");
    }
    for value in [
        format!("Bearer {}", "swt_".repeat(2_000)),
        format!("Bearer {admin}\u{0}"),
        format!("Bearer  {admin}"),
        format!("Bearer {admin} "),
        format!("Bearer {}", admin.to_uppercase()),
        format!("Token {admin}"),
        format!("Bearer {agent},{admin}"),
        "Bearer ｓｗｔ＿".to_owned(),
        admin.clone(),
    ] {
        let Ok(header) = HeaderValue::from_bytes(value.as_bytes()) else {
            continue; // the HTTP library refuses it even earlier
        };
        let sent = request("GET", "", AUDIT).header("authorization", header);
        let answer = world.send(sent.body(Body::empty()).unwrap()).await;
        assert!(
            matches!(answer.status.as_u16(), 401 | 429),
            "{value}: {}",
            answer.status
        );
    }
}

#[tokio::test]
async fn a_role_may_not_claim_a_channel_that_it_cannot_stand_in() {
    let world = World::build().await;
    let owner = world.person("Sok Dara", "85512345678").await;
    let device = world.token(Role::Subscriber, None, Some(owner.party)).await;
    for channel in ["shop", "owned_shop", "call", "api", "regulator", "system"] {
        let mut body = super::world::replace(&owner);
        body["channel"] = channel.into();
        let answer = world.post(&device, "/v1/operations", body).await;
        assert!(answer.text.contains("`channel`"), "{channel}: {answer:?}");
        assert_eq!(answer.status, 400);
    }
}

#[tokio::test]
async fn who_asks_too_often_is_told_to_wait() {
    let few = |n| NonZeroU32::new(n).unwrap();
    let limits = WebLimits {
        machine_per_second: few(5),
        failures_per_minute: few(3),
        address_per_second: few(1_000),
        ..WebLimits::default()
    };
    let world = World::with(limits, false).await;
    let (one, other) = (
        world.token(Role::Auditor, None, None).await,
        world.token(Role::Auditor, None, None).await,
    );
    let mut statuses = Vec::new();
    for _ in 0..12 {
        statuses.push(world.get(&one, "/v1/me").await.status.as_u16());
    }
    assert!(statuses[..5].iter().all(|status| *status == 200), "{statuses:?}");
    assert!(statuses.contains(&429), "{statuses:?}");
    assert_eq!(
        world.get(&other, "/v1/me").await.status,
        200,
        "another token is not touched"
    );
    let mut last = None;
    for n in 0..5 {
        last = Some(world.get(&format!("swt_{n}"), "/v1/me").await);
    }
    let last = last.unwrap();
    assert_eq!(last.code(), "too_many_failures");
    assert!(
        last.headers["retry-after"]
            .to_str()
            .unwrap()
            .parse::<u64>()
            .unwrap()
            >= 1
    );
    assert_eq!(
        world.get(&other, "/v1/me").await.status,
        200,
        "a right token still passes"
    );
}
