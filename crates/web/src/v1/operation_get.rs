//! `GET /v1/operations/{id}`: one operation with everything about it.

use crate::auth::Caller;
use crate::body::PathId;
use crate::{Problem, WebState};
use axum::Json;
use axum::extract::State;
use simwarden_app::OperationDetail;
use simwarden_model::OperationId;

#[utoipa::path(
    get, path = "/v1/operations/{id}", tag = "operations", params(("id" = String, Path)),
    responses(
        (status = 200, description = "The operation", body = crate::shapes::OperationDetail),
        (status = "default", description = "Problem", body = crate::shapes::ProblemDetails,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn handle(
    State(state): State<WebState>,
    caller: Caller,
    PathId(id): PathId<OperationId>,
) -> Result<Json<OperationDetail>, Problem> {
    Ok(Json(state.inner.app.operation(&caller.actor, id).await?))
}
