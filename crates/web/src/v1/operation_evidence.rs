//! `POST /v1/operations/{id}/evidence`: somebody proves something; the operation is decided again.
//!
//! A new kind of evidence is a variant of [`Evidence`] here and of `Given` in the use cases.

use crate::auth::Caller;
use crate::body::{Json, PathId};
use crate::{Problem, WebState};
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use simwarden_app::{Given, OperationSummary, Outcome, Signature};
use simwarden_model::OperationId;
use utoipa::ToSchema;

/// Evidence.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Evidence {
    /// `totp` (with `code`), `passkey` (with `ceremony` and `credential`) or `second_approver`.
    #[schema(example = "totp")]
    kind: String,
    /// The six digits that the owner's authenticator shows.
    code: Option<String>,
    /// The challenge, as `POST /v1/operations/{id}/signature` handed it out.
    ceremony: Option<String>,
    /// What the browser answered, with its bytes in base64url.
    credential: Option<serde_json::Value>,
}

/// Kinds that are checked.
const KINDS: &str = "`totp`, `passkey`, `second_approver`";
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
    let signature = match (evidence.ceremony, evidence.credential) {
        (Some(ceremony), Some(credential)) => Some(Signature { ceremony, credential }),
        (None, None) => None,
        _ => return Err(Problem::field("ceremony", "comes together with `credential`")),
    };
    match (evidence.kind.as_str(), evidence.code, signature) {
        ("totp", Some(code), None) if code.chars().count() <= CODE_CHARS_MAX => Ok(Given::Totp(code)),
        ("totp", _, None) => Err(Problem::field(
            "code",
            "the six digits that the authenticator shows",
        )),
        ("passkey", None, Some(signature)) => Ok(Given::Passkey(signature)),
        ("passkey", ..) => Err(Problem::field(
            "credential",
            "with `passkey` come `ceremony` and `credential`, and no `code`",
        )),
        ("second_approver", None, None) => Ok(Given::SecondApprover),
        ("second_approver", Some(_), _) => {
            Err(Problem::field("code", "belongs to `totp` only; leave it out"))
        }
        ("totp" | "second_approver", _, Some(_)) => Err(Problem::field(
            "credential",
            "belongs to `passkey` only; leave it out",
        )),
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
