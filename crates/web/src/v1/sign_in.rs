//! `POST /v1/sign-in/begin` and `/finish`: somebody signs in with a passkey. No name is asked for, so there is none to
//! guess. `/password` and `/recovery` are the ways beside it, where every guess is counted.

use crate::auth::{SESSION_SECONDS, device_cookie, own_page, session_cookie, whereabouts};
use crate::body::Json;
use crate::{Problem, WebState};
use axum::extract::{FromRequest as _, Request, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{AppendHeaders, IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use simwarden_app::{Begun, PasswordSignIn, SessionView, SignedIn};
use utoipa::ToSchema;

/// A passkey's answer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Answered {
    /// The challenge, as it was handed out.
    ceremony: String,
    /// What `navigator.credentials.get` answered, with its bytes in base64url.
    #[schema(value_type = Object)]
    credential: serde_json::Value,
}

#[derive(Serialize)]
struct Body {
    session: SessionView,
}

/// The answer to somebody who signed in: the session in the body, its secret and the device's mark in cookies.
pub(crate) fn signed_in(state: &WebState, done: SignedIn) -> Result<Response, Problem> {
    let https = state.inner.https;
    let cookies =
        session_cookie(https, &done.secret, SESSION_SECONDS).zip(device_cookie(https, &done.device));
    let (session, device) = cookies.ok_or_else(Problem::internal)?;
    let body = Body {
        session: done.session,
    };
    Ok((
        StatusCode::OK,
        AppendHeaders([(SET_COOKIE, session), (SET_COOKIE, device)]),
        axum::Json(body),
    )
        .into_response())
}

#[utoipa::path(
    post, path = "/v1/sign-in/begin", tag = "accounts",
    params(("x-simwarden" = String, Header, description = "`1`")),
    responses(
        (status = 200, description = "A challenge", body = crate::account_shapes::Begun),
        (status = "default", description = "Problem", body = crate::shapes::ProblemDetails,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn begin(
    State(state): State<WebState>,
    headers: HeaderMap,
) -> Result<axum::Json<Begun>, Problem> {
    own_page(&headers)?;
    Ok(axum::Json(state.inner.app.begin_sign_in()?))
}

#[utoipa::path(
    post, path = "/v1/sign-in/finish", tag = "accounts", request_body = Answered,
    params(("x-simwarden" = String, Header, description = "`1`")),
    responses(
        (status = 200, description = "Signed in; the answer sets the cookies", body = crate::account_shapes::SignedIn),
        (status = "default", description = "Problem", body = crate::shapes::ProblemDetails,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn finish(State(state): State<WebState>, request: Request) -> Result<Response, Problem> {
    own_page(request.headers())?;
    let from = whereabouts(&state, &request)?;
    let Json(answered) = Json::<Answered>::from_request(request, &state).await?;
    let done = state
        .inner
        .app
        .finish_sign_in(&answered.ceremony, &answered.credential, &from)
        .await?;
    signed_in(&state, done)
}

/// A login and a password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ByPassword {
    /// Name, number or mail address.
    login: String,
    /// The password.
    password: String,
    /// The six digits of the authenticator, for accounts that have one.
    code: Option<String>,
}

/// A login and a recovery code.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ByRecoveryCode {
    /// Name, number or mail address.
    login: String,
    /// The code; it is used up.
    code: String,
}

#[utoipa::path(
    post, path = "/v1/sign-in/password", tag = "accounts", request_body = ByPassword,
    params(("x-simwarden" = String, Header, description = "`1`")),
    responses(
        (status = 200, description = "Signed in; the answer sets the cookies", body = crate::account_shapes::SignedIn),
        (status = "default", description = "Problem", body = crate::shapes::ProblemDetails,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn password(State(state): State<WebState>, request: Request) -> Result<Response, Problem> {
    own_page(request.headers())?;
    let from = whereabouts(&state, &request)?;
    let Json(given) = Json::<ByPassword>::from_request(request, &state).await?;
    let given = PasswordSignIn {
        login: given.login,
        password: given.password,
        code: given.code,
    };
    let done = state.inner.app.sign_in_with_password(given, &from).await?;
    signed_in(&state, done)
}

#[utoipa::path(
    post, path = "/v1/sign-in/recovery", tag = "accounts", request_body = ByRecoveryCode,
    params(("x-simwarden" = String, Header, description = "`1`")),
    responses(
        (status = 200, description = "Signed in, to enrol a passkey again; the answer sets the cookies",
            body = crate::account_shapes::SignedIn),
        (status = "default", description = "Problem", body = crate::shapes::ProblemDetails,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn recovery(State(state): State<WebState>, request: Request) -> Result<Response, Problem> {
    own_page(request.headers())?;
    let from = whereabouts(&state, &request)?;
    let Json(given) = Json::<ByRecoveryCode>::from_request(request, &state).await?;
    let done = state
        .inner
        .app
        .sign_in_with_recovery_code(&given.login, &given.code, &from)
        .await?;
    signed_in(&state, done)
}
