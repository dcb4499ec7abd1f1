//! CAMARA `sim-swap-subscriptions` 0.3.0: being told of swaps.

use super::endpoint::{Answering, Call, Endpoint, Legs, Reply};
use super::error::CamaraError;
use super::fields::{Fields, needed};
use axum::http::{Method, StatusCode};
use serde_json::{Map, Value, json};
use simwarden_app::gateway::{Denied, NewWatch, WatchView};
use simwarden_model::Timestamp;

const COLLECTION: &str = "/sim-swap-subscriptions/v0.3/subscriptions";
const ONE: &str = "/sim-swap-subscriptions/v0.3/subscriptions/{subscriptionId}";
const EVENT: &str = "org.camaraproject.sim-swap-subscriptions.v0.swapped";

pub(super) static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::POST,
        path: COLLECTION,
        scopes: &["sim-swap-subscriptions:org.camaraproject.sim-swap-subscriptions.v0.swapped:create"],
        legs: Legs::TwoOrThree,
        name: "sim-swap-subscriptions/create",
        handle: |call| -> Answering<'_> { Box::pin(create(call)) },
    },
    Endpoint {
        method: Method::GET,
        path: COLLECTION,
        scopes: &["sim-swap-subscriptions:read"],
        legs: Legs::TwoOrThree,
        name: "sim-swap-subscriptions/list",
        handle: |call| -> Answering<'_> { Box::pin(list(call)) },
    },
    Endpoint {
        method: Method::GET,
        path: ONE,
        scopes: &["sim-swap-subscriptions:read"],
        legs: Legs::TwoOrThree,
        name: "sim-swap-subscriptions/get",
        handle: |call| -> Answering<'_> { Box::pin(get(call)) },
    },
    Endpoint {
        method: Method::DELETE,
        path: ONE,
        scopes: &["sim-swap-subscriptions:delete"],
        legs: Legs::TwoOrThree,
        name: "sim-swap-subscriptions/delete",
        handle: |call| -> Answering<'_> { Box::pin(delete(call)) },
    },
];

/// What shows the sink that events come from us.
#[derive(Default)]
struct Credential<'a> {
    token: Option<&'a str>,
    expires_at: Option<Timestamp>,
    /// What is official and not taken here; told after everything malformed.
    refused: Option<Denied>,
}

fn credential<'a>(fields: Option<Fields<'a>>) -> Result<Credential<'a>, CamaraError> {
    let Some(fields) = fields else {
        return Ok(Credential::default());
    };
    let kind = needed("sinkCredential.credentialType", fields.text("credentialType")?)?;
    let token = fields.text_up_to("accessToken", 4_096)?;
    let expires_at = fields.time("accessTokenExpiresUtc")?;
    let token_type = fields.text("accessTokenType")?;
    let refused = match (kind, token_type) {
        ("ACCESSTOKEN", Some("bearer")) => None,
        ("ACCESSTOKEN", Some(_)) => Some(Denied::TokenType),
        ("ACCESSTOKEN", None) => {
            needed("sinkCredential.accessTokenType", token_type)?;
            None
        }
        _ => Some(Denied::Credential),
    };
    if refused.is_none() {
        let token = needed("sinkCredential.accessToken", token)?;
        needed("sinkCredential.accessTokenExpiresUtc", expires_at)?;
        // It goes into a header.
        if token.is_empty() || !token.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(CamaraError::argument(
                "`sinkCredential.accessToken` must be visible ASCII",
            ));
        }
    }
    Ok(Credential {
        token,
        expires_at,
        refused,
    })
}

async fn create(call: &Call) -> Result<Reply, CamaraError> {
    let fields = call.fields();
    let protocol = needed("protocol", fields.text("protocol")?)?;
    let sink = needed("sink", fields.text_up_to("sink", 2_048)?)?;
    if sink
        .strip_prefix("https://")
        .is_none_or(|rest| rest.is_empty() || rest.contains(char::is_whitespace))
    {
        return Err(CamaraError::argument(
            "`sink` must be an address that begins with https://",
        ));
    }
    let types = needed("types", fields.texts("types", 1)?)?;
    if types != [EVENT] {
        return Err(CamaraError::argument(format!("`types` must be [\"{EVENT}\"]")));
    }
    let mut config = needed("config", fields.object("config")?)?;
    let detail = needed("config.subscriptionDetail", config.object("subscriptionDetail")?)?;
    let phone = detail.phone()?;
    let expires_at = config.time("subscriptionExpireTime")?;
    let events_max = config.integer("subscriptionMaxEvents", 1, i64::MAX)?;
    let credential = credential(fields.object("sinkCredential")?)?;
    if protocol == "HTTP" {
        settings(&fields)?;
    }
    config.done()?;
    if protocol != "HTTP" {
        return Err(Denied::Protocol.into());
    }
    if let Some(refused) = credential.refused {
        return Err(refused.into());
    }
    let new = NewWatch {
        phone: phone.map(str::to_owned),
        sink: sink.to_owned(),
        bearer: credential.token.map(str::to_owned),
        bearer_expires_at: credential.expires_at,
        expires_at,
        events_max,
    };
    let view = call.gateway.watch(&call.caller, new).await?;
    Ok(Reply::Json(StatusCode::CREATED, shown(&view)))
}

/// Settings of the protocol are checked and not needed: events come by POST, with headers of ours.
fn settings(fields: &Fields<'_>) -> Result<(), CamaraError> {
    if let Some(settings) = fields.object("protocolSettings")? {
        settings.one_of("method", &["POST"])?;
        settings.object("headers")?;
    }
    Ok(())
}

fn shown(view: &WatchView) -> Value {
    let mut detail = Map::new();
    if let Some(phone) = &view.phone {
        detail.insert("phoneNumber".to_owned(), phone.clone().into());
    }
    let mut config = json!({ "subscriptionDetail": detail });
    if let Some(at) = view.expires_at {
        config["subscriptionExpireTime"] = at.to_string().into();
    }
    if let Some(most) = view.events_max {
        config["subscriptionMaxEvents"] = most.into();
    }
    let mut body = json!({
        "id": view.id,
        "protocol": "HTTP",
        "sink": view.sink,
        "types": [EVENT],
        "config": config,
        "startsAt": view.starts_at,
        "status": view.state,
    });
    if let Some(at) = view.expires_at {
        body["expiresAt"] = at.to_string().into();
    }
    body
}

async fn list(call: &Call) -> Result<Reply, CamaraError> {
    let views = call.gateway.watches(&call.caller).await?;
    let list: Vec<Value> = views.iter().map(shown).collect();
    Ok(Reply::Json(StatusCode::OK, list.into()))
}

async fn get(call: &Call) -> Result<Reply, CamaraError> {
    let view = call.gateway.one_watch(&call.caller, &call.id).await?;
    Ok(Reply::Json(StatusCode::OK, shown(&view)))
}

async fn delete(call: &Call) -> Result<Reply, CamaraError> {
    call.gateway.unwatch(&call.caller, &call.id).await?;
    Ok(Reply::Nothing)
}
