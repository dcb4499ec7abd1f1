//! Who asks: the token of the request, checked once, before any handler runs.
//!
//! A token comes in one of two ways and never in both: `Authorization: Bearer`, for programs, or the session cookie,
//! for the page. Nothing else is looked at: no query, no body, no forwarded header. Somebody who signed in to an
//! account comes by the same cookie, with a session's secret in it, and only together with the mark on their device.

use crate::access::{Rule, Who};
use crate::{Problem, WebState};
use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::{AUTHORIZATION, COOKIE, SET_COOKIE, USER_AGENT};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use simwarden_app::{Actor, ErrorKind, SESSION_PREFIX, Whereabouts};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

/// The address that a connection comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub IpAddr);

/// The cookie where browsers come by HTTPS.
pub(crate) const COOKIE_HTTPS: &str = "__Host-simwarden";
/// The cookie on a plain loopback.
pub(crate) const COOKIE_PLAIN: &str = "simwarden_session";
/// The cookie with the device's mark, where browsers come by HTTPS.
pub(crate) const DEVICE_HTTPS: &str = "__Host-simwarden-device";
/// The same on a plain loopback.
pub(crate) const DEVICE_PLAIN: &str = "simwarden_device";
/// The header that a page of another origin cannot send without being asked first.
pub(crate) const OWN_WRITE: &str = "x-simwarden";

/// Who asks, after the route's row let them through. A handler has no other way to learn it.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// The actor.
    pub actor: Actor,
    /// The token, to look again whether it still holds.
    pub secret: Arc<str>,
}

impl FromRequestParts<WebState> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &WebState) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| {
            tracing::error!("a handler asks who calls on a route that is for everybody");
            Problem::internal()
        })
    }
}

/// What a route's guard knows.
#[derive(Clone)]
pub(crate) struct Gate {
    pub state: WebState,
    pub rule: &'static Rule,
}

/// Stands before every handler.
pub(crate) async fn gate(State(gate): State<Gate>, mut request: Request, next: Next) -> Response {
    match admit(&gate, &mut request).await {
        Ok(None) => next.run(request).await,
        Ok(Some(secret)) => {
            let mut response = next.run(request).await;
            // A handler that signs out or in sets the cookie itself.
            if !response.headers().contains_key(SET_COOKIE) {
                let cookie = session_cookie(gate.state.inner.https, &secret, SESSION_SECONDS);
                response
                    .headers_mut()
                    .extend(cookie.map(|cookie| (SET_COOKIE, cookie)));
            }
            response
        }
        Err(problem) => problem.into_response(),
    }
}

/// Lets somebody in, or not; answers the next secret of their session when it is time to change it.
async fn admit(gate: &Gate, request: &mut Request) -> Result<Option<String>, Problem> {
    let peer = peer_of(request);
    let Who::Roles(_) = gate.rule.who else {
        return gate.state.inner.rates.address(peer).map(|()| None);
    };
    let headers = request.headers();
    let secret = match credentials(headers, gate.state.inner.https)? {
        Credentials::None => {
            gate.state.inner.rates.address(peer)?;
            return Err(Problem::unauthenticated(
                "sign in: send `Authorization: Bearer` with a token",
            ));
        }
        Credentials::Bearer(secret) => secret,
        Credentials::Cookie(secret) => {
            if !matches!(*request.method(), Method::GET | Method::HEAD) {
                own_page(headers)?;
            }
            secret
        }
    };
    let device = cookie_named(headers, device_cookie_name(gate.state.inner.https))?;
    let (actor, next) = recognise(&gate.state, peer, &secret, device.as_deref()).await?;
    gate.state.inner.rates.token(&actor)?;
    if !gate.rule.admits(Some(actor.role)) {
        return Err(Problem::from(simwarden_app::Error::forbidden(format!(
            "the role `{}` may not do this",
            actor.role
        ))));
    }
    request.extensions_mut().insert(Caller { actor, secret });
    Ok(next)
}

