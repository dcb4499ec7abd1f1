//! CAMARA `one-time-password-sms` 1.1.1: a code by text message, as proof that somebody holds a number.

use super::endpoint::{Answering, Call, Endpoint, Legs, Reply};
use super::error::CamaraError;
use super::fields::needed;
use axum::http::{Method, StatusCode};
use serde_json::json;

pub(super) static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::POST,
        path: "/one-time-password-sms/v1/send-code",
        scopes: &["one-time-password-sms:send-validate"],
        legs: Legs::TwoOrThree,
        name: "one-time-password-sms/send-code",
        handle: |call| -> Answering<'_> { Box::pin(send(call)) },
    },
    Endpoint {
        method: Method::POST,
        path: "/one-time-password-sms/v1/validate-code",
        scopes: &["one-time-password-sms:send-validate"],
        legs: Legs::TwoOrThree,
        name: "one-time-password-sms/validate-code",
        handle: |call| -> Answering<'_> { Box::pin(validate(call)) },
    },
];

/// What the code stands for in a message.
const PLACE: &str = "{{code}}";

async fn send(call: &Call) -> Result<Reply, CamaraError> {
    let fields = call.fields();
    let phone = needed("phoneNumber", fields.phone()?)?;
    let message = needed("message", fields.text_up_to("message", 160)?)?;
    if !message.contains(PLACE) {
        return Err(CamaraError::argument(
            "`message` must hold {{code}}, where the code goes",
        ));
    }
    let id = call.gateway.send_code(&call.caller, phone, message).await?;
    Ok(Reply::Json(StatusCode::OK, json!({ "authenticationId": id })))
}

async fn validate(call: &Call) -> Result<Reply, CamaraError> {
    let fields = call.fields();
    let id = needed("authenticationId", fields.text_up_to("authenticationId", 36)?)?;
    let code = needed("code", fields.text_up_to("code", 10)?)?;
    call.gateway.validate_code(&call.caller, id, code)?;
    Ok(Reply::Nothing)
}
