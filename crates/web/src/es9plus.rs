//! ES9+ over HTTP (SGP.22 v2, 6.5): bodies in, bodies out, on a listener of its own.
//!
//! Every refusal is an answer of 200 with its codes in the body, also when this server cannot work at the moment:
//! phones take anything else for a broken line and ask again without end. The one exception is a notification that
//! could not be written: 429, so that the phone keeps it.

use crate::access::{self, Rule};
use crate::auth::peer_of;
use crate::limits::{Rates, WebLimits, count, network_of};
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::handler::Handler;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use http_body_util::BodyExt as _;
use simwarden_app::smdp::Smdp;
use simwarden_rsp::Refusal;
use simwarden_rsp::json::{self, BODY_BYTES_MAX, Es9Answer};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tower_http::catch_panic::CatchPanicLayer;

pub(crate) const PROTOCOL: HeaderName = HeaderName::from_static("x-admin-protocol");
pub(crate) const VERSION: HeaderValue = HeaderValue::from_static("gsma/rsp/v2.2.2");
const JSON: HeaderValue = HeaderValue::from_static("application/json;charset=UTF-8");
/// How long a client may take to send a body; a phone sends a few kilobytes.
const BODY_TIME_MAX: Duration = Duration::from_secs(5);
/// Bytes of a body that is too long which are still read and thrown away, so that the client hears the answer.
const THROWN_AWAY_MAX: usize = 8 * 1024 * 1024;

/// Limits of the SM-DP+'s listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Es9Limits {
    /// Calls at work at the same time; the next is refused.
    pub calls_at_once: usize,
    /// Calls per second from one address, or one IPv6 network of 64 bits; many phones may stand behind one. Loopback
    /// addresses are not counted: a proxy stands there.
    pub address_per_second: NonZeroU32,
    /// How long a call may take in all.
    pub call_time_max: Duration,
}

impl Default for Es9Limits {
    fn default() -> Self {
        Self {
            calls_at_once: 2_048,
            address_per_second: count(500),
            call_time_max: Duration::from_secs(30),
        }
    }
}

/// What every handler can reach.
#[derive(Clone)]
struct Es9State {
    smdp: Smdp,
    limits: Es9Limits,
    rates: Arc<Rates>,
    at_work: Arc<Semaphore>,
}

/// The SM-DP+'s edge, ready to be served.
pub fn es9plus_router(smdp: Smdp, limits: Es9Limits) -> Router {
    routes(smdp, limits).0
}

struct Routes {
    router: Router<Es9State>,
    added: Vec<&'static Rule>,
}

impl Routes {
    fn add<H: Handler<T, Es9State>, T: 'static>(mut self, rule: &'static Rule, handler: H) -> Self {
        self.router = self.router.route(rule.path, post(handler));
        self.added.push(rule);
        self
    }
}

/// The edge, and the rows that have a handler.
pub(crate) fn routes(smdp: Smdp, limits: Es9Limits) -> (Router, Vec<&'static Rule>) {
    let rates = WebLimits {
        address_per_second: limits.address_per_second,
        ..WebLimits::default()
    };
    let state = Es9State {
        smdp,
        rates: Arc::new(Rates::new(&rates)),
        at_work: Arc::new(Semaphore::new(limits.calls_at_once)),
        limits,
    };
    let Routes { router, added } = Routes {
        router: Router::new(),
        added: Vec::new(),
    }
    .add(&access::ES9PLUS_INITIATE, initiate_authentication)
    .add(&access::ES9PLUS_AUTHENTICATE, authenticate_client)
    .add(&access::ES9PLUS_PACKAGE, get_bound_profile_package)
    .add(&access::ES9PLUS_NOTIFICATION, handle_notification)
    .add(&access::ES9PLUS_CANCEL, cancel_session);
    let router = router
        .fallback(async || StatusCode::NOT_FOUND)
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(state.clone(), edge))
        .with_state(state);
    (router, added)
}

