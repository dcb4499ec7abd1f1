//! CAMARA `sim-swap` 2.1.0: when a number was last bound to a SIM.

use super::endpoint::{Answering, Call, Endpoint, Legs, Reply};
use super::error::CamaraError;
use axum::http::{Method, StatusCode};
use serde_json::{Map, Value, json};
use simwarden_app::gateway::{LatestChange, PhoneRule, may_look_back, sim_change, sim_swapped};

pub(super) static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::POST,
        path: "/sim-swap/v2/check",
        scopes: &["sim-swap:check", "sim-swap"],
        legs: Legs::TwoOrThree,
        name: "sim-swap/check",
        handle: |call| -> Answering<'_> { Box::pin(check(call)) },
    },
    Endpoint {
        method: Method::POST,
        path: "/sim-swap/v2/retrieve-date",
        scopes: &["sim-swap:retrieve-date", "sim-swap"],
        legs: Legs::TwoOrThree,
        name: "sim-swap/retrieve-date",
        handle: |call| -> Answering<'_> { Box::pin(retrieve_date(call)) },
    },
];

/// The age that counts when the client names none, and the highest, in hours.
const MAX_AGE_H: u32 = 240;
const MAX_AGE_H_MAX: i64 = 2_400;

/// Number and age, as swaps of SIMs and of devices have them.
pub(super) fn number_and_age(call: &Call) -> Result<(Option<&str>, u32), CamaraError> {
    let mut fields = call.fields();
    let phone = fields.phone()?;
    let hours = fields.integer("maxAge", 1, MAX_AGE_H_MAX)?;
    fields.done()?;
    let hours = hours
        .and_then(|hours| u32::try_from(hours).ok())
        .unwrap_or(MAX_AGE_H);
    may_look_back(hours, call.gateway.monitored_days())?;
    Ok((phone, hours))
}

/// A date, as swaps of SIMs and of devices have it.
pub(super) fn dated(name: &str, latest: LatestChange) -> Reply {
    let mut body = Map::new();
    body.insert(
        name.to_owned(),
        latest.at.map_or(Value::Null, |at| at.to_string().into()),
    );
    if let Some(days) = latest.monitored_days {
        body.insert("monitoredPeriod".to_owned(), days.into());
    }
    Reply::Json(StatusCode::OK, Value::Object(body))
}

async fn check(call: &Call) -> Result<Reply, CamaraError> {
    let (phone, hours) = number_and_age(call)?;
    let line = call
        .gateway
        .persons_line(&call.caller, phone, PhoneRule::LeftOut)
        .await?;
    let swapped = sim_swapped(&line, call.gateway.now(), hours);
    Ok(Reply::Json(StatusCode::OK, json!({ "swapped": swapped })))
}

async fn retrieve_date(call: &Call) -> Result<Reply, CamaraError> {
    let phone = call.fields().phone()?;
    let line = call
        .gateway
        .persons_line(&call.caller, phone, PhoneRule::LeftOut)
        .await?;
    let latest = sim_change(&line, call.gateway.now(), call.gateway.monitored_days());
    Ok(dated("latestSimChange", latest))
}
