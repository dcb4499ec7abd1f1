//! The Open Gateway: banks and services ask about lines, and are told (CAMARA APIs and their authorisation server).
//!
//! Answers come from the registry's rows, read anew for every question, through one internal model ([`LineFacts`]); an
//! API version is a thin mapping at the edge. Tokens, codes and questions that wait live in memory: they are short-lived,
//! and gone at once when they are taken back. Consents, clients, refresh tokens, watches and who asked are rows.
//!
//! This module knows no HTTP: the edge gives every [`Denied`] its status and official code.

mod access;
mod answers;
mod asked;
mod assertion;
mod ciba;
mod client;
mod client_key;
mod code;
mod consent;
mod context;
mod denied;
mod events;
mod grants;
mod kyc;
mod line;
mod oauth;
mod otp;
mod sandbox;
mod scope;
mod seed;
mod server_key;
mod watch;
mod write;

pub use access::Caller;
pub use answers::{
    LatestChange, day_from, day_of, device_change, device_swapped, held_since, may_look_back, past_day,
    recycled_since, sim_change, sim_swapped, time_from,
};
pub use asked::{AskedView, FanOut};
pub use ciba::{AskAnswer, AskRequest, AskView};
pub use client::{Client, ClientSettings};
pub use client_key::ClientKey;
pub use code::{AuthorizeRequest, Redirect};
pub use consent::{ConsentView, Validity};
pub use context::SwapContext;
pub use denied::Denied;
pub use events::{EventSink, SandboxSink, SinkAnswer, SinkCall};
pub use grants::{TokenAnswer, TokenRequest};
/// A calendar day.
pub use jiff::civil::Date as Day;
pub use kyc::{ATTRIBUTES, AgeAnswer, Record, Verdict, age, compare, may_compare};
pub use line::{LineFacts, PhoneRule, Sim, Subject, phone_hash};
pub use oauth::OAuthError;
pub use otp::OtpLimits;
pub use scope::{Asked, SCOPES, is_purpose};
pub use seed::Seed;
pub use watch::{NewWatch, WatchView};
pub(crate) use write::GatewayWrite;

use crate::app::App;
use crate::{Error, token_hash};
use sandbox::Sandbox;
use server_key::ServerKey;
use simwarden_model::Timestamp;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long the network's word about a line holds.
const PROOF_LIFE: Duration = Duration::from_secs(600);
/// Words of the network at the same time.
const PROOFS_MAX: usize = 500_000;

/// How the gateway is to run.
pub struct GatewayConfig {
    /// The address by which clients reach it, without a slash at its end: the issuer of its tokens.
    pub issuer: String,
    /// How many days back swaps may be told of; without a limit when absent.
    pub monitored_days: Option<u32>,
    /// How one-time codes are limited.
    pub otp: OtpLimits,
    /// From when on a client's questions are unusual.
    pub fan_out: FanOut,
    /// Calls the sinks of clients.
    pub sink: Arc<dyn EventSink>,
    /// Whether lines and clients can be made up, and the clock moved.
    pub sandbox: bool,
}

/// The gateway. Cheap to clone.
#[derive(Clone)]
pub struct Gateway {
    inner: Arc<Inner>,
}

struct Inner {
    app: App,
    config: GatewayConfig,
    key: ServerKey,
    started: Timestamp,
    /// How far a sandbox has moved the clock, in seconds.
    ahead_s: AtomicU64,
    clients: Mutex<client::Clients>,
    usage: Mutex<HashMap<String, client::Usage>>,
    tokens: Mutex<access::Tokens>,
    /// Assertions that were used, until when.
    replay: Mutex<HashMap<[u8; 32], i64>>,
    asks: Mutex<ciba::Asks>,
    codes: Mutex<code::Codes>,
    /// The network's words about lines, until when.
    proofs: Mutex<HashMap<[u8; 32], (Subject, Timestamp)>>,
    otps: Mutex<otp::Otps>,
    asked: Mutex<asked::AskedLately>,
    sandbox: Option<Sandbox>,
    /// Something may be due to be sent.
    found: tokio::sync::Notify,
}

impl Gateway {
    /// Opens the gateway on the use cases.
    ///
    /// # Errors
    /// When no key can be derived for identity tokens.
    pub fn open(app: App, config: GatewayConfig) -> Result<Self, Error> {
        let inner = Inner {
            key: ServerKey::of(app.keyring())?,
            started: app.now(),
            ahead_s: AtomicU64::new(0),
            clients: Mutex::default(),
            usage: Mutex::default(),
            tokens: Mutex::default(),
            replay: Mutex::default(),
            asks: Mutex::default(),
            codes: Mutex::default(),
            proofs: Mutex::default(),
            otps: Mutex::default(),
            asked: Mutex::default(),
            sandbox: config.sandbox.then(Sandbox::default),
            found: tokio::sync::Notify::new(),
            app,
            config,
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// The use cases behind it.
    #[must_use]
    pub fn app(&self) -> &App {
        &self.inner.app
    }

    /// The issuer of its tokens.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.inner.config.issuer
    }

    /// How many days back swaps may be told of.
    #[must_use]
    pub fn monitored_days(&self) -> Option<u32> {
        self.inner.config.monitored_days
    }

    /// The time by which answers are given: the clock, and in a sandbox how far it was moved.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.wall()
            .plus(Duration::from_secs(self.inner.ahead_s.load(Ordering::Relaxed)))
    }

    /// The time by which tokens live. A sandbox does not move it: its clients' clocks stand still too.
    fn wall(&self) -> Timestamp {
        self.inner.app.now()
    }

    fn tick(&self) -> Duration {
        self.inner.app.monotonic()
    }

    fn draw<const N: usize>(&self) -> [u8; N] {
        self.inner.app.draw()
    }

    /// The public key of identity tokens, a JWK Set.
    #[must_use]
    pub fn jwks(&self) -> serde_json::Value {
        self.inner.key.jwks()
    }

    /// A word of the network about a line: whoever shows it stands behind that line (GSMA TS.43). The network's own
    /// entitlement server asks for it; so does a sandbox.
    ///
    /// # Errors
    /// When the number is not ours, or too many are in use.
    pub async fn operator_token(&self, phone: &str) -> Result<String, Error> {
        let subject = self
            .subject_of(phone)
            .await?
            .ok_or_else(|| Error::not_found("line"))?;
        let secret = format!("swo_{}", crate::entry::hex(&self.draw::<32>()));
        let now = self.wall();
        let mut proofs = self.inner.proofs.lock().unwrap_or_else(PoisonError::into_inner);
        if proofs.len() >= PROOFS_MAX {
            proofs.retain(|_, (_, until)| *until > now);
        }
        if proofs.len() >= PROOFS_MAX {
            return Err(Error::new(
                crate::ErrorKind::Unavailable,
                "overloaded",
                "too many operator tokens are in use; try again",
            ));
        }
        proofs.insert(token_hash(&secret), (subject, now.plus(PROOF_LIFE)));
        Ok(secret)
    }

    /// The line that a word of the network is about.
    fn proven(&self, token: &str) -> Option<Subject> {
        if token.len() > 100 {
            return None;
        }
        let now = self.wall();
        let proofs = self.inner.proofs.lock().unwrap_or_else(PoisonError::into_inner);
        let (subject, until) = proofs.get(&token_hash(token))?;
        (*until > now).then(|| subject.clone())
    }
}
