//! The built pages, embedded into the program.

use crate::{Problem, WebState};
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, LOCATION, VARY,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use rust_embed::{Embed, EmbeddedFile};

#[derive(Embed)]
#[folder = "../../web/dist"]
#[allow_missing = true]
struct Dist;

const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("no-cache");
const NOT_BUILT: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>simwarden</title>\
<h1>The pages were not built</h1><p>This server was built without its pages. Run <code>cd web &amp;&amp; npm ci \
&amp;&amp; npm run build</code>, then build the server again (<code>make run</code> does both). The API under \
<code>/v1</code> works; it is described at <code>/openapi.json</code>.</p>";

pub(crate) async fn root() -> Response {
    (
        StatusCode::TEMPORARY_REDIRECT,
        [(LOCATION, HeaderValue::from_static("/console"))],
    )
        .into_response()
}

pub(crate) async fn console(headers: HeaderMap) -> Response {
    match Dist::get("console.html") {
        Some(_) => send("console.html", ASK_AGAIN, &headers),
        None => (
            StatusCode::SERVICE_UNAVAILABLE,
            [
                (CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
                (CACHE_CONTROL, HeaderValue::from_static("no-store")),
            ],
            NOT_BUILT,
        )
            .into_response(),
    }
}

pub(crate) async fn asset(Path(path): Path<String>, headers: HeaderMap) -> Response {
    send_below("assets", &path, FOR_EVER, &headers)
}

pub(crate) async fn licence(Path(path): Path<String>, headers: HeaderMap) -> Response {
    send_below("licences", &path, ASK_AGAIN, &headers)
}

pub(crate) async fn icon(_: State<WebState>, headers: HeaderMap) -> Response {
    send("icon.svg", ASK_AGAIN, &headers)
}

fn send_below(folder: &str, name: &str, cache: HeaderValue, headers: &HeaderMap) -> Response {
    // The build writes flat folders with plain names; nothing else can be meant.
    let plain = name
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'));
    if !plain || name.starts_with('.') || name.ends_with(".br") {
        return Problem::not_found().into_response();
    }
    send(&format!("{folder}/{name}"), cache, headers)
}

fn send(path: &str, cache: HeaderValue, headers: &HeaderMap) -> Response {
    let Some(file) = Dist::get(path) else {
        return Problem::not_found().into_response();
    };
    let tag = etag(&file);
    let mut answer = Response::builder()
        .header(CONTENT_TYPE, media_type(path))
        .header(CACHE_CONTROL, cache)
        .header(VARY, HeaderValue::from_static("accept-encoding"))
        .header(ETAG, &tag);
    let known = headers
        .get(IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|known| {
            known
                .split(',')
                .any(|one| one.trim().trim_start_matches("W/") == tag)
        });
    if known {
        answer = answer.status(StatusCode::NOT_MODIFIED);
        return answer.body(Body::empty()).unwrap_or_default();
    }
    let packed = accepts_brotli(headers)
        .then(|| Dist::get(&format!("{path}.br")))
        .flatten();
    let body = match packed {
        Some(packed) => {
            answer = answer.header(CONTENT_ENCODING, "br");
            packed.data
        }
        None => file.data,
    };
    answer.body(Body::from(body.into_owned())).unwrap_or_default()
}

/// One tag for both encodings would be wrong for a cache between; `vary` keeps them apart.
fn etag(file: &EmbeddedFile) -> String {
    let hash = file.metadata.sha256_hash();
    let hex: String = hash[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("\"{hex}\"")
}

fn accepts_brotli(headers: &HeaderMap) -> bool {
    headers
        .get_all(ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|list| list.split(','))
        .any(|one| {
            let (coding, weight) = one.split_once(';').unwrap_or((one, ""));
            let refused = weight
                .trim()
                .strip_prefix("q=")
                .is_some_and(|q| q.trim().parse::<f32>().is_ok_and(|q| q <= 0.0));
            coding.trim().eq_ignore_ascii_case("br") && !refused
        })
}

fn media_type(path: &str) -> HeaderValue {
    HeaderValue::from_static(match path.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("woff2") => "font/woff2",
        Some("txt") => "text/plain; charset=utf-8",
        Some("json") => "application/json",
        Some("png") => "image/png",
        _ => "application/octet-stream",
    })
}

#[cfg(test)]
mod tests {
    use super::accepts_brotli;
    use axum::http::HeaderMap;
    use axum::http::header::ACCEPT_ENCODING;

    #[test]
    fn brotli_goes_to_those_who_accept_it() {
        for (value, accepted) in [
            ("gzip, deflate, br, zstd", true),
            ("br;q=0.5", true),
            ("BR", true),
            ("br;q=0", false),
            ("gzip", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, value.parse().unwrap());
            assert_eq!(accepts_brotli(&headers), accepted, "{value}");
        }
        assert!(!accepts_brotli(&HeaderMap::new()));
    }
}
