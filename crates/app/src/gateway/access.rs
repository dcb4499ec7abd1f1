//! Access tokens and who presents them.
//!
//! They are opaque and kept in memory by their hash, so one is gone at once when the client is frozen or the subscriber
//! withdraws; a restart ends all of them, and clients ask for new ones.

use super::client::{Client, Enough};
use super::line::Subject;
use super::{Denied, Gateway};
use crate::{Error, ErrorKind, token_hash};
use simwarden_model::Timestamp;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError};

/// Every access token begins with this, so that scanners for leaked secrets find it.
pub(super) const ACCESS_PREFIX: &str = "swg_";
/// Tokens at the same time.
const TOKENS_MAX: usize = 1_000_000;

/// What a token stands for.
#[derive(Debug, Clone)]
pub(super) struct Access {
    pub client: String,
    pub scopes: Arc<[String]>,
    pub purpose: Option<Arc<str>>,
    /// The line, when a subscriber stands behind it.
    pub subject: Option<Subject>,
    /// Whether the network or the SIM told which line it is.
    pub network: bool,
    pub expires_at: Timestamp,
}

/// The tokens, by hash.
pub(super) type Tokens = HashMap<[u8; 32], Access>;

/// Who calls, with what.
#[derive(Debug, Clone)]
pub struct Caller {
    pub(super) client: Arc<Client>,
    pub(super) access: Access,
    /// What is asked, for the subscriber's list.
    pub(super) api: &'static str,
}

impl Caller {
    /// The client's name.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.client.id
    }

    /// Whether a subscriber stands behind the token.
    #[must_use]
    pub const fn is_three_legged(&self) -> bool {
        self.access.subject.is_some()
    }

    /// Whether the token holds one of these scopes.
    #[must_use]
    pub fn has_one_of(&self, scopes: &[&str]) -> bool {
        self.access
            .scopes
            .iter()
            .any(|own| scopes.contains(&own.as_str()))
    }

    /// Whether the network or the SIM told which line it is.
    #[must_use]
    pub const fn by_network(&self) -> bool {
        self.access.subject.is_some() && self.access.network
    }

    /// This caller, asking this.
    #[must_use]
    pub const fn asking(mut self, api: &'static str) -> Self {
        self.api = api;
        self
    }

    /// This caller, for a question in which only the body says the line.
    pub(super) fn without_subject(&self) -> Self {
        let mut caller = self.clone();
        caller.access.subject = None;
        caller
    }

    pub(super) fn purpose(&self) -> &str {
        self.access.purpose.as_deref().unwrap_or("")
    }
}

impl Gateway {
    /// Keeps a new token; answers its secret.
    pub(super) fn keep_token(&self, access: Access) -> Result<String, Error> {
        let secret = format!("{ACCESS_PREFIX}{}", crate::entry::hex(&self.draw::<32>()));
        let now = self.wall();
        let mut tokens = self.inner.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        if tokens.len() >= TOKENS_MAX {
            tokens.retain(|_, access| access.expires_at > now);
            if tokens.len() >= TOKENS_MAX {
                return Err(Error::new(
                    ErrorKind::Unavailable,
                    "overloaded",
                    "too many access tokens are in use; try again",
                ));
            }
        }
        tokens.insert(token_hash(&secret), access);
        Ok(secret)
    }

    /// Who presents this token.
    ///
    /// # Errors
    /// [`Denied::Unauthenticated`] whatever is wrong with it.
    pub async fn caller(&self, secret: &str) -> Result<Caller, Denied> {
        if !secret.starts_with(ACCESS_PREFIX) || secret.len() > 100 {
            return Err(Denied::Unauthenticated);
        }
        let hash = token_hash(secret);
        let access = {
            let tokens = self.inner.tokens.lock().unwrap_or_else(PoisonError::into_inner);
            tokens.get(&hash).cloned()
        };
        let access = access.ok_or(Denied::Unauthenticated)?;
        if access.expires_at <= self.wall() {
            self.drop_token(&hash);
            return Err(Denied::Unauthenticated);
        }
        let client = self.client(&access.client).await?;
        let client = client.ok_or(Denied::Unauthenticated)?;
        if let Some(subject) = &access.subject
            && !self
                .agrees(subject.line, access.purpose.as_deref().unwrap_or(""), &client.id)
                .await?
        {
            // Withdrawn since, here or in another process.
            return Err(Denied::Unauthenticated);
        }
        Ok(Caller {
            client,
            access,
            api: "",
        })
    }

    /// Counts a call against what the client may ask.
    ///
    /// # Errors
    /// [`Denied::Quota`] and [`Denied::TooMany`].
    pub fn admit(&self, caller: &Caller) -> Result<(), Denied> {
        self.count(&caller.client).map_err(|enough| match enough {
            Enough::Quota => Denied::Quota,
            Enough::Burst { retry_after_s } => Denied::TooMany { retry_after_s },
        })
    }

    /// Takes one token back.
    pub(super) fn drop_token(&self, hash: &[u8; 32]) {
        let mut tokens = self.inner.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.remove(hash);
    }

    /// Takes tokens back: those for which `stay` says no.
    pub(super) fn drop_tokens(&self, stay: impl Fn(&[u8; 32], &Access) -> bool) {
        let mut tokens = self.inner.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.retain(|hash, access| stay(hash, access));
    }
}
