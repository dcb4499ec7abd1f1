//! Bodies, queries and path parameters: read within bounds, parsed strictly, refused with words that help.
//!
//! What a parser says of a wrong value often repeats it, and it may be somebody's number. So only the part that says
//! what was expected is passed on, with the path of the field.

use crate::{Problem, WebState};
use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
use std::time::Duration;

/// A JSON body.
pub(crate) struct Json<T>(pub T);

impl<T: DeserializeOwned> FromRequest<WebState> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &WebState) -> Result<Self, Problem> {
        let limits = &state.inner.limits;
        let (parts, body) = request.into_parts();
        expect_type(&parts.headers, &["application/json"])?;
        let bytes = read(&parts.headers, body, limits.body_bytes_max, limits.body_time_max).await?;
        parse_json(&bytes).map(Self)
    }
}

/// The media type, which must be one of those named.
pub(crate) fn expect_type<'a>(headers: &HeaderMap, known: &[&'a str]) -> Result<&'a str, Problem> {
    let refuse = |detail: String| {
        Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            detail,
        )
    };
    if headers.contains_key(CONTENT_ENCODING) {
        return Err(refuse(
            "send the body as it is, without `content-encoding`".to_owned(),
        ));
    }
    let given = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("");
    let (media, parameters) = given.split_once(';').unwrap_or((given, ""));
    let charset = parameters.trim();
    let utf8 = charset.is_empty()
        || charset.eq_ignore_ascii_case("charset=utf-8")
        || charset.eq_ignore_ascii_case("charset=\"utf-8\"");
    known
        .iter()
        .find(|known| utf8 && media.trim().eq_ignore_ascii_case(known))
        .copied()
        .ok_or_else(|| {
            refuse(format!(
                "send the body with `content-type: {}`, in UTF-8",
                known.join("` or `")
            ))
        })
}

/// Reads a body, no more and no longer than allowed.
pub(crate) async fn read(
    headers: &HeaderMap,
    body: Body,
    bytes_max: usize,
    time_max: Duration,
) -> Result<Vec<u8>, Problem> {
    let too_large = || {
        Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body_too_large",
            format!("the body may have at most {bytes_max} bytes"),
        )
    };
    let announced = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.parse::<u64>().ok());
    if announced.is_some_and(|length| length > bytes_max as u64) {
        return Err(too_large());
    }
    match tokio::time::timeout(time_max, Limited::new(body, bytes_max).collect()).await {
        Ok(Ok(whole)) => Ok(whole.to_bytes().into()),
        Ok(Err(error)) if error.downcast_ref::<LengthLimitError>().is_some() => Err(too_large()),
        Ok(Err(_)) => Err(Problem::invalid(
            "body_cut_off",
            "the body ended before its announced length",
        )),
        Err(_) => Err(Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "body_too_slow",
            "the body did not arrive in time",
        )),
    }
}

/// Parses JSON into a request.
pub(crate) fn parse_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    if bytes.is_empty() {
        return Err(Problem::invalid(
            "body_missing",
            "send a JSON object; the body is empty",
        ));
    }
    if let Err(error) = std::str::from_utf8(bytes) {
        return Err(Problem::invalid(
            "not_utf8",
            format!("the body is not UTF-8: see byte {}", error.valid_up_to()),
        ));
    }
    // A list would otherwise be read as the fields of the object in their order.
    if bytes
        .trim_ascii_start()
        .first()
        .is_some_and(|first| b"[\"-0123456789ntf".contains(first))
    {
        return Err(Problem::field(
            "body",
            "expected a JSON object, which begins with `{`",
        ));
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = plain_path(&error.path().to_string());
        let inner = error.inner();
        if inner.is_syntax() || inner.is_eof() {
            let why = if inner.to_string().starts_with("recursion limit") {
                "is nested too deeply"
            } else {
                "is not JSON"
            };
            return Problem::invalid(
                "not_json",
                format!(
                    "the body {why}: see line {}, column {}",
                    inner.line(),
                    inner.column()
                ),
            );
        }
        Problem::invalid(
            "invalid_field",
            format!("`{path}`: {}", harmless(&inner.to_string())),
        )
    })?;
    reader.end().map_err(|_| {
        Problem::invalid(
            "not_json",
            "something stands behind the JSON object; send only the object",
        )
    })?;
    Ok(value)
}

/// A path of field names; a name that cannot be one of ours is not repeated.
fn plain_path(path: &str) -> String {
    let ours = path.len() <= 80
        && path
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'.' | b'[' | b']'));
    match path {
        "." | "" => "body".to_owned(),
        path if ours => path.to_owned(),
        _ => "?".to_owned(),
    }
}

