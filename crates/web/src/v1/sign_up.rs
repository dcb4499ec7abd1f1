//! `POST /v1/sign-up/begin` and `/finish`: whoever was invited enrols a passkey and is signed in.

use super::sign_in::signed_in;
use crate::auth::{own_page, whereabouts};
use crate::body::Json;
use crate::{Problem, WebState};
use axum::extract::{FromRequest as _, Request, State};
use axum::response::Response;
use serde::Deserialize;
use simwarden_app::{Begun, Enrol};
use utoipa::ToSchema;

/// An invitation.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Invited {
    /// The code.
    invitation: String,
}

/// A new passkey.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Enrolled {
    /// The challenge, as it was handed out.
    pub(crate) ceremony: String,
    /// What `navigator.credentials.create` answered, with its bytes in base64url.
    #[schema(value_type = Object)]
    pub(crate) credential: serde_json::Value,
    /// A name by which its holder will know it again.
    pub(crate) name: String,
}

#[utoipa::path(
    post, path = "/v1/sign-up/begin", tag = "accounts", request_body = Invited,
    params(("x-simwarden" = String, Header, description = "`1`")),
    responses(
        (status = 200, description = "A challenge", body = crate::account_shapes::Begun),
        (status = "default", description = "Problem", body = crate::shapes::ProblemDetails,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn begin(
    State(state): State<WebState>,
    request: Request,
) -> Result<axum::Json<Begun>, Problem> {
    own_page(request.headers())?;
    let Json(invited) = Json::<Invited>::from_request(request, &state).await?;
    let who = Enrol::Invited(invited.invitation);
    Ok(axum::Json(state.inner.app.begin_enrolment(&who).await?))
}

#[utoipa::path(
    post, path = "/v1/sign-up/finish", tag = "accounts", request_body = Enrolled,
    params(("x-simwarden" = String, Header, description = "`1`")),
    responses(
        (status = 200, description = "Enrolled and signed in; the answer sets the cookies",
            body = crate::account_shapes::SignedIn),
        (status = "default", description = "Problem", body = crate::shapes::ProblemDetails,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn finish(State(state): State<WebState>, request: Request) -> Result<Response, Problem> {
    own_page(request.headers())?;
    let from = whereabouts(&state, &request)?;
    let Json(new) = Json::<Enrolled>::from_request(request, &state).await?;
    let done = state
        .inner
        .app
        .finish_invited_enrolment(&new.ceremony, &new.credential, &new.name, &from)
        .await?;
    signed_in(&state, done)
}
