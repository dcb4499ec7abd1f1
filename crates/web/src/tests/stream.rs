//! The live stream over the whole edge.

use super::world::{World, replace, request};
use crate::WebLimits;
use axum::body::{Body, BodyDataStream};
use futures_util::StreamExt as _;
use simwarden_model::Role;
use std::time::Duration;
use tokio::time::timeout;
use tower::ServiceExt as _;

struct Line(BodyDataStream);

impl Line {
    async fn open(world: &World, token: &str, last: Option<i64>) -> Self {
        let mut sent = request("GET", token, "/v1/stream");
        if let Some(last) = last {
            sent = sent.header("last-event-id", last);
        }
        let response = world
            .router
            .clone()
            .oneshot(sent.body(Body::empty()).unwrap())
            .await
            .unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-store");
        let mut line = Self(response.into_body().into_data_stream());
        assert!(line.next().await.unwrap().starts_with("retry:"));
        line
    }

    async fn next(&mut self) -> Option<String> {
        let bytes = timeout(Duration::from_secs(10), self.0.next())
            .await
            .expect("something in time")?;
        Some(String::from_utf8(bytes.unwrap().to_vec()).unwrap())
    }
}

fn ids(text: &str) -> Vec<i64> {
    text.lines()
        .filter_map(|line| line.strip_prefix("id: "))
        .map(|id| id.parse().unwrap())
        .collect()
}

#[tokio::test]
async fn a_line_that_was_cut_off_goes_on_without_a_gap() {
    let limits = WebLimits {
        updates_kept: 4,
        ..WebLimits::default()
    };
    let world = World::with(limits, false).await;
    let owner = world.person("Sok Dara", "85512345678").await;
    let stranger = world.person("Chan Thida", "85512345679").await;
    let agent = world.token(Role::Agent, Some("shop-1"), None).await;
    let analyst = world.token(Role::FraudAnalyst, None, None).await;
    let device = world.token(Role::Subscriber, None, Some(stranger.party)).await;
    let mut line = Line::open(&world, &analyst, None).await;
    let mut others = Line::open(&world, &device, None).await;
    let ask = async |person| {
        let answer = world.post(&agent, "/v1/operations", replace(person)).await;
        answer.json::<crate::shapes::OperationAsked>()
    };
    let first = ask(&owner).await;
    let text = line.next().await.unwrap();
    assert!(
        text.starts_with("event: operation\n") && text.ends_with("\n\n"),
        "{text}"
    );
    assert_eq!(ids(&text), [first.summary.entry]);
    let data = text.lines().find_map(|line| line.strip_prefix("data: ")).unwrap();
    let sent: crate::shapes::OperationSummary = serde_json::from_str(data).unwrap();
    assert_eq!(sent, first.summary);
    let second = ask(&stranger).await;
    assert_eq!(ids(&line.next().await.unwrap()), [second.summary.entry]);
    assert_eq!(
        ids(&others.next().await.unwrap()),
        [second.summary.entry],
        "only the own line's"
    );
    drop(line);

    let mut again = Line::open(&world, &analyst, Some(first.summary.entry)).await;
    assert_eq!(ids(&again.next().await.unwrap()), [second.summary.entry]);
    drop(again);
    for _ in 0..4 {
        ask(&owner).await;
    }
    // An answer may come a moment before those who watch are told.
    let mut late = Line::open(&world, &analyst, Some(first.summary.entry)).await;
    let mut tries = 0;
    while !late.next().await.unwrap().starts_with("event: reload\n") {
        tries += 1;
        assert!(tries < 1_000, "what was missed is no longer kept");
        tokio::task::yield_now().await;
        late = Line::open(&world, &analyst, Some(first.summary.entry)).await;
    }
    let last = ask(&owner).await;
    assert_eq!(ids(&late.next().await.unwrap()), [last.summary.entry]);
    world.stop.send_replace(true);
    assert_eq!(late.next().await, None, "the line ends with the server");
}

#[tokio::test]
async fn a_revoked_token_ends_its_lines() {
    let limits = WebLimits {
        stream_beat: Duration::from_millis(50),
        ..WebLimits::default()
    };
    let world = World::with(limits, false).await;
    let (id, token) = world
        .token_with(Role::FraudAnalyst, None, None, Duration::from_secs(60))
        .await;
    let mut line = Line::open(&world, &token, None).await;
    world
        .app
        .revoke_token(&simwarden_app::Actor::system(), id)
        .await
        .unwrap();
    // A beat may have been on its way.
    let mut beats = 0;
    while let Some(text) = line.next().await {
        assert_eq!(text, ": beat\n\n");
        beats += 1;
        assert!(beats < 100);
    }
}
