//! `sim-swap-context` 0, an API of our own: what stands behind a swap, because a plain yes is often a new phone.

use super::endpoint::{Answering, Call, Endpoint, Legs, Reply};
use super::error::CamaraError;
use axum::http::{Method, StatusCode};
use simwarden_app::gateway::PhoneRule;

pub(super) static ENDPOINTS: &[Endpoint] = &[Endpoint {
    method: Method::POST,
    path: "/sim-swap-context/v0/retrieve",
    scopes: &["sim-swap-context:retrieve"],
    legs: Legs::TwoOrThree,
    name: "sim-swap-context/retrieve",
    handle: |call| -> Answering<'_> { Box::pin(retrieve(call)) },
}];

async fn retrieve(call: &Call) -> Result<Reply, CamaraError> {
    let phone = call.fields().phone()?;
    let line = call
        .gateway
        .persons_line(&call.caller, phone, PhoneRule::LeftOut)
        .await?;
    let context = call.gateway.swap_context(&line).await?;
    let body = serde_json::to_value(context).map_err(|_| CamaraError::unavailable("try again"))?;
    Ok(Reply::Json(StatusCode::OK, body))
}
