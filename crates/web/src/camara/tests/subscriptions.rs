//! Being told of swaps: what is sent, to whom, how often, and when it ends.

use super::spec::hold_event;
use super::world::{OTHER, PHONE, World, key};
use serde_json::{Value, json};
use simwarden_app::gateway::SinkAnswer;
use simwarden_app::ports::PortError;
use std::time::Duration;

const PATH: &str = "/sim-swap-subscriptions/v0.3/subscriptions";
const EVENT: &str = "org.camaraproject.sim-swap-subscriptions.v0.swapped";
const ALL: &str = "sim-swap-subscriptions:org.camaraproject.sim-swap-subscriptions.v0.swapped:create \
    sim-swap-subscriptions:read sim-swap-subscriptions:delete";

fn body(world: &World, phone: &str) -> Value {
    json!({
        "protocol": "HTTP", "sink": "https://127.0.0.1:9443/told", "types": [EVENT],
        "config": { "subscriptionDetail": { "phoneNumber": phone } },
        "sinkCredential": {
            "credentialType": "ACCESSTOKEN", "accessToken": "secret", "accessTokenType": "bearer",
            "accessTokenExpiresUtc": world.gateway.now().plus(Duration::from_secs(600)),
        },
    })
}

#[tokio::test]
async fn a_swap_is_told_and_an_end_too() {
    let world = World::build(vec![]).await;
    let token = world.two_legged("bank", ALL).await;
    let made = world.post(PATH, &token, body(&world, PHONE)).await;
    assert_eq!(made.status, 201);
    assert!(!made.text.contains("secret"));
    let id = made.json()["id"].as_str().unwrap().to_owned();
    let one = format!("{PATH}/{id}");
    assert_eq!(world.call("GET", &one, &token, None).await.json(), made.json());
    assert_eq!(
        world.call("GET", PATH, &token, None).await.json(),
        json!([made.json()])
    );

    let other = world.two_legged("shop", ALL).await;
    world.call("GET", &one, &other, None).await.is(404, "NOT_FOUND");
    world
        .call("DELETE", &one, &other, None)
        .await
        .is(404, "NOT_FOUND");
    world.call("GET", PATH, &other, None).await.says(&json!([]));

    world.gateway.sandbox_sim_swap(PHONE).await.unwrap();
    let (call, event) = world.events(1).await.remove(0);
    assert_eq!(call.bearer.as_deref(), Some("secret"));
    assert_eq!(
        (&event["type"], &event["data"]["subscriptionId"]),
        (&json!(EVENT), &json!(id))
    );
    assert_eq!(event["data"]["phoneNumber"], PHONE);
    hold_event(&event, "EventSimSwap");
    assert_eq!(world.call("DELETE", &one, &token, None).await.status, 204);
    let (_, event) = world.events(2).await.remove(1);
    assert_eq!(event["data"]["terminationReason"], "SUBSCRIPTION_DELETED");
    hold_event(&event, "EventSubscriptionEnded");
    world.call("GET", &one, &token, None).await.is(404, "NOT_FOUND");
    world.gateway.sandbox_sim_swap(PHONE).await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(
        world.sink.calls.lock().unwrap().len(),
        2,
        "nothing more comes after the end"
    );
}

#[tokio::test]
async fn it_ends_by_count_by_time_and_before_the_credential() {
    let world = World::build(vec![]).await;
    let token = world.two_legged("bank", ALL).await;
    let mut once = body(&world, PHONE);
    once["config"]["subscriptionMaxEvents"] = 1.into();
    assert_eq!(world.post(PATH, &token, once).await.status, 201);
    world.gateway.sandbox_sim_swap(PHONE).await.unwrap();
    let events = world.events(2).await;
    assert_eq!(events[0].1["type"], EVENT);
    assert_eq!(events[1].1["data"]["terminationReason"], "MAX_EVENTS_REACHED");
    let mut timed = body(&world, PHONE);
    timed["config"]["subscriptionExpireTime"] = world
        .gateway
        .now()
        .plus(Duration::from_secs(60))
        .to_string()
        .into();
    assert_eq!(world.post(PATH, &token, timed).await.status, 201);
    world.gateway.sandbox_advance(61).unwrap();
    assert_eq!(
        world.events(3).await[2].1["data"]["terminationReason"],
        "SUBSCRIPTION_EXPIRED"
    );
    assert_eq!(world.post(PATH, &token, body(&world, OTHER)).await.status, 201);
    // The credential holds for 600 seconds by the client's clock; the sink hears before.
    world.gateway.sandbox_advance(658).unwrap();
    assert_eq!(
        world.events(4).await[3].1["data"]["terminationReason"],
        "ACCESS_TOKEN_EXPIRED"
    );
}

#[tokio::test]
async fn a_subscribers_number_is_never_said_back() {
    let world = World::build(vec![]).await;
    let token = world.three_legged("bank", &format!("tel:{PHONE}"), ALL).await;
    world
        .post(PATH, &token, body(&world, PHONE))
        .await
        .is(422, "UNNECESSARY_IDENTIFIER");
    let mut quiet = body(&world, PHONE);
    quiet["config"]["subscriptionDetail"] = json!({});
    let made = world.post(PATH, &token, quiet.clone()).await;
    assert_eq!((made.status, made.text.contains("855")), (201, false));
    world.gateway.sandbox_sim_swap(PHONE).await.unwrap();
    let (_, event) = world.events(1).await.remove(0);
    assert!(event["data"].get("phoneNumber").is_none());
    // Another subscriber behind the same client does not see it.
    let other = world.three_legged("bank", &format!("tel:{OTHER}"), ALL).await;
    world.call("GET", PATH, &other, None).await.says(&json!([]));
    let alone = world.two_legged("bank", ALL).await;
    world
        .post(PATH, &alone, quiet)
        .await
        .is(422, "MISSING_IDENTIFIER");
}

