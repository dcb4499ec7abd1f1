//! `POST /v1/approvals/{id}`: the owner answers "is this you?": yes, with the number on the other screen, or no.

use super::operation_evidence::Answer;
use crate::auth::Caller;
use crate::body::{Json, PathId};
use crate::{Problem, WebState};
use axum::extract::State;
use serde::Deserialize;
use simwarden_app::{OwnerAnswer, Signature};
use simwarden_model::ApprovalId;
use utoipa::ToSchema;

/// The owner's answer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Said {
    /// `yes` or `no`.
    #[schema(example = "yes")]
    answer: YesNo,
    /// With `yes`: the two digits on the screen of whoever asks.
    number: Option<i64>,
    /// With `yes` of somebody who has a passkey: the challenge, as `POST /v1/approvals/{id}/signature` handed it out.
    ceremony: Option<String>,
    /// With `ceremony`: what the browser answered, with its bytes in base64url.
    credential: Option<serde_json::Value>,
}

#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum YesNo {
    Yes,
    No,
}

#[utoipa::path(
    post, path = "/v1/approvals/{id}", tag = "approvals", params(("id" = String, Path)), request_body = Said,
    responses(
        (status = 200, description = "Accepted, or the wrong number, which ends the question",
            body = crate::shapes::EvidenceAnswer),
        (status = "default", description = "Problem", body = crate::shapes::ProblemDetails,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn handle(
    State(state): State<WebState>,
    caller: Caller,
    PathId(id): PathId<ApprovalId>,
    Json(said): Json<Said>,
) -> Result<axum::Json<Answer>, Problem> {
    let answer = match (said.answer, said.number) {
        (YesNo::Yes, Some(number)) => OwnerAnswer::Yes(number),
        (YesNo::Yes, None) => {
            return Err(Problem::field(
                "number",
                "with `yes` comes the two-digit number on the other screen",
            ));
        }
        (YesNo::No, _) => OwnerAnswer::No,
    };
    let app = &state.inner.app;
    let asked = app.questions(&caller.actor).await?;
    let signature = match (said.ceremony, said.credential) {
        (Some(ceremony), Some(credential)) => Some(Signature { ceremony, credential }),
        (None, None) => None,
        _ => return Err(Problem::field("ceremony", "comes together with `credential`")),
    };
    let outcome = match (answer, signature) {
        (OwnerAnswer::Yes(number), Some(signature)) => {
            app.approve(&caller.actor, id, number, &signature).await?
        }
        (answer, _) => app.answer(&caller.actor, id, answer).await?,
    };
    // A question that could be answered was among those that waited.
    let question = asked
        .into_iter()
        .find(|question| question.id == id)
        .ok_or_else(Problem::not_found)?;
    let now = app.operation(&caller.actor, question.operation.id).await?;
    Ok(axum::Json(Answer::new(outcome, now.summary)))
}
