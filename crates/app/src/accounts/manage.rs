//! What the holder of an account sees and changes of it, and what an administrator does.

use super::account::{AccountKey, begin, known, may_keep};
use super::enrol::{freshly_signed_in, passkey_name, view_of};
use super::session::signed_in;
use super::sign_in::{PasskeySecret, account_needs, open_secret};
use super::signature::settled;
use super::tell::{Happened, tell_holder};
use super::view::{AccountView, PasskeyView, SessionView};
use super::world::AccountWrite;
use crate::app::App;
use crate::committer::Job;
use crate::draft::Draft;
use crate::secrets::Of;
use crate::shared::Shared;
use crate::world::{Needs, World};
use crate::{Actor, Error, ErrorKind};
use simwarden_model::{AccountId, PasskeyId, Role, SubscriptionId};
use simwarden_store::records::passkey::PasskeyRow;
use simwarden_store::records::session::Ends;
use std::sync::Arc;

impl App {
    /// The account that is signed in.
    ///
    /// # Errors
    /// When the actor came with a token.
    pub async fn account(&self, actor: &Actor) -> Result<AccountView, Error> {
        let (id, _) = signed_in(actor)?;
        self.account_view(id).await
    }

    async fn account_view(&self, id: AccountId) -> Result<AccountView, Error> {
        let row = self
            .store()
            .account(id)
            .await?
            .ok_or_else(|| Error::not_found("account"))?;
        let key = self.account_key(&row).await?;
        let secret = open_secret(&key, &row)?;
        Ok(AccountView {
            id,
            role: row.role,
            operator: row.operator,
            party: row.party_id,
            name: secret.name,
            password: secret.password.is_some(),
            password_due: row.password_due,
            recovery_codes: self.store().recovery_codes_of(id).await?.len(),
            created_at: row.created_at,
            disabled_at: row.disabled_at,
        })
    }

    /// An account, for those who keep them.
    ///
    /// # Errors
    /// When the actor does not.
    pub async fn account_of(&self, actor: &Actor, id: AccountId) -> Result<AccountView, Error> {
        let view = self.account_view(id).await?;
        may_keep(actor, view.role, view.operator.as_deref())?;
        Ok(view)
    }

    /// The passkeys of the account that is signed in.
    ///
    /// # Errors
    /// When the actor came with a token.
    pub async fn passkeys(&self, actor: &Actor) -> Result<Vec<PasskeyView>, Error> {
        let (id, _) = signed_in(actor)?;
        self.passkeys_of(id).await
    }

    async fn passkeys_of(&self, id: AccountId) -> Result<Vec<PasskeyView>, Error> {
        let account = self
            .store()
            .account(id)
            .await?
            .ok_or_else(|| Error::not_found("account"))?;
        let key = self.account_key(&account).await?;
        let rows = self.store().passkeys_of(id).await?;
        rows.iter()
            .map(|row| {
                let secret: PasskeySecret = key.open(Of::Passkey, row.id.as_bytes(), &row.sealed)?;
                Ok(view_of(row, &secret.name))
            })
            .collect()
    }

    /// Passkeys and sessions of an account, for those who keep accounts.
    ///
    /// # Errors
    /// When the actor does not.
    pub async fn account_access(
        &self,
        actor: &Actor,
        id: AccountId,
    ) -> Result<(Vec<PasskeyView>, Vec<SessionView>), Error> {
        self.account_of(actor, id).await?;
        Ok((self.passkeys_of(id).await?, self.sessions_of(id, None).await?))
    }

    /// Gives a passkey another name.
    ///
    /// # Errors
    /// When it is not the actor's.
    pub async fn rename_passkey(&self, actor: &Actor, passkey: PasskeyId, name: &str) -> Result<(), Error> {
        let (account, _) = signed_in(actor)?;
        let change = Change::Rename(passkey_name(name)?);
        self.change_passkey(actor, account, passkey, change).await
    }

