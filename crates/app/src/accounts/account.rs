//! Accounts: making them, the code that invites their holder, and what is sealed in them.

use super::world::AccountWrite;
use crate::app::App;
use crate::committer::Job;
use crate::draft::Draft;
use crate::secrets::{Of, open, open_common, seal, seal_common, subject_key};
use crate::shared::Shared;
use crate::world::{Needs, World};
use crate::{Actor, Error, ErrorKind};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use simwarden_identity::base32::base32;
use simwarden_model::{AccountId, Entropy, PartyId, Role, Timestamp};
use simwarden_store::records::account::Account;
use simwarden_store::records::subject_key::SubjectKeyRow;
use simwarden_store::{BlindIndex, Indexed, Keyring, SubjectKey};
use std::sync::Arc;
use std::time::Duration;

/// How long an invitation stands.
pub const INVITATION_LIFE: Duration = Duration::from_secs(24 * 3600);

/// An account to be made.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// What its holder may do.
    pub role: Role,
    /// MCC-MNC of the operator it is bound to.
    pub operator: Option<String>,
    /// Whose it is.
    pub name: String,
    /// What its holder signs in with beside a passkey: a name, a number or a mail address.
    pub login: Option<String>,
    /// The subscriber, for that role.
    pub party: Option<PartyId>,
    /// The shop, for agents.
    pub shop: Option<String>,
    /// The terminal, for agents.
    pub terminal: Option<String>,
}

/// An account whose holder is invited.
#[derive(Debug, Clone)]
pub struct Invited {
    /// The account.
    pub account: AccountId,
    /// The code, shown this once; it lets its holder enrol one passkey.
    pub code: String,
    /// Until when.
    pub until: Timestamp,
}

/// What is sealed in an account.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct AccountSecret {
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub login: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub password: Option<String>,
}

/// The key under which things of an account are sealed.
pub(crate) enum AccountKey<'a> {
    Subject(Box<SubjectKey>),
    Common(&'a Keyring),
}

impl<'a> AccountKey<'a> {
    pub(crate) fn of(
        keyring: &'a Keyring,
        party: Option<PartyId>,
        row: Option<&SubjectKeyRow>,
    ) -> Result<Self, Error> {
        match party {
            Some(_) => Ok(Self::Subject(Box::new(subject_key(keyring, row)?))),
            None => Ok(Self::Common(keyring)),
        }
    }

    pub(crate) fn seal<T: Serialize>(
        &self,
        of: Of,
        id: &[u8; 16],
        value: &T,
        entropy: &mut dyn Entropy,
    ) -> Result<Vec<u8>, Error> {
        match self {
            Self::Subject(key) => seal(key, of, id, value, entropy),
            Self::Common(keyring) => seal_common(keyring, of, id, value, entropy),
        }
    }

    pub(crate) fn open<T: DeserializeOwned>(&self, of: Of, id: &[u8; 16], sealed: &[u8]) -> Result<T, Error> {
        match self {
            Self::Subject(key) => open(key, of, id, sealed),
            Self::Common(keyring) => open_common(keyring, of, id, sealed),
        }
    }
}

/// What somebody signs in with, in its one form; none when it cannot be one.
pub(crate) fn login_index(keyring: &Keyring, login: &str) -> Option<BlindIndex> {
    let login = login.trim().to_lowercase();
    let fits = (3..=254).contains(&login.chars().count()) && !login.chars().any(char::is_control);
    fits.then(|| keyring.index(Indexed::Login, login.as_bytes()))
}

/// The index of an invitation.
pub(crate) fn invite_index(keyring: &Keyring, code: &str) -> BlindIndex {
    let code: String = code
        .chars()
        .filter(|c| !c.is_whitespace() && *c != '-')
        .take(64)
        .collect();
    keyring.index(
        Indexed::OneTimeCode,
        format!("invite:{}", code.to_uppercase()).as_bytes(),
    )
}

