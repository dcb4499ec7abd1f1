//! `POST /v1/tokens`: an administrator makes a token.

use crate::auth::Caller;
use crate::body::Json;
use crate::input::{parsed, person_name};
use crate::{Problem, WebState};
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use simwarden_app::NewToken;
use simwarden_model::{PartyId, Plmn, Role, Timestamp, TokenId};
use std::time::Duration;
use utoipa::ToSchema;

/// A token to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    /// `subscriber`, `agent`, `supervisor`, `fraud_analyst`, `hotline`, `regulator`, `auditor`, `feed`, `admin`.
    #[schema(value_type = String, example = "agent")]
    role: Role,
    /// MCC-MNC of the operator it is bound to.
    #[schema(example = "456-91")]
    operator: Option<String>,
    /// Whom it is given to; for a feed, also the default `source` of its events.
    name: String,
    /// The subscriber, for that role.
    #[schema(value_type = Option<String>)]
    party: Option<PartyId>,
    /// The shop, for agents.
    shop: Option<String>,
    /// The terminal, for agents.
    terminal: Option<String>,
    /// How long it lives, in days; 90 when left out, 400 at most.
    days: Option<u32>,
    /// Since when the device behind it has been known; now, unless a migration says otherwise.
    #[schema(value_type = Option<String>)]
    since: Option<Timestamp>,
}

#[derive(Serialize)]
pub(crate) struct Made {
    id: TokenId,
    token: String,
}

/// Life of a token for which nothing is said.
const DAYS: u32 = 90;

/// The name of a shop or terminal.
pub(crate) fn place(field: &str, text: Option<&str>) -> Result<Option<String>, Problem> {
    parsed(field, text, |text| {
        let fits = (1..=64).contains(&text.len())
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':'));
        if fits {
            Ok(text.to_owned())
        } else {
            Err("1 to 64 letters, digits and - _ . :")
        }
    })
}

#[utoipa::path(
    post, path = "/v1/tokens", tag = "tokens", request_body = Wanted,
    responses(
        (status = 201, description = "Made; the secret is shown this once", body = crate::shapes::TokenMade),
        (status = "default", description = "Problem", body = crate::shapes::ProblemDetails,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn handle(
    State(state): State<WebState>,
    caller: Caller,
    Json(wanted): Json<Wanted>,
) -> Result<(StatusCode, axum::Json<Made>), Problem> {
    let days = u64::from(wanted.days.unwrap_or(DAYS));
    let new = NewToken {
        role: wanted.role,
        operator: parsed("operator", wanted.operator.as_deref(), Plmn::parse)?.map(|plmn| plmn.to_string()),
        name: person_name("name", &wanted.name)?,
        party: wanted.party,
        shop: place("shop", wanted.shop.as_deref())?,
        terminal: place("terminal", wanted.terminal.as_deref())?,
        life: Duration::from_secs(days * 24 * 3600),
        since: wanted.since,
    };
    let (id, token) = state.inner.app.make_token(&caller.actor, new).await?;
    Ok((StatusCode::CREATED, axum::Json(Made { id, token })))
}
