//! The sandbox's control, on a listener of its own that only this machine reaches: sets the scene for a developer.

use super::json;
use crate::body;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::HOST;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use simwarden_app::gateway::{Gateway, Seed};
use simwarden_app::{Error, ErrorKind};
use std::time::Duration;

/// A scene of thousands of lines.
const BODY_BYTES_MAX: usize = 16 * 1024 * 1024;
const BODY_TIME_MAX: Duration = Duration::from_secs(30);

/// The control of a sandbox. Serve it on loopback only: it needs no token.
pub fn sandbox_router(gateway: Gateway) -> Router {
    Router::new()
        .route("/seed", post(seed))
        .route("/operator-token", post(operator_token))
        .route("/sms", get(sms))
        .route("/sim-swap", post(sim_swap))
        .route("/advance", post(advance))
        .route("/ciba-decide", post(ciba_decide))
        .fallback(async || said(StatusCode::NOT_FOUND, "not_found", "there is nothing here"))
        .layer(from_fn(own_name))
        .with_state(gateway)
}

/// A name of the internet that somebody made lead to this machine is not one of ours.
async fn own_name(request: Request, next: Next) -> Response {
    let host = request
        .headers()
        .get(HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or("");
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    if matches!(name, "127.0.0.1" | "localhost" | "[::1]") {
        return next.run(request).await;
    }
    said(
        StatusCode::FORBIDDEN,
        "foreign_name",
        "call the sandbox by 127.0.0.1 or localhost",
    )
}

fn said(status: StatusCode, code: &str, message: &str) -> Response {
    json(status, &json!({ "code": code, "message": message }))
}

fn wrong(error: &Error) -> Response {
    let status = match error.kind {
        ErrorKind::Invalid => StatusCode::BAD_REQUEST,
        ErrorKind::NotFound => StatusCode::NOT_FOUND,
        ErrorKind::Forbidden => StatusCode::FORBIDDEN,
        ErrorKind::Conflict | ErrorKind::State => StatusCode::CONFLICT,
        ErrorKind::Unavailable | ErrorKind::Full | ErrorKind::TooMany => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    said(status, error.code, &error.message)
}

/// A JSON body. A page in the developer's browser cannot send one here: it may not name this media type unasked.
async fn read<T: DeserializeOwned>(request: Request) -> Result<T, Response> {
    let (parts, content) = request.into_parts();
    if let Err(problem) = body::expect_type(&parts.headers, &["application/json"]) {
        return Err(said(problem.status, problem.code, &problem.detail));
    }
    let bytes = body::read(&parts.headers, content, BODY_BYTES_MAX, BODY_TIME_MAX)
        .await
        .map_err(|problem| said(problem.status, problem.code, &problem.detail))?;
    body::parse_json(&bytes).map_err(|problem| said(problem.status, problem.code, &problem.detail))
}

fn done(outcome: Result<(), Error>) -> Response {
    match outcome {
        Ok(()) => json(StatusCode::OK, &json!({})),
        Err(error) => wrong(&error),
    }
}

async fn seed(State(gateway): State<Gateway>, request: Request) -> Response {
    match read::<Seed>(request).await {
        Ok(seed) => done(gateway.sandbox_seed(seed).await),
        Err(response) => response,
    }
}

#[derive(Deserialize)]
struct Phone {
    phone: String,
}

async fn operator_token(State(gateway): State<Gateway>, request: Request) -> Response {
    let asked = match read::<Phone>(request).await {
        Ok(asked) => asked,
        Err(response) => return response,
    };
    match gateway.sandbox_operator_token(&asked.phone).await {
        Ok(token) => json(StatusCode::OK, &json!({ "token": token })),
        Err(error) => wrong(&error),
    }
}

async fn sms(State(gateway): State<Gateway>, request: Request) -> Response {
    let query = request.uri().query().unwrap_or("");
    // A `+` in a query is a blank to some, a plus to others; a number has no blanks.
    let phone = form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == "phone")
        .map(|(_, phone)| format!("+{}", phone.trim().trim_start_matches('+')));
    let Some(phone) = phone else {
        return said(
            StatusCode::BAD_REQUEST,
            "phone_missing",
            "say which number: `?phone=+…`",
        );
    };
    match gateway.sandbox_texts(&phone) {
        Ok(texts) => json(StatusCode::OK, &json!(texts)),
        Err(error) => wrong(&error),
    }
}

async fn sim_swap(State(gateway): State<Gateway>, request: Request) -> Response {
    match read::<Phone>(request).await {
        Ok(asked) => done(gateway.sandbox_sim_swap(&asked.phone).await),
        Err(response) => response,
    }
}

#[derive(Deserialize)]
struct Advance {
    seconds: u64,
}

async fn advance(State(gateway): State<Gateway>, request: Request) -> Response {
    match read::<Advance>(request).await {
        Ok(asked) => done(gateway.sandbox_advance(asked.seconds)),
        Err(response) => response,
    }
}

#[derive(Deserialize)]
struct Decide {
    auth_req_id: String,
    approve: bool,
}

async fn ciba_decide(State(gateway): State<Gateway>, request: Request) -> Response {
    match read::<Decide>(request).await {
        Ok(asked) => done(gateway.sandbox_decide(&asked.auth_req_id, asked.approve).await),
        Err(response) => response,
    }
}
