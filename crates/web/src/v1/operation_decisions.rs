//! `GET /v1/operations/{id}/decisions`: what its decisions were made from, so that they can be made again.

use crate::auth::Caller;
use crate::body::PathId;
use crate::{Problem, WebState};
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use simwarden_app::DecisionView;
use simwarden_model::OperationId;

#[derive(Serialize)]
pub(crate) struct Answer {
    decisions: Vec<DecisionView>,
}

#[utoipa::path(
    get, path = "/v1/operations/{id}/decisions", tag = "operations", params(("id" = String, Path)),
    responses(
        (status = 200, description = "The decisions, in order", body = crate::shapes::Decisions),
        (status = "default", description = "Problem", body = crate::shapes::ProblemDetails,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn handle(
    State(state): State<WebState>,
    caller: Caller,
    PathId(id): PathId<OperationId>,
) -> Result<Json<Answer>, Problem> {
    let decisions = state.inner.app.decisions(&caller.actor, id).await?;
    Ok(Json(Answer { decisions }))
}