/// Whether somebody may make accounts for this role and operator, or look after them.
pub(crate) fn may_keep(actor: &Actor, role: Role, operator: Option<&str>) -> Result<(), Error> {
    let allowed = match actor.role {
        Role::System => true,
        Role::Admin => role != Role::System,
        _ => false,
    };
    let own = actor.operator.is_none() || actor.operator.as_deref() == operator;
    if allowed && own {
        return Ok(());
    }
    Err(Error::forbidden(
        "accounts are kept by an administrator, for their own operator",
    ))
}

fn check(new: &NewAccount) -> Result<(), Error> {
    if matches!(new.role, Role::System | Role::Feed) {
        return Err(Error::invalid(
            "role",
            "people have accounts; machines have tokens",
        ));
    }
    if (new.role == Role::Subscriber) != new.party.is_some() {
        return Err(Error::invalid(
            "party_missing",
            "a subscriber's account, and only that, names its party",
        ));
    }
    let bound = !matches!(new.role, Role::Regulator | Role::Auditor | Role::Admin);
    if bound && new.operator.is_none() {
        return Err(Error::invalid(
            "operator_missing",
            format!("an account of role `{}` is bound to an operator", new.role),
        ));
    }
    if new.name.trim().is_empty() || new.name.chars().count() > 80 {
        return Err(Error::invalid(
            "name",
            "give the account a name of 1 to 80 characters",
        ));
    }
    Ok(())
}

pub(crate) struct MakeAccount {
    pub shared: Arc<Shared>,
    pub actor: Actor,
    pub new: NewAccount,
    pub code: BlindIndex,
}

impl Job for MakeAccount {
    type Answer = (AccountId, Timestamp);

    fn needs(&self) -> Needs {
        Needs {
            parties: self.new.party.into_iter().collect(),
            ..Needs::default()
        }
    }

    fn run(&self, world: &World, draft: &mut Draft<'_>) -> Result<Self::Answer, Error> {
        let new = &self.new;
        may_keep(&self.actor, new.role, new.operator.as_deref())?;
        check(new)?;
        if let Some(party) = new.party {
            let known = world
                .parties
                .get(&party)
                .ok_or_else(|| Error::not_found("party"))?;
            if Some(known.operator.as_str()) != new.operator.as_deref() {
                return Err(Error::not_found("party"));
            }
        }
        let keyring = &self.shared.keyring;
        let login_idx = match &new.login {
            Some(login) => Some(login_index(keyring, login).ok_or_else(|| {
                Error::invalid(
                    "login",
                    "`login`: 3 to 254 characters: a name, a number or a mail address",
                )
            })?),
            None => None,
        };
        let id = AccountId::draw(draft.now, draft.entropy);
        let key = AccountKey::of(
            keyring,
            new.party,
            new.party.and_then(|party| world.keys.get(&party)),
        )?;
        let secret = AccountSecret {
            name: new.name.trim().to_owned(),
            login: new.login.clone(),
            password: None,
        };
        let until = draft.now.plus(INVITATION_LIFE);
        let mut account = Account {
            id,
            login_idx,
            role: new.role,
            operator: new.operator.clone(),
            party_id: new.party,
            shop: new.shop.clone(),
            terminal: new.terminal.clone(),
            sealed: key.seal(Of::Account, id.as_bytes(), &secret, draft.entropy)?,
            invite_idx: Some(self.code),
            invite_until: Some(until),
            password_at: None,
            password_due: None,
            created_at: draft.now,
            disabled_at: None,
            mac: [0; 32],
            version: 1,
        };
        account.mac = account.expected_mac(keyring);
        begin(draft, "account.made", &self.actor, &account);
        draft.entry().detail = serde_json::json!({ "account": id, "role": new.role });
        draft.account(AccountWrite::Account(account));
        draft.end_entry()?;
        Ok((id, until))
    }
}

/// Begins an entry about an account.
pub(crate) fn begin(draft: &mut Draft<'_>, kind: &str, actor: &Actor, account: &Account) {
    draft.begin_entry(kind, actor.role, Some(actor.token));
    let entry = draft.entry();
    entry.operator.clone_from(&account.operator);
    entry.subject = account.party_id;
    entry.detail = serde_json::json!({ "account": account.id });
}

