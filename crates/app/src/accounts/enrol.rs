//! Enrolling passkeys: the first by an invitation, more by somebody who has just signed in with one.
//!
//! A new passkey proves nothing about a line for its first three days, whoever enrolled it; its holder's other channels
//! hear of it at once.

use super::account::{AccountKey, begin, invite_index, known};
use super::ceremony::{Ceremony, Purpose};
use super::marks::Whereabouts;
use super::sign_in::{PasskeySecret, Prepared, SignedIn, account_needs, open_secret};
use super::tell::{Happened, tell_holder};
use super::view::{Begun, PasskeyView};
use super::world::AccountWrite;
use crate::app::App;
use crate::committer::Job;
use crate::draft::Draft;
use crate::secrets::Of;
use crate::shared::Shared;
use crate::world::{Needs, World};
use crate::{Actor, Error, ErrorKind};
use serde_json::Value;
use simwarden_model::{AccountId, CeremonyId, PasskeyId, Role, SubscriptionId, Timestamp};
use simwarden_store::Indexed;
use simwarden_store::records::account::Account;
use simwarden_store::records::passkey::PasskeyRow;
use std::sync::Arc;
use std::time::Duration;

/// Passkeys of one account.
const PASSKEYS_MAX: usize = 20;
/// So lately somebody must have signed in to change what they sign in with.
const FRESH_SIGN_IN: Duration = Duration::from_secs(10 * 60);

/// Who enrols a passkey.
#[derive(Debug, Clone)]
pub enum Enrol {
    /// Whoever holds this invitation.
    Invited(String),
    /// Somebody who is signed in.
    SignedIn(Box<Actor>),
}

fn invitation_invalid() -> Error {
    Error::new(
        ErrorKind::Unauthenticated,
        "invitation_invalid",
        "this invitation is unknown, was used or is over: ask for a new one",
    )
}

/// The account of somebody who has just signed in, which is what it takes to change what they sign in with.
pub(crate) fn freshly_signed_in(actor: &Actor, now: Timestamp) -> Result<AccountId, Error> {
    let (account, _) = super::session::signed_in(actor)?;
    if actor.begun.is_none_or(|begun| now.since(begun) > FRESH_SIGN_IN) {
        return Err(Error::new(
            ErrorKind::Forbidden,
            "sign_in_again",
            "sign in again first: what you sign in with is changed only within ten minutes of signing in",
        ));
    }
    Ok(account)
}

impl App {
    /// Begins to enrol a passkey.
    ///
    /// # Errors
    /// When the invitation does not hold, or the session is not fresh.
    pub async fn begin_enrolment(&self, who: &Enrol) -> Result<Begun, Error> {
        let now = self.now();
        let (account, purpose) = match who {
            Enrol::Invited(code) => {
                let account = self.invited(code).await?;
                (account, Purpose::Enrol)
            }
            Enrol::SignedIn(actor) => {
                let id = freshly_signed_in(actor, now)?;
                let account = self.usable_account(id).await?.ok_or_else(invitation_invalid)?;
                (account, Purpose::AddPasskey)
            }
        };
        let rows = self.store().passkeys_of(account.id).await?;
        if rows.len() >= PASSKEYS_MAX {
            return Err(Error::new(
                ErrorKind::TooMany,
                "too_many_passkeys",
                format!("an account has at most {PASSKEYS_MAX} passkeys; remove one first"),
            ));
        }
        let key = self.account_key(&account).await?;
        let mut have = Vec::with_capacity(rows.len());
        for row in &rows {
            let secret: PasskeySecret = key.open(Of::Passkey, row.id.as_bytes(), &row.sealed)?;
            have.push(super::relying_party::read_key(&secret.key)?.cred_id().to_vec());
        }
        let name = open_secret(&key, &account)?.name;
        let staff = account.role != Role::Subscriber;
        let (options, state) = self
            .desk()
            .passkeys()?
            .begin_enrolment(account.id, &name, have, staff)?;
        self.hand_out(purpose, options, state, |ceremony| {
            ceremony.account = Some(account.id);
            // Good for this invitation and not for a later one.
            ceremony.subject = account.invite_idx.map(|index| *index.as_bytes());
        })
    }

    /// The account that a code invites to.
    async fn invited(&self, code: &str) -> Result<Account, Error> {
        let index = invite_index(self.keyring(), code);
        let account = self.store().account_by_invite(index).await?;
        account
            .filter(|account| self.is_usable(account))
            .filter(|account| account.invite_until.is_some_and(|until| until > self.now()))
            .ok_or_else(invitation_invalid)
    }

    /// Finishes the first enrolment, by invitation, and signs its holder in.
    ///
    /// # Errors
    /// When the passkey's answer does not hold, or the invitation was used meanwhile.
    pub async fn finish_invited_enrolment(
        &self,
        ceremony: &str,
        answer: &Value,
        name: &str,
        from: &Whereabouts,
    ) -> Result<SignedIn, Error> {
        let ceremony = Ceremony::open(self.keyring(), ceremony, Purpose::Enrol, self.now())?;
        let account = self.enrolling(&ceremony).await?;
        let mut job = self.enrolment(&account, &ceremony, answer, name).await?;
        let passkey = job.passkey.id;
        let prepared = self
            .prepare(&account, "passkey", Some(passkey), from, |_, now| now)
            .await?;
        let session = prepared.view();
        let signed_in = SignedIn {
            secret: prepared.secret.clone(),
            device: prepared.device.clone(),
            expires_at: session.expires_at,
            session,
        };
        job.session = Some(prepared);
        self.commit(job).await?;
        Ok(signed_in)
    }

