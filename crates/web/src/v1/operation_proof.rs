//! `GET /v1/operations/{id}/proof`: the parts of a ledger proof, for whoever checks it by themselves.

use crate::auth::Caller;
use crate::body::{PathId, Query};
use crate::{Problem, ProofParts, ReceiptError, WebState};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use simwarden_model::OperationId;

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// Which entry of the operation; its last one when left out.
    pub entry: Option<i64>,
}

/// The entry that is meant, if it belongs to the operation: one operation's page must not open another's entries.
pub(crate) async fn entry_of(
    state: &WebState,
    caller: &Caller,
    id: OperationId,
    wanted: Option<i64>,
) -> Result<i64, Problem> {
    let operation = state.inner.app.operation(&caller.actor, id).await?;
    let last = operation.summary.entry;
    let entry = wanted.unwrap_or(last);
    if entry == last || operation.timeline.iter().any(|item| item.entry == entry) {
        Ok(entry)
    } else {
        Err(Problem::new(
            StatusCode::NOT_FOUND,
            "not_found",
            "this operation has no such ledger entry; see `entry` in its timeline",
        ))
    }
}

pub(crate) fn no_log() -> Problem {
    Problem::unavailable("no_log", "this server keeps no log")
}

impl From<ReceiptError> for Problem {
    fn from(error: ReceiptError) -> Self {
        match error {
            ReceiptError::NotYet => Self {
                retry_after_s: Some(1),
                ..Self::new(StatusCode::NOT_FOUND, "not_yet_published", error.to_string())
            },
            ReceiptError::Failed(cause) => {
                tracing::error!(%cause, "the log gave no proof");
                Self::unavailable("log_unavailable", "the log gives no proof now; it was logged")
            }
        }
    }
}

#[utoipa::path(
    get, path = "/v1/operations/{id}/proof", tag = "ledger", params(("id" = String, Path), Wanted),
    responses(
        (status = 200, description = "The parts of the proof", body = ProofParts),
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
) -> Result<Json<ProofParts>, Problem> {
    let entry = entry_of(&state, &caller, id, wanted.entry).await?;
    let log = state.inner.log.as_ref().ok_or_else(no_log)?;
    Ok(Json(log.receipts.proof(entry).await?))
}