/// Whose token or session this is, and the session's next secret; wrong ones are counted against the address.
pub(crate) async fn recognise(
    state: &WebState,
    peer: IpAddr,
    secret: &str,
    device: Option<&str>,
) -> Result<(Actor, Option<String>), Problem> {
    let app = &state.inner.app;
    let seen = if secret.starts_with(SESSION_PREFIX) && device.is_some() {
        app.recognise_session(secret, device).await
    } else {
        app.authenticate(secret).await.map(|actor| (actor, None))
    };
    match seen {
        Ok(seen) => Ok(seen),
        Err(error) if error.kind == ErrorKind::Unauthenticated => {
            state.inner.rates.failure(peer)?;
            Err(error.into())
        }
        Err(error) => Err(error.into()),
    }
}

pub(crate) fn peer_of(request: &Request) -> IpAddr {
    request
        .extensions()
        .get::<Peer>()
        .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0)
}

/// Where and on what somebody signs in.
pub(crate) fn whereabouts(state: &WebState, request: &Request) -> Result<Whereabouts, Problem> {
    let headers = request.headers();
    let agent = headers.get(USER_AGENT).and_then(|value| value.to_str().ok());
    let device = cookie_named(headers, device_cookie_name(state.inner.https))?;
    Ok(Whereabouts {
        address: peer_of(request),
        device: device.map(|device| device.to_string()),
        agent: agent.unwrap_or_default().chars().take(AGENT_CHARS_MAX).collect(),
        country: None,
    })
}

/// A write by cookie must come from our own page.
pub(crate) fn own_page(headers: &HeaderMap) -> Result<(), Problem> {
    let marked = headers.get(OWN_WRITE).is_some_and(|value| value == "1");
    let same = headers
        .get("sec-fetch-site")
        .is_none_or(|value| value == "same-origin");
    if marked && same {
        Ok(())
    } else {
        Err(Problem::new(
            axum::http::StatusCode::FORBIDDEN,
            "foreign_page",
            "a write by cookie needs the header `x-simwarden: 1` and must come from this site's own page; programs \
             send `Authorization: Bearer`",
        ))
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Credentials {
    None,
    Bearer(Arc<str>),
    Cookie(Arc<str>),
}

fn credentials(headers: &HeaderMap, https: bool) -> Result<Credentials, Problem> {
    let bearer = bearer(headers)?;
    let cookie = cookie(headers, https)?;
    match (bearer, cookie) {
        (None, None) => Ok(Credentials::None),
        (Some(secret), None) => Ok(Credentials::Bearer(secret)),
        (None, Some(secret)) => Ok(Credentials::Cookie(secret)),
        (Some(bearer), Some(cookie)) if bearer == cookie => Ok(Credentials::Bearer(bearer)),
        // Whoever reads two names must not choose the one that suits.
        (Some(_), Some(_)) => Err(Problem::invalid(
            "two_credentials",
            "the request carries a bearer token and a cookie of somebody else; send one of them",
        )),
    }
}

fn bearer(headers: &HeaderMap) -> Result<Option<Arc<str>>, Problem> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let malformed = || {
        Problem::unauthenticated(
            "`Authorization` must be there once, as `Bearer ` and a token that begins with `swt_`",
        )
    };
    if values.next().is_some() {
        return Err(malformed());
    }
    let text = value.to_str().map_err(|_| malformed())?;
    let (scheme, secret) = text.split_once(' ').ok_or_else(malformed)?;
    let plain = !secret.is_empty() && secret.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if scheme.eq_ignore_ascii_case("bearer") && plain {
        Ok(Some(secret.into()))
    } else {
        Err(malformed())
    }
}

fn cookie(headers: &HeaderMap, https: bool) -> Result<Option<Arc<str>>, Problem> {
    cookie_named(headers, cookie_name(https))
}

/// The value of one of our cookies.
pub(crate) fn cookie_named(headers: &HeaderMap, name: &str) -> Result<Option<Arc<str>>, Problem> {
    let mut found: Option<Arc<str>> = None;
    for header in headers.get_all(COOKIE) {
        // Other sites' cookies on the same host may be anything; only our own is read.
        for pair in header.as_bytes().split(|byte| *byte == b';') {
            let Ok(pair) = std::str::from_utf8(pair) else {
                continue;
            };
            let Some((key, value)) = pair.trim().split_once('=') else {
                continue;
            };
            if key != name {
                continue;
            }
            if found.is_some() {
                return Err(Problem::unauthenticated(
                    "the session cookie came twice; sign in again",
                ));
            }
            found = Some(value.into());
        }
    }
    Ok(found)
}

/// The cookie's name. The prefix `__Host-` makes browsers insist on HTTPS, this host and the root path.
pub(crate) const fn cookie_name(https: bool) -> &'static str {
    if https { COOKIE_HTTPS } else { COOKIE_PLAIN }
}

