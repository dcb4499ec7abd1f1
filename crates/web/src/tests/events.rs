//! Events come in: each is counted exactly once, and bad lines do not stop the rest.

use super::world::{World, request};
use crate::shapes::EventsAnswer;
use axum::body::Body;
use simwarden_model::Role;

async fn deliver(world: &World, token: &str, media: &str, body: String) -> EventsAnswer {
    let sent = request("POST", token, "/v1/events").header("content-type", media);
    let answer = world.send(sent.body(Body::from(body)).unwrap()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

#[tokio::test]
async fn counts_are_exact() {
    let world = World::build().await;
    let feed = world.token(Role::Feed, None, None).await;
    let now = world.app.now().as_millis();
    let line = |id: u64| format!(r#"{{"ts":{now},"id":{id},"type":"attach","msisdn":"85512345678"}}"#);
    let mut batch: Vec<String> = (0..2_500).map(line).collect();
    batch.insert(1, line(0));
    batch.insert(2, "no event".to_owned());
    batch.insert(3, String::new());
    batch.insert(4, format!(r#"{{"ts":{now},"id":1,"type":"attach","imei":"12"}}"#));
    batch.insert(
        5,
        format!(r#"{{"ts":{now},"id":9999,"type":"attach","operator":"456-01"}}"#),
    );
    let body = batch.join("\n");
    let counts = |a: &EventsAnswer| (a.accepted, a.duplicate, a.quarantined);
    let first = deliver(&world, &feed, "application/x-ndjson", body.clone()).await;
    assert_eq!(counts(&first), (2_500, 1, 3));
    let lines: Vec<u64> = first.problems.iter().map(|problem| problem.line).collect();
    assert_eq!(lines, [3, 5, 6]);
    let second = deliver(&world, &feed, "application/x-ndjson", body).await;
    assert_eq!(counts(&second), (0, 2_501, 3));
    let pretty = format!("{{\n  \"ts\": {now},\n  \"id\": \"single\",\n  \"type\": \"detach\"\n}}");
    assert_eq!(
        counts(&deliver(&world, &feed, "application/json", pretty).await),
        (1, 0, 0)
    );
    let admin = world.token(Role::Admin, None, None).await;
    let metrics = world.get(&admin, "/metrics").await.text;
    assert!(
        metrics.contains("simwarden_events_accepted_total 2501"),
        "{metrics}"
    );
    assert!(metrics.contains("simwarden_events_duplicate_total 2502"));
    assert!(
        metrics.contains(r#"simwarden_http_answers_total{route="/v1/events",method="POST",status="200"} 3"#)
    );
    assert!(!metrics.contains("85512345678"));
}

#[tokio::test]
async fn a_batch_is_bounded() {
    let world = World::build().await;
    let feed = world.token(Role::Feed, None, None).await;
    let announced = request("POST", &feed, "/v1/events")
        .header("content-type", "application/x-ndjson")
        .header("content-length", "100000000")
        .body(Body::from("{}"))
        .unwrap();
    assert_eq!(world.send(announced).await.status, 413);
    let single = request("POST", &feed, "/v1/events")
        .header("content-type", "application/json")
        .body(Body::from(vec![b' '; 70_000]))
        .unwrap();
    assert_eq!(world.send(single).await.status, 413);
    let deep = format!(
        "{{\"ts\":1,\"id\":1,\"type\":\"attach\",\"x\":{}",
        "[".repeat(50_000)
    );
    for (media, status) in [("application/json", 400), ("application/x-ndjson", 200)] {
        let sent = request("POST", &feed, "/v1/events").header("content-type", media);
        let answer = world.send(sent.body(Body::from(deep.clone())).unwrap()).await;
        assert_eq!(answer.status, status, "{media}: {answer:?}");
    }
}
