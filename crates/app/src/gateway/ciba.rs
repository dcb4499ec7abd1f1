//! Asking the subscriber out of band: OpenID CIBA, poll mode.
//!
//! The client names a line, the subscriber is asked on a device of their own, the client comes back for the answer.

use super::access::Caller;
use super::client::Client;
use super::grants::{Making, TokenAnswer, TokenRequest};
use super::line::{LineFacts, Subject};
use super::oauth::OAuthError;
use super::scope::{Asked, SCOPES};
use super::{Denied, Gateway};
use crate::Error;
use serde::Serialize;
use simwarden_model::{SubscriptionId, Timestamp};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

/// The grant's name.
pub(super) const GRANT: &str = "urn:openid:params:grant-type:ciba";
/// How long the subscriber has to answer.
const LIFE: Duration = Duration::from_secs(300);
/// The same for a question that no client waits for.
const CAPTURE_LIFE: Duration = Duration::from_secs(24 * 3600);
/// Seconds between two looks.
const INTERVAL_S: u64 = 5;
/// Requests that wait at the same time.
const ASKS_MAX: usize = 100_000;
/// Requests that wait for one subscriber: nobody is worn down by questions.
const ASKS_OF_ONE_MAX: usize = 5;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answered {
    Not,
    Yes,
    No,
}

/// One question to a subscriber.
#[derive(Debug, Clone)]
pub(super) struct Ask {
    client: String,
    asked: Asked,
    subject: Subject,
    network: bool,
    expires_at: Timestamp,
    interval_s: u64,
    looked_at: Option<Duration>,
    answered: Answered,
}

impl Ask {
    fn view(&self, id: &str) -> AskView {
        AskView {
            id: id.to_owned(),
            client: self.client.clone(),
            purpose: self.asked.purpose.clone().unwrap_or_default(),
            scopes: self.asked.scopes.clone(),
            expires_at: self.expires_at,
        }
    }
}

/// The questions, by name.
pub(super) type Asks = HashMap<String, Ask>;

/// What a client asks.
#[derive(Debug, Clone, Default)]
pub struct AskRequest {
    /// Who asks, and how it proves that.
    pub client: TokenRequest,
    /// Whom to ask: `tel:+…` or `operatortoken:…`.
    pub login_hint: Option<String>,
    /// Whether another kind of hint came too.
    pub other_hint: bool,
}

/// What it gets.
#[derive(Debug, Clone, Serialize)]
pub struct AskAnswer {
    /// The name of the question.
    pub auth_req_id: String,
    /// Seconds that it stands.
    pub expires_in: u64,
    /// Seconds between two looks.
    pub interval: u64,
}

/// A question, as the subscriber sees it.
#[derive(Debug, Clone, Serialize)]
pub struct AskView {
    /// Its name.
    pub id: String,
    /// Who asks.
    pub client: String,
    /// What for.
    pub purpose: String,
    /// What it may then ask about the line.
    pub scopes: Vec<String>,
    /// Until when it stands.
    pub expires_at: Timestamp,
}

impl Gateway {
    /// The backchannel authentication endpoint.
    ///
    /// # Errors
    /// As OpenID CIBA 13 has them.
    pub async fn ask(&self, request: AskRequest) -> Result<AskAnswer, OAuthError> {
        let client = self
            .authenticated(
                request.client.client_id.as_deref(),
                request.client.client_assertion_type.as_deref(),
                request.client.client_assertion.as_deref(),
            )
            .await?;
        if !client.has_grant("ciba") {
            return Err(OAuthError::grant());
        }
        let scope = request.client.scope.as_deref().ok_or(OAuthError::scope())?;
        let asked = Asked::parse(scope, |scope| client.may(scope)).ok_or(OAuthError::scope())?;
        let purpose = asked.purpose.clone().ok_or(OAuthError::scope())?;
        let hint = match (&request.login_hint, request.other_hint) {
            (Some(hint), false) => hint,
            _ => {
                return Err(OAuthError::bad(
                    "invalid_request",
                    "send `login_hint` with `tel:+…` or `operatortoken:…`, and no other hint",
                ));
            }
        };
        let (subject, network) = self.hinted(hint).await?.ok_or(OAuthError::bad(
            "unknown_user_id",
            "the hint stands for no subscriber of ours",
        ))?;
        // Who is there by the network's word and has agreed already needs no question.
        let answered = match network && self.agrees(subject.line, &purpose, &client.id).await? {
            true => Answered::Yes,
            false => Answered::Not,
        };
        let id = crate::entry::hex(&self.draw::<24>());
        let ask = Ask {
            client: client.id.clone(),
            asked,
            subject,
            network,
            expires_at: self.now().plus(LIFE),
            interval_s: INTERVAL_S,
            looked_at: None,
            answered,
        };
        self.put_ask(id.clone(), ask)?;
        Ok(AskAnswer {
            auth_req_id: id,
            expires_in: LIFE.as_secs(),
            interval: INTERVAL_S,
        })
    }

