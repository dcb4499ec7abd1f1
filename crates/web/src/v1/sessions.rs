//! `/v1/sessions`: where the account is signed in, and ending it there.

use crate::auth::Caller;
use crate::body::PathId;
use crate::{Problem, WebState};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use simwarden_app::SessionView;
use simwarden_model::SessionId;

#[derive(Serialize)]
pub(crate) struct List {
    sessions: Vec<SessionView>,
}

#[utoipa::path(
    get, path = "/v1/sessions", tag = "accounts",
    responses(
        (status = 200, description = "The sessions", body = crate::account_shapes::Sessions),
        (status = "default", description = "Problem", body = crate::shapes::ProblemDetails,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(State(state): State<WebState>, caller: Caller) -> Result<Json<List>, Problem> {
    let sessions = state.inner.app.sessions(&caller.actor).await?;
    Ok(Json(List { sessions }))
}

#[utoipa::path(
    delete, path = "/v1/sessions", tag = "accounts",
    responses(
        (status = 204, description = "Every other session is over"),
        (status = "default", description = "Problem", body = crate::shapes::ProblemDetails,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn end_others(State(state): State<WebState>, caller: Caller) -> Result<StatusCode, Problem> {
    state.inner.app.end_other_sessions(&caller.actor).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[utoipa::path(
    delete, path = "/v1/sessions/{id}", tag = "accounts", params(("id" = String, Path)),
    responses(
        (status = 204, description = "It is over"),
        (status = "default", description = "Problem", body = crate::shapes::ProblemDetails,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn end_one(
    State(state): State<WebState>,
    caller: Caller,
    PathId(id): PathId<SessionId>,
) -> Result<StatusCode, Problem> {
    state.inner.app.end_session(&caller.actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
