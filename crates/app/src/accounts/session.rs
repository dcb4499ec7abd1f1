//! Sessions: who is signed in where. A session is recognised by a secret that only its hash is stored of, on the device
//! where it was begun; its secret changes while it is used, and whoever shows an old one ends it.

use super::account::{AccountSecret, begin, known};
use super::marks::device_mark;
use super::view::SessionView;
use super::world::{AccountNeeds, AccountWrite};
use crate::app::App;
use crate::committer::Job;
use crate::draft::Draft;
use crate::secrets::Of;
use crate::shared::Shared;
use crate::tokens::token_hash;
use crate::world::{Needs, World};
use crate::{Actor, Error, ErrorKind};
use serde::{Deserialize, Serialize};
use simwarden_model::{AccountId, Role, SessionId, Timestamp, TokenId};
use simwarden_store::BlindIndex;
use simwarden_store::records::account::Account;
use simwarden_store::records::session::{Ends, SessionRow};
use std::time::Duration;

/// Every session's secret begins with this.
pub const SESSION_PREFIX: &str = "sws_";
/// How long a session lives (NIST SP 800-63B-4: at most 12 hours at AAL2).
pub(crate) const SESSION_LIFE: Duration = Duration::from_secs(12 * 3600);
/// After this long its secret changes.
const ROTATED_AFTER: Duration = Duration::from_secs(15 * 60);
/// So long the secret before it is still taken: requests that were on their way.
const OLD_SECRET_GRACE: Duration = Duration::from_secs(60);
/// How long a session that was looked up is believed without looking again.
const CACHE: Duration = Duration::from_secs(1);
const CACHE_MAX: usize = 4096;

/// What was seen of a session when it began and of its account, for the guard's facts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signs {
    /// The network was new to the account.
    pub new_network: bool,
    /// The country was new to the account.
    pub new_country: bool,
    /// The password is on a list of leaked ones.
    pub password_leaked: bool,
    /// The session was begun with a passkey.
    pub by_passkey: bool,
    /// When the last passkey was added to the account.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub factor_added_at: Option<Timestamp>,
    /// When the password was last set.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub password_at: Option<Timestamp>,
}

/// What is sealed in a session.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SessionSecret {
    pub address: String,
    pub agent: String,
    pub risk: String,
    pub reasons: Vec<String>,
}

/// A session that was looked up.
#[derive(Debug, Clone)]
pub(crate) struct Recognised {
    actor: Actor,
    device: BlindIndex,
    /// Whether the secret was the one before the present one.
    old: bool,
    rotated_at: Timestamp,
    expires_at: Timestamp,
}

fn no() -> Error {
    Error::new(
        ErrorKind::Unauthenticated,
        "session_over",
        "this session is over: sign in again",
    )
}

impl App {
    /// Who is signed in with this secret on this device, and the next secret when it is time to change it.
    ///
    /// # Errors
    /// [`ErrorKind::Unauthenticated`] when the session is unknown, over, or shown on another device.
    pub async fn recognise_session(
        &self,
        secret: &str,
        device: Option<&str>,
    ) -> Result<(Actor, Option<String>), Error> {
        if !secret.starts_with(SESSION_PREFIX) || secret.len() > 100 {
            return Err(no());
        }
        let hash = token_hash(secret);
        let (now, tick) = (self.now(), self.monotonic());
        let cached = self.desk().sessions().get(&hash).cloned();
        let session = match cached {
            Some((at, session)) if tick.saturating_sub(at) < CACHE => session,
            _ => {
                let session = self.look_up_session(hash, now).await?;
                let mut cache = self.desk().sessions();
                if cache.len() >= CACHE_MAX {
                    cache.clear();
                }
                cache.insert(hash, (tick, session.clone()));
                session
            }
        };
        let here = device.is_some_and(|device| device_mark(self.keyring(), device) == session.device);
        if session.expires_at <= now || !here {
            return Err(no());
        }
        if session.old || now.since(session.rotated_at) < ROTATED_AFTER {
            return Ok((session.actor, None));
        }
        let next = self.rotate(hash, now).await?;
        Ok((session.actor, next))
    }

