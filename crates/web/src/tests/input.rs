//! Bad input of every kind: always a 4xx that helps, never a 5xx, never an echo.

use super::world::{EID, World, replace, request};
use axum::body::Body;
use proptest::prelude::*;
use simwarden_model::Role;

const SECRET: &str = "Zanzibar99";

#[tokio::test]
async fn bad_bodies_get_a_4xx_that_names_the_field() {
    let world = World::build().await;
    let owner = world.person("Sok Dara", "85512345678").await;
    let agent = world.token(Role::Agent, Some("shop-1"), None).await;
    let with = |field: &str, value: serde_json::Value| {
        let mut body = replace(&owner);
        body[field] = value;
        body.to_string().into_bytes()
    };
    let person = |name: &str, number: &str| serde_json::json!({ "name": name, "document": { "country": "KHM", "kind": "passport", "number": number } });
    let table: Vec<(&str, Vec<u8>, &str)> = vec![
        ("nothing", vec![], "empty"),
        ("no JSON", b"hello".to_vec(), "not JSON"),
        ("cut off", b"{\"operation\":\"repl".to_vec(), "not JSON"),
        ("two objects", b"{}{}".to_vec(), "`body`"),
        ("a list", b"[]".to_vec(), "`body`"),
        ("null", b"null".to_vec(), "`body`"),
        (
            "deep",
            "{\"context\":".repeat(5_000).into_bytes(),
            "unknown field",
        ),
        ("deep list", "[".repeat(60_000).into_bytes(), "body"),
        ("no UTF-8", b"{\"operation\":\"\xff\xfe\"}".to_vec(), "UTF-8"),
        (
            "UTF-16",
            "{\"a\":1}".encode_utf16().flat_map(u16::to_le_bytes).collect(),
            "body",
        ),
        ("unknown field", with(SECRET, 1.into()), "unknown field"),
        (
            "unknown operation",
            with("operation", SECRET.into()),
            "`operation`",
        ),
        ("number for text", with("msisdn", 855_123.into()), "`msisdn`"),
        ("no number", with("msisdn", SECRET.into()), "`msisdn`"),
        (
            "check digit of an EID",
            with("eid", EID.replace("35", "36").into()),
            "check digit",
        ),
        (
            "check digit of an IMEI",
            with("imei", "490154203237519".into()),
            "`imei`",
        ),
        ("no UUID", with("line", SECRET.into()), "`line`"),
        ("line twice", with("line", owner.line.to_string().into()), "once"),
        ("mail", with("contact_email", SECRET.into()), "`contact_email`"),
        (
            "SQL in a name",
            with("new_owner", person("x'); DROP TABLE party;--", "N123456")),
            "`new_owner.name`",
        ),
        (
            "SQL in a number",
            with("new_owner", person("Dara", "' OR 1=1 --")),
            "`new_owner.document`",
        ),
        (
            "flag",
            with("context", serde_json::json!({ "in_shift": SECRET })),
            "`context.in_shift`",
        ),
        (
            "flag unknown",
            with("context", serde_json::json!({ "fine": true })),
            "`context",
        ),
    ];
    for (name, body, says) in table {
        let answer = world.raw(&agent, "/v1/operations", body).await;
        assert_eq!(answer.status, 400, "{name}: {answer:?}");
        answer.code();
        assert!(
            answer.text.contains(says),
            "{name} does not say `{says}`: {}",
            answer.text
        );
        assert!(
            !answer.text.contains(SECRET) && !answer.text.contains("DROP"),
            "{name}: {}",
            answer.text
        );
    }
    let twice = r#"{"operation":"lock","operation":"unlock"}"#;
    assert!(
        world
            .raw(&agent, "/v1/operations", twice)
            .await
            .text
            .contains("duplicate field")
    );
    assert_eq!(
        world
            .raw(&agent, "/v1/operations", vec![b' '; 65 * 1024])
            .await
            .status,
        413
    );
    let unannounced = futures_util::stream::iter((0..100).map(|_| Ok::<_, std::io::Error>(vec![b' '; 1024])));
    assert_eq!(
        world
            .raw(&agent, "/v1/operations", Body::from_stream(unannounced))
            .await
            .status,
        413
    );
    for media in [
        "text/plain",
        "application/xml",
        "application/json; charset=utf-16",
        "",
    ] {
        let sent = request("POST", &agent, "/v1/operations").header("content-type", media);
        assert_eq!(
            world.send(sent.body(Body::from("{}")).unwrap()).await.status,
            415,
            "{media}"
        );
    }
    let packed = request("POST", &agent, "/v1/operations")
        .header("content-type", "application/json")
        .header("content-encoding", "gzip");
    assert_eq!(
        world.send(packed.body(Body::from("{}")).unwrap()).await.status,
        415
    );
    for key in ["", "with space", &"k".repeat(129), "é"] {
        let sent = request("POST", &agent, "/v1/operations")
            .header("content-type", "application/json")
            .header(
                "idempotency-key",
                axum::http::HeaderValue::from_bytes(key.as_bytes()).unwrap(),
            );
        let answer = world
            .send(sent.body(Body::from(replace(&owner).to_string())).unwrap())
            .await;
        assert_eq!(answer.code(), "invalid_idempotency_key", "`{key}`");
    }
}