/// The same of the cookie that knows a device again.
pub(crate) const fn device_cookie_name(https: bool) -> &'static str {
    if https { DEVICE_HTTPS } else { DEVICE_PLAIN }
}

/// How long the session's cookie stays, in seconds; the session behind it may end before.
pub(crate) const SESSION_SECONDS: u32 = 12 * 3600;
/// How long a device is known again, in seconds: browsers keep no cookie for longer than 400 days.
pub(crate) const DEVICE_SECONDS: u32 = 400 * 24 * 3600;
/// The longest word of a browser about itself that is looked at.
const AGENT_CHARS_MAX: usize = 400;

fn written(name: &str, value: &str, seconds: u32, https: bool) -> Option<HeaderValue> {
    let secure = if https { "; Secure" } else { "" };
    let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}");
    HeaderValue::from_str(&text).ok()
}

/// The cookie of a session or token; none when the value is no cookie's.
pub(crate) fn session_cookie(https: bool, value: &str, seconds: u32) -> Option<HeaderValue> {
    written(cookie_name(https), value, seconds, https)
}

/// The cookie with the device's mark.
pub(crate) fn device_cookie(https: bool, mark: &str) -> Option<HeaderValue> {
    written(device_cookie_name(https), mark, DEVICE_SECONDS, https)
}

#[cfg(test)]
mod tests {
    use super::{Credentials, credentials};
    use axum::http::{HeaderMap, HeaderName, HeaderValue};

    fn headers(list: &[(&str, &str)]) -> HeaderMap {
        list.iter()
            .map(|(name, value)| {
                (
                    name.parse::<HeaderName>().unwrap(),
                    HeaderValue::from_bytes(value.as_bytes()).unwrap(),
                )
            })
            .collect()
    }

    #[test]
    fn a_token_comes_in_one_way_only() {
        let of = |list: &[(&str, &str)], https| credentials(&headers(list), https);
        assert_eq!(of(&[], false), Ok(Credentials::None));
        assert_eq!(
            of(&[("authorization", "bearer swt_a")], false),
            Ok(Credentials::Bearer("swt_a".into()))
        );
        let plain = ("cookie", "x=1; simwarden_session=swt_b");
        assert_eq!(of(&[plain], false), Ok(Credentials::Cookie("swt_b".into())));
        // The plain cookie counts for nothing where browsers come by HTTPS.
        assert_eq!(of(&[plain], true), Ok(Credentials::None));
        assert_eq!(
            of(&[("cookie", "__Host-simwarden=swt_b")], true),
            Ok(Credentials::Cookie("swt_b".into()))
        );
        for refused in [
            &[("authorization", "Bearer swt_a"), plain][..],
            &[
                ("authorization", "Bearer swt_a"),
                ("authorization", "Bearer swt_a"),
            ],
            &[("authorization", "Basic swt_a")],
            &[("authorization", "Bearer")],
            &[("authorization", "Bearer ")],
            &[("authorization", "Bearer swt_a, Bearer swt_b")],
            &[("authorization", "Bearer swt_é")],
            &[plain, ("cookie", "simwarden_session=swt_c")],
        ] {
            assert!(of(refused, false).is_err(), "{refused:?}");
        }
    }
}
