//! `POST /v1/operations/{id}/rollback`: two persons take a finished operation back.

use crate::auth::Caller;
use crate::body::PathId;
use crate::{Problem, WebState};
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use simwarden_app::RollBackAnswer;
use simwarden_model::OperationId;

#[derive(Serialize)]
pub(crate) struct Answer {
    outcome: &'static str,
}

#[utoipa::path(
    post, path = "/v1/operations/{id}/rollback", tag = "operations", params(("id" = String, Path)),
    responses(
        (status = 200, description = "Asked for, or begun by the second person",
            body = crate::shapes::RollbackAnswer),
        (status = "default", description = "Problem", body = crate::shapes::ProblemDetails,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn handle(
    State(state): State<WebState>,
    caller: Caller,
    PathId(id): PathId<OperationId>,
) -> Result<Json<Answer>, Problem> {
    let outcome = match state.inner.app.roll_back(&caller.actor, id).await? {
        RollBackAnswer::WaitsForSecond => "waits_for_second",
        RollBackAnswer::Begun => "begun",
    };
    Ok(Json(Answer { outcome }))
}
