//! `/v1/accounts`: an administrator makes accounts, invites their holders, signs them out and closes them.

use crate::auth::Caller;
use crate::body::{Json, PathId};
use crate::input::{parsed, person_name};
use crate::{Problem, WebState};
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use simwarden_app::{AccountView, Invited, NewAccount, PasskeyView, SessionView};
use simwarden_model::{AccountId, PartyId, Plmn, Role, Timestamp};
use utoipa::ToSchema;

/// An account to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    /// `subscriber`, `agent`, `supervisor`, `fraud_analyst`, `hotline`, `regulator`, `auditor`, `admin`.
    #[schema(value_type = String, example = "agent")]
    role: Role,
    /// MCC-MNC of the operator it is bound to.
    #[schema(example = "456-91")]
    operator: Option<String>,
    /// Whose it is.
    name: String,
    /// What its holder signs in with beside a passkey: a name, a number or a mail address.
    login: Option<String>,
    /// The subscriber, for that role.
    #[schema(value_type = Option<String>)]
    party: Option<PartyId>,
    /// The shop, for agents.
    shop: Option<String>,
    /// The terminal, for agents.
    terminal: Option<String>,
}

/// How to shut somebody out.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ShutOut {
    /// Whether the account is closed as well: nobody signs in to it again.
    close: bool,
}

#[derive(Serialize)]
pub(crate) struct Invitation {
    account: AccountId,
    invitation: String,
    until: Timestamp,
}

impl From<Invited> for Invitation {
    fn from(invited: Invited) -> Self {
        Self {
            account: invited.account,
            invitation: invited.code,
            until: invited.until,
        }
    }
}

#[derive(Serialize)]
pub(crate) struct Access {
    account: AccountView,
    passkeys: Vec<PasskeyView>,
    sessions: Vec<SessionView>,
}

#[utoipa::path(
    post, path = "/v1/accounts", tag = "accounts", request_body = Wanted,
    responses(
        (status = 201, description = "Made; the code is shown this once", body = crate::account_shapes::Invitation),
        (status = "default", description = "Problem", body = crate::shapes::ProblemDetails,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn make(
    State(state): State<WebState>,
    caller: Caller,
    Json(wanted): Json<Wanted>,
) -> Result<(StatusCode, axum::Json<Invitation>), Problem> {
    let new = NewAccount {
        role: wanted.role,
        operator: parsed("operator", wanted.operator.as_deref(), Plmn::parse)?.map(|plmn| plmn.to_string()),
        name: person_name("name", &wanted.name)?,
        login: wanted.login,
        party: wanted.party,
        shop: super::token_make::place("shop", wanted.shop.as_deref())?,
        terminal: super::token_make::place("terminal", wanted.terminal.as_deref())?,
    };
    let invited = state.inner.app.make_account(&caller.actor, new).await?;
    Ok((StatusCode::CREATED, axum::Json(invited.into())))
}

#[utoipa::path(
    get, path = "/v1/accounts/{id}", tag = "accounts", params(("id" = String, Path)),
    responses(
        (status = 200, description = "The account", body = crate::account_shapes::AccountAccess),
        (status = "default", description = "Problem", body = crate::shapes::ProblemDetails,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn get(
    State(state): State<WebState>,
    caller: Caller,
    PathId(id): PathId<AccountId>,
) -> Result<axum::Json<Access>, Problem> {
    let app = &state.inner.app;
    let account = app.account_of(&caller.actor, id).await?;
    let (passkeys, sessions) = app.account_access(&caller.actor, id).await?;
    Ok(axum::Json(Access {
        account,
        passkeys,
        sessions,
    }))
}

#[utoipa::path(
    post, path = "/v1/accounts/{id}/invitation", tag = "accounts", params(("id" = String, Path)),
    responses(
        (status = 201, description = "Invited; the code is shown this once, and earlier ones are over",
            body = crate::account_shapes::Invitation),
        (status = "default", description = "Problem", body = crate::shapes::ProblemDetails,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn invite(
    State(state): State<WebState>,
    caller: Caller,
    PathId(id): PathId<AccountId>,
) -> Result<(StatusCode, axum::Json<Invitation>), Problem> {
    let invited = state.inner.app.invite(&caller.actor, id).await?;
    Ok((StatusCode::CREATED, axum::Json(invited.into())))
}

#[utoipa::path(
    post, path = "/v1/accounts/{id}/shut-out", tag = "accounts", params(("id" = String, Path)),
    request_body = ShutOut,
    responses(
        (status = 204, description = "Signed out everywhere, and closed if that was asked"),
        (status = "default", description = "Problem", body = crate::shapes::ProblemDetails,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn shut_out(
    State(state): State<WebState>,
    caller: Caller,
    PathId(id): PathId<AccountId>,
    Json(how): Json<ShutOut>,
) -> Result<StatusCode, Problem> {
    state.inner.app.shut_out(&caller.actor, id, how.close).await?;
    Ok(StatusCode::NO_CONTENT)
}
