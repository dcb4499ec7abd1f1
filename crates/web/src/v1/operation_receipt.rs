//! `GET /v1/operations/{id}/receipt`: the receipt, C2SP tlog-proof v1, which verifies offline for ever.

use super::operation_proof::{Wanted, entry_of, no_log};
use crate::auth::Caller;
use crate::body::{PathId, Query};
use crate::{Problem, WebState};
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::IntoResponse;
use simwarden_model::OperationId;

#[utoipa::path(
    get, path = "/v1/operations/{id}/receipt", tag = "ledger", params(("id" = String, Path), Wanted),
    responses(
        (status = 200, description = "The receipt", body = String, content_type = "text/plain"),
        (status = 404, description = "Code `not_yet_published` for up to two seconds: ask again",
            body = crate::shapes::ProblemDetails, content_type = "application/problem+json"),
        (status = "default", description = "Problem", body = crate::shapes::ProblemDetails,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn handle(
    State(state): State<WebState>,
    caller: Caller,
    PathId(id): PathId<OperationId>,
    Query(wanted): Query<Wanted>,
) -> Result<impl IntoResponse, Problem> {
    let entry = entry_of(&state, &caller, id, wanted.entry).await?;
    let log = state.inner.log.as_ref().ok_or_else(no_log)?;
    let text = log.receipts.receipt(entry).await?;
    let name = format!("attachment; filename=\"simwarden-{id}-{entry}.tlog-proof\"");
    Ok((
        [
            (CONTENT_TYPE, "text/plain; charset=utf-8".to_owned()),
            (CONTENT_DISPOSITION, name),
        ],
        text,
    ))
}
