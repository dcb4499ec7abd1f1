//! What a developer at a bank, or a test, may do besides asking: make lines up, change a SIM, read the texts, move the
//! clock, answer for the owner. Exists only where the server was started for it.

use super::Gateway;
use super::events::SandboxSink;
use super::write::{Do, GatewayWrite};
use crate::draft::{About, Draft};
use crate::secrets::{Of, ProfileSecret, open, seal, subject_key};
use crate::world::{Needs, World};
use crate::{Error, ErrorKind};
use simwarden_model::{Iccid, Imei, ProfileId, ProfileState, Role, SubscriptionId};
use simwarden_store::records::profile::Profile;
use simwarden_store::records::subscription::Subscription;
use simwarden_store::{Indexed, Keyring, SubjectKey};
use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};

/// Texts kept for one number, and numbers.
const TEXTS_MAX: usize = 200;
const NUMBERS_MAX: usize = 20_000;
/// The clock is moved by at most ten years in all.
const AHEAD_S_MAX: u64 = 10 * 366 * 24 * 3600;

/// What only a sandbox holds.
#[derive(Default)]
pub(super) struct Sandbox {
    texts: Mutex<HashMap<String, Vec<String>>>,
    sink: Mutex<Option<SandboxSink>>,
}

impl Sandbox {
    pub(super) fn text(&self, phone: &str, text: &str) {
        let mut texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        if texts.len() >= NUMBERS_MAX {
            texts.clear();
        }
        let of = texts.entry(phone.to_owned()).or_default();
        if of.len() >= TEXTS_MAX {
            of.remove(0);
        }
        of.push(text.to_owned());
    }

    pub(super) fn sink(&self) -> Option<SandboxSink> {
        self.sink.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn sink_prefix(&self) -> Option<String> {
        self.sink().map(|sink| sink.prefix)
    }

    pub(super) fn begin(&self, sink: Option<SandboxSink>) {
        self.texts.lock().unwrap_or_else(PoisonError::into_inner).clear();
        *self.sink.lock().unwrap_or_else(PoisonError::into_inner) = sink;
    }
}

impl Gateway {
    /// This gateway's sandbox.
    ///
    /// # Errors
    /// When it has none.
    pub(super) fn sandbox(&self) -> Result<&Sandbox, Error> {
        self.inner
            .sandbox
            .as_ref()
            .ok_or_else(|| Error::new(ErrorKind::Forbidden, "no_sandbox", "this server has no sandbox"))
    }

    /// Texts to a number so far, the oldest first.
    ///
    /// # Errors
    /// When there is no sandbox.
    pub fn sandbox_texts(&self, phone: &str) -> Result<Vec<String>, Error> {
        let texts = self
            .sandbox()?
            .texts
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        Ok(texts.get(phone).cloned().unwrap_or_default())
    }

    /// Moves the clock by which answers are given.
    ///
    /// # Errors
    /// When there is no sandbox, or it would move too far.
    pub fn sandbox_advance(&self, seconds: u64) -> Result<(), Error> {
        self.sandbox()?;
        let moved = self
            .inner
            .ahead_s
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |ahead| {
                ahead.checked_add(seconds).filter(|ahead| *ahead <= AHEAD_S_MAX)
            });
        moved
            .map(drop)
            .map_err(|_| Error::invalid("seconds", "the clock moves by at most ten years in all"))
    }

    /// Answers for the owner.
    ///
    /// # Errors
    /// When there is no such question.
    pub async fn sandbox_decide(&self, id: &str, approve: bool) -> Result<(), Error> {
        self.sandbox()?;
        let rows = self.app().store().sandbox_lines().await?;
        let lines: Vec<SubscriptionId> = rows.into_iter().map(|row| row.subscription_id).collect();
        self.answer_ask(id, &lines, approve).await
    }

    /// The word of the network about a line of the sandbox.
    ///
    /// # Errors
    /// When the number is not one of the sandbox's.
    pub async fn sandbox_operator_token(&self, phone: &str) -> Result<String, Error> {
        self.sandbox_line(phone).await?;
        self.operator_token(phone).await
    }

    /// A line of the sandbox: what is a person's is never touched from here.
    async fn sandbox_line(&self, phone: &str) -> Result<Subscription, Error> {
        self.sandbox()?;
        let none = || Error::not_found("line in the sandbox");
        let row = self.row_of(phone).await?.ok_or_else(none)?;
        let extra = self.app().store().gateway_line(row.id).await?;
        extra.filter(|extra| extra.sandbox).map(|_| row).ok_or_else(none)
    }

