//! `DELETE /v1/tokens/{id}`: a token is taken back, by its holder or an administrator.

use crate::auth::Caller;
use crate::body::PathId;
use crate::{Problem, WebState};
use axum::extract::State;
use axum::http::StatusCode;
use simwarden_model::TokenId;

#[utoipa::path(
    delete, path = "/v1/tokens/{id}", tag = "tokens", params(("id" = String, Path)),
    responses(
        (status = 204, description = "Taken back; within a second no server knows it any more"),
        (status = "default", description = "Problem", body = crate::shapes::ProblemDetails,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn handle(
    State(state): State<WebState>,
    caller: Caller,
    PathId(id): PathId<TokenId>,
) -> Result<StatusCode, Problem> {
    state.inner.app.revoke_token(&caller.actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
