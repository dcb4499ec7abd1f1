//! `GET /v1/account`: the account that is signed in; its password and its recovery codes, which are changed only shortly
//! after a sign-in.

use crate::auth::Caller;
use crate::body::Json;
use crate::{Problem, WebState};
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use simwarden_app::AccountView;
use utoipa::ToSchema;

/// A new password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPassword {
    /// 15 characters or more; 8 are enough for an account with an authenticator. No rules of composition.
    password: String,
}

#[derive(Serialize)]
pub(crate) struct Codes {
    codes: Vec<String>,
}

#[utoipa::path(
    get, path = "/v1/account", tag = "accounts",
    responses(
        (status = 200, description = "The account", body = crate::account_shapes::Account),
        (status = "default", description = "Problem", body = crate::shapes::ProblemDetails,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn handle(
    State(state): State<WebState>,
    caller: Caller,
) -> Result<axum::Json<AccountView>, Problem> {
    Ok(axum::Json(state.inner.app.account(&caller.actor).await?))
}

#[utoipa::path(
    post, path = "/v1/account/password", tag = "accounts", request_body = NewPassword,
    responses(
        (status = 204, description = "Set; every other session is over"),
        (status = "default", description = "Problem: `password_…` says what speaks against it",
            body = crate::shapes::ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn password(
    State(state): State<WebState>,
    caller: Caller,
    Json(new): Json<NewPassword>,
) -> Result<StatusCode, Problem> {
    state.inner.app.set_password(&caller.actor, &new.password).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[utoipa::path(
    post, path = "/v1/account/recovery-codes", tag = "accounts",
    responses(
        (status = 201, description = "Made; shown this once, and earlier ones are gone",
            body = crate::account_shapes::RecoveryCodes),
        (status = "default", description = "Problem", body = crate::shapes::ProblemDetails,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn recovery_codes(
    State(state): State<WebState>,
    caller: Caller,
) -> Result<(StatusCode, axum::Json<Codes>), Problem> {
    let codes = state.inner.app.make_recovery_codes(&caller.actor).await?;
    Ok((StatusCode::CREATED, axum::Json(Codes { codes })))
}
