//! `POST /v1/parties/{id}/erase`: a person is erased for good; the log still verifies.

use crate::auth::Caller;
use crate::body::PathId;
use crate::{Problem, WebState};
use axum::extract::State;
use axum::http::StatusCode;
use simwarden_model::PartyId;

#[utoipa::path(
    post, path = "/v1/parties/{id}/erase", tag = "parties", params(("id" = String, Path)),
    responses(
        (status = 204, description = "Erased"),
        (status = "default", description = "Problem", body = crate::shapes::ProblemDetails,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn handle(
    State(state): State<WebState>,
    caller: Caller,
    PathId(id): PathId<PartyId>,
) -> Result<StatusCode, Problem> {
    state.inner.app.erase(&caller.actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
