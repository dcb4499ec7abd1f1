//! `POST /v1/operations/{id}/signature` and `POST /v1/approvals/{id}/signature`: a challenge made of the request
//! itself, for a passkey of the owner. Its answer goes to `…/evidence` and to `POST /v1/approvals/{id}`.

use crate::auth::Caller;
use crate::body::{Json, PathId};
use crate::{Problem, WebState};
use axum::extract::State;
use serde::Deserialize;
use simwarden_app::{Begun, Sign};
use simwarden_model::{ApprovalId, OperationId};
use utoipa::ToSchema;

/// The number on the other screen, which is signed as well.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Matched {
    /// The two digits.
    number: i64,
}

#[utoipa::path(
    post, path = "/v1/operations/{id}/signature", tag = "operations", params(("id" = String, Path)),
    responses(
        (status = 200, description = "A challenge", body = crate::account_shapes::Begun),
        (status = "default", description = "Problem", body = crate::shapes::ProblemDetails,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn operation(
    State(state): State<WebState>,
    caller: Caller,
    PathId(id): PathId<OperationId>,
) -> Result<axum::Json<Begun>, Problem> {
    let begun = state
        .inner
        .app
        .begin_signature(&caller.actor, Sign::Operation(id))
        .await?;
    Ok(axum::Json(begun))
}

#[utoipa::path(
    post, path = "/v1/approvals/{id}/signature", tag = "approvals", params(("id" = String, Path)),
    request_body = Matched,
    responses(
        (status = 200, description = "A challenge", body = crate::account_shapes::Begun),
        (status = "default", description = "Problem", body = crate::shapes::ProblemDetails,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn approval(
    State(state): State<WebState>,
    caller: Caller,
    PathId(id): PathId<ApprovalId>,
    Json(matched): Json<Matched>,
) -> Result<axum::Json<Begun>, Problem> {
    let what = Sign::Question(id, matched.number);
    Ok(axum::Json(
        state.inner.app.begin_signature(&caller.actor, what).await?,
    ))
}
