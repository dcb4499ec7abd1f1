//! `POST /v1/session` and `DELETE /v1/session`: the page trades a token for a cookie that scripts cannot read.

use crate::auth::{cookie_name, own_page, peer_of, recognise};
use crate::body::Json;
use crate::{Problem, WebState};
use axum::extract::{FromRequest as _, Request, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use utoipa::ToSchema;

/// How long the cookie stays, in seconds; the token behind it may end before.
const COOKIE_SECONDS: u32 = 12 * 3600;

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
    recognise(&state, peer, &sign_in.token).await?;
    set_cookie(&state, &sign_in.token, COOKIE_SECONDS)
}

#[utoipa::path(
    delete, path = "/v1/session", tag = "session",
    params(("x-simwarden" = String, Header, description = "`1`")),
    responses(
        (status = 204, description = "Signed out: the cookie is gone; the token itself still holds"),
        (status = "default", description = "Problem", body = crate::shapes::ProblemDetails,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn end(State(state): State<WebState>, headers: HeaderMap) -> Result<Response, Problem> {
    own_page(&headers)?;
    set_cookie(&state, "", 0)
}

fn set_cookie(state: &WebState, value: &str, seconds: u32) -> Result<Response, Problem> {
    let https = state.inner.https;
    let secure = if https { "; Secure" } else { "" };
    let cookie = format!(
        "{}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}",
        cookie_name(https)
    );
    let cookie = HeaderValue::from_str(&cookie).map_err(|_| Problem::unauthenticated("this is no token"))?;
    Ok((StatusCode::NO_CONTENT, [(SET_COOKIE, cookie)]).into_response())
}
