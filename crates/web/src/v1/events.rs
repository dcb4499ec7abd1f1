//! `POST /v1/events`: a feed delivers events, one as JSON or many as JSON Lines.

use crate::auth::Caller;
use crate::body::{expect_type, parse_json, read};
use crate::{Problem, WebState};
use axum::Json;
use axum::extract::{Request, State};
use simwarden_app::{BATCH_BYTES_MAX, IngestReport};

const ONE: &str = "application/json";
const MANY: &str = "application/x-ndjson";

#[utoipa::path(
    post, path = "/v1/events", tag = "events",
    request_body(content(
        (String = "application/x-ndjson"),
        (Object = "application/json"),
    )),
    responses(
        (status = 200, description = "What became of each; what is accepted is durable",
            body = crate::shapes::EventsAnswer),
        (status = "default", description = "Problem", body = crate::shapes::ProblemDetails,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn handle(
    State(state): State<WebState>,
    caller: Caller,
    request: Request,
) -> Result<Json<IngestReport>, Problem> {
    let inner = &state.inner;
    let (parts, body) = request.into_parts();
    let one = expect_type(&parts.headers, &[MANY, ONE])? == ONE;
    // Batches are large: only a few are held in memory at a time, the others wait before their bytes are read.
    let Ok(_turn) = inner.batches.acquire().await else {
        return Err(Problem::unavailable("stopping", "this server is stopping"));
    };
    let limits = &inner.limits;
    let bytes_max = if one {
        limits.body_bytes_max
    } else {
        BATCH_BYTES_MAX
    };
    let bytes = read(&parts.headers, body, bytes_max, limits.batch_time_max).await?;
    let bytes = if one { one_line(&bytes)? } else { bytes };
    let report = inner.app.accept_events(&caller.actor, &bytes).await?;
    inner.metrics.events_accepted.inc_by(report.accepted);
    inner.metrics.events_duplicate.inc_by(report.duplicate);
    inner.metrics.events_quarantined.inc_by(report.quarantined);
    Ok(Json(report))
}

/// One event on one line, however it was laid out.
fn one_line(bytes: &[u8]) -> Result<Vec<u8>, Problem> {
    let event: serde_json::Map<String, serde_json::Value> = parse_json(bytes)?;
    serde_json::to_vec(&event).map_err(|_| Problem::internal())
}
