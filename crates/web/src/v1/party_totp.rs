//! `POST /v1/parties/{id}/totp`: an authenticator application is enrolled. It counts as evidence only once it has
//! settled: a thief would enrol one a moment before.

use crate::auth::Caller;
use crate::body::{Json, PathId};
use crate::{Problem, WebState};
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use simwarden_model::{FactorId, PartyId, Timestamp};
use utoipa::ToSchema;

/// An authenticator to be enrolled.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    /// Since when it has existed, which only an administrator's migration may say; now when left out.
    #[schema(value_type = Option<String>)]
    since: Option<Timestamp>,
}

#[derive(Serialize)]
pub(crate) struct Enrolled {
    id: FactorId,
    secret: String,
    uri: String,
}

/// RFC 4648, section 6, without padding, as authenticator applications read it.
fn base32(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut text = String::new();
    for chunk in bytes.chunks(5) {
        let mut five = [0_u8; 5];
        five[..chunk.len()].copy_from_slice(chunk);
        let bits = five.iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
        for place in 0..(chunk.len() * 8).div_ceil(5) {
            let letter = usize::try_from(bits >> (35 - 5 * place) & 31).unwrap_or(0);
            text.push(char::from(LETTERS[letter]));
        }
    }
    text
}

#[utoipa::path(
    post, path = "/v1/parties/{id}/totp", tag = "parties", params(("id" = String, Path)), request_body = Wanted,
    responses(
        (status = 201, description = "Enrolled; the secret is shown this once", body = crate::shapes::TotpEnrolled),
        (status = "default", description = "Problem", body = crate::shapes::ProblemDetails,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn handle(
    State(state): State<WebState>,
    caller: Caller,
    PathId(id): PathId<PartyId>,
    Json(wanted): Json<Wanted>,
) -> Result<(StatusCode, axum::Json<Enrolled>), Problem> {
    let (factor, secret) = state
        .inner
        .app
        .enrol_totp(&caller.actor, id, wanted.since)
        .await?;
    let secret = base32(&secret);
    let uri = format!("otpauth://totp/simwarden?secret={secret}&issuer=simwarden");
    Ok((
        StatusCode::CREATED,
        axum::Json(Enrolled {
            id: factor,
            secret,
            uri,
        }),
    ))
}

#[cfg(test)]
mod tests {
    use super::base32;

    #[test]
    fn base32_as_in_the_rfc() {
        for (plain, text) in [
            ("", ""),
            ("f", "MY"),
            ("fo", "MZXQ"),
            ("foo", "MZXW6"),
            ("foob", "MZXW6YQ"),
            ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI"),
        ] {
            assert_eq!(base32(plain.as_bytes()), text);
        }
    }
}
