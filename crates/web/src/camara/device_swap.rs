//! CAMARA `device-swap` 1.0.0: when a number was last bound to a phone.

use super::endpoint::{Answering, Call, Endpoint, Legs, Reply};
use super::error::CamaraError;
use super::sim_swap::{dated, number_and_age};
use axum::http::{Method, StatusCode};
use serde_json::json;
use simwarden_app::gateway::{PhoneRule, device_change, device_swapped};

pub(super) static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::POST,
        path: "/device-swap/v1/check",
        scopes: &["device-swap:check", "device-swap"],
        legs: Legs::TwoOrThree,
        name: "device-swap/check",
        handle: |call| -> Answering<'_> { Box::pin(check(call)) },
    },
    Endpoint {
        method: Method::POST,
        path: "/device-swap/v1/retrieve-date",
        scopes: &["device-swap:retrieve-date", "device-swap"],
        legs: Legs::TwoOrThree,
        name: "device-swap/retrieve-date",
        handle: |call| -> Answering<'_> { Box::pin(retrieve_date(call)) },
    },
];

async fn check(call: &Call) -> Result<Reply, CamaraError> {
    let (phone, hours) = number_and_age(call)?;
    let line = call
        .gateway
        .persons_line(&call.caller, phone, PhoneRule::LeftOut)
        .await?;
    let swapped = device_swapped(&line, call.gateway.now(), hours)?;
    Ok(Reply::Json(StatusCode::OK, json!({ "swapped": swapped })))
}

async fn retrieve_date(call: &Call) -> Result<Reply, CamaraError> {
    let phone = call.fields().phone()?;
    let line = call
        .gateway
        .persons_line(&call.caller, phone, PhoneRule::LeftOut)
        .await?;
    let latest = device_change(&line, call.gateway.now(), call.gateway.monitored_days())?;
    Ok(dated("latestDeviceChange", latest))
}
