//! A witness over HTTP (C2SP tlog-witness): two routes, one small body.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use simwarden_app::log::{Answer, Witness};
use simwarden_model::Timestamp;
use std::sync::Arc;

/// A checkpoint with its proof is far smaller.
const BODY_BYTES_MAX: usize = 64 * 1024;

#[derive(Clone)]
struct Held {
    witness: Arc<Witness>,
    now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
}

/// The routes of a witness; `now` tells the time that goes into its cosignatures.
pub fn witness_router(witness: Arc<Witness>, now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Router {
    Router::new()
        .route("/add-checkpoint", post(add))
        .route("/{log}/checkpoint", get(latest))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(Held {
            witness,
            now: Arc::new(now),
        })
}

async fn add(State(held): State<Held>, body: Bytes) -> Response {
    // It writes and syncs a file before it answers.
    answer(tokio::task::spawn_blocking(move || held.witness.handle_add(&body, (held.now)())).await)
}

async fn latest(State(held): State<Held>, Path(log): Path<String>) -> Response {
    answer(tokio::task::spawn_blocking(move || held.witness.handle_get(&format!("{log}/checkpoint"))).await)
}

fn answer(outcome: Result<Answer, tokio::task::JoinError>) -> Response {
    match outcome {
        Ok(answer) => {
            let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            (status, [(header::CONTENT_TYPE, answer.content_type)], answer.body).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "a request to the witness failed");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