/// What a parser says, without what was given.
fn harmless(message: &str) -> String {
    let message = match message.rfind(" at line ") {
        Some(at) => &message[..at],
        None => message,
    };
    if message.starts_with("missing field `") || message.starts_with("duplicate field `") {
        return message.to_owned();
    }
    if message.starts_with("unknown field `") {
        return match message.rfind(", expected ") {
            Some(at) => format!("unknown field; expected {}", &message[at + 11..]),
            None => "no field is expected here".to_owned(),
        };
    }
    // "invalid type: string \"…\", expected a boolean", "unknown variant `…`, expected one of …"
    if let Some(at) = message.rfind(", expected ") {
        return format!("expected {}", &message[at + 11..]);
    }
    // "`…` is no channel; use one of: …"
    if let Some(at) = message.rfind("; use one of: ") {
        return format!("use one of: {}", &message[at + 14..]);
    }
    "this value cannot be; see /openapi.json".to_owned()
}

/// The query, strictly.
pub(crate) struct Query<T>(pub T);

impl<T: DeserializeOwned> FromRequestParts<WebState> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &WebState) -> Result<Self, Problem> {
        match axum::extract::Query::<T>::try_from_uri(&parts.uri) {
            Ok(axum::extract::Query(query)) => Ok(Self(query)),
            Err(error) => {
                let text = std::error::Error::source(&error).map_or_else(String::new, ToString::to_string);
                let (path, why) = text.split_once(": ").unwrap_or(("", text.as_str()));
                Err(Problem::invalid(
                    "invalid_query",
                    format!("query `{}`: {}", plain_path(path), harmless(why)),
                ))
            }
        }
    }
}

/// An identifier in the path.
pub(crate) struct PathId<T>(pub T);

impl<T: std::str::FromStr + Send> FromRequestParts<WebState> for PathId<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, Problem> {
        let wrong = || {
            Problem::invalid(
                "invalid_id",
                "the identifier in the path must be a UUID, as 0192a3b4-c5d6-7e8f-9a0b-1c2d3e4f5061",
            )
        };
        let axum::extract::Path(text) = axum::extract::Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|_| wrong())?;
        if text.len() != 36 {
            return Err(wrong());
        }
        text.parse().map(Self).map_err(|_| wrong())
    }
}

#[cfg(test)]
mod tests {
    use super::parse_json;
    use proptest::prelude::*;
    use serde::Deserialize;
    use simwarden_model::{Channel, Iccid};

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only the parsing is looked at")]
    struct Inner {
        channel: Channel,
        iccid: Iccid,
        on: bool,
        number: u8,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only the parsing is looked at")]
    struct Outer {
        inner: Inner,
    }

    fn detail(text: &str) -> String {
        parse_json::<Outer>(text.as_bytes()).unwrap_err().detail
    }

    #[test]
    fn says_which_field_and_what_was_expected() {
        assert_eq!(
            detail(r#"{"inner":{"channel":"moon"}}"#),
            "`inner.channel`: use one of: shop, owned_shop, app, web, call, ussd, api, regulator, system"
        );
        assert_eq!(
            detail(r#"{"inner":{"on":"x"}}"#),
            "`inner.on`: expected a boolean"
        );
        assert_eq!(
            detail(r#"{"inner":{"number":300}}"#),
            "`inner.number`: expected u8"
        );
        assert_eq!(detail(r#"{"inner":{}}"#), "`inner`: missing field `channel`");
        assert!(detail(r#"{"inner":{"bogus":1}}"#).contains("expected one of `channel`"));
        assert!(detail("{").starts_with("the body is not JSON: see line 1"));
        assert!(detail("").contains("empty"));
        assert!(detail("[]").starts_with("`body`: expected"));
        assert!(
            detail(&"[".repeat(100_000)).starts_with("`body`"),
            "{}",
            detail(&"[".repeat(100_000))
        );
    }

    proptest! {
        #[test]
        fn a_value_is_never_repeated(secret in "[A-Z]{9,20}") {
            for text in [
                format!(r#"{{"inner":{{"channel":"{secret}"}}}}"#),
                format!(r#"{{"inner":{{"iccid":"{secret}"}}}}"#),
                format!(r#"{{"inner":{{"on":"{secret}"}}}}"#),
                format!(r#"{{"inner":{{"on":", expected {secret}"}}}}"#),
                format!(r#"{{"inner":{{"{secret}":1}}}}"#),
                format!(r#"{{"inner":"{secret}"}}"#),
                format!(r#"{{"inner":"x","{secret}":"{secret}"}}"#),
                format!(r#"{{"inner":{{"channel":"; use one of: {secret}"}}}}"#),
                format!(r#""{secret}""#),
                secret.clone(),
            ] {
                let said = detail(&text);
                prop_assert!(!said.contains(&secret), "{text} -> {said}");
            }
        }
    }
}
