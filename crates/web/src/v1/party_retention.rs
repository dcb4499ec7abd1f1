//! `POST /v1/parties/{id}/retention`: until when the law forbids erasing a person.

use crate::auth::Caller;
use crate::body::{Json, PathId};
use crate::{Problem, WebState};
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use simwarden_model::{PartyId, Timestamp};
use utoipa::ToSchema;

/// A retention.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    /// Until when; `null` ends it.
    #[schema(value_type = Option<String>, example = "2031-01-01T00:00:00Z")]
    #[serde(deserialize_with = "there")]
    until: Option<Timestamp>,
}

/// The field must be there: nobody ends a retention by forgetting a field.
fn there<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    Option::deserialize(deserializer)
}

#[utoipa::path(
    post, path = "/v1/parties/{id}/retention", tag = "parties", params(("id" = String, Path)),
    request_body = Wanted,
    responses(
        (status = 204, description = "Set"),
        (status = "default", description = "Problem", body = crate::shapes::ProblemDetails,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn handle(
    State(state): State<WebState>,
    caller: Caller,
    PathId(id): PathId<PartyId>,
    Json(wanted): Json<Wanted>,
) -> Result<StatusCode, Problem> {
    state.inner.app.retain(&caller.actor, id, wanted.until).await?;
    Ok(StatusCode::NO_CONTENT)
}