    /// Refuses whoever is signed in by something newer than what the account has: with a password alone, or with a
    /// passkey added minutes ago, nobody changes what its holder has relied on for days.
    pub(crate) async fn owner_of_old(&self, actor: &Actor, account: AccountId) -> Result<(), Error> {
        let now = self.now();
        let passkeys = self.store().passkeys_of(account).await?;
        let by_passkey = actor.signs.is_some_and(|signs| signs.by_passkey);
        let mut olds = passkeys.iter().filter(|passkey| settled(passkey, now)).peekable();
        let fine = olds.peek().is_none()
            || by_passkey
                && (actor.role != Role::Subscriber
                    || olds.any(|passkey| passkey.id.as_bytes() == actor.token.as_bytes()));
        if fine {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Forbidden,
            "passkey_needed",
            "sign in with a passkey that you have had for 72 hours; if you have lost it, ask your operator",
        ))
    }

    /// Takes a passkey off the account that is signed in, and ends the sessions begun with it.
    ///
    /// # Errors
    /// When it is not the actor's, is the last one, or the session is not fresh.
    pub async fn remove_passkey(&self, actor: &Actor, passkey: PasskeyId) -> Result<(), Error> {
        let account = freshly_signed_in(actor, self.now())?;
        self.owner_of_old(actor, account).await?;
        if !actor.signs.is_some_and(|signs| signs.by_passkey) {
            // Else whoever has the password could take the owner's keys away.
            return Err(Error::new(
                ErrorKind::Forbidden,
                "passkey_needed",
                "sign in with a passkey to take one off the account",
            ));
        }
        self.change_passkey(actor, account, passkey, Change::Remove).await
    }

    /// Takes a passkey off an account, for those who keep accounts: it was lost or stolen.
    ///
    /// # Errors
    /// When the actor does not keep this account.
    pub async fn remove_passkey_of(
        &self,
        actor: &Actor,
        account: AccountId,
        passkey: PasskeyId,
    ) -> Result<(), Error> {
        self.account_of(actor, account).await?;
        self.change_passkey(actor, account, passkey, Change::RemoveAny)
            .await
    }

    async fn change_passkey(
        &self,
        actor: &Actor,
        account: AccountId,
        passkey: PasskeyId,
        change: Change,
    ) -> Result<(), Error> {
        let row = self
            .store()
            .account(account)
            .await?
            .ok_or_else(|| Error::not_found("account"))?;
        let job = ChangePasskey {
            shared: self.shared(),
            actor: actor.clone(),
            account,
            lines: self.lines_of(&row).await?,
            passkey,
            change,
        };
        self.commit(job).await?;
        self.desk().sessions().clear();
        Ok(())
    }

    /// Ends every session of an account and, when `close`, the account: a member of staff left.
    ///
    /// # Errors
    /// When the actor does not keep this account.
    pub async fn shut_out(&self, actor: &Actor, account: AccountId, close: bool) -> Result<(), Error> {
        self.account_of(actor, account).await?;
        let job = ShutOut {
            actor: actor.clone(),
            account,
            close,
        };
        self.commit(job).await?;
        self.desk().sessions().clear();
        Ok(())
    }
}

enum Change {
    Rename(String),
    Remove,
    RemoveAny,
}

struct ChangePasskey {
    shared: Arc<Shared>,
    actor: Actor,
    account: AccountId,
    lines: Vec<SubscriptionId>,
    passkey: PasskeyId,
    change: Change,
}

impl Job for ChangePasskey {
    type Answer = ();

    fn needs(&self) -> Needs {
        account_needs(self.account, &self.lines, None)
    }

    fn run(&self, world: &World, draft: &mut Draft<'_>) -> Result<(), Error> {
        let account = known(world, self.account)?;
        let rows: &[PasskeyRow] = world
            .accounts
            .passkeys
            .get(&self.account)
            .map_or(&[], Vec::as_slice);
        let mut row = rows
            .iter()
            .find(|row| row.id == self.passkey)
            .cloned()
            .ok_or_else(|| Error::not_found("passkey"))?;
        row.version += 1;
        let detail = serde_json::json!({ "account": account.id, "passkey": row.id });
        match &self.change {
            Change::Rename(name) => {
                let key = AccountKey::of(
                    &self.shared.keyring,
                    account.party_id,
                    account.party_id.and_then(|party| world.keys.get(&party)),
                )?;
                let mut secret: PasskeySecret = key.open(Of::Passkey, row.id.as_bytes(), &row.sealed)?;
                secret.name.clone_from(name);
                row.sealed = key.seal(Of::Passkey, row.id.as_bytes(), &secret, draft.entropy)?;
                begin(draft, "passkey.renamed", &self.actor, &account);
            }
            Change::Remove | Change::RemoveAny => {
                let others = rows.iter().any(|other| other.id != row.id && other.is_good());
                if !others && matches!(self.change, Change::Remove) {
                    return Err(Error::new(
                        ErrorKind::State,
                        "last_passkey",
                        "this is your last passkey: add another one first, or you could not come back",
                    ));
                }
                row.removed_at = Some(draft.now);
                begin(draft, "passkey.removed", &self.actor, &account);
                tell_holder(
                    &self.shared,
                    world,
                    account.party_id,
                    Happened::PasskeyRemoved,
                    draft,
                )?;
            }
        }
        draft.entry().detail = detail;
        draft.account(AccountWrite::ChangePasskey(row));
        draft.end_entry()?;
        Ok(())
    }
}

struct ShutOut {
    actor: Actor,
    account: AccountId,
    close: bool,
}

impl Job for ShutOut {
    type Answer = ();

    fn needs(&self) -> Needs {
        account_needs(self.account, &[], None)
    }

    fn run(&self, world: &World, draft: &mut Draft<'_>) -> Result<(), Error> {
        let mut account = known(world, self.account)?;
        let kind = if self.close {
            "account.closed"
        } else {
            "session.ended"
        };
        begin(draft, kind, &self.actor, &account);
        draft.account(AccountWrite::EndSessions(account.id, Ends::All, "shut_out"));
        if self.close && account.disabled_at.is_none() {
            account.disabled_at = Some(draft.now);
            account.version += 1;
            draft.account(AccountWrite::ChangeAccount(account));
        }
        draft.end_entry()?;
        Ok(())
    }
}