    fn put_ask(&self, id: String, ask: Ask) -> Result<(), OAuthError> {
        let now = self.now();
        let mut asks = self.inner.asks.lock().unwrap_or_else(PoisonError::into_inner);
        if asks.len() >= ASKS_MAX {
            asks.retain(|_, ask| ask.expires_at.plus(LIFE) > now);
        }
        let of_one = asks
            .values()
            .filter(|other| other.subject.line == ask.subject.line && other.client == ask.client)
            .filter(|other| other.answered == Answered::Not && other.expires_at > now)
            .count();
        if asks.len() >= ASKS_MAX || of_one >= ASKS_OF_ONE_MAX {
            return Err(OAuthError::bad(
                "access_denied",
                "too many questions wait for this subscriber",
            ));
        }
        asks.insert(id, ask);
        Ok(())
    }

    /// Whether a client may ask about its permission for these scopes, and have the subscriber sent back there.
    ///
    /// # Errors
    /// [`Denied::ScopesPurpose`] and [`Denied::Callback`].
    pub fn may_be_told(
        &self,
        caller: &Caller,
        scopes: &[&str],
        callback: Option<&str>,
    ) -> Result<(), Denied> {
        let client = &caller.client;
        if !scopes
            .iter()
            .all(|scope| SCOPES.contains(scope) && client.may(scope))
        {
            return Err(Denied::ScopesPurpose);
        }
        let known = |url: &str| client.settings.redirect_uris.iter().any(|own| own == url);
        let any = client.sandbox && client.settings.redirect_uris.is_empty();
        match callback {
            Some(url) if !(known(url) || any && url.starts_with("https://")) => Err(Denied::Callback),
            _ => Ok(()),
        }
    }

    /// Asks the subscriber for their consent; answers where they are told who asks for what.
    ///
    /// # Errors
    /// [`Denied::CaptureFrequency`] when too many such questions wait for them.
    pub fn capture(
        &self,
        caller: &Caller,
        line: &LineFacts,
        scopes: &[&str],
        purpose: &str,
    ) -> Result<String, Denied> {
        let id = crate::entry::hex(&self.draw::<24>());
        let ask = Ask {
            client: caller.client_id().to_owned(),
            asked: Asked {
                scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
                purpose: Some(purpose.to_owned()),
                openid: false,
                offline: false,
            },
            subject: Subject {
                line: line.id,
                phone: line.phone.as_str().into(),
            },
            network: false,
            expires_at: self.now().plus(CAPTURE_LIFE),
            interval_s: INTERVAL_S,
            looked_at: None,
            answered: Answered::Not,
        };
        self.put_ask(id.clone(), ask)
            .map_err(|_| Denied::CaptureFrequency)?;
        Ok(format!("{}/oauth2/consent/{id}", self.inner.config.issuer))
    }

    /// Who asks for what in a question, for the page that says so. Nothing about the line.
    #[must_use]
    pub fn ask_shown(&self, id: &str) -> Option<AskView> {
        let now = self.now();
        let asks = self.inner.asks.lock().unwrap_or_else(PoisonError::into_inner);
        let ask = asks.get(id).filter(|ask| ask.expires_at > now)?;
        Some(ask.view(id))
    }