    /// Finishes the enrolment of another passkey.
    ///
    /// # Errors
    /// When the passkey's answer does not hold, or the challenge was another account's.
    pub async fn finish_added_passkey(
        &self,
        actor: &Actor,
        ceremony: &str,
        answer: &Value,
        name: &str,
    ) -> Result<PasskeyView, Error> {
        let id = freshly_signed_in(actor, self.now())?;
        let ceremony = Ceremony::open(self.keyring(), ceremony, Purpose::AddPasskey, self.now())?;
        if ceremony.account != Some(id) {
            return Err(super::ceremony::over());
        }
        let account = self.enrolling(&ceremony).await?;
        let mut job = self.enrolment(&account, &ceremony, answer, name).await?;
        job.actor = actor.clone();
        let view = view_of(&job.passkey, &job.secret.name);
        self.commit(job).await?;
        self.desk().sessions().clear();
        Ok(view)
    }

    async fn enrolling(&self, ceremony: &Ceremony) -> Result<Account, Error> {
        let id = ceremony.account.ok_or_else(super::ceremony::over)?;
        self.usable_account(id).await?.ok_or_else(invitation_invalid)
    }

    async fn enrolment(
        &self,
        account: &Account,
        ceremony: &Ceremony,
        answer: &Value,
        name: &str,
    ) -> Result<Enrolment, Error> {
        let name = passkey_name(name)?;
        let staff = account.role != Role::Subscriber;
        let enrolled = self
            .desk()
            .passkeys()?
            .finish_enrolment(ceremony.state.clone(), answer, staff)?;
        let now = self.now();
        let mut passkey = PasskeyRow {
            id: self.with_entropy(|entropy| PasskeyId::draw(now, entropy)),
            account_id: account.id,
            cred_idx: self.keyring().index(Indexed::Credential, &enrolled.credential),
            synced: enrolled.synced,
            attested: enrolled.attested,
            counter: enrolled.counter,
            sealed: Vec::new(),
            added_at: now,
            used_at: None,
            suspect_at: None,
            removed_at: None,
            mac: [0; 32],
            version: 1,
        };
        passkey.mac = passkey.expected_mac(self.keyring());
        let mut actor = Actor::system();
        actor.role = account.role;
        Ok(Enrolment {
            shared: self.shared(),
            actor,
            account: account.id,
            lines: self.lines_of(account).await?,
            ceremony: (ceremony.id, ceremony.expires_at),
            invitation: (ceremony.purpose == Purpose::Enrol).then_some(ceremony.subject),
            passkey,
            secret: PasskeySecret {
                name,
                key: enrolled.key,
            },
            session: None,
        })
    }
}

/// The name of a passkey, in bounds.
pub(crate) fn passkey_name(name: &str) -> Result<String, Error> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > 60 || name.chars().any(char::is_control) {
        return Err(Error::invalid(
            "name",
            "`name`: 1 to 60 characters by which you will know this passkey again",
        ));
    }
    Ok(name.to_owned())
}

pub(crate) fn view_of(row: &PasskeyRow, name: &str) -> PasskeyView {
    PasskeyView {
        id: row.id,
        name: name.to_owned(),
        synced: row.synced,
        attested: row.attested,
        added_at: row.added_at,
        used_at: row.used_at,
        suspect_at: row.suspect_at,
    }
}

struct Enrolment {
    shared: Arc<Shared>,
    actor: Actor,
    account: AccountId,
    lines: Vec<SubscriptionId>,
    ceremony: (CeremonyId, Timestamp),
    /// The invitation that is used up, when it is one.
    invitation: Option<Option<[u8; 16]>>,
    passkey: PasskeyRow,
    secret: PasskeySecret,
    session: Option<Prepared>,
}

impl Job for Enrolment {
    type Answer = ();

    fn needs(&self) -> Needs {
        account_needs(self.account, &self.lines, Some(self.ceremony.0))
    }

    fn run(&self, world: &World, draft: &mut Draft<'_>) -> Result<(), Error> {
        let mut account = known(world, self.account)?;
        world.accounts.unspent(self.ceremony.0)?;
        let stands = account.invite_until.is_some_and(|until| until > draft.now);
        let present = account.invite_idx.map(|index| *index.as_bytes());
        let invited = stands && present.is_some();
        let fits = self.invitation.is_none_or(|used| invited && used == present);
        if account.disabled_at.is_some() || !fits {
            return Err(invitation_invalid());
        }
        let key = AccountKey::of(
            &self.shared.keyring,
            account.party_id,
            account.party_id.and_then(|party| world.keys.get(&party)),
        )?;
        begin(draft, "passkey.added", &self.actor, &account);
        draft.entry().detail = serde_json::json!({
            "account": account.id, "passkey": self.passkey.id, "synced": self.passkey.synced,
            "attested": self.passkey.attested, "session": self.session.as_ref().map(|s| s.session.row.id),
        });
        draft.account(AccountWrite::Spend(self.ceremony.0, self.ceremony.1));
        let mut row = self.passkey.clone();
        row.sealed = key.seal(Of::Passkey, row.id.as_bytes(), &self.secret, draft.entropy)?;
        draft.account(AccountWrite::Passkey(row));
        if self.invitation.is_some() {
            account.invite_idx = None;
            account.invite_until = None;
            account.version += 1;
            account.mac = account.expected_mac(&self.shared.keyring);
            draft.account(AccountWrite::ChangeAccount(account.clone()));
        }
        if let Some(prepared) = &self.session {
            prepared.session.write(&self.shared, &key, draft)?;
            draft.account(AccountWrite::SignIn(prepared.sign_in.clone()));
        }
        tell_holder(
            &self.shared,
            world,
            account.party_id,
            Happened::PasskeyAdded,
            draft,
        )?;
        draft.end_entry()?;
        Ok(())
    }
}
