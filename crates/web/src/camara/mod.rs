//! The Open Gateway over HTTP: CAMARA's APIs at their official paths, the authorisation server, the sandbox's control.
//!
//! One API is one file; each maps a body to the internal model of `app::gateway` and the answer back. Every error has
//! CAMARA's form, those of the router included, and every answer says `x-correlator`.
//!
//! The order of checks is CAMARA's: correlator, path, token, scope, who stands behind it, quota, body, and then what the
//! API asks.

mod call_forwarding_signal;
mod consent_info;
mod device_swap;
mod endpoint;
mod error;
mod fields;
mod kyc_age_verification;
mod kyc_match;
mod kyc_tenure;
mod number_recycling;
mod number_verification;
mod oauth;
mod one_time_password_sms;
mod sandbox;
mod sim_swap;
mod sim_swap_context;
mod sim_swap_subscriptions;
mod subscription_status;
#[cfg(test)]
mod tests;

pub use endpoint::{Endpoint, Legs, endpoints};
pub use sandbox::sandbox_router;

use crate::body;
use crate::limits::{Rates, WebLimits};
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{
    ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::Response;
use axum::routing::any;
use endpoint::{Call, Reply};
use error::CamaraError;
use serde_json::{Map, Value};
use simwarden_app::gateway::{Denied, Gateway};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::timeout;

const CORRELATOR: HeaderName = HeaderName::from_static("x-correlator");
/// The longest body.
const BODY_BYTES_MAX: usize = 64 * 1024;
/// How long a body may take to arrive, and a call in all.
const BODY_TIME_MAX: Duration = Duration::from_secs(10);
const CALL_TIME_MAX: Duration = Duration::from_secs(30);
/// Calls at work at the same time; the next is refused.
const CALLS_AT_ONCE: usize = 2_048;

/// What every handler can reach.
#[derive(Clone)]
pub(crate) struct CamaraState {
    gateway: Gateway,
    rates: Arc<Rates>,
    at_work: Arc<Semaphore>,
    https: bool,
}

/// The gateway's paths before those of `rest`, which answers everything else. `https`: whether clients come by HTTPS.
pub fn gateway_router(gateway: Gateway, https: bool, rest: Router) -> Router {
    let state = CamaraState {
        gateway,
        rates: Arc::new(Rates::new(&WebLimits::default())),
        at_work: Arc::new(Semaphore::new(CALLS_AT_ONCE)),
        https,
    };
    let mut router = Router::new();
    for root in roots() {
        for path in [root.clone(), format!("{root}/"), format!("{root}/{{*rest}}")] {
            router = router.route(&path, any(handle));
        }
    }
    oauth::routes(router).with_state(state).fallback_service(rest)
}

/// The beginnings of paths that are the gateway's: an API and its version.
fn roots() -> BTreeSet<String> {
    endpoints()
        .map(|endpoint| endpoint.path.split('/').take(3).collect::<Vec<_>>().join("/"))
        .collect()
}

/// Every call of an API.
async fn handle(State(state): State<CamaraState>, request: Request) -> Response {
    let given = correlator(request.headers());
    let shown = match &given {
        Ok(Some(given)) => given.clone(),
        _ => made_up(),
    };
    let answered = match given {
        Ok(_) => bounded(&state, request).await,
        Err(error) => Err(error),
    };
    let mut response = match answered {
        Ok(response) => response,
        Err(error) => error.response(),
    };
    if response.status().is_server_error() {
        tracing::warn!(
            status = response.status().as_u16(),
            "a call of the gateway was not answered"
        );
    }
    let headers = response.headers_mut();
    headers.insert(CORRELATOR, shown);
    protect(headers, state.https);
    response
}

fn protect(headers: &mut HeaderMap, https: bool) {
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if https {
        headers.insert(
            STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static("max-age=63072000"),
        );
    }
}

/// What the client calls this request, to be said back.
fn correlator(headers: &HeaderMap) -> Result<Option<HeaderValue>, CamaraError> {
    let wrong = || CamaraError::argument("`x-correlator` must be at most 256 letters, digits and -_:;./<>{}");
    let mut values = headers.get_all(CORRELATOR).iter();
    let (first, second) = (values.next(), values.next());
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_:;./<>{}".contains(&b);
    match (first, second) {
        (None, _) => Ok(None),
        (Some(value), None) if value.len() <= 256 && value.as_bytes().iter().all(|b| plain(*b)) => {
            Ok(Some(value.clone()))
        }
        _ => Err(wrong()),
    }
}

/// A name for a request whose client gave none.
fn made_up() -> HeaderValue {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let name = format!("simwarden-{:x}", NEXT.fetch_add(1, Ordering::Relaxed));
    HeaderValue::from_str(&name).unwrap_or(HeaderValue::from_static("simwarden"))
}

async fn bounded(state: &CamaraState, request: Request) -> Result<Response, CamaraError> {
    let Ok(_at_work) = state.at_work.try_acquire() else {
        return Err(CamaraError::unavailable("too many calls are at work; try again"));
    };
    match timeout(CALL_TIME_MAX, answer(state, request)).await {
        Ok(answer) => answer,
        Err(_) => Err(CamaraError::unavailable("this took too long; try again")),
    }
}

async fn answer(state: &CamaraState, request: Request) -> Result<Response, CamaraError> {
    let (endpoint, id) = match endpoint::find(request.method(), request.uri().path()) {
        Ok(found) => found,
        Err((status, allowed)) => return Ok(nowhere(status, &allowed)),
    };
    let caller = match bearer(request.headers()) {
        Some(secret) => state.gateway.caller(secret).await,
        None => Err(Denied::Unauthenticated),
    };
    let caller = caller?.asking(endpoint.name);
    if !caller.has_one_of(endpoint.scopes) {
        return Err(Denied::Permission("the access token does not hold a scope for this operation").into());
    }
    if endpoint.legs == Legs::ThreeByNetwork && !caller.by_network() {
        return Err(Denied::NotByNetwork.into());
    }
    state.gateway.admit(&caller)?;
    let body = match endpoint.method {
        Method::POST => read(request).await?,
        _ => Map::new(),
    };
    let call = Call {
        gateway: state.gateway.clone(),
        caller,
        body,
        id,
    };
    Ok(match (endpoint.handle)(&call).await? {
        Reply::Json(status, body) => json(status, &body),
        Reply::Nothing => nothing(),
    })
}

fn json(status: StatusCode, body: &Value) -> Response {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn nothing() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

fn nowhere(status: StatusCode, allowed: &[&'static str]) -> Response {
    if status == StatusCode::NOT_FOUND {
        return CamaraError::new(status, "NOT_FOUND", "there is no such resource").response();
    }
    let error = CamaraError::new(
        status,
        "METHOD_NOT_ALLOWED",
        "this method does nothing here; see `allow`",
    );
    let mut response = error.response();
    if let Ok(allowed) = HeaderValue::from_str(&allowed.join(", ")) {
        response.headers_mut().insert(ALLOW, allowed);
    }
    response
}

/// The one bearer token of a request.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (value, None) = (values.next()?, values.next()) else {
        return None;
    };
    let (scheme, secret) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(secret)
}

/// The body, a JSON object.
async fn read(request: Request) -> Result<Map<String, Value>, CamaraError> {
    let (parts, content) = request.into_parts();
    let bytes = body::read(&parts.headers, content, BODY_BYTES_MAX, BODY_TIME_MAX)
        .await
        .map_err(|problem| match problem.status {
            StatusCode::PAYLOAD_TOO_LARGE => {
                CamaraError::new(problem.status, "PAYLOAD_TOO_LARGE", problem.detail)
            }
            StatusCode::REQUEST_TIMEOUT => CamaraError::new(problem.status, "TIMEOUT", problem.detail),
            _ => CamaraError::argument(problem.detail),
        })?;
    if bytes.is_empty() {
        return Err(CamaraError::argument("send a JSON object; the body is empty"));
    }
    if let Err(problem) = body::expect_type(&parts.headers, &["application/json"]) {
        return Err(CamaraError::new(
            problem.status,
            "UNSUPPORTED_MEDIA_TYPE",
            problem.detail,
        ));
    }
    match serde_json::from_slice(&bytes) {
        Ok(Value::Object(map)) => Ok(map),
        Ok(_) => Err(CamaraError::argument("the body must be a JSON object")),
        Err(_) => Err(CamaraError::argument("the body is not JSON")),
    }
}
