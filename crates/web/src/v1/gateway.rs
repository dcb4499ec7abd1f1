//! The subscriber and the Open Gateway: who asked about their line, what they agreed to, questions that wait for them.

use crate::auth::Caller;
use crate::body::{Json, PathId};
use crate::{Problem, WebState};
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use simwarden_app::gateway::{AskView, AskedView, ConsentView, Gateway};
use simwarden_model::SubscriptionId;
use utoipa::ToSchema;

fn gateway(state: &WebState) -> Result<&Gateway, Problem> {
    state.inner.gateway.get().ok_or_else(Problem::not_found)
}

#[derive(Serialize)]
pub(crate) struct WhoAsked {
    asked: Vec<AskedView>,
}

#[utoipa::path(
    get, path = "/v1/lines/{id}/asked", tag = "gateway", params(("id" = String, Path)),
    responses(
        (status = 200, description = "Banks and services that asked about the line, the newest first",
            body = crate::shapes::WhoAsked),
        (status = "default", description = "Problem", body = crate::shapes::ProblemDetails,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn asked(
    State(state): State<WebState>,
    caller: Caller,
    PathId(id): PathId<SubscriptionId>,
) -> Result<axum::Json<WhoAsked>, Problem> {
    let asked = gateway(&state)?.who_asked(&caller.actor, id).await?;
    Ok(axum::Json(WhoAsked { asked }))
}

#[derive(Serialize)]
pub(crate) struct Consents {
    consents: Vec<ConsentView>,
}

#[utoipa::path(
    get, path = "/v1/lines/{id}/consents", tag = "gateway", params(("id" = String, Path)),
    responses(
        (status = 200, description = "What the subscriber agreed to, by purpose", body = crate::shapes::Consents),
        (status = "default", description = "Problem", body = crate::shapes::ProblemDetails,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn consents(
    State(state): State<WebState>,
    caller: Caller,
    PathId(id): PathId<SubscriptionId>,
) -> Result<axum::Json<Consents>, Problem> {
    let consents = gateway(&state)?.consents(&caller.actor, id).await?;
    Ok(axum::Json(Consents { consents }))
}

/// What the subscriber decides about one purpose.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConsentDecision {
    /// What for, as a term of the W3C Data Privacy Vocabulary.
    #[schema(example = "dpv:FraudPreventionAndDetection")]
    purpose: String,
    /// For one client; for all when left out.
    client: Option<String>,
    /// Whether they agree. A no takes back at once what stood on a yes.
    agree: bool,
}

#[utoipa::path(
    post, path = "/v1/lines/{id}/consents", tag = "gateway", params(("id" = String, Path)),
    request_body = ConsentDecision,
    responses(
        (status = 200, description = "What now holds", body = crate::shapes::Consents),
        (status = "default", description = "Problem", body = crate::shapes::ProblemDetails,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn decide(
    State(state): State<WebState>,
    caller: Caller,
    PathId(id): PathId<SubscriptionId>,
    Json(said): Json<ConsentDecision>,
) -> Result<axum::Json<Consents>, Problem> {
    let gateway = gateway(&state)?;
    gateway
        .decide_consent(
            &caller.actor,
            id,
            &said.purpose,
            said.client.as_deref(),
            said.agree,
        )
        .await?;
    let consents = gateway.consents(&caller.actor, id).await?;
    Ok(axum::Json(Consents { consents }))
}

#[derive(Serialize)]
pub(crate) struct Asks {
    asks: Vec<AskView>,
}

#[utoipa::path(
    get, path = "/v1/asks", tag = "gateway",
    responses(
        (status = 200, description = "Questions of banks and services that wait for the subscriber",
            body = crate::shapes::Asks),
        (status = "default", description = "Problem", body = crate::shapes::ProblemDetails,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn asks(State(state): State<WebState>, caller: Caller) -> Result<axum::Json<Asks>, Problem> {
    let asks = gateway(&state)?.own_asks(&caller.actor).await?;
    Ok(axum::Json(Asks { asks }))
}

/// The subscriber's answer to a bank or service.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AskDecision {
    /// Whether they agree.
    approve: bool,
}

#[utoipa::path(
    post, path = "/v1/asks/{id}", tag = "gateway", params(("id" = String, Path)), request_body = AskDecision,
    responses(
        (status = 200, description = "Questions that still wait", body = crate::shapes::Asks),
        (status = "default", description = "Problem", body = crate::shapes::ProblemDetails,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn answer(
    State(state): State<WebState>,
    caller: Caller,
    Path(id): Path<String>,
    Json(said): Json<AskDecision>,
) -> Result<axum::Json<Asks>, Problem> {
    let gateway = gateway(&state)?;
    gateway.answer_own_ask(&caller.actor, &id, said.approve).await?;
    let asks = gateway.own_asks(&caller.actor).await?;
    Ok(axum::Json(Asks { asks }))
}
