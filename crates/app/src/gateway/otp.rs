//! One-time codes by text message, as proof that somebody holds a number at this moment.
//!
//! They live in memory only: a restart ends them, and nobody can read them in a database. Tries are counted under one
//! lock, so guessing in parallel gains nothing.

use super::access::Caller;
use super::line::{LineFacts, PhoneRule};
use super::{Denied, Gateway};
use crate::notice::NOTIFY;
use crate::ports::Notice;
use crate::secrets::{Of, seal, subject_key};
use crate::world::{Needs, World};
use simwarden_guard::Notify;
use simwarden_model::{OutboxId, Role, SubscriptionState, Timestamp};
use simwarden_store::records::outbox::OutboxItem;
use std::collections::HashMap;
use std::sync::PoisonError;
use std::time::Duration;

/// Codes kept, those that are over included, so that they can be told apart from those that never were.
const KEPT_MAX: usize = 500_000;
/// How long one that is over is remembered.
const REMEMBERED: Duration = Duration::from_secs(24 * 3600);
/// The window in which codes to one number are counted.
const WINDOW: Duration = Duration::from_secs(3600);

/// How codes are limited; an operator may set it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OtpLimits {
    /// How long a code holds.
    pub life: Duration,
    /// Wrong tries before a code is void.
    pub tries_max: u32,
    /// Codes to one number in an hour.
    pub sends_max: usize,
    /// How long no code is sent after the number moved to another SIM.
    pub rest_after_swap: Duration,
}

