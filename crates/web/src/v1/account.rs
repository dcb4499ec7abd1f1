//! `GET /v1/account`: the account that is signed in.

use crate::auth::Caller;
use crate::{Problem, WebState};
use axum::Json;
use axum::extract::State;
use simwarden_app::AccountView;

#[utoipa::path(
    get, path = "/v1/account", tag = "accounts",
    responses(
        (status = 200, description = "The account", body = crate::account_shapes::Account),
        (status = "default", description = "Problem", body = crate::shapes::ProblemDetails,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn handle(State(state): State<WebState>, caller: Caller) -> Result<Json<AccountView>, Problem> {
    Ok(Json(state.inner.app.account(&caller.actor).await?))
}
