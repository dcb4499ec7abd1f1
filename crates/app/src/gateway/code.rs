//! The authorisation code flow with PKCE (RFC 6749 4.1, RFC 7636), for subscribers whom the network names.
//!
//! Nobody signs in here: the network, or the SIM, vouches for the line with an operator token (GSMA TS.43). Without it
//! the answer is `login_required`, as `prompt=none` has it.

use super::Gateway;
use super::assertion::signed_by;
use super::client::Client;
use super::grants::{Making, TokenAnswer, TokenRequest};
use super::line::Subject;
use super::oauth::OAuthError;
use super::scope::Asked;
use crate::token_hash;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use simwarden_model::Timestamp;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

/// How long a code stands.
const LIFE: Duration = Duration::from_secs(60);
/// Codes at the same time.
const CODES_MAX: usize = 100_000;

/// A code that was given out.
#[derive(Debug, Clone)]
pub(super) struct Code {
    client: String,
    asked: Asked,
    subject: Subject,
    redirect_uri: String,
    challenge: String,
    nonce: Option<String>,
    expires_at: Timestamp,
    /// The token that was made of it, once it was used.
    used: Option<[u8; 32]>,
}

/// The codes, by hash.
pub(super) type Codes = HashMap<[u8; 32], Code>;

/// What comes by the user's browser.
#[derive(Debug, Clone, Default)]
pub struct AuthorizeRequest {
    /// Every parameter of the query, by name.
    pub parameters: HashMap<String, String>,
    /// The network's word about the line.
    pub operator_token: Option<String>,
}

/// Where the user's browser is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redirect {
    /// Where to; registered for the client.
    pub uri: String,
    /// What is added to its query.
    pub parameters: Vec<(&'static str, String)>,
}

impl Gateway {
    /// The authorisation endpoint.
    ///
    /// # Errors
    /// When it cannot be said where to send the user: an unknown client or address. Everything else is in the redirect.
    pub async fn authorize(&self, request: AuthorizeRequest) -> Result<Redirect, OAuthError> {
        let bad = |why: &'static str| OAuthError::bad("invalid_request", why);
        let name = request
            .parameters
            .get("client_id")
            .ok_or(bad("`client_id` is missing"))?;
        let client = self.client(name).await?.ok_or(bad("the client is unknown"))?;
        let parameters = self.asked_for(&client, &request.parameters)?;
        let uri = match parameters.get("redirect_uri") {
            Some(uri) if client.settings.redirect_uris.contains(uri) => uri.clone(),
            _ => {
                return Err(bad(
                    "`redirect_uri` is not one that was registered for this client",
                ));
            }
        };
        let state = parameters.get("state").cloned();
        let mut answer = match self
            .code_for(&client, &parameters, &uri, request.operator_token)
            .await
        {
            Ok(code) => vec![("code", code)],
            Err(OAuthError::Protocol {
                error, description, ..
            }) => {
                vec![
                    ("error", error.to_owned()),
                    ("error_description", description.to_owned()),
                ]
            }
            Err(OAuthError::App(error)) => return Err(OAuthError::App(error)),
        };
        answer.extend(state.map(|state| ("state", state)));
        answer.push(("iss", self.inner.config.issuer.clone()));
        Ok(Redirect {
            uri,
            parameters: answer,
        })
    }

    /// The parameters: as in the query, or as in a request that the client signed (RFC 9101), and then only those.
    fn asked_for(
        &self,
        client: &Client,
        query: &HashMap<String, String>,
    ) -> Result<HashMap<String, String>, OAuthError> {
        let Some(request) = query.get("request") else {
            return Ok(query.clone());
        };
        let wrong = |why: &'static str| OAuthError::bad("invalid_request_object", why);
        let claims =
            signed_by(client, request).ok_or(wrong("the signature is not by one of the client's keys"))?;
        if claims.iss.as_deref() != Some(&client.id) {
            return Err(wrong("`iss` must be the client"));
        }
        self.fresh(client, &claims, &self.audiences()).map_err(wrong)?;
        let texts = claims.rest.into_iter().filter_map(|(name, value)| match value {
            serde_json::Value::String(text) => Some((name, text)),
            _ => None,
        });
        let mut parameters: HashMap<String, String> = texts.collect();
        if let Some(scope) = claims.scope {
            parameters.insert("scope".to_owned(), scope);
        }
        Ok(parameters)
    }

