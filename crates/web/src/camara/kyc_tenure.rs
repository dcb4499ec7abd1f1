//! CAMARA `kyc-tenure` 0.2.0: whether the present holder has had the number since a day.

use super::endpoint::{Answering, Call, Endpoint, Legs, Reply};
use super::error::CamaraError;
use super::fields::needed;
use axum::http::{Method, StatusCode};
use serde_json::json;
use simwarden_app::gateway::{PhoneRule, held_since, past_day};

pub(super) static ENDPOINTS: &[Endpoint] = &[Endpoint {
    method: Method::POST,
    path: "/kyc-tenure/v0.2/check-tenure",
    scopes: &["kyc-tenure:check-tenure"],
    legs: Legs::TwoOrThree,
    name: "kyc-tenure/check-tenure",
    handle: |call| -> Answering<'_> { Box::pin(check_tenure(call)) },
}];

async fn check_tenure(call: &Call) -> Result<Reply, CamaraError> {
    let fields = call.fields();
    let phone = fields.phone()?;
    let day = needed("tenureDate", fields.day("tenureDate")?)?;
    past_day(day, "tenureDate", call.gateway.now())?;
    let line = call
        .gateway
        .persons_line(&call.caller, phone, PhoneRule::LeftOut)
        .await?;
    let body = json!({ "tenureDateCheck": held_since(&line, day), "contractType": line.contract });
    Ok(Reply::Json(StatusCode::OK, body))
}
