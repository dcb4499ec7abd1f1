//! CAMARA `number-recycling` 0.2.0: whether a number went to somebody else after a day.

use super::endpoint::{Answering, Call, Endpoint, Legs, Reply};
use super::error::CamaraError;
use super::fields::needed;
use axum::http::{Method, StatusCode};
use serde_json::json;
use simwarden_app::gateway::{PhoneRule, past_day, recycled_since};

pub(super) static ENDPOINTS: &[Endpoint] = &[Endpoint {
    method: Method::POST,
    path: "/number-recycling/v0.2/check",
    scopes: &["number-recycling:check"],
    legs: Legs::TwoOrThree,
    name: "number-recycling/check",
    handle: |call| -> Answering<'_> { Box::pin(check(call)) },
}];

async fn check(call: &Call) -> Result<Reply, CamaraError> {
    let fields = call.fields();
    let phone = fields.phone()?;
    let day = needed("specifiedDate", fields.day("specifiedDate")?)?;
    past_day(day, "specifiedDate", call.gateway.now())?;
    let line = call
        .gateway
        .persons_line(&call.caller, phone, PhoneRule::LeftOut)
        .await?;
    let body = json!({ "phoneNumberRecycled": recycled_since(&line, day) });
    Ok(Reply::Json(StatusCode::OK, body))
}