/// A new invitation to an account: after all passkeys were lost.
struct Invite {
    shared: Arc<Shared>,
    actor: Actor,
    account: AccountId,
    code: BlindIndex,
}

impl Job for Invite {
    type Answer = Timestamp;

    fn needs(&self) -> Needs {
        Needs {
            accounts: super::world::AccountNeeds {
                accounts: vec![self.account],
                ..Default::default()
            },
            ..Needs::default()
        }
    }

    fn run(&self, world: &World, draft: &mut Draft<'_>) -> Result<Timestamp, Error> {
        let mut account = known(world, self.account)?;
        may_keep(&self.actor, account.role, account.operator.as_deref())?;
        if account.disabled_at.is_some() {
            return Err(Error::new(
                ErrorKind::State,
                "account_closed",
                "this account is closed",
            ));
        }
        let until = draft.now.plus(INVITATION_LIFE);
        account.invite_idx = Some(self.code);
        account.invite_until = Some(until);
        account.mac = account.expected_mac(&self.shared.keyring);
        account.version += 1;
        begin(draft, "account.invited", &self.actor, &account);
        draft.account(AccountWrite::ChangeAccount(account));
        draft.end_entry()?;
        Ok(until)
    }
}

/// An account that was read for a job.
pub(crate) fn known(world: &World, id: AccountId) -> Result<Account, Error> {
    world
        .accounts
        .accounts
        .get(&id)
        .cloned()
        .ok_or_else(|| Error::not_found("account"))
}

impl App {
    fn draw_code(&self) -> String {
        base32(&self.draw::<16>())
    }

    /// Makes an account and invites its holder to enrol a passkey.
    ///
    /// # Errors
    /// When the actor may not, or the account cannot be.
    pub async fn make_account(&self, actor: &Actor, new: NewAccount) -> Result<Invited, Error> {
        if let Some(party) = new.party
            && self.store().account_of_party(party).await?.is_some()
        {
            return Err(Error::new(
                ErrorKind::Conflict,
                "account_exists",
                "this person has an account; invite to that one again",
            ));
        }
        let code = self.draw_code();
        let job = MakeAccount {
            shared: self.shared(),
            actor: actor.clone(),
            new,
            code: invite_index(self.keyring(), &code),
        };
        let (account, until) = self.commit(job).await?;
        Ok(Invited { account, code, until })
    }

    /// Invites the holder of an account to enrol a passkey again. An invitation before it ends.
    ///
    /// # Errors
    /// When the actor may not, or the account is closed.
    pub async fn invite(&self, actor: &Actor, account: AccountId) -> Result<Invited, Error> {
        let code = self.draw_code();
        let job = Invite {
            shared: self.shared(),
            actor: actor.clone(),
            account,
            code: invite_index(self.keyring(), &code),
        };
        let until = self.commit(job).await?;
        Ok(Invited { account, code, until })
    }

    /// The key under which things of an account are sealed, for reading.
    pub(crate) async fn account_key(&self, account: &Account) -> Result<AccountKey<'_>, Error> {
        let row = match account.party_id {
            Some(party) => self.store().subject_keys(&[party]).await?.pop(),
            None => None,
        };
        AccountKey::of(self.keyring(), account.party_id, row.as_ref())
    }

    /// An account that may be used: known, open, and made by us.
    pub(crate) async fn usable_account(&self, id: AccountId) -> Result<Option<Account>, Error> {
        let Some(account) = self.store().account(id).await? else {
            return Ok(None);
        };
        Ok(self.is_usable(&account).then_some(account))
    }

    pub(crate) fn is_usable(&self, account: &Account) -> bool {
        let ours = account.mac == account.expected_mac(self.keyring());
        if !ours {
            tracing::error!(account = %account.id, "an account's row was made or changed behind the ledger's back");
        }
        ours && account.disabled_at.is_none()
    }
}