    /// Whether a session that was recognised before still stands, whatever its secret is by now.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn session_stands(&self, session: SessionId) -> Result<bool, Error> {
        let row = self.store().session(session).await?;
        Ok(row.is_some_and(|row| row.ended_at.is_none() && row.expires_at > self.now()))
    }

    async fn look_up_session(&self, hash: [u8; 32], now: Timestamp) -> Result<Recognised, Error> {
        let row = self.store().session_by_hash(hash).await?.ok_or_else(no)?;
        if row.mac != row.expected_mac(self.keyring()) {
            tracing::error!(session = %row.id, "a session's row was made or changed behind the ledger's back");
            return Err(no());
        }
        if row.ended_at.is_some() || row.expires_at <= now {
            return Err(no());
        }
        let old = row.hash != hash;
        let account = self.usable_account(row.account_id).await?.ok_or_else(no)?;
        if old && now.since(row.rotated_at) >= OLD_SECRET_GRACE {
            // The owner has the present one. Whoever shows the one before has copied it, or was copied from.
            tracing::warn!(session = %row.id, "an old secret of a session was shown: the session is ended");
            self.end(&account, Ends::One(row.id), "stolen").await?;
            return Err(no());
        }
        let passkeys = self.store().passkeys_of(account.id).await?;
        if let Some(id) = row.passkey_id
            && !passkeys
                .iter()
                .any(|passkey| passkey.id == id && passkey.is_good())
        {
            return Err(no());
        }
        let key = self.account_key(&account).await?;
        let secret: AccountSecret = key.open(Of::Account, account.id.as_bytes(), &account.sealed)?;
        let seen: SessionSecret = key.open(Of::Session, row.id.as_bytes(), &row.sealed)?;
        let signs = Signs {
            new_network: seen.reasons.iter().any(|reason| reason == "new_network"),
            new_country: seen.reasons.iter().any(|reason| reason == "new_country"),
            by_passkey: row.passkey_id.is_some(),
            password_leaked: account.password_due.as_deref() == Some("password_leaked"),
            factor_added_at: passkeys.iter().map(|passkey| passkey.added_at).max(),
            password_at: account.password_at,
        };
        let actor = actor_of(&account, &row, secret.name, signs);
        Ok(Recognised {
            actor,
            device: row.device_idx,
            old,
            rotated_at: row.rotated_at,
            expires_at: row.expires_at,
        })
    }

    async fn rotate(&self, hash: [u8; 32], now: Timestamp) -> Result<Option<String>, Error> {
        let Some(mut row) = self.store().session_by_hash(hash).await? else {
            return Err(no());
        };
        if row.hash != hash {
            return Ok(None);
        }
        let secret = self.session_secret();
        row.before_hash = Some(hash);
        row.hash = token_hash(&secret);
        row.rotated_at = now;
        row.mac = row.expected_mac(self.keyring());
        match self.commit(Rotate { row, before: hash }).await {
            Ok(()) => {
                self.desk().sessions().remove(&hash);
                Ok(Some(secret))
            }
            // Another request of the same page was faster.
            Err(error) if error.kind == ErrorKind::Conflict => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn session_secret(&self) -> String {
        format!("{SESSION_PREFIX}{}", crate::entry::hex(&self.draw::<32>()))
    }

    /// Ends sessions of an account by itself.
    async fn end(&self, account: &Account, which: Ends, why: &'static str) -> Result<(), Error> {
        let actor = Actor::system();
        self.end_as(&actor, account.id, which, why).await
    }

    async fn end_as(
        &self,
        actor: &Actor,
        account: AccountId,
        which: Ends,
        why: &'static str,
    ) -> Result<(), Error> {
        let job = EndSessions {
            actor: actor.clone(),
            account,
            which,
            why,
        };
        self.commit(job).await?;
        self.desk().sessions().clear();
        Ok(())
    }

    /// The sessions of the account that is signed in.
    ///
    /// # Errors
    /// When the actor came with a token, which has none.
    pub async fn sessions(&self, actor: &Actor) -> Result<Vec<SessionView>, Error> {
        let (account, current) = signed_in(actor)?;
        self.sessions_of(account, Some(current)).await
    }

    pub(crate) async fn sessions_of(
        &self,
        account: AccountId,
        current: Option<SessionId>,
    ) -> Result<Vec<SessionView>, Error> {
        let account = self
            .store()
            .account(account)
            .await?
            .ok_or_else(|| Error::not_found("account"))?;
        let key = self.account_key(&account).await?;
        let rows = self.store().sessions_of(account.id, self.now()).await?;
        rows.into_iter()
            .map(|row| {
                let seen: SessionSecret = key.open(Of::Session, row.id.as_bytes(), &row.sealed)?;
                Ok(SessionView {
                    id: row.id,
                    current: Some(row.id) == current,
                    how: row.how,
                    address: seen.address,
                    agent: seen.agent,
                    created_at: row.created_at,
                    expires_at: row.expires_at,
                    reasons: seen.reasons,
                })
            })
            .collect()
    }

    /// Ends one session of the account that is signed in; it need not be this one.
    ///
    /// # Errors
    /// When the actor came with a token.
    pub async fn end_session(&self, actor: &Actor, session: SessionId) -> Result<(), Error> {
        let (account, _) = signed_in(actor)?;
        self.end_as(actor, account, Ends::One(session), "ended").await
    }

    /// Ends every session of the account that is signed in but this one.
    ///
    /// # Errors
    /// When the actor came with a token.
    pub async fn end_other_sessions(&self, actor: &Actor) -> Result<(), Error> {
        let (account, current) = signed_in(actor)?;
        self.end_as(actor, account, Ends::AllBut(current), "ended").await
    }
}

/// The account and session behind an actor.
pub(crate) fn signed_in(actor: &Actor) -> Result<(AccountId, SessionId), Error> {
    match (actor.account, actor.session) {
        (Some(account), Some(session)) => Ok((account, session)),
        _ => Err(Error::new(
            ErrorKind::State,
            "no_account",
            "this is for people who signed in to an account; tokens have none",
        )),
    }
}

/// A subscriber acts as the device that signed in, so that a yes from the device that asked is no second voice. Staff
/// act as their account: two browsers of one person are one person.
fn actor_of(account: &Account, row: &SessionRow, name: String, signs: Signs) -> Actor {
    let acts = match (account.role, row.passkey_id) {
        (Role::Subscriber, Some(passkey)) => *passkey.as_bytes(),
        _ => *account.id.as_bytes(),
    };
    Actor {
        token: TokenId::from_bytes(acts),
        role: account.role,
        operator: account.operator.clone(),
        party: account.party_id,
        shop: account.shop.clone(),
        terminal: account.terminal.clone(),
        since: row.since,
        name,
        account: Some(account.id),
        session: Some(row.id),
        begun: Some(row.created_at),
        signs: Some(signs),
    }
}

/// A session to be begun.
pub(crate) struct NewSession {
    pub row: SessionRow,
    pub seen: SessionSecret,
}

impl NewSession {
    /// Writes it, sealed, into the entry that is open.
    pub(crate) fn write(
        &self,
        shared: &Shared,
        key: &super::account::AccountKey<'_>,
        draft: &mut Draft<'_>,
    ) -> Result<(), Error> {
        let mut row = self.row.clone();
        row.sealed = key.seal(Of::Session, row.id.as_bytes(), &self.seen, draft.entropy)?;
        row.mac = row.expected_mac(&shared.keyring);
        draft.account(AccountWrite::Session(row));
        Ok(())
    }
}

struct Rotate {
    row: SessionRow,
    before: [u8; 32],
}

impl Job for Rotate {
    type Answer = ();

    fn needs(&self) -> Needs {
        Needs {
            accounts: AccountNeeds {
                accounts: vec![self.row.account_id],
                ..AccountNeeds::default()
            },
            ..Needs::default()
        }
    }

    fn run(&self, _: &World, draft: &mut Draft<'_>) -> Result<(), Error> {
        draft.account(AccountWrite::Rotate(self.row.clone(), self.before));
        Ok(())
    }
}

struct EndSessions {
    actor: Actor,
    account: AccountId,
    which: Ends,
    why: &'static str,
}

impl Job for EndSessions {
    type Answer = ();

    fn needs(&self) -> Needs {
        Needs {
            accounts: AccountNeeds {
                accounts: vec![self.account],
                ..AccountNeeds::default()
            },
            ..Needs::default()
        }
    }

    fn run(&self, world: &World, draft: &mut Draft<'_>) -> Result<(), Error> {
        let account = known(world, self.account)?;
        begin(draft, "session.ended", &self.actor, &account);
        draft.entry().detail = serde_json::json!({ "account": account.id, "why": self.why });
        draft.account(AccountWrite::EndSessions(account.id, self.which, self.why));
        draft.end_entry()?;
        Ok(())
    }
}
