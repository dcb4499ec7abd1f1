//! `GET /v1/operations`: operations, the newest first.

use crate::auth::Caller;
use crate::body::Query;
use crate::{Problem, WebState};
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use simwarden_app::OperationSummary;
use simwarden_model::{OperationId, OperationState};

/// The longest page.
const LIMIT_MAX: u32 = 200;

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// How many, 1 to 200; 50 when left out.
    limit: Option<u32>,
    /// Only those older than this one: `next` of the page before.
    #[param(value_type = Option<String>)]
    before: Option<OperationId>,
    /// Only those in this state.
    #[param(value_type = Option<String>)]
    state: Option<OperationState>,
}

#[derive(Serialize)]
pub(crate) struct Page {
    operations: Vec<OperationSummary>,
    next: Option<OperationId>,
}

#[utoipa::path(
    get, path = "/v1/operations", tag = "operations", params(Wanted),
    responses(
        (status = 200, description = "A page", body = crate::shapes::OperationPage),
        (status = "default", description = "Problem", body = crate::shapes::ProblemDetails,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn handle(
    State(state): State<WebState>,
    caller: Caller,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Page>, Problem> {
    let limit = wanted.limit.unwrap_or(50);
    if !(1..=LIMIT_MAX).contains(&limit) {
        return Err(Problem::field("limit", format!("1 to {LIMIT_MAX}")));
    }
    let mut operations = state
        .inner
        .app
        .operations(&caller.actor, wanted.state, wanted.before, limit + 1)
        .await?;
    let more = operations.len() > limit as usize;
    operations.truncate(limit as usize);
    let next = operations.last().filter(|_| more).map(|last| last.id);
    Ok(Json(Page { operations, next }))
}
