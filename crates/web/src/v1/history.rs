//! `GET /v1/lines/{id}/history` and `GET /v1/profiles/{id}/history`: what happened, the newest first.

use crate::auth::Caller;
use crate::body::PathId;
use crate::{Problem, WebState};
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use simwarden_app::TimelineItem;
use simwarden_model::{ProfileId, SubscriptionId};

#[derive(Serialize)]
pub(crate) struct Answer {
    history: Vec<TimelineItem>,
}

#[utoipa::path(
    get, path = "/v1/lines/{id}/history", tag = "registry", params(("id" = String, Path)),
    responses(
        (status = 200, description = "The history, with who looked", body = crate::shapes::History),
        (status = "default", description = "Problem", body = crate::shapes::ProblemDetails,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn line(
    State(state): State<WebState>,
    caller: Caller,
    PathId(id): PathId<SubscriptionId>,
) -> Result<Json<Answer>, Problem> {
    let history = state.inner.app.line_history(&caller.actor, id).await?;
    Ok(Json(Answer { history }))
}

#[utoipa::path(
    get, path = "/v1/profiles/{id}/history", tag = "registry", params(("id" = String, Path)),
    responses(
        (status = 200, description = "The history", body = crate::shapes::History),
        (status = "default", description = "Problem", body = crate::shapes::ProblemDetails,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn profile(
    State(state): State<WebState>,
    caller: Caller,
    PathId(id): PathId<ProfileId>,
) -> Result<Json<Answer>, Problem> {
    let history = state.inner.app.profile_history(&caller.actor, id).await?;
    Ok(Json(Answer { history }))
}
