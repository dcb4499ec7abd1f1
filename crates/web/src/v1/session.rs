//! `POST /v1/session` and `DELETE /v1/session`: the page trades a token for a cookie that scripts cannot read.

use crate::auth::{
    SESSION_SECONDS, cookie_name, cookie_named, device_cookie_name, own_page, peer_of, recognise,
    session_cookie,
};
use crate::body::Json;
use crate::{Problem, WebState};
use axum::extract::{FromRequest as _, Request, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use utoipa::ToSchema;

/// A token to sign in with.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignIn {
    /// The token.
    token: String,
}

#[utoipa::path(
    post, path = "/v1/session", tag = "session", request_body = SignIn,
    params(("x-simwarden" = String, Header, description = "`1`")),
    responses(
        (status = 204, description = "Signed in; the answer sets the cookie"),
        (status = "default", description = "Problem", body = crate::shapes::ProblemDetails,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn begin(State(state): State<WebState>, request: Request) -> Result<Response, Problem> {
    // A foreign page must not sign somebody in either: under whose name they then write would be its choice.
    own_page(request.headers())?;
    let peer = peer_of(&request);
    let Json(sign_in) = Json::<SignIn>::from_request(request, &state).await?;
    recognise(&state, peer, &sign_in.token, None).await?;
    set_cookie(&state, &sign_in.token, SESSION_SECONDS)
}

#[utoipa::path(
    delete, path = "/v1/session", tag = "session",
    params(("x-simwarden" = String, Header, description = "`1`")),
    responses(
        (status = 204, description = "Signed out: the cookie is gone and a session of an account is over; a token \
            itself still holds"),
        (status = "default", description = "Problem", body = crate::shapes::ProblemDetails,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn end(State(state): State<WebState>, headers: HeaderMap) -> Result<Response, Problem> {
    own_page(&headers)?;
    let https = state.inner.https;
    let secret = cookie_named(&headers, cookie_name(https))?;
    let device = cookie_named(&headers, device_cookie_name(https))?;
    if let (Some(secret), Some(device)) = (secret, device)
        && let Ok((actor, _)) = state.inner.app.recognise_session(&secret, Some(&device)).await
        && let Some(session) = actor.session
    {
        state.inner.app.end_session(&actor, session).await?;
    }
    set_cookie(&state, "", 0)
}

fn set_cookie(state: &WebState, value: &str, seconds: u32) -> Result<Response, Problem> {
    let cookie = session_cookie(state.inner.https, value, seconds)
        .ok_or_else(|| Problem::unauthenticated("this is no token"))?;
    Ok((StatusCode::NO_CONTENT, [(SET_COOKIE, cookie)]).into_response())
}
