//! The description and the pages.

use super::world::{World, request};
use crate::access::TABLE;
use axum::body::Body;

#[test]
fn every_route_of_the_api_is_described() {
    let text = crate::openapi_json();
    let description: serde_json::Value = serde_json::from_str(text).unwrap();
    let mut described = 0;
    let pages = [
        "/",
        "/console",
        "/console/{*path}",
        "/assets/{*path}",
        "/licences/{*path}",
        "/icon.svg",
        "/deny/{code}",
    ];
    for rule in TABLE.iter().filter(|rule| !pages.contains(&rule.path)) {
        let path = rule.path.replace("{*path}", "{path}");
        let method = rule.method.as_str().to_lowercase();
        assert!(
            description["paths"][&path][&method].is_object(),
            "{method} {path}"
        );
        described += 1;
    }
    let all: usize = description["paths"]
        .as_object()
        .unwrap()
        .values()
        .map(|p| p.as_object().unwrap().len())
        .sum();
    assert_eq!(all, described, "something is described that has no route");
    insta::assert_snapshot!("openapi", text);
}

#[tokio::test]
async fn every_answer_carries_the_headers_that_protect_the_page() {
    let world = World::build().await;
    for path in [
        "/",
        "/console",
        "/console/operations/x",
        "/healthz",
        "/readyz",
        "/nothing",
        "/v1/me",
        "/openapi.json",
    ] {
        let answer = world
            .send(request("GET", "", path).body(Body::empty()).unwrap())
            .await;
        let header = |name: &str| answer.headers[name].to_str().unwrap().to_owned();
        assert_eq!(
            header("content-security-policy"),
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src \
             'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for \
             'script'; trusted-types 'none'",
            "{path}"
        );
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("referrer-policy"), "no-referrer");
        assert_eq!(header("cross-origin-opener-policy"), "same-origin");
        assert_eq!(
            header("permissions-policy"),
            "camera=(), geolocation=(), microphone=()"
        );
        assert!(answer.headers.contains_key("cache-control"), "{path}");
    }
    let ready: crate::shapes::Ready = world.get("", "/readyz").await.json();
    assert!(ready.ready && ready.database && ready.writing && ready.log);
    world.stop.send_replace(true);
    assert_eq!(world.get("", "/readyz").await.status, 503);
}

#[tokio::test]
async fn the_files_of_the_log_are_served_as_such() {
    let world = World::build().await;
    let checkpoint = world.get("", "/ledger/checkpoint").await;
    assert_eq!(checkpoint.text, "origin\n1\nroot\n");
    assert_eq!(checkpoint.headers["content-type"], "text/plain; charset=utf-8");
    assert_eq!(checkpoint.headers["cache-control"], "no-cache");
    let tile = world.get("", "/ledger/tile/0/000").await;
    assert_eq!(tile.text.len(), 8192);
    assert_eq!(tile.headers["content-type"], "application/octet-stream");
    assert_eq!(
        tile.headers["cache-control"],
        "public, max-age=31536000, immutable"
    );
    assert_eq!(world.get("", "/ledger/tile/0/001").await.status, 404);
    assert_eq!(world.get("", "/ledger/tile/0/000.p/0").await.status, 404);
}
