//! `POST /v1/registry/search`: lines by one exact identifier. A POST, so that no number stands in an address.

use crate::auth::Caller;
use crate::body::Json;
use crate::input::{Document, number};
use crate::{Problem, WebState};
use axum::extract::State;
use serde::Deserialize;
use simwarden_app::{Found, Search};
use simwarden_model::{Eid, Iccid, Imei, Imsi, Region};
use utoipa::ToSchema;

/// What to look for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    /// `msisdn`, `iccid`, `imsi`, `eid`, `imei`, `document`, or `mine` for a subscriber's own lines.
    by: By,
    /// The number, for all but `document` and `mine`.
    value: Option<String>,
    /// The document, for `document`.
    document: Option<Document>,
    /// Why, in 4 to 200 characters; staff must say it, and the subscriber sees it.
    reason: Option<String>,
}

#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum By {
    Msisdn,
    Iccid,
    Imsi,
    Eid,
    Imei,
    Document,
    Mine,
}

fn search(wanted: &Wanted, region: Region) -> Result<Search, Problem> {
    let text = match (wanted.by, &wanted.value) {
        (By::Document | By::Mine, None) => "",
        (By::Document | By::Mine, Some(_)) => return Err(Problem::field("value", "leave it out here")),
        (_, Some(text)) => text,
        (_, None) => return Err(Problem::field("value", "the number to look for")),
    };
    let wrong = |why| Problem::field("value", why);
    Ok(match wanted.by {
        By::Msisdn => Search::Msisdn(number("value", text, region)?),
        By::Iccid => Search::Iccid(Iccid::parse(text).map_err(wrong)?),
        By::Imsi => Search::Imsi(Imsi::parse(text).map_err(wrong)?),
        By::Eid => Search::Eid(Eid::parse(text).map_err(wrong)?),
        By::Imei => Search::Imei(Imei::parse(text).map_err(wrong)?),
        By::Mine => Search::Mine,
        By::Document => match &wanted.document {
            Some(document) => Search::Document(document.key("document")?),
            None => {
                return Err(Problem::field(
                    "document",
                    "with country, kind and number, for a search by document",
                ));
            }
        },
    })
}

#[utoipa::path(
    post, path = "/v1/registry/search", tag = "registry", request_body = Wanted,
    responses(
        (status = 200, description = "What was found", body = crate::shapes::Found),
        (status = "default", description = "Problem", body = crate::shapes::ProblemDetails,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn handle(
    State(state): State<WebState>,
    caller: Caller,
    Json(wanted): Json<Wanted>,
) -> Result<axum::Json<Found>, Problem> {
    let search = search(&wanted, state.inner.region)?;
    let reason = wanted.reason.as_deref().unwrap_or("");
    if reason.chars().any(char::is_control) {
        return Err(Problem::field("reason", "one line of text"));
    }
    Ok(axum::Json(
        state.inner.app.search(&caller.actor, search, reason).await?,
    ))
}
