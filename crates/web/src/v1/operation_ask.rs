//! `POST /v1/operations`: somebody asks for a sensitive operation. It is decided, recorded and durable when this
//! answers; the answer is made of what was written, without reading.

use crate::auth::Caller;
use crate::body::Json;
use crate::input::{Document, Person, mail, number, parsed};
use crate::{Problem, WebState};
use axum::extract::State;
use axum::http::header::LOCATION;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use simwarden_app::{LineRef, NewOperation, OperationSummary, RequestContext, StepView};
use simwarden_model::{Channel, Claim, Eid, Imei, LockScope, OperationKind, Region, Role, SubscriptionId};
use utoipa::ToSchema;

/// A request for an operation.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ask {
    /// What is asked: `register`, `activate`, `issue`, `replace`, `transfer_device`, `transfer_owner`,
    /// `change_contact`, `set_forwarding`, `lock`, `unlock`, `suspend`, `resume`, `port_out`, `recycle`, `delete`.
    #[schema(value_type = String, example = "replace")]
    operation: OperationKind,
    /// Where: `shop`, `owned_shop`, `app`, `web`, `call`, `ussd`, `api`, `regulator`.
    #[schema(value_type = String, example = "shop")]
    channel: Channel,
    /// The line, by its number; for a registration, the number to be given.
    #[schema(example = "+85512345678")]
    msisdn: Option<String>,
    /// The line, by its id. One of `msisdn` and `line` must be there.
    #[schema(value_type = Option<String>)]
    line: Option<SubscriptionId>,
    /// What is said of the old phone: `lost`, `stolen`, `broken`, `upgrade`, `none`.
    #[schema(value_type = Option<String>)]
    claim: Option<Claim>,
    /// The chip that the profile shall go to.
    eid: Option<String>,
    /// The phone.
    imei: Option<String>,
    /// The new contact phone.
    contact_phone: Option<String>,
    /// The new contact address.
    contact_email: Option<String>,
    /// Where calls shall go; left out, forwarding is taken away.
    forward_to: Option<String>,
    /// What a lock shall cover: `swap`, `port`, `all`.
    #[schema(value_type = Option<String>)]
    lock_scope: Option<LockScope>,
    /// The person to be registered, or to become the owner.
    new_owner: Option<Person>,
    /// The document that the person at the counter showed.
    document_shown: Option<Document>,
    /// What the requester's system says of the request: flags, all optional. What is left out is read as the worst.
    #[serde(default)]
    #[schema(value_type = Object)]
    context: RequestContext,
}

/// What is answered.
#[derive(Serialize)]
struct Asked {
    #[serde(flatten)]
    summary: OperationSummary,
    claim: Option<Claim>,
    rules: Vec<String>,
    policy_hash: String,
    on_timeout: Option<String>,
    steps: Vec<StepView>,
    leaf_hash: Option<String>,
    receipt: String,
    match_number: Option<i64>,
}

const IDEMPOTENCY_KEY: &str = "idempotency-key";
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

#[utoipa::path(
    post, path = "/v1/operations", tag = "operations", request_body = Ask,
    params(("Idempotency-Key" = Option<String>, Header,
        description = "1 to 128 visible ASCII characters; the same key from the same token gets the same answer")),
    responses(
        (status = 201, description = "Decided, recorded, durable", body = crate::shapes::OperationAsked),
        (status = 200, description = "The answer to an earlier request under the same key",
            body = crate::shapes::OperationAsked),
        (status = "default", description = "Problem", body = crate::shapes::ProblemDetails,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn handle(
    State(state): State<WebState>,
    caller: Caller,
    headers: HeaderMap,
    Json(ask): Json<Ask>,
) -> Result<Response, Problem> {
    let mut order = order(&ask, state.inner.region)?;
    order.idempotency_key = idempotency_key(&headers)?;
    may_say(caller.actor.role, order.channel)?;
    let app = &state.inner.app;
    let kind = order.kind;
    let submitted = app.submit(&caller.actor, order).await?;
    let id = submitted.operation;
    let detail = match &submitted.row {
        Some(row) => simwarden_app::detail(row, Vec::new())?,
        None => app.operation(&caller.actor, id).await?,
    };
    if !submitted.repeated {
        state
            .inner
            .metrics
            .decided(kind.as_str(), &detail.summary.verdict);
    }
    let asked = Asked {
        claim: detail.claim,
        rules: detail.rules,
        policy_hash: detail.policy_hash,
        on_timeout: detail.on_timeout,
        steps: detail.steps,
        leaf_hash: submitted.leaf.map(|leaf| BASE64.encode(leaf)),
        receipt: format!("/v1/operations/{id}/receipt"),
        match_number: submitted.match_number,
        summary: detail.summary,
    };
    let mut response = axum::Json(asked).into_response();
    if submitted.repeated {
        response
            .headers_mut()
            .insert(REPLAYED, HeaderValue::from_static("true"));
    } else {
        *response.status_mut() = StatusCode::CREATED;
        if let Ok(place) = HeaderValue::from_str(&format!("/v1/operations/{id}")) {
            response.headers_mut().insert(LOCATION, place);
        }
    }
    Ok(response)
}

/// The channel is a fact that rules look at: nobody may claim one that their role cannot stand in.
fn may_say(role: Role, channel: Channel) -> Result<(), Problem> {
    let fits = match role {
        Role::Subscriber => matches!(channel, Channel::App | Channel::Web | Channel::Ussd),
        Role::Regulator => channel == Channel::Regulator,
        _ => !matches!(channel, Channel::System | Channel::Regulator),
    };
    if fits {
        Ok(())
    } else {
        Err(Problem::field(
            "channel",
            format!("the role `{role}` does not come by the channel `{channel}`"),
        ))
    }
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let bytes = value.as_bytes();
    let fits = (1..=128).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic);
    match value.to_str() {
        Ok(text) if fits && values.next().is_none() => Ok(Some(text.to_owned())),
        _ => Err(Problem::invalid(
            "invalid_idempotency_key",
            "`Idempotency-Key` must be there once and have 1 to 128 visible ASCII characters",
        )),
    }
}

fn order(ask: &Ask, region: Region) -> Result<NewOperation, Problem> {
    let line = match (&ask.msisdn, ask.line) {
        (Some(text), None) => LineRef::Number(number("msisdn", text, region)?),
        (None, Some(id)) => LineRef::Id(id),
        _ => {
            return Err(Problem::field(
                "msisdn",
                "name the line once: by `msisdn`, its number, or by `line`, its id",
            ));
        }
    };
    let phone = |field: &'static str, text: &Option<String>| {
        text.as_ref().map(|text| number(field, text, region)).transpose()
    };
    Ok(NewOperation {
        kind: ask.operation,
        channel: ask.channel,
        line,
        claim: ask.claim,
        eid: parsed("eid", ask.eid.as_deref(), Eid::parse)?,
        imei: parsed("imei", ask.imei.as_deref(), Imei::parse)?,
        contact_phone: phone("contact_phone", &ask.contact_phone)?.map(|n| n.reveal().to_owned()),
        contact_email: ask
            .contact_email
            .as_ref()
            .map(|text| mail("contact_email", text))
            .transpose()?,
        forward_to: phone("forward_to", &ask.forward_to)?,
        lock_scope: ask.lock_scope,
        new_owner: ask
            .new_owner
            .as_ref()
            .map(|person| person.owner("new_owner"))
            .transpose()?,
        document_shown: ask
            .document_shown
            .as_ref()
            .map(|document| document.key("document_shown"))
            .transpose()?,
        context: ask.context.clone(),
        idempotency_key: None,
    })
}
