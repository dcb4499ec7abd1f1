//! The log's files, C2SP tlog-tiles: hashes for everybody, entries for those who audit.
//!
//! A path is parsed into the name of one file of the log, and the name is written anew; what does not parse, or does
//! not parse as it was sent, names no file. So no path leads anywhere else.

use crate::{Problem, WebState};
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use simwarden_ledger::LogPath;
use std::io::ErrorKind;

#[utoipa::path(get, path = "/ledger/checkpoint", tag = "ledger",
    responses(
        (status = 200, description = "The signed head, a C2SP checkpoint", body = Vec<u8>,
            content_type = "text/plain"),
        (status = "default", description = "Problem", body = crate::shapes::ProblemDetails,
            content_type = "application/problem+json"),
    ))]
pub(crate) async fn checkpoint(State(state): State<WebState>) -> Response {
    send(&state, LogPath::Checkpoint).await
}

#[utoipa::path(get, path = "/ledger/tile/{path}", tag = "ledger", params(("path" = String, Path, description = "As C2SP tlog-tiles has it")),
    responses(
        (status = 200, description = "Hashes, 32 bytes each", body = Vec<u8>,
            content_type = "application/octet-stream"),
        (status = "default", description = "Problem", body = crate::shapes::ProblemDetails,
            content_type = "application/problem+json"),
    ))]
pub(crate) async fn tile(State(state): State<WebState>, request: Request) -> Response {
    match named(&request) {
        Some(path @ LogPath::Tile(_)) => send(&state, path).await,
        _ => Problem::not_found().into_response(),
    }
}

#[utoipa::path(get, path = "/ledger/tile/entries/{path}", tag = "ledger", params(("path" = String, Path, description = "As C2SP tlog-tiles has it")),
    responses(
        (status = 200, description = "Entries, each behind its length in two bytes", body = Vec<u8>,
            content_type = "application/octet-stream"),
        (status = "default", description = "Problem", body = crate::shapes::ProblemDetails,
            content_type = "application/problem+json"),
    ))]
pub(crate) async fn entries(State(state): State<WebState>, request: Request) -> Response {
    match named(&request) {
        Some(path @ LogPath::Bundle(_)) => send(&state, path).await,
        _ => Problem::not_found().into_response(),
    }
}

/// The file that the path names, as it was sent: nothing is decoded.
fn named(request: &Request) -> Option<LogPath> {
    let text = request.uri().path().strip_prefix("/ledger/")?;
    let path: LogPath = text.parse().ok()?;
    (path.to_string() == text).then_some(path)
}

async fn send(state: &WebState, path: LogPath) -> Response {
    let Some(log) = &state.inner.log else {
        return Problem::unavailable("no_log", "this server keeps no log").into_response();
    };
    let bytes = match tokio::fs::read(log.folder.join(path.to_string())).await {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Problem::not_found().into_response(),
        Err(error) => {
            tracing::warn!(%error, "a file of the log cannot be read");
            return Problem::unavailable("log_unavailable", "this file of the log cannot be read now")
                .into_response();
        }
    };
    let (media, cache) = match path {
        LogPath::Checkpoint => ("text/plain; charset=utf-8", "no-cache"),
        LogPath::Tile(_) => ("application/octet-stream", "public, max-age=31536000, immutable"),
        LogPath::Bundle(_) => ("application/octet-stream", "private, max-age=31536000, immutable"),
    };
    Response::builder()
        .header(CONTENT_TYPE, HeaderValue::from_static(media))
        .header(CACHE_CONTROL, HeaderValue::from_static(cache))
        .body(Body::from(bytes))
        .unwrap_or_default()
}
