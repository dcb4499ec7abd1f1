//! Signed assertions: how clients prove who they are (`private_key_jwt`, RFC 7523 and OpenID Connect Core 9), and how
//! they speak for a subscriber (jwt-bearer).
//!
//! Signatures are checked by `jsonwebtoken`; times, audiences and repetition here, because the clock is a parameter.

use super::Gateway;
use super::client::Client;
use super::oauth::OAuthError;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use simwarden_model::Timestamp;
use std::sync::{Arc, PoisonError};

/// The longest assertion, in bytes.
const BYTES_MAX: usize = 8_192;
/// How long an assertion may live, and how far its end may lie ahead, in seconds.
const LIFE_S_MAX: i64 = 300;
/// How far a client's clock may be ahead of ours, in seconds. Nothing is given to one that is behind.
const AHEAD_S_MAX: i64 = 5;
/// Assertions remembered so that none is used twice.
const REMEMBERED_MAX: usize = 200_000;
/// Algorithms that are taken: signatures by keys that only the client holds.
const ALGORITHMS: [Algorithm; 5] = [
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::PS256,
    Algorithm::RS256,
    Algorithm::EdDSA,
];

/// What an assertion says.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Claims {
    pub iss: Option<String>,
    pub sub: Option<String>,
    pub aud: Option<Audience>,
    pub exp: Option<serde_json::Number>,
    pub iat: Option<serde_json::Number>,
    pub nbf: Option<serde_json::Number>,
    pub jti: Option<String>,
    #[serde(default)]
    pub scope: Option<String>,
    /// Everything else, for signed authorisation requests.
    #[serde(flatten)]
    pub rest: serde_json::Map<String, serde_json::Value>,
}

/// One or several receivers.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum Audience {
    One(String),
    Many(Vec<String>),
}

impl Audience {
    fn names(&self, known: &[String]) -> bool {
        match self {
            Self::One(one) => known.contains(one),
            Self::Many(many) => many.iter().any(|one| known.contains(one)),
        }
    }
}

/// Seconds, rounded down.
fn seconds(number: &serde_json::Number) -> Option<i64> {
    number.as_i64().or_else(|| {
        let float = number.as_f64()?.floor();
        format!("{float:.0}").parse().ok()
    })
}

/// Whether a client's signature stands under a token, and what it says then. The algorithm must be one for the key.
pub(super) fn signed_by(client: &Client, token: &str) -> Option<Claims> {
    if token.len() > BYTES_MAX {
        return None;
    }
    let header = decode_header(token).ok()?;
    if !ALGORITHMS.contains(&header.alg) {
        return None;
    }
    let mut validation = Validation::new(header.alg);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    client.keys(header.kid.as_deref()).iter().find_map(|key| {
        let key = DecodingKey::from_jwk(key).ok()?;
        let token = decode::<Claims>(token, &key, &validation).ok()?;
        Some(token.claims)
    })
}

/// Who says that they signed it. Nothing is believed of this yet.
pub(super) fn claimed_issuer(token: &str) -> Option<String> {
    if token.len() > BYTES_MAX {
        return None;
    }
    #[derive(Deserialize)]
    struct Issuer {
        iss: String,
    }
    let claims: Issuer = jsonwebtoken::dangerous::insecure_decode_claims(token).ok()?;
    (claims.iss.len() <= 80).then_some(claims.iss)
}

