//! The SM-DP+'s listener under those who hold on to it.

use super::world::World;
use crate::access::{ES2PLUS_TABLE, Who};
use crate::auth::Peer;
use crate::limits::count;
use crate::serve::ClientCertificate;
use crate::{Es9Limits, es9plus_router};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::Request;
use futures_util::stream;
use http_body_util::BodyExt as _;
use simwarden_model::Role;
use std::convert::Infallible;
use std::net::IpAddr;
use tower::ServiceExt as _;

const INITIATE: &str = "/gsma/rsp2/es9plus/initiateAuthentication";

fn call(from: &str, body: Body) -> Request<Body> {
    let mut request = Request::post(INITIATE).body(body).unwrap();
    let from: IpAddr = from.parse().unwrap();
    request.extensions_mut().insert(Peer(from));
    request
}

async fn reason(router: &Router, request: Request<Body>) -> String {
    let answer = router.clone().oneshot(request).await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
    let data = &body["header"]["functionExecutionStatus"]["statusCodeData"];
    format!(
        "{}/{}",
        data["subjectCode"].as_str().unwrap(),
        data["reasonCode"].as_str().unwrap()
    )
}

#[tokio::test]
async fn whoever_sends_slowly_holds_no_place() {
    let world = World::build().await;
    let limits = Es9Limits {
        calls_at_once: 1,
        ..Es9Limits::default()
    };
    let router = es9plus_router(super::world::smdp(&world.app), limits);
    // Begun and never ended.
    let begun = stream::iter([Ok::<_, Infallible>(Bytes::from_static(b"{"))]);
    let endless = futures_util::StreamExt::chain(begun, stream::pending());
    let slow = tokio::spawn(
        router
            .clone()
            .oneshot(call("192.0.2.9", Body::from_stream(endless))),
    );
    tokio::task::yield_now().await;
    for _ in 0..4 {
        assert_eq!(
            reason(&router, call("192.0.2.1", Body::from("{}"))).await,
            "1.3/2.2"
        );
    }
    assert!(!slow.is_finished());
    slow.abort();
}

#[tokio::test]
async fn one_network_is_slowed_and_neither_its_neighbour_nor_a_proxy() {
    let world = World::build().await;
    let limits = Es9Limits {
        address_per_second: count(2),
        ..Es9Limits::default()
    };
    let router = es9plus_router(super::world::smdp(&world.app), limits);
    let mut last = String::new();
    for host in 1..20 {
        last = reason(&router, call(&format!("2001:db8::{host:x}"), Body::from("{}"))).await;
    }
    assert_eq!(last, "8.8/4.2");
    for from in ["2001:db8:0:1::1", "127.0.0.1", "127.0.0.1", "127.0.0.1", "::1"] {
        assert_eq!(
            reason(&router, call(from, Body::from("{}"))).await,
            "1.3/2.2",
            "{from}"
        );
    }
}

/// Every row of the operators' listener has its route, and nobody passes whom TLS did not bring a certificate of.
#[tokio::test]
async fn operators_pass_by_their_certificate_alone() {
    let world = World::build().await;
    let smdp = super::world::smdp(&world.app);
    let (router, added) = crate::es2plus::routes(smdp, None, crate::Es2Limits::default());
    assert_eq!(added.len(), ES2PLUS_TABLE.len());
    for row in ES2PLUS_TABLE {
        assert!(added.iter().any(|rule| std::ptr::eq(*rule, *row)), "{row:?}");
        assert!(row.who == Who::Certificates && !row.admits(None) && !row.admits(Some(Role::Admin)));
        for (certificate, status) in [(None, 401), (Some(ClientCertificate([7; 32])), 403)] {
            let mut request = Request::post(row.path).body(Body::from("{}")).unwrap();
            if let Some(certificate) = certificate {
                request.extensions_mut().insert(certificate);
            }
            let answer = router.clone().oneshot(request).await.unwrap();
            assert_eq!(answer.status().as_u16(), status, "{}", row.path);
        }
    }
}
