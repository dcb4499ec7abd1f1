//! `POST /v1/parties/{id}/totp`: an authenticator application is enrolled. It counts as evidence only once it has
//! settled: a thief would enrol one a moment before.

use crate::auth::Caller;
use crate::body::{Json, PathId};
use crate::{Problem, WebState};
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use simwarden_identity::base32::base32;
use simwarden_model::{FactorId, PartyId, Timestamp};
use utoipa::ToSchema;

/// An authenticator to be enrolled.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    /// Since when it has existed, which only a migration on the server itself may say; now when left out.
    #[schema(value_type = Option<String>)]
    since: Option<Timestamp>,
}

#[derive(Serialize)]
pub(crate) struct Enrolled {
    id: FactorId,
    secret: String,
    uri: String,
}

#[utoipa::path(
    post, path = "/v1/parties/{id}/totp", tag = "parties", params(("id" = String, Path)), request_body = Wanted,
    responses(
        (status = 201, description = "Enrolled; the secret is shown this once", body = crate::shapes::TotpEnrolled),
        (status = "default", description = "Problem", body = crate::shapes::ProblemDetails,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn handle(
    State(state): State<WebState>,
    caller: Caller,
    PathId(id): PathId<PartyId>,
    Json(wanted): Json<Wanted>,
) -> Result<(StatusCode, axum::Json<Enrolled>), Problem> {
    let (factor, secret) = state
        .inner
        .app
        .enrol_totp(&caller.actor, id, wanted.since)
        .await?;
    let secret = base32(&secret);
    let uri = format!("otpauth://totp/simwarden?secret={secret}&issuer=simwarden");
    Ok((
        StatusCode::CREATED,
        axum::Json(Enrolled {
            id: factor,
            secret,
            uri,
        }),
    ))
}
