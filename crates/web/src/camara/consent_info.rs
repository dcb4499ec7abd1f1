//! CAMARA `consent-info` 0.2.0: whether a client may process, before it asks anything else.

use super::endpoint::{Answering, Call, Endpoint, Legs, Reply};
use super::error::CamaraError;
use super::fields::needed;
use axum::http::{Method, StatusCode};
use serde_json::json;
use simwarden_app::gateway::{PhoneRule, Validity, is_purpose};

pub(super) static ENDPOINTS: &[Endpoint] = &[Endpoint {
    method: Method::POST,
    path: "/consent-info/v0.2/retrieve",
    scopes: &["consent-info:retrieve"],
    legs: Legs::TwoOrThree,
    name: "consent-info/retrieve",
    handle: |call| -> Answering<'_> { Box::pin(retrieve(call)) },
}];

/// Scopes of one question.
const SCOPES_MAX: usize = 50;

async fn retrieve(call: &Call) -> Result<Reply, CamaraError> {
    let fields = call.fields();
    let phone = fields.phone()?;
    let scopes = needed("scopes", fields.texts("scopes", SCOPES_MAX)?)?;
    let purpose = needed("purpose", fields.text("purpose")?)?;
    let callback = fields.text_up_to("callbackUrl", 2_048)?;
    let capture = needed("requestCaptureUrl", fields.flag("requestCaptureUrl")?)?;
    if !is_purpose(purpose) {
        return Err(CamaraError::argument("`purpose` must be `dpv:` and a term"));
    }
    if callback.is_some_and(|url| !is_uri(url)) {
        return Err(CamaraError::argument("`callbackUrl` must be an address"));
    }
    let line = call
        .gateway
        .persons_line(&call.caller, phone, PhoneRule::LeftOut)
        .await?;
    call.gateway.may_be_told(&call.caller, &scopes, callback)?;
    let validity = call
        .gateway
        .validity(line.id, purpose, call.caller.client_id())
        .await?;
    let mut status = json!({
        "scopes": scopes,
        "purpose": purpose,
        "statusValidForProcessing": validity == Validity::Valid,
    });
    if let Some(reason) = reason(validity) {
        status["statusReason"] = reason.into();
    }
    let mut body = json!({ "statusInfo": [status] });
    if capture && validity != Validity::Valid {
        let url = call.gateway.capture(&call.caller, &line, &scopes, purpose)?;
        body["captureUrl"] = url.into();
    }
    Ok(Reply::Json(StatusCode::OK, body))
}

const fn reason(validity: Validity) -> Option<&'static str> {
    match validity {
        Validity::Valid => None,
        Validity::Pending => Some("PENDING"),
        Validity::Requested => Some("REQUESTED"),
        Validity::Denied => Some("DENIED"),
        Validity::Objected => Some("OBJECTED"),
    }
}

/// Whether a text has the shape of an address: a scheme and something behind it.
fn is_uri(text: &str) -> bool {
    let scheme = |scheme: &str| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
    };
    text.split_once(':')
        .is_some_and(|(before, behind)| scheme(before) && !behind.is_empty())
        && text.bytes().all(|b| b.is_ascii_graphic())
}
