//! CAMARA `subscription-status` 0.1.0: what of a line is in service. The misspelt path is the official one.

use super::endpoint::{Answering, Call, Endpoint, Legs, Reply};
use super::error::CamaraError;
use axum::http::{Method, StatusCode};
use serde_json::json;
use simwarden_app::gateway::PhoneRule;

pub(super) static ENDPOINTS: &[Endpoint] = &[Endpoint {
    method: Method::POST,
    path: "/subscription-status/v0.1/retrive-subscription-status",
    scopes: &["subscription-status:retrive-subscription-status"],
    legs: Legs::TwoOrThree,
    name: "subscription-status/retrive-subscription-status",
    handle: |call| -> Answering<'_> { Box::pin(retrieve(call)) },
}];

async fn retrieve(call: &Call) -> Result<Reply, CamaraError> {
    let phone = call.fields().phone()?;
    call.gateway.fits_token(&call.caller, phone)?;
    let line = call
        .gateway
        .persons_line(&call.caller, phone, PhoneRule::Same)
        .await?;
    let word = if line.state.is_in_service() {
        "active"
    } else {
        "suspended"
    };
    let body = json!({ "voiceSmsIn": word, "voiceSmsOut": word, "dataService": word });
    Ok(Reply::Json(StatusCode::OK, body))
}