    /// The line's SIM is replaced now: the old profile stops, a new one begins.
    ///
    /// # Errors
    /// When the number is not one of the sandbox's.
    pub async fn sandbox_sim_swap(&self, phone: &str) -> Result<(), Error> {
        let line = self.sandbox_line(phone).await?;
        let shared = self.app().shared();
        let (id, at) = (line.id, self.now());
        let job = Do {
            needs: Needs {
                lines: vec![id],
                ..Needs::default()
            },
            run: move |world: &World, draft: &mut Draft<'_>| {
                let row = world.lines.get(&id).ok_or_else(|| Error::not_found("line"))?;
                let key = subject_key(&shared.keyring, world.keys.get(&row.party_id))?;
                draft.begin_entry("gateway.sandbox_swap", Role::System, None);
                draft.entry().line = Some(id);
                let mut imei = None;
                for profile in world.profiles.get(&id).into_iter().flatten().filter(|p| p.live) {
                    imei = imei_of(profile, &key)?;
                    draft.change_profile(Profile {
                        live: false,
                        state: ProfileState::Disabled,
                        ..profile.clone()
                    });
                }
                let fresh = made_up_profile(&shared.keyring, &key, row, imei, draft)?;
                draft.add_profile(fresh);
                draft.change_subscription(Subscription {
                    swapped_at: Some(at),
                    ..row.clone()
                });
                let about = About {
                    line: Some(id),
                    ..About::default()
                };
                draft.history("sim_swapped", &about, &serde_json::json!({ "by": "sandbox" }));
                draft.end_entry().map(drop)
            },
        };
        self.app().commit(job).await
    }

    /// Everything that waits or is open is forgotten: a new scene begins.
    pub(super) fn forget_scene(&self) {
        self.inner.ahead_s.store(0, Ordering::Relaxed);
        self.drop_tokens(|_, _| false);
        self.forget_codes();
        self.forget_clients();
        self.inner
            .usage
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
        self.inner
            .asks
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
        self.inner
            .codes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
        self.inner
            .proofs
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    /// Closes a line of the sandbox that the new scene does not have.
    pub(super) async fn close_line(&self, id: SubscriptionId) -> Result<(), Error> {
        let job = Do {
            needs: Needs {
                lines: vec![id],
                ..Needs::default()
            },
            run: move |world: &World, draft: &mut Draft<'_>| {
                let Some(row) = world.lines.get(&id) else {
                    return Ok(());
                };
                if row.state.is_terminal() {
                    return Ok(());
                }
                draft.begin_entry("gateway.sandbox_closed", Role::System, None);
                draft.entry().line = Some(id);
                for profile in world.profiles.get(&id).into_iter().flatten().filter(|p| p.live) {
                    draft.change_profile(Profile {
                        live: false,
                        state: ProfileState::Deleted,
                        ..profile.clone()
                    });
                }
                draft.change_subscription(Subscription {
                    state: simwarden_model::SubscriptionState::Closed,
                    ..row.clone()
                });
                draft.gateway(GatewayWrite::DropOf(id));
                draft.end_entry().map(drop)
            },
        };
        self.app().commit(job).await
    }
}

fn imei_of(profile: &Profile, key: &SubjectKey) -> Result<Option<String>, Error> {
    match &profile.sealed {
        Some(sealed) => Ok(open::<ProfileSecret>(key, Of::Profile, profile.id.as_bytes(), sealed)?.imei),
        None => Ok(None),
    }
}

/// Digits out of nowhere.
pub(super) fn digits(count: usize, draft: &mut Draft<'_>) -> String {
    let mut bytes = vec![0; count];
    draft.entropy.fill(&mut bytes);
    bytes.iter().map(|byte| char::from(b'0' + byte % 10)).collect()
}

/// A phone's number out of nowhere, with the type allocation code of test equipment.
pub(super) fn made_up_imei(draft: &mut Draft<'_>) -> Result<String, Error> {
    let digits = format!("00101000{}", digits(6, draft));
    let imei = Imei::parse(&digits).map_err(Error::internal)?;
    Ok(imei.reveal().to_owned())
}

/// A live profile out of nowhere, for a line of the sandbox.
pub(super) fn made_up_profile(
    keyring: &Keyring,
    key: &SubjectKey,
    line: &Subscription,
    imei: Option<String>,
    draft: &mut Draft<'_>,
) -> Result<Profile, Error> {
    let digits = format!("8999901{}", digits(11, draft));
    let iccid = Iccid::parse_without_check(&digits).map_err(Error::internal)?;
    let id = ProfileId::draw(draft.now, draft.entropy);
    let secret = ProfileSecret {
        iccid: iccid.reveal().to_owned(),
        imei: imei.clone(),
        ..ProfileSecret::default()
    };
    Ok(Profile {
        id,
        operator: line.operator.clone(),
        subscription_id: Some(line.id),
        iccid_idx: keyring.index(Indexed::Iccid, iccid.reveal().as_bytes()),
        imsi_idx: None,
        eid_idx: None,
        imei_idx: imei.map(|imei| keyring.index(Indexed::Imei, imei.as_bytes())),
        state: ProfileState::Enabled,
        live: true,
        sealed: Some(seal(key, Of::Profile, id.as_bytes(), &secret, draft.entropy)?),
        created_at: draft.now,
        version: 1,
        import_id: None,
    })
}
