//! The outermost layer: names the request, counts it, bounds it in time, turns errors into problem details and puts
//! the security headers on every answer.

use crate::problem::MEDIA_TYPE;
use crate::{Problem, WebState};
use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, RETRY_AFTER,
    STRICT_TRANSPORT_SECURITY, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use simwarden_app::{Error, ErrorKind};
use tokio::time::{Instant, timeout};

/// What the page may do: load files of this origin, and nothing else.
const CSP: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; \
     form-action 'none'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; \
     trusted-types 'none'",
);
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The longest path and query.
const URI_BYTES_MAX: usize = 4_096;

/// Stands around everything.
pub(crate) async fn edge(State(state): State<WebState>, request: Request, next: Next) -> Response {
    let id = state.inner.next_request_id();
    let began = Instant::now();
    let method = method_name(request.method());
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .and_then(|path| known_route(path.as_str()))
        .unwrap_or("none");
    let mut response = bounded(&state, request, next).await;
    if let Some(problem) = problem_of(&mut response, method) {
        response = written(response, &problem, &id);
    }
    let status = response.status().as_u16();
    protect(response.headers_mut(), state.inner.https);
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    let took = began.elapsed();
    state.inner.metrics.answered(route, method, status, took);
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    if status >= 500 {
        tracing::warn!(request = %id, method, route, status, micros, "answered");
    } else {
        tracing::debug!(request = %id, method, route, status, micros, "answered");
    }
    response
}

async fn bounded(state: &WebState, request: Request, next: Next) -> Response {
    if request
        .uri()
        .path_and_query()
        .is_some_and(|uri| uri.as_str().len() > URI_BYTES_MAX)
    {
        return Problem::new(
            StatusCode::URI_TOO_LONG,
            "uri_too_long",
            format!("path and query may have at most {URI_BYTES_MAX} bytes"),
        )
        .into_response();
    }
    let Ok(_at_work) = state.inner.at_work.try_acquire() else {
        return Problem::unavailable("overloaded", "too many requests are at work; try again")
            .into_response();
    };
    let safe = matches!(*request.method(), Method::GET | Method::HEAD);
    match timeout(state.inner.limits.request_time_max, next.run(request)).await {
        Ok(response) => response,
        Err(_) if safe => Problem::unavailable("too_slow", "this took too long; try again").into_response(),
        Err(_) => Problem::from(Error::new(
            ErrorKind::Unknown,
            "outcome_unknown",
            "this took too long and it is not known whether it was written; send it again with the same \
             Idempotency-Key",
        ))
        .into_response(),
    }
}

/// The problem that an answer stands for, also where the router answered by itself.
fn problem_of(response: &mut Response, method: &str) -> Option<Problem> {
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        return Some(problem);
    }
    (response.status() == StatusCode::METHOD_NOT_ALLOWED).then(|| {
        Problem::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            format!("{method} does nothing here; see `allow`"),
        )
    })
}

fn written(response: Response, problem: &Problem, id: &str) -> Response {
    let (mut parts, _) = response.into_parts();
    let body = problem.written(id);
    parts.headers.remove(CONTENT_LENGTH);
    parts
        .headers
        .insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    if let Some(seconds) = problem.retry_after_s {
        parts.headers.insert(RETRY_AFTER, seconds.into());
    }
    if problem.status == StatusCode::UNAUTHORIZED {
        parts.headers.insert(
            WWW_AUTHENTICATE,
            HeaderValue::from_static("Bearer realm=\"simwarden\""),
        );
    }
    Response::from_parts(parts, Body::from(body))
}

fn protect(headers: &mut HeaderMap, https: bool) {
    // Only the page that says no sets its own: it has a form and nothing else.
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(CSP);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    );
    headers.insert(
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static("camera=(), geolocation=(), microphone=()"),
    );
    if https {
        headers.insert(
            STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static("max-age=63072000"),
        );
    }
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
}

/// A panic in a handler: logged without its message, which may hold anything.
pub(crate) fn panicked(_: Box<dyn std::any::Any + Send + 'static>) -> Response {
    tracing::error!("a handler panicked; its place stands on standard error");
    Problem::internal().into_response()
}

fn known_route(path: &str) -> Option<&'static str> {
    crate::access::TABLE
        .iter()
        .find(|rule| rule.path == path)
        .map(|rule| rule.path)
}

/// Methods that a client makes up are counted under one name.
fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::DELETE => "DELETE",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::OPTIONS => "OPTIONS",
        _ => "OTHER",
    }
}