impl Default for OtpLimits {
    fn default() -> Self {
        Self {
            life: Duration::from_secs(180),
            tries_max: 3,
            sends_max: 5,
            rest_after_swap: Duration::from_secs(24 * 3600),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stands {
    Open,
    Used,
    Replaced,
}

struct Code {
    client: String,
    phone: String,
    code: String,
    tries: u32,
    stands: Stands,
    expires_at: Timestamp,
}

/// The codes and how many each number was sent.
#[derive(Default)]
pub(super) struct Otps {
    codes: HashMap<String, Code>,
    open: HashMap<(String, String), String>,
    sent: HashMap<String, Vec<Timestamp>>,
}

impl Otps {
    fn sweep(&mut self, now: Timestamp) {
        if self.codes.len() < KEPT_MAX {
            return;
        }
        self.codes
            .retain(|_, code| code.expires_at.plus(REMEMBERED) > now);
        let codes = &self.codes;
        self.open.retain(|_, id| codes.contains_key(id));
        self.sent
            .retain(|_, times| times.last().is_some_and(|at| at.plus(WINDOW) > now));
    }

    fn may_send(&mut self, phone: &str, now: Timestamp, most: usize) -> bool {
        let times = self.sent.entry(phone.to_owned()).or_default();
        times.retain(|at| at.plus(WINDOW) > now);
        if times.len() >= most {
            return false;
        }
        times.push(now);
        true
    }

    fn put(&mut self, id: &str, code: Code) {
        let who = (code.client.clone(), code.phone.clone());
        if let Some(before) = self.open.insert(who, id.to_owned())
            && let Some(before) = self.codes.get_mut(&before)
            && before.stands == Stands::Open
        {
            before.stands = Stands::Replaced;
        }
        self.codes.insert(id.to_owned(), code);
    }
}

impl Gateway {
    /// Sends a code; answers by which name it is validated. `message` holds `{{code}}`.
    ///
    /// # Errors
    /// Where nothing is sent: unknown numbers, those that take no texts, barred ones, those whose SIM was just changed.
    pub async fn send_code(&self, caller: &Caller, phone: &str, message: &str) -> Result<String, Denied> {
        // Whoever stands behind the token, the code goes to the number in the body.
        let caller = caller.without_subject();
        let line = match self.line_of(&caller, Some(phone), PhoneRule::LeftOut).await {
            Err(Denied::IdentifierNotFound) => {
                return Err(Denied::NotFound("this phone number is not one of ours"));
            }
            other => other?,
        };
        let limits = self.inner.config.otp;
        self.takes_codes(&line, limits.rest_after_swap)?;
        let now = self.now();
        let number = u64::from_be_bytes(self.draw::<8>()) % 1_000_000;
        let (code, id) = (format!("{number:06}"), crate::entry::hex(&self.draw::<16>()));
        {
            let mut otps = self.inner.otps.lock().unwrap_or_else(PoisonError::into_inner);
            otps.sweep(now);
            if otps.codes.len() >= KEPT_MAX {
                return Err(Denied::Full("too many codes are open; try again later"));
            }
            if !otps.may_send(phone, now, limits.sends_max) {
                return Err(Denied::OtpTooMany);
            }
            let kept = Code {
                client: caller.client_id().to_owned(),
                phone: phone.to_owned(),
                code: code.clone(),
                tries: 0,
                stands: Stands::Open,
                expires_at: now.plus(limits.life),
            };
            otps.put(&id, kept);
        }
        self.text_to(&line, message.replace("{{code}}", &code)).await?;
        Ok(id)
    }

    fn takes_codes(&self, line: &LineFacts, rest: Duration) -> Result<(), Denied> {
        if line.machine
            || matches!(line.sms.as_str(), "incapable" | "landline")
            || line.sim == super::line::Sim::None
        {
            return Err(Denied::NumberNotAllowed);
        }
        let resting = line.swapped_at.is_some_and(|at| at.plus(rest) > self.now());
        if line.sms == "barred" || line.frozen || resting || line.state == SubscriptionState::Suspended {
            return Err(Denied::NumberBlocked);
        }
        Ok(())
    }

    /// Hands a text to the network, as an effect like any other.
    async fn text_to(&self, line: &LineFacts, text: String) -> Result<(), Denied> {
        if let Some(sandbox) = self.inner.sandbox.as_ref().filter(|_| line.is_made_up()) {
            sandbox.text(&line.phone, &text);
        }
        let (keyring, party, id) = (self.app().shared(), line.party, line.id);
        let phone = line.phone.trim_start_matches('+').to_owned();
        let job = super::write::Do {
            needs: Needs {
                parties: vec![party],
                ..Needs::default()
            },
            run: move |world: &World, draft: &mut crate::draft::Draft<'_>| {
                let key = subject_key(&keyring.keyring, world.keys.get(&party))?;
                draft.begin_entry("gateway.code_sent", Role::System, None);
                draft.entry().line = Some(id);
                let item = OutboxId::draw(draft.now, draft.entropy);
                let notice = Notice {
                    to: Notify::OldSim,
                    phone: Some(phone.clone()),
                    email: None,
                    language: "en".to_owned(),
                    text: text.clone(),
                };
                let sealed = seal(&key, Of::Notice, item.as_bytes(), &notice, draft.entropy)?;
                draft.outbox(OutboxItem {
                    id: item,
                    operation_id: None,
                    party_id: Some(party),
                    kind: NOTIFY.to_owned(),
                    payload: serde_json::json!({ "occasion": "gateway_code" }).to_string(),
                    sealed: Some(sealed),
                    due_at: draft.now,
                    attempts: 0,
                    done_at: None,
                    outcome: None,
                    entry: draft.index(),
                });
                draft.end_entry().map(drop)
            },
        };
        Ok(self.app().commit(job).await?)
    }

    /// Tries a code.
    ///
    /// # Errors
    /// [`Denied::NotFound`] for another client's too; [`Denied::OtpInvalid`], [`Denied::OtpFailed`],
    /// [`Denied::OtpExpired`].
    pub fn validate_code(&self, caller: &Caller, id: &str, code: &str) -> Result<(), Denied> {
        let now = self.now();
        let tries_max = self.inner.config.otp.tries_max;
        let mut otps = self.inner.otps.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = otps
            .codes
            .get_mut(id)
            .filter(|kept| kept.client == caller.client_id())
            .ok_or(Denied::NotFound("there is no such `authenticationId`"))?;
        if kept.stands != Stands::Open || kept.expires_at <= now {
            return Err(Denied::OtpExpired);
        }
        if kept.tries >= tries_max {
            return Err(Denied::OtpFailed);
        }
        if kept.code != code {
            kept.tries += 1;
            return Err(Denied::OtpInvalid);
        }
        kept.stands = Stands::Used;
        Ok(())
    }

    /// The sandbox begins anew.
    pub(super) fn forget_codes(&self) {
        *self.inner.otps.lock().unwrap_or_else(PoisonError::into_inner) = Otps::default();
    }
}