    pub(super) async fn by_ciba(
        &self,
        client: Arc<Client>,
        request: &TokenRequest,
    ) -> Result<TokenAnswer, OAuthError> {
        if !client.has_grant("ciba") {
            return Err(OAuthError::grant());
        }
        let id = request.auth_req_id.as_deref();
        let id = id.ok_or(OAuthError::bad("invalid_request", "`auth_req_id` is missing"))?;
        let ask = self.look(&client, id)?;
        let purpose = ask.asked.purpose.clone().unwrap_or_default();
        if !self.agrees(ask.subject.line, &purpose, &client.id).await? {
            return Err(OAuthError::bad("access_denied", "the subscriber withdrew"));
        }
        let family = ask.asked.offline.then(|| self.draw::<16>());
        let making = Making {
            client,
            asked: ask.asked,
            subject: Some(ask.subject),
            network: ask.network,
            nonce: None,
            family,
        };
        let (answer, _) = self.make(&making)?;
        self.with_refresh(answer, &making, None).await
    }

    /// Takes a question that was answered yes; says where the others stand.
    fn look(&self, client: &Client, id: &str) -> Result<Ask, OAuthError> {
        let (now, tick) = (self.now(), self.tick());
        let mut asks = self.inner.asks.lock().unwrap_or_else(PoisonError::into_inner);
        let unknown = OAuthError::bad("invalid_grant", "there is no such `auth_req_id`, or it was used");
        let Some(ask) = asks.get_mut(id) else {
            return Err(unknown);
        };
        if ask.client != client.id {
            return Err(unknown);
        }
        if ask.expires_at <= now {
            return Err(OAuthError::bad(
                "expired_token",
                "the subscriber did not answer in time",
            ));
        }
        match ask.answered {
            Answered::No => Err(OAuthError::bad("access_denied", "the subscriber said no")),
            Answered::Yes => asks.remove(id).ok_or(unknown),
            Answered::Not => {
                let early = ask
                    .looked_at
                    .is_some_and(|at| tick.saturating_sub(at) < Duration::from_secs(ask.interval_s));
                ask.looked_at = Some(tick);
                if early {
                    ask.interval_s += 5;
                    return Err(OAuthError::bad(
                        "slow_down",
                        "wait five seconds longer between two looks",
                    ));
                }
                Err(OAuthError::bad(
                    "authorization_pending",
                    "the subscriber has not answered yet",
                ))
            }
        }
    }

    /// Questions that wait for the subscriber of these lines.
    #[must_use]
    pub fn asks_of(&self, lines: &[SubscriptionId]) -> Vec<AskView> {
        let now = self.now();
        let asks = self.inner.asks.lock().unwrap_or_else(PoisonError::into_inner);
        let mut views: Vec<AskView> = asks
            .iter()
            .filter(|(_, ask)| lines.contains(&ask.subject.line))
            .filter(|(_, ask)| ask.answered == Answered::Not && ask.expires_at > now)
            .map(|(id, ask)| ask.view(id))
            .collect();
        views.sort_by_key(|view| view.expires_at);
        views
    }

    /// The subscriber answers; a yes is kept as their consent. `lines` are theirs.
    ///
    /// # Errors
    /// When there is no such question, or it is answered or over.
    pub async fn answer_ask(&self, id: &str, lines: &[SubscriptionId], approve: bool) -> Result<(), Error> {
        let ask = {
            let now = self.now();
            let asks = self.inner.asks.lock().unwrap_or_else(PoisonError::into_inner);
            asks.get(id)
                .filter(|ask| lines.contains(&ask.subject.line))
                .filter(|ask| ask.expires_at > now)
                .cloned()
                .ok_or_else(|| Error::not_found("question"))?
        };
        if approve && let Some(purpose) = &ask.asked.purpose {
            // Before the answer counts: nobody gets a token for a yes that is not on record.
            self.put_consent(ask.subject.line, purpose, &ask.client, "granted", "consent")
                .await?;
        }
        let mut asks = self.inner.asks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ask) = asks.get_mut(id) {
            ask.answered = if approve { Answered::Yes } else { Answered::No };
        }
        Ok(())
    }
}
