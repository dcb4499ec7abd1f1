//! CAMARA `number-verification` 2.1.0: whether the phone in use has this number, by the network's word alone.

use super::endpoint::{Answering, Call, Endpoint, Legs, Reply};
use super::error::CamaraError;
use axum::http::{Method, StatusCode};
use serde_json::json;
use simwarden_app::gateway::{PhoneRule, phone_hash};

pub(super) static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::POST,
        path: "/number-verification/v2/verify",
        scopes: &["number-verification:verify"],
        legs: Legs::ThreeByNetwork,
        name: "number-verification/verify",
        handle: |call| -> Answering<'_> { Box::pin(verify(call)) },
    },
    Endpoint {
        method: Method::GET,
        path: "/number-verification/v2/device-phone-number",
        scopes: &["number-verification:device-phone-number:read"],
        legs: Legs::ThreeByNetwork,
        name: "number-verification/device-phone-number",
        handle: |call| -> Answering<'_> { Box::pin(device_phone_number(call)) },
    },
];

async fn verify(call: &Call) -> Result<Reply, CamaraError> {
    let fields = call.fields();
    let known = |name: &str| matches!(name, "phoneNumber" | "hashedPhoneNumber");
    if fields.names().count() != 1 || !fields.names().all(known) {
        return Err(CamaraError::argument(
            "send exactly one of `phoneNumber` and `hashedPhoneNumber`",
        ));
    }
    let (phone, hash) = (fields.phone()?, fields.text("hashedPhoneNumber")?);
    if hash.is_some_and(|hash| hash.len() != 64 || !hash.bytes().all(|b| b.is_ascii_hexdigit())) {
        return Err(CamaraError::argument(
            "`hashedPhoneNumber` must be 64 hexadecimal digits",
        ));
    }
    let line = call.gateway.line_of(&call.caller, None, PhoneRule::Same).await?;
    let same = match (phone, hash) {
        (Some(phone), _) => phone == line.phone,
        (None, Some(hash)) => hash.eq_ignore_ascii_case(&phone_hash(&line.phone)),
        (None, None) => false,
    };
    Ok(Reply::Json(
        StatusCode::OK,
        json!({ "devicePhoneNumberVerified": same }),
    ))
}

async fn device_phone_number(call: &Call) -> Result<Reply, CamaraError> {
    let line = call.gateway.line_of(&call.caller, None, PhoneRule::Same).await?;
    Ok(Reply::Json(
        StatusCode::OK,
        json!({ "devicePhoneNumber": line.phone }),
    ))
}