impl Gateway {
    /// Whether an assertion is for us, at this time, and was never seen before. Says what is wrong.
    pub(super) fn fresh(
        &self,
        client: &Client,
        claims: &Claims,
        audiences: &[String],
    ) -> Result<(), &'static str> {
        if !claims.aud.as_ref().is_some_and(|aud| aud.names(audiences)) {
            return Err("`aud` must be this token endpoint or the issuer");
        }
        let exp = claims.exp.as_ref().and_then(seconds);
        let exp = exp.ok_or("`exp` must be there, in seconds since 1970")?;
        // Clients live by the world's clock, also where a sandbox moves its own.
        let clocks = [self.wall(), self.now()];
        let at = clocks
            .into_iter()
            .map(Timestamp::as_secs)
            .find(|now| in_time(*now, exp, claims))
            .ok_or("`exp`, `iat` or `nbf` is wrong: live at most 300 seconds, begin now")?;
        if claims
            .iat
            .as_ref()
            .and_then(seconds)
            .is_none_or(|iat| iat < self.inner.started.as_secs())
            && !self.inner.config.sandbox
            && at - self.inner.started.as_secs() <= LIFE_S_MAX
        {
            // What was used before the start is not remembered.
            return Err("`iat` lies before the start of this server; sign anew");
        }
        let jti = claims.jti.as_deref().filter(|jti| (1..=512).contains(&jti.len()));
        let jti = jti.ok_or("`jti` must be there, with a value that is never used twice")?;
        self.remember(&client.id, jti, exp)
    }

    fn remember(&self, issuer: &str, jti: &str, exp: i64) -> Result<(), &'static str> {
        let mut hash = Sha256::new();
        hash.update((issuer.len() as u64).to_be_bytes());
        hash.update(issuer.as_bytes());
        hash.update(jti.as_bytes());
        let key: [u8; 32] = hash.finalize().into();
        let now = self.wall().as_secs();
        let mut seen = self.inner.replay.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= REMEMBERED_MAX {
            seen.retain(|_, until| *until > now);
            if seen.len() >= REMEMBERED_MAX {
                return Err("too many assertions are in use; try again later");
            }
        }
        let until = exp.max(now + LIFE_S_MAX);
        match seen.insert(key, until) {
            Some(before) if before > now => {
                Err("this assertion was used before; sign a new one for each request")
            }
            _ => Ok(()),
        }
    }

    /// Which client sends a request with `client_assertion`.
    pub(super) async fn authenticated(
        &self,
        client_id: Option<&str>,
        assertion_type: Option<&str>,
        assertion: Option<&str>,
    ) -> Result<Arc<Client>, OAuthError> {
        let wrong = |why: &'static str| OAuthError::client(why);
        if assertion_type != Some("urn:ietf:params:oauth:client-assertion-type:jwt-bearer") {
            return Err(wrong(
                "authenticate with `client_assertion`; `client_assertion_type` is \
                 urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            ));
        }
        let assertion = assertion.ok_or_else(|| wrong("`client_assertion` is missing"))?;
        let unknown = || wrong("the client is unknown, or the signature is not by one of its keys");
        let claimed = claimed_issuer(assertion).ok_or_else(unknown)?;
        let client = self.client(&claimed).await?.ok_or_else(unknown)?;
        let claims = signed_by(&client, assertion).ok_or_else(unknown)?;
        let names = [claims.iss.as_deref(), claims.sub.as_deref()];
        if names.iter().any(|name| *name != Some(&client.id)) || client_id.is_some_and(|id| id != client.id) {
            return Err(wrong("`iss`, `sub` and `client_id` must be the client"));
        }
        self.fresh(&client, &claims, &self.audiences()).map_err(wrong)?;
        Ok(client)
    }

    /// Names under which an assertion may address us.
    pub(super) fn audiences(&self) -> Vec<String> {
        let issuer = &self.inner.config.issuer;
        ["", "/oauth2/token", "/oauth2/bc-authorize", "/oauth2/revoke"]
            .iter()
            .map(|path| format!("{issuer}{path}"))
            .collect()
    }
}

fn in_time(now: i64, exp: i64, claims: &Claims) -> bool {
    let ends = exp > now && exp - now <= LIFE_S_MAX;
    let began = match claims.iat.as_ref().map(seconds) {
        None => true,
        Some(None) => false,
        Some(Some(iat)) => iat <= now + AHEAD_S_MAX && exp - iat <= LIFE_S_MAX,
    };
    let begun = match claims.nbf.as_ref().map(seconds) {
        None => true,
        Some(None) => false,
        Some(Some(nbf)) => nbf <= now + AHEAD_S_MAX,
    };
    ends && began && begun
}
