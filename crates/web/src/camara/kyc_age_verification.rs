//! CAMARA `kyc-age-verification` 0.2.1: whether a customer is old enough.

use super::endpoint::{Answering, Call, Endpoint, Legs, Reply};
use super::error::CamaraError;
use super::fields::needed;
use super::kyc_match::attributes;
use axum::http::{Method, StatusCode};
use serde_json::{Map, Value};
use simwarden_app::gateway::{PhoneRule, age, day_of};

pub(super) static ENDPOINTS: &[Endpoint] = &[Endpoint {
    method: Method::POST,
    path: "/kyc-age-verification/v0.2/verify",
    scopes: &["kyc-age-verification:verify"],
    legs: Legs::TwoOrThree,
    name: "kyc-age-verification/verify",
    handle: |call| -> Answering<'_> { Box::pin(verify(call)) },
}];

const COMPARED: &[&str] = &[
    "idDocument",
    "name",
    "givenName",
    "familyName",
    "middleNames",
    "familyNameAtBirth",
    "birthdate",
    "email",
];
/// The highest age that may be asked for.
const AGE_MAX: i64 = 120;

async fn verify(call: &Call) -> Result<Reply, CamaraError> {
    let mut fields = call.fields();
    let phone = fields.phone()?;
    let said = attributes(&fields, COMPARED)?;
    let content_lock = fields.flag("includeContentLock")?;
    let parental = fields.flag("includeParentalControl")?;
    needed("ageThreshold", call.body.get("ageThreshold"))?;
    let years = fields.integer("ageThreshold", 0, AGE_MAX)?;
    fields.done()?;
    let years = needed("ageThreshold", years)?;
    let line = call
        .gateway
        .persons_line(&call.caller, phone, PhoneRule::LeftOut)
        .await?;
    let record = call.gateway.record_of(&line).await?;
    let answer = age(years, &said, &record, day_of(call.gateway.now()));
    let mut body = Map::new();
    let check = match answer.old_enough {
        Some(true) => "true",
        Some(false) => "false",
        None => "not_available",
    };
    body.insert("ageCheck".to_owned(), check.into());
    body.insert("verifiedStatus".to_owned(), answer.verified.into());
    if let Some(score) = answer.score {
        body.insert("identityMatchScore".to_owned(), score.into());
    }
    // Locks of content are kept elsewhere, if at all.
    for (name, wanted) in [("contentLock", content_lock), ("parentalControl", parental)] {
        if wanted == Some(true) {
            body.insert(name.to_owned(), "not_available".into());
        }
    }
    Ok(Reply::Json(StatusCode::OK, Value::Object(body)))
}