#[tokio::test]
async fn what_is_not_taken_comes_again_or_is_kept_as_a_dead_letter() {
    let world = World::build(vec![]).await;
    let token = world.two_legged("bank", ALL).await;
    assert_eq!(world.post(PATH, &token, body(&world, PHONE)).await.status, 201);
    let temporary = PortError::Temporary("503".to_owned());
    *world.sink.says.lock().unwrap() = vec![Err(temporary)];
    world.gateway.sandbox_sim_swap(PHONE).await.unwrap();
    world.events(1).await;
    world.gateway.sandbox_advance(5).unwrap();
    let events = world.events(2).await;
    assert_eq!(
        events[0].1["id"], events[1].1["id"],
        "the same event under the same name"
    );
    *world.sink.says.lock().unwrap() = vec![Err(PortError::Permanent("403: no".to_owned()))];
    world.gateway.sandbox_advance(5).unwrap();
    world.gateway.sandbox_sim_swap(PHONE).await.unwrap();
    world.events(3).await;
    for _ in 0..200 {
        if !world.gateway.dead_letters("bank").await.unwrap().is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    assert_eq!(world.gateway.dead_letters("bank").await.unwrap()[0].2, "403: no");
    // Who says that it is gone hears nothing more.
    *world.sink.says.lock().unwrap() = vec![Ok(SinkAnswer::Gone)];
    world.gateway.sandbox_advance(5).unwrap();
    world.gateway.sandbox_sim_swap(PHONE).await.unwrap();
    world.events(4).await;
    for _ in 0..200 {
        if world.call("GET", PATH, &token, None).await.json() == json!([]) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    world.call("GET", PATH, &token, None).await.says(&json!([]));
}

#[tokio::test]
async fn what_is_wrong_is_told_in_the_official_words() {
    let world = World::with(
        vec![],
        None,
        json!([{
            "client_id": "own", "jwks": { "keys": [key(7).1] }, "grants": ["client_credentials"],
            "sinks": ["https://hooks.bank.example/in/"],
        }]),
    )
    .await;
    let token = world.two_legged("own", ALL).await;
    let changed = |path: &[&str], value: Value| {
        let mut body = body(&world, PHONE);
        let mut at = &mut body;
        for name in path {
            at = &mut at[*name];
        }
        *at = value;
        body
    };
    for (path, value, code) in [
        (&["protocol"][..], json!("MQTT3"), "INVALID_PROTOCOL"),
        (&["protocol"], json!("nothing"), "INVALID_PROTOCOL"),
        (&["protocol"], json!(1), "INVALID_ARGUMENT"),
        (&["types"], json!([]), "INVALID_ARGUMENT"),
        (&["types"], json!(["other"]), "INVALID_ARGUMENT"),
        (&["types"], json!([EVENT, EVENT]), "INVALID_ARGUMENT"),
        (&["sink"], json!("http://127.0.0.1:9443/"), "INVALID_ARGUMENT"),
        (&["sink"], json!("nothing"), "INVALID_ARGUMENT"),
        (&["sink"], json!("https://10.0.0.1/"), "INVALID_SINK"),
        (
            &["sink"],
            json!("https://hooks.bank.example/out/"),
            "INVALID_SINK",
        ),
        (
            &["sink"],
            json!("https://127.0.0.1:9443@evil.example/"),
            "INVALID_SINK",
        ),
        (
            &["sinkCredential", "credentialType"],
            json!("PLAIN"),
            "INVALID_CREDENTIAL",
        ),
        (
            &["sinkCredential", "credentialType"],
            json!("REFRESHTOKEN"),
            "INVALID_CREDENTIAL",
        ),
        (
            &["sinkCredential", "accessTokenType"],
            json!("mac"),
            "INVALID_TOKEN",
        ),
        (
            &["sinkCredential", "accessToken"],
            json!("a\r\nb"),
            "INVALID_ARGUMENT",
        ),
        (
            &["sinkCredential", "accessTokenExpiresUtc"],
            json!("2020-01-01T00:00:00Z"),
            "INVALID_ARGUMENT",
        ),
        (&["config"], json!({}), "INVALID_ARGUMENT"),
        (
            &["config", "subscriptionExpireTime"],
            json!("2020-01-01T00:00:00Z"),
            "INVALID_ARGUMENT",
        ),
        (
            &["config", "subscriptionExpireTime"],
            json!("tomorrow"),
            "INVALID_ARGUMENT",
        ),
        (&["config", "subscriptionMaxEvents"], json!(0), "OUT_OF_RANGE"),
        (
            &["config", "subscriptionMaxEvents"],
            json!("1"),
            "INVALID_ARGUMENT",
        ),
    ] {
        world.post(PATH, &token, changed(path, value)).await.is(400, code);
    }
    let sink = changed(&["sink"], json!("https://hooks.bank.example/in/a"));
    for _ in 0..10 {
        assert_eq!(world.post(PATH, &token, sink.clone()).await.status, 201);
    }
    world.post(PATH, &token, sink).await.is(409, "ALREADY_EXISTS");
}
