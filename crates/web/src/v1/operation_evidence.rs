//! `POST /v1/operations/{id}/evidence`: somebody proves something; the operation is decided again.
//!
//! A new kind of evidence is a variant of [`Evidence`] here and of `Given` in the use cases.

use crate::auth::Caller;
use crate::body::{Json, PathId};
use crate::{Problem, WebState};
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use simwarden_app::{Given, OperationSummary, Outcome};
use simwarden_model::OperationId;
use utoipa::ToSchema;

/// Evidence.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Evidence {
    /// `totp` (with `code`) or `second_approver`.
    #[schema(example = "totp")]
    kind: String,
    /// The six digits that the owner's authenticator shows.
    code: Option<String>,
}

/// Kinds that are checked.
const KINDS: &str = "`totp`, `second_approver`";
/// The longest code, with the spaces that people put into it.
const CODE_CHARS_MAX: usize = 20;

#[derive(Serialize)]
pub(crate) struct Answer {
    outcome: &'static str,
    operation: OperationSummary,
}

impl Answer {
    pub(crate) fn new(outcome: Outcome, operation: OperationSummary) -> Self {
        Self {
            outcome: match outcome {
                Outcome::Accepted => "accepted",
                Outcome::Wrong => "wrong",
            },
            operation,
        }
    }
}

fn given(evidence: Evidence) -> Result<Given, Problem> {
    match (evidence.kind.as_str(), evidence.code) {
        ("totp", Some(code)) if code.chars().count() <= CODE_CHARS_MAX => Ok(Given::Totp(code)),
        ("totp", _) => Err(Problem::field(
            "code",
            "the six digits that the authenticator shows",
        )),
        ("second_approver", None) => Ok(Given::SecondApprover),
        ("second_approver", Some(_)) => Err(Problem::field("code", "belongs to `totp` only; leave it out")),
        _ => Err(Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "unsupported_evidence",
            format!("`kind`: this server checks {KINDS}"),
        )),
    }
}

#[utoipa::path(
    post, path = "/v1/operations/{id}/evidence", tag = "operations", params(("id" = String, Path)),
    request_body = Evidence,
    responses(
        (status = 200, description = "Checked: accepted or wrong", body = crate::shapes::EvidenceAnswer),
        (status = "default", description = "Problem", body = crate::shapes::ProblemDetails,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn handle(
    State(state): State<WebState>,
    caller: Caller,
    PathId(id): PathId<OperationId>,
    Json(evidence): Json<Evidence>,
) -> Result<axum::Json<Answer>, Problem> {
    let given = given(evidence)?;
    let app = &state.inner.app;
    // Whoever may not see the operation must not learn from an error that it exists.
    app.operation(&caller.actor, id).await?;
    let outcome = app.give_proof(&caller.actor, id, given).await?;
    let now = app.operation(&caller.actor, id).await?;
    Ok(axum::Json(Answer::new(outcome, now.summary)))
}
