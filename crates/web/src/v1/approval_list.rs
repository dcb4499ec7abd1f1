//! `GET /v1/approvals`: the questions that wait for the owner.

use crate::auth::Caller;
use crate::{Problem, WebState};
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use simwarden_app::QuestionView;

#[derive(Serialize)]
pub(crate) struct Answer {
    approvals: Vec<QuestionView>,
}

#[utoipa::path(
    get, path = "/v1/approvals", tag = "approvals",
    responses(
        (status = 200, description = "The questions", body = crate::shapes::Questions),
        (status = "default", description = "Problem", body = crate::shapes::ProblemDetails,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn handle(State(state): State<WebState>, caller: Caller) -> Result<Json<Answer>, Problem> {
    let approvals = state.inner.app.questions(&caller.actor).await?;
    Ok(Json(Answer { approvals }))
}
