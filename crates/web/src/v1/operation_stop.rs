//! `POST /v1/operations/{id}/stop`: somebody stops an operation, which is always the safe direction.

use crate::auth::Caller;
use crate::body::PathId;
use crate::{Problem, WebState};
use axum::Json;
use axum::extract::State;
use simwarden_app::OperationSummary;
use simwarden_model::OperationId;

#[utoipa::path(
    post, path = "/v1/operations/{id}/stop", tag = "operations", params(("id" = String, Path)),
    responses(
        (status = 200, description = "Stopped", body = crate::shapes::OperationSummary),
        (status = "default", description = "Problem", body = crate::shapes::ProblemDetails,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn handle(
    State(state): State<WebState>,
    caller: Caller,
    PathId(id): PathId<OperationId>,
) -> Result<Json<OperationSummary>, Problem> {
    let app = &state.inner.app;
    app.operation(&caller.actor, id).await?;
    app.stop(&caller.actor, id).await?;
    Ok(Json(app.operation(&caller.actor, id).await?.summary))
}