/// Stands around every call: how often, how many, how long.
///
/// The body is read before a place is taken: whoever sends slowly holds a connection, and no place that others want.
async fn edge(State(state): State<Es9State>, request: Request, next: Next) -> Response {
    let peer = peer_of(&request);
    // Behind a loopback address stands a proxy with everybody behind it; it counts for itself.
    let often = !peer.is_loopback() && state.rates.address(peer).is_err();
    let notification = request.uri().path() == access::ES9PLUS_NOTIFICATION.path;
    let mut response = match often {
        true => Err(Refusal::NotNow),
        false => work(&state, request, next).await,
    }
    .unwrap_or_else(|refusal| {
        if refusal == Refusal::NotNow {
            state.smdp.turned_away();
        }
        refused(refusal)
    });
    if notification && response.status() == StatusCode::OK {
        // A phone takes any success as "taken" and forgets the notification.
        response = later();
    }
    let headers = response.headers_mut();
    headers.insert(PROTOCOL, VERSION);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Reads the body, takes a place, and has the call done.
async fn work(state: &Es9State, request: Request, next: Next) -> Result<Response, Refusal> {
    let (head, body) = request.into_parts();
    let body = match read(body).await {
        Err(Refusal::Malformed) if head.uri.path() == access::ES9PLUS_NOTIFICATION.path => {
            // Junk is answered as what is good.
            return Ok(StatusCode::NO_CONTENT.into_response());
        }
        body => body?,
    };
    let _at_work = state.at_work.try_acquire().map_err(|_| Refusal::NotNow)?;
    let run = next.run(Request::from_parts(head, Body::from(body)));
    timeout(state.limits.call_time_max, run)
        .await
        .map_err(|_| Refusal::NotNow)
}

/// A panic is a fault of ours: logged without its message, which may hold anything, and answered as any refusal.
fn panicked(_: Box<dyn std::any::Any + Send>) -> Response {
    tracing::error!("a handler of the SM-DP+ panicked");
    refused(Refusal::NotNow)
}

/// The answer to a notification that was not taken.
fn later() -> Response {
    (StatusCode::TOO_MANY_REQUESTS, [(RETRY_AFTER, "5")]).into_response()
}

pub(crate) fn answered(body: String) -> Response {
    ([(CONTENT_TYPE, JSON)], body).into_response()
}

pub(crate) fn refused(refusal: Refusal) -> Response {
    tracing::debug!(refusal = refusal.name(), "refused");
    answered(json::refused(refusal))
}

fn answer<A: Es9Answer>(state: &Es9State, outcome: Result<A, Refusal>) -> Response {
    match outcome {
        Ok(it) => answered(it.to_json()),
        Err(refusal) => {
            if refusal == Refusal::NotNow {
                state.smdp.turned_away();
            }
            refused(refusal)
        }
    }
}

/// The body, which [`work`] has read already.
pub(crate) async fn whole(body: Body) -> Result<Vec<u8>, Refusal> {
    let whole = body.collect().await.map_err(|_| Refusal::Malformed)?;
    Ok(whole.to_bytes().to_vec())
}

/// Reads a body within a few seconds.
pub(crate) async fn read(body: Body) -> Result<Vec<u8>, Refusal> {
    match timeout(BODY_TIME_MAX, read_all(body)).await {
        Ok(outcome) => outcome,
        Err(_) => Err(Refusal::NotNow),
    }
}

/// Reads a body; one that is too long is read to its end, within bounds, and refused.
async fn read_all(mut body: Body) -> Result<Vec<u8>, Refusal> {
    let (mut bytes, mut length) = (Vec::new(), 0_usize);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Refusal::Malformed)?;
        let Some(data) = frame.data_ref() else { continue };
        length = length.saturating_add(data.len());
        if length > THROWN_AWAY_MAX {
            break;
        }
        if length <= BODY_BYTES_MAX {
            bytes.extend_from_slice(data);
        }
    }
    if length > BODY_BYTES_MAX {
        return Err(Refusal::Malformed);
    }
    Ok(bytes)
}

async fn initiate_authentication(State(state): State<Es9State>, request: Request) -> Response {
    let run = async {
        let body = whole(request.into_body()).await?;
        state.smdp.initiate(&json::initiate_authentication(&body)?)
    };
    answer(&state, run.await)
}

async fn authenticate_client(State(state): State<Es9State>, request: Request) -> Response {
    let peer = peer_of(&request);
    let from = (!peer.is_loopback()).then(|| network_of(peer));
    let run = async {
        let body = whole(request.into_body()).await?;
        let call = json::authenticate_client(&body)?;
        state
            .smdp
            .authenticate(call.transaction, &call.message, from)
            .await
    };
    answer(&state, run.await)
}

async fn get_bound_profile_package(State(state): State<Es9State>, request: Request) -> Response {
    let run = async {
        let body = whole(request.into_body()).await?;
        let call = json::get_bound_profile_package(&body)?;
        state.smdp.package(call.transaction, &call.message).await
    };
    answer(&state, run.await)
}

async fn cancel_session(State(state): State<Es9State>, request: Request) -> Response {
    let run = async {
        let body = whole(request.into_body()).await?;
        let call = json::cancel_session(&body)?;
        state.smdp.cancel(call.transaction, &call.message).await
    };
    answer(&state, run.await)
}

async fn handle_notification(State(state): State<Es9State>, request: Request) -> Response {
    let run = async {
        let body = whole(request.into_body()).await?;
        state.smdp.notify(&json::handle_notification(&body)?).await
    };
    match run.await {
        Err(Refusal::NotNow) => later(),
        // Junk is answered as what is good: whoever sends it learns nothing.
        Ok(()) | Err(_) => StatusCode::NO_CONTENT.into_response(),
    }
}
