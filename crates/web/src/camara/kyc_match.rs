//! CAMARA `kyc-match` 0.4.0: whether what a client knows of a customer is what is on file.

use super::endpoint::{Answering, Call, Endpoint, Legs, Reply};
use super::error::CamaraError;
use super::fields::Fields;
use axum::http::{Method, StatusCode};
use serde_json::{Map, Value};
use simwarden_app::gateway::{ATTRIBUTES, Denied, PhoneRule, Record, Verdict, compare, may_compare};

pub(super) static ENDPOINTS: &[Endpoint] = &[Endpoint {
    method: Method::POST,
    path: "/kyc-match/v0.4/match",
    scopes: &["kyc-match:match"],
    legs: Legs::TwoOrThree,
    name: "kyc-match/match",
    handle: |call| -> Answering<'_> { Box::pin(compare_all(call)) },
}];

const DOCUMENT_TYPES: &[&str] = &[
    "passport",
    "national_id_card",
    "residence_permit",
    "diplomatic_id",
    "driver_licence",
    "social_security_id",
    "other",
];
/// The longest attribute that is compared.
const CHARS_MAX: usize = 1_000;

/// The attributes that were sent, by name. Everything well-formed, nothing compared yet.
pub(super) fn attributes(fields: &Fields<'_>, names: &[&str]) -> Result<Record, CamaraError> {
    let mut sent = Record::new();
    for name in names {
        let text = match *name {
            "birthdate" | "idDocumentExpiryDate" => {
                fields.day(name)?;
                fields.text(name)?
            }
            "email" => fields.email(name)?,
            "gender" => fields.one_of(name, &["MALE", "FEMALE", "OTHER"])?,
            "idDocumentType" => fields.one_of(name, DOCUMENT_TYPES)?,
            _ => fields.text_up_to(name, CHARS_MAX)?,
        };
        sent.extend(text.map(|text| ((*name).to_owned(), text.to_owned())));
    }
    Ok(sent)
}

async fn compare_all(call: &Call) -> Result<Reply, CamaraError> {
    let fields = call.fields();
    if fields.is_empty() {
        return Err(CamaraError::argument(
            "send at least one attribute to be compared",
        ));
    }
    let phone = fields.phone()?;
    let names: Vec<&str> = ATTRIBUTES.iter().map(|(name, _)| *name).collect();
    let sent = attributes(&fields, &names)?;
    call.gateway.fits_token(&call.caller, phone)?;
    if sent.is_empty() {
        return Err(Denied::Combination.into());
    }
    let line = call
        .gateway
        .persons_line(&call.caller, phone, PhoneRule::Same)
        .await?;
    let record = call.gateway.record_of(&line).await?;
    may_compare(&line, sent.get("idDocument").map(String::as_str), &record)?;
    let mut body = Map::new();
    for (name, scored) in ATTRIBUTES {
        let Some(said) = sent.get(*name) else { continue };
        let verdict = compare(name, said, &record);
        let word = match verdict {
            Verdict::Same => "true",
            Verdict::Other(_) => "false",
            Verdict::NotAvailable => "not_available",
        };
        body.insert(format!("{name}Match"), word.into());
        if let (Verdict::Other(score), true) = (verdict, scored) {
            body.insert(format!("{name}MatchScore"), score.into());
        }
    }
    Ok(Reply::Json(StatusCode::OK, Value::Object(body)))
}
