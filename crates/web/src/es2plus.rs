//! ES2+ over HTTP (SGP.22 v2, 6.5), for operators' systems: mutual TLS, on a listener of its own.
//!
//! TLS proves the client certificate; which owner's profiles it may touch is asked anew for every call, so that a right
//! taken away is gone at once. A refusal is an answer of 200 with its codes in the body.

use crate::access::{self, Rule};
use crate::es9plus::{PROTOCOL, VERSION, answered, read, refused, whole};
use crate::serve::ClientCertificate;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use simwarden_app::smdp::{Es2Call, Es2Caller, Es2Request, Smdp};
use simwarden_rsp::Refusal;
use simwarden_rsp::json::{self, Caller};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tower_http::catch_panic::CatchPanicLayer;

/// Limits of the listener for operators' systems.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Es2Limits {
    /// Calls at work at the same time; the next is refused.
    pub calls_at_once: usize,
    /// How long a call may take in all.
    pub call_time_max: Duration,
}

impl Default for Es2Limits {
    fn default() -> Self {
        Self {
            calls_at_once: 256,
            call_time_max: Duration::from_secs(30),
        }
    }
}

#[derive(Clone)]
struct Es2State {
    smdp: Smdp,
    /// Whose profiles a certificate may touch that was let in by its root alone.
    owner: Option<String>,
    limits: Es2Limits,
    at_work: Arc<Semaphore>,
}

/// The edge for operators' systems, ready to be served behind mutual TLS.
///
/// A certificate that was not entered for an owner orders nothing, unless `owner` says for whom every certificate under
/// the listener's roots orders.
pub fn es2plus_router(smdp: Smdp, owner: Option<String>, limits: Es2Limits) -> Router {
    routes(smdp, owner, limits).0
}

/// The edge, and the rows that have a handler.
pub(crate) fn routes(smdp: Smdp, owner: Option<String>, limits: Es2Limits) -> (Router, Vec<&'static Rule>) {
    let state = Es2State {
        smdp,
        owner,
        at_work: Arc::new(Semaphore::new(limits.calls_at_once)),
        limits,
    };
    let mut added = Vec::new();
    let mut router = Router::new();
    let functions: [(&'static Rule, Parse); 4] = [
        (&access::ES2PLUS_DOWNLOAD, download_order),
        (&access::ES2PLUS_CONFIRM, confirm_order),
        (&access::ES2PLUS_CANCEL, cancel_order),
        (&access::ES2PLUS_RELEASE, release_profile),
    ];
    for (rule, parse) in functions {
        let run =
            async move |State(state): State<Es2State>, request: Request| call(&state, parse, request).await;
        router = router.route(rule.path, post(run));
        added.push(rule);
    }
    let router = router
        .fallback(async || StatusCode::NOT_FOUND)
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(state.clone(), edge))
        .with_state(state);
    (router, added)
}

type Parse = fn(&[u8]) -> Result<(Caller, Es2Request), Refusal>;

fn download_order(body: &[u8]) -> Result<(Caller, Es2Request), Refusal> {
    json::download_order(body).map(|(caller, it)| (caller, Es2Request::Download(it)))
}

fn confirm_order(body: &[u8]) -> Result<(Caller, Es2Request), Refusal> {
    json::confirm_order(body).map(|(caller, it)| (caller, Es2Request::Confirm(it)))
}

fn cancel_order(body: &[u8]) -> Result<(Caller, Es2Request), Refusal> {
    json::cancel_order(body).map(|(caller, it)| (caller, Es2Request::Cancel(it)))
}

fn release_profile(body: &[u8]) -> Result<(Caller, Es2Request), Refusal> {
    json::release_profile(body).map(|(caller, it)| (caller, Es2Request::Release(it)))
}

fn panicked(_: Box<dyn std::any::Any + Send>) -> Response {
    tracing::error!("a handler of ES2+ panicked");
    refused(Refusal::NotNow)
}

/// Who calls; the answer when it may not.
async fn caller(state: &Es2State, certificate: Option<ClientCertificate>) -> Result<Es2Caller, Response> {
    let Some(ClientCertificate(certificate)) = certificate else {
        return Err(StatusCode::UNAUTHORIZED.into_response());
    };
    match (state.smdp.es2_caller(certificate).await, &state.owner) {
        (Ok(Some(caller)), _) => Ok(caller),
        (Ok(None), Some(owner)) => Ok(Es2Caller {
            certificate,
            owner: owner.clone(),
            name: owner.clone(),
            callback: None,
        }),
        (Ok(None), None) => {
            tracing::warn!("a client certificate that may order nothing");
            Err(StatusCode::FORBIDDEN.into_response())
        }
        (Err(error), _) => {
            tracing::warn!(%error, "who calls cannot be looked up");
            Err(refused(Refusal::NotNow))
        }
    }
}

/// Stands around every call: who, how many, how long.
async fn edge(State(state): State<Es2State>, request: Request, next: Next) -> Response {
    let certificate = request.extensions().get::<ClientCertificate>().copied();
    let mut response = match caller(&state, certificate).await {
        Ok(caller) => work(&state, caller, request, next).await.unwrap_or_else(refused),
        Err(response) => response,
    };
    let headers = response.headers_mut();
    headers.insert(PROTOCOL, VERSION);
    headers.insert(CACHE_CONTROL, axum::http::HeaderValue::from_static("no-store"));
    response
}

async fn work(
    state: &Es2State,
    caller: Es2Caller,
    request: Request,
    next: Next,
) -> Result<Response, Refusal> {
    let (mut head, body) = request.into_parts();
    let body = read(body).await?;
    let _at_work = state.at_work.try_acquire().map_err(|_| Refusal::NotNow)?;
    head.extensions.insert(caller);
    let run = next.run(Request::from_parts(head, Body::from(body)));
    timeout(state.limits.call_time_max, run)
        .await
        .map_err(|_| Refusal::NotNow)
}

async fn call(state: &Es2State, parse: Parse, request: Request) -> Response {
    let Some(caller) = request.extensions().get::<Es2Caller>().cloned() else {
        return StatusCode::FORBIDDEN.into_response();
    };
    let run = async {
        let body = whole(request.into_body()).await?;
        let (header, request) = parse(&body)?;
        state
            .smdp
            .es2(
                &caller,
                Es2Call {
                    header,
                    request,
                    body,
                },
            )
            .await
    };
    run.await.map_or_else(refused, answered)
}
