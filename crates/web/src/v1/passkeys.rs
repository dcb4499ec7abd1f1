//! `/v1/passkeys`: the passkeys of the account that is signed in. They are changed only shortly after a sign-in.

use super::sign_up::Enrolled;
use crate::auth::Caller;
use crate::body::{Json, PathId};
use crate::{Problem, WebState};
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use simwarden_app::{Begun, Enrol, PasskeyView};
use simwarden_model::PasskeyId;
use utoipa::ToSchema;

#[derive(Serialize)]
pub(crate) struct List {
    passkeys: Vec<PasskeyView>,
}

/// Another name.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Named {
    /// 1 to 60 characters.
    name: String,
}

#[utoipa::path(
    get, path = "/v1/passkeys", tag = "accounts",
    responses(
        (status = 200, description = "The passkeys", body = crate::account_shapes::Passkeys),
        (status = "default", description = "Problem", body = crate::shapes::ProblemDetails,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(State(state): State<WebState>, caller: Caller) -> Result<axum::Json<List>, Problem> {
    let passkeys = state.inner.app.passkeys(&caller.actor).await?;
    Ok(axum::Json(List { passkeys }))
}

#[utoipa::path(
    post, path = "/v1/passkeys/begin", tag = "accounts",
    responses(
        (status = 200, description = "A challenge", body = crate::account_shapes::Begun),
        (status = "default", description = "Problem", body = crate::shapes::ProblemDetails,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn begin(
    State(state): State<WebState>,
    caller: Caller,
) -> Result<axum::Json<Begun>, Problem> {
    let who = Enrol::SignedIn(Box::new(caller.actor));
    Ok(axum::Json(state.inner.app.begin_enrolment(&who).await?))
}

#[utoipa::path(
    post, path = "/v1/passkeys", tag = "accounts", request_body = Enrolled,
    responses(
        (status = 201, description = "Added", body = crate::account_shapes::Passkey),
        (status = "default", description = "Problem", body = crate::shapes::ProblemDetails,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn add(
    State(state): State<WebState>,
    caller: Caller,
    Json(new): Json<Enrolled>,
) -> Result<(StatusCode, axum::Json<PasskeyView>), Problem> {
    let added = state
        .inner
        .app
        .finish_added_passkey(&caller.actor, &new.ceremony, &new.credential, &new.name)
        .await?;
    Ok((StatusCode::CREATED, axum::Json(added)))
}

#[utoipa::path(
    post, path = "/v1/passkeys/{id}", tag = "accounts", params(("id" = String, Path)), request_body = Named,
    responses(
        (status = 204, description = "Renamed"),
        (status = "default", description = "Problem", body = crate::shapes::ProblemDetails,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn rename(
    State(state): State<WebState>,
    caller: Caller,
    PathId(id): PathId<PasskeyId>,
    Json(named): Json<Named>,
) -> Result<StatusCode, Problem> {
    state
        .inner
        .app
        .rename_passkey(&caller.actor, id, &named.name)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

#[utoipa::path(
    delete, path = "/v1/passkeys/{id}", tag = "accounts", params(("id" = String, Path)),
    responses(
        (status = 204, description = "Removed, and the sessions begun with it are over"),
        (status = "default", description = "Problem", body = crate::shapes::ProblemDetails,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn remove(
    State(state): State<WebState>,
    caller: Caller,
    PathId(id): PathId<PasskeyId>,
) -> Result<StatusCode, Problem> {
    state.inner.app.remove_passkey(&caller.actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
