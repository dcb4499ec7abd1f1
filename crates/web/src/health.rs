//! `/healthz`, `/readyz` and `/metrics`: for those who run the installation.

use crate::metrics::Moment;
use crate::shapes::Ready;
use crate::{Problem, WebState};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use std::time::Duration;

/// Entries that may wait for the published tree before the server calls itself not ready: some ten seconds' worth.
const BACKLOG_MAX: i64 = 100_000;
/// How long the database may take to answer a ping.
const PING_TIME_MAX: Duration = Duration::from_secs(2);

#[utoipa::path(get, path = "/healthz", tag = "running",
    responses((status = 200, description = "The process runs", body = String, content_type = "text/plain")))]
pub(crate) async fn healthz() -> &'static str {
    "ok\n"
}

#[utoipa::path(get, path = "/readyz", tag = "running",
    responses(
        (status = 200, description = "It can work", body = Ready),
        (status = 503, description = "It cannot; see which part", body = Ready),
    ))]
pub(crate) async fn readyz(State(state): State<WebState>) -> (StatusCode, Json<Ready>) {
    let app = &state.inner.app;
    let database = tokio::time::timeout(PING_TIME_MAX, app.ping())
        .await
        .is_ok_and(|pong| pong.is_ok());
    let writing = !*app.halt().borrow();
    let log_backlog = backlog(&state);
    let log = state.inner.log.is_none() || log_backlog <= BACKLOG_MAX;
    let stopping = *state.inner.stop.borrow();
    let ready = Ready {
        ready: database && writing && log && !stopping,
        database,
        writing,
        log,
        log_backlog,
    };
    let status = if ready.ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(ready))
}

fn published(state: &WebState) -> i64 {
    state.inner.log.as_ref().map_or(0, |log| *log.published.borrow())
}

fn backlog(state: &WebState) -> i64 {
    (*state.inner.app.written().borrow() - published(state)).max(0)
}

#[utoipa::path(get, path = "/metrics", tag = "running",
    responses((status = 200, description = "Counters, OpenMetrics text", body = String,
        content_type = "application/openmetrics-text")))]
pub(crate) async fn metrics(State(state): State<WebState>) -> Result<impl IntoResponse, Problem> {
    let inner = &state.inner;
    let (effects, _) = inner.app.waiting_effects().await?;
    let moment = Moment {
        queued: inner.app.queued(),
        durable: *inner.app.written().borrow(),
        published: published(&state),
        effects,
        at_work: inner
            .limits
            .requests_at_once
            .saturating_sub(inner.at_work.available_permits()),
    };
    Ok((
        [(
            CONTENT_TYPE,
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
        )],
        inner.metrics.text(&moment),
    ))
}