#[tokio::test]
async fn bad_paths_and_queries_get_a_4xx() {
    let world = World::build().await;
    let auditor = world.token(Role::Auditor, None, None).await;
    for path in [
        "/v1/operations?limit=0",
        "/v1/operations?limit=201",
        "/v1/operations?limit=x",
        "/v1/operations?limit=-1",
        "/v1/operations?limit=99999999999999999999",
        "/v1/operations?before=x",
        "/v1/operations?state=moon",
        "/v1/operations?limit=1&limit=2",
        "/v1/operations?bogus=1",
        "/v1/operations?%FF=%FE",
        "/v1/operations/x",
        "/v1/operations/%00",
        "/v1/operations/%FF",
        "/v1/operations/0192a3b4c5d67e8f9a0b1c2d3e4f5061",
        "/v1/operations/'%20OR%201=1--",
        "/v1/stream?after=x",
    ] {
        let answer = world.get(&auditor, path).await;
        assert_eq!(answer.status, 400, "{path}: {answer:?}");
    }
    let long = format!("/v1/operations?before={}", "x".repeat(5_000));
    assert_eq!(world.get(&auditor, &long).await.status, 414);
    assert_eq!(world.get(&auditor, "/v1/nothing").await.code(), "not_found");
    let wrong = world.raw(&auditor, "/v1/me", "{}").await;
    assert_eq!(
        (wrong.status.as_u16(), wrong.code()),
        (405, "method_not_allowed".to_owned())
    );
    assert!(wrong.headers.contains_key("allow"));
}

fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        "\\PC{0,40}".prop_map(Into::into),
        proptest::sample::select(vec![
            "replace", "shop", "lock", "totp", "yes", "mine", "agent", "999-01"
        ])
        .prop_map(Into::into),
    ];
    let names = proptest::sample::select(vec![
        "operation",
        "channel",
        "msisdn",
        "line",
        "claim",
        "eid",
        "context",
        "new_owner",
        "document",
        "name",
        "kind",
        "code",
        "answer",
        "number",
        "by",
        "value",
        "role",
        "operator",
        "days",
        "since",
        "until",
        "token",
        "ts",
        "id",
        "type",
        "imei",
    ]);
    leaf.prop_recursive(4, 32, 8, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::Array),
            proptest::collection::vec((names.clone().prop_map(str::to_owned), inner), 0..8)
                .prop_map(|fields| serde_json::Value::Object(fields.into_iter().collect())),
        ]
    })
}

#[test]
fn no_body_makes_a_5xx() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .worker_threads(1)
        .build()
        .unwrap();
    let (world, tokens) = runtime.block_on(async {
        let world = World::build().await;
        let owner = world.person("Sok Dara", "85512345678").await;
        let mut tokens = Vec::new();
        for role in [Role::Agent, Role::Admin, Role::Feed, Role::Hotline] {
            tokens.push(world.token(role, None, None).await);
        }
        tokens.push(world.token(Role::Subscriber, None, Some(owner.party)).await);
        (world, tokens)
    });
    const ID: &str = "0192a3b4-c5d6-7e8f-9a0b-1c2d3e4f5061";
    let paths: Vec<String> = crate::access::TABLE
        .iter()
        .filter(|rule| rule.method == axum::http::Method::POST)
        .map(|rule| rule.path.replace("{id}", ID))
        .collect();
    let bodies = prop_oneof![
        any_json().prop_map(|json| json.to_string().into_bytes()),
        proptest::collection::vec(any::<u8>(), 0..200),
    ];
    proptest!(ProptestConfig { cases: 150, ..ProptestConfig::default() }, |(
        body in bodies, path in proptest::sample::select(paths), who in 0..5_usize,
    )| {
        let answer = runtime.block_on(world.raw(&tokens[who], &path, body));
        prop_assert!(answer.status.as_u16() < 500, "{path}: {answer:?}");
    });
}
