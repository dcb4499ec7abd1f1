//! CAMARA `call-forwarding-signal` 0.4.0: whether calls go elsewhere, as they do when codes by voice are intercepted.

use super::endpoint::{Answering, Call, Endpoint, Legs, Reply};
use super::error::CamaraError;
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use simwarden_app::gateway::PhoneRule;

pub(super) static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::POST,
        path: "/call-forwarding-signal/v0.4/unconditional-call-forwardings",
        scopes: &["call-forwarding-signal:unconditional-call-forwardings:read"],
        legs: Legs::TwoOrThree,
        name: "call-forwarding-signal/unconditional-call-forwardings",
        handle: |call| -> Answering<'_> { Box::pin(unconditional(call)) },
    },
    Endpoint {
        method: Method::POST,
        path: "/call-forwarding-signal/v0.4/call-forwardings",
        scopes: &["call-forwarding-signal:call-forwardings:read"],
        legs: Legs::TwoOrThree,
        name: "call-forwarding-signal/call-forwardings",
        handle: |call| -> Answering<'_> { Box::pin(all(call)) },
    },
];

const KINDS: &[&str] = &[
    "unconditional",
    "conditional_busy",
    "conditional_not_reachable",
    "conditional_no_answer",
];

async fn kinds(call: &Call) -> Result<Vec<&'static str>, CamaraError> {
    let phone = call.fields().phone()?;
    let line = call
        .gateway
        .persons_line(&call.caller, phone, PhoneRule::LeftOut)
        .await?;
    let set = |kind: &&&str| line.forwarding.iter().any(|set| set == **kind);
    Ok(KINDS.iter().filter(set).copied().collect())
}

async fn unconditional(call: &Call) -> Result<Reply, CamaraError> {
    let active = kinds(call).await?.contains(&"unconditional");
    Ok(Reply::Json(StatusCode::OK, json!({ "active": active })))
}

async fn all(call: &Call) -> Result<Reply, CamaraError> {
    let mut kinds = kinds(call).await?;
    if kinds.is_empty() {
        kinds.push("inactive");
    }
    Ok(Reply::Json(StatusCode::OK, Value::from(kinds)))
}