    async fn code_for(
        &self,
        client: &Client,
        parameters: &HashMap<String, String>,
        redirect_uri: &str,
        operator_token: Option<String>,
    ) -> Result<String, OAuthError> {
        if !client.has_grant("authorization_code") {
            return Err(OAuthError::grant());
        }
        let get = |name: &str| parameters.get(name).map(String::as_str);
        if get("response_type") != Some("code") {
            return Err(OAuthError::bad(
                "unsupported_response_type",
                "use `response_type=code`",
            ));
        }
        let challenge = get("code_challenge").filter(|challenge| challenge.len() == 43);
        let challenge = match (challenge, get("code_challenge_method")) {
            (Some(challenge), Some("S256")) => challenge.to_owned(),
            _ => {
                return Err(OAuthError::bad(
                    "invalid_request",
                    "send `code_challenge` with `code_challenge_method=S256`",
                ));
            }
        };
        let scope = get("scope").ok_or(OAuthError::scope())?;
        let asked = Asked::parse(scope, |scope| client.may(scope)).ok_or(OAuthError::scope())?;
        let purpose = asked.purpose.clone().ok_or(OAuthError::scope())?;
        let hint = get("login_hint").and_then(|hint| hint.strip_prefix("operatortoken:"));
        let subject = operator_token
            .as_deref()
            .or(hint)
            .and_then(|token| self.proven(token))
            .ok_or(OAuthError::bad(
                "login_required",
                "the network did not say which line this is",
            ))?;
        if !self.agrees(subject.line, &purpose, &client.id).await? {
            return Err(OAuthError::bad(
                "consent_required",
                "the subscriber has not agreed",
            ));
        }
        let secret = format!("swc_{}", crate::entry::hex(&self.draw::<32>()));
        let code = Code {
            client: client.id.clone(),
            asked,
            subject,
            redirect_uri: redirect_uri.to_owned(),
            challenge,
            nonce: get("nonce").map(|nonce| nonce.chars().take(256).collect()),
            expires_at: self.now().plus(LIFE),
            used: None,
        };
        let now = self.now();
        let mut codes = self.inner.codes.lock().unwrap_or_else(PoisonError::into_inner);
        if codes.len() >= CODES_MAX {
            codes.retain(|_, code| code.expires_at > now);
        }
        if codes.len() >= CODES_MAX {
            return Err(OAuthError::bad(
                "temporarily_unavailable",
                "too many codes are open",
            ));
        }
        codes.insert(token_hash(&secret), code);
        Ok(secret)
    }

    pub(super) async fn by_code(
        &self,
        client: Arc<Client>,
        request: &TokenRequest,
    ) -> Result<TokenAnswer, OAuthError> {
        let wrong = || {
            OAuthError::bad(
                "invalid_grant",
                "the code is unknown, used or over, or `redirect_uri` or `code_verifier` are not those it was made with",
            )
        };
        let secret = request.code.as_deref();
        let secret = secret.ok_or(OAuthError::bad("invalid_request", "`code` is missing"))?;
        let verifier = request.code_verifier.as_deref().ok_or_else(wrong)?;
        let hash = token_hash(&secret.chars().take(200).collect::<String>());
        let code = {
            let mut codes = self.inner.codes.lock().unwrap_or_else(PoisonError::into_inner);
            let code = codes.get_mut(&hash).ok_or_else(wrong)?;
            if code.client != client.id {
                return Err(wrong());
            }
            if let Some(used) = code.used {
                // Somebody shows it a second time: one of the two is a thief.
                drop(codes);
                self.drop_token(&used);
                return Err(wrong());
            }
            code.used = Some([0; 32]);
            code.clone()
        };
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
        let fits = code.challenge == challenge
            && request.redirect_uri.as_deref() == Some(&code.redirect_uri)
            && code.expires_at > self.now();
        if !fits {
            return Err(wrong());
        }
        let purpose = code.asked.purpose.clone().unwrap_or_default();
        if !self.agrees(code.subject.line, &purpose, &client.id).await? {
            return Err(wrong());
        }
        let family = code.asked.offline.then(|| self.draw::<16>());
        let making = Making {
            client,
            asked: code.asked,
            subject: Some(code.subject),
            network: true,
            nonce: code.nonce,
            family,
        };
        let (answer, made) = self.make(&making)?;
        {
            let mut codes = self.inner.codes.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(code) = codes.get_mut(&hash) {
                code.used = Some(made);
            }
        }
        self.with_refresh(answer, &making, None).await
    }
}
