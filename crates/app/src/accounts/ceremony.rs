//! Challenges on their way: sealed, handed to whoever asked, opened when the answer comes. Nothing is written for a
//! challenge that nobody answers, so asking for millions of them costs the database nothing.

use crate::{Error, ErrorKind};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use simwarden_model::{AccountId, CeremonyId, Entropy, Timestamp};
use simwarden_store::Keyring;
use std::time::Duration;

/// How long an answer may take.
pub(crate) const CEREMONY_LIFE: Duration = Duration::from_secs(5 * 60);
/// The longest sealed challenge that is opened.
const SEALED_BYTES_MAX: usize = 48 * 1024;
const CONTEXT: &[u8] = b"ceremony";

pub(crate) fn base64url(bytes: &[u8]) -> String {
    BASE64URL.encode(bytes)
}

/// What a challenge is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Purpose {
    /// The first passkey, by invitation or after a recovery.
    Enrol,
    /// Another passkey, by somebody signed in.
    AddPasskey,
    SignIn,
    /// A signature over an operation, as evidence.
    Evidence,
    /// A signature over the answer to a question.
    Approval,
    /// A link that says no.
    Deny,
}

/// A challenge.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Ceremony {
    pub id: CeremonyId,
    pub purpose: Purpose,
    pub account: Option<AccountId>,
    /// The operation or question.
    pub subject: Option<[u8; 16]>,
    /// What keeps the challenge over one request from being the same twice.
    pub nonce: [u8; 32],
    /// What the answer is checked against.
    pub state: Value,
    pub expires_at: Timestamp,
}

/// A challenge that cannot be answered any more.
pub(crate) fn over() -> Error {
    Error::new(
        ErrorKind::State,
        "challenge_over",
        "this challenge is over or was answered already: begin again",
    )
}

impl Ceremony {
    pub(crate) fn new(
        purpose: Purpose,
        state: Value,
        now: Timestamp,
        life: Duration,
        entropy: &mut dyn Entropy,
    ) -> Self {
        let mut nonce = [0; 32];
        entropy.fill(&mut nonce);
        Self {
            id: CeremonyId::draw(now, entropy),
            purpose,
            account: None,
            subject: None,
            nonce,
            state,
            expires_at: now.plus(life),
        }
    }

    /// As it travels.
    pub(crate) fn seal(&self, keyring: &Keyring, entropy: &mut dyn Entropy) -> Result<String, Error> {
        let plain = serde_json::to_vec(self).map_err(Error::internal)?;
        Ok(base64url(&keyring.seal_common(CONTEXT, &plain, entropy)))
    }

    /// Opens what came back, if it is for this purpose and not over.
    pub(crate) fn open(
        keyring: &Keyring,
        text: &str,
        purpose: Purpose,
        now: Timestamp,
    ) -> Result<Self, Error> {
        if text.len() > SEALED_BYTES_MAX {
            return Err(over());
        }
        let sealed = BASE64URL.decode(text).map_err(|_| over())?;
        let plain = keyring.open_common(CONTEXT, &sealed).map_err(|_| over())?;
        let ceremony: Self = serde_json::from_slice(&plain).map_err(|_| over())?;
        if ceremony.purpose != purpose || ceremony.expires_at <= now {
            return Err(over());
        }
        Ok(ceremony)
    }
}
