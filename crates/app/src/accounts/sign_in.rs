//! Signing in with a passkey. Nobody types a name: the browser finds the account by its key, so there is nothing to
//! guess, nothing to slow down, and no answer that tells whether an account exists.

use super::account::{AccountKey, AccountSecret, begin, known};
use super::ceremony::{CEREMONY_LIFE, Ceremony, Purpose, over};
use super::marks::{DEVICE_PREFIX, Whereabouts, device_mark, risk, sign_in_row};
use super::relying_party::CLONED;
use super::session::{NewSession, SESSION_LIFE, SessionSecret};
use super::tell::{Happened, tell_holder};
use super::view::{Begun, SessionView};
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
use serde_json::Value;
use simwarden_model::{AccountId, CeremonyId, PasskeyId, Role, SessionId, SubscriptionId, Timestamp};
use simwarden_store::Indexed;
use simwarden_store::records::account::Account;
use simwarden_store::records::passkey::PasskeyRow;
use simwarden_store::records::session::{Ends, SessionRow};
use simwarden_store::records::sign_in::SignIn;
use std::sync::Arc;

/// What is sealed in a passkey.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct PasskeySecret {
    pub name: String,
    /// The library's form of its public part.
    pub key: Value,
}

/// Somebody signed in.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// The secret of the session, for a cookie that scripts cannot read.
    pub secret: String,
    /// The mark to leave on the device, for a cookie that lives long.
    pub device: String,
    /// The session.
    pub session: SessionView,
    /// Until when.
    pub expires_at: Timestamp,
}

/// The one answer to every sign-in that fails.
pub(crate) fn refused() -> Error {
    Error::new(
        ErrorKind::Unauthenticated,
        "sign_in_refused",
        "this did not work: try again, or use another passkey",
    )
}

impl App {
    /// Begins a sign-in with whichever passkey the person has. Writes nothing.
    ///
    /// # Errors
    /// When the server does not know its own address.
    pub fn begin_sign_in(&self) -> Result<Begun, Error> {
        let (options, state) = self.desk().passkeys()?.begin_sign_in()?;
        self.hand_out(Purpose::SignIn, options, state, |_| {})
    }

    /// Seals a challenge for its way.
    pub(crate) fn hand_out(
        &self,
        purpose: Purpose,
        options: Value,
        state: Value,
        fill: impl FnOnce(&mut Ceremony),
    ) -> Result<Begun, Error> {
        self.with_entropy(|entropy| {
            let mut ceremony = Ceremony::new(purpose, state, self.now(), CEREMONY_LIFE, entropy);
            fill(&mut ceremony);
            Ok(Begun {
                ceremony: ceremony.seal(self.keyring(), entropy)?,
                options,
                expires_at: ceremony.expires_at,
            })
        })
    }

    /// Finishes a sign-in with a passkey.
    ///
    /// # Errors
    /// [`ErrorKind::Unauthenticated`] with one answer for every reason; `passkey_cloned` when a copy of the passkey
    /// showed up, which bars it.
    pub async fn finish_sign_in(
        &self,
        ceremony: &str,
        answer: &Value,
        from: &Whereabouts,
    ) -> Result<SignedIn, Error> {
        let ceremony = Ceremony::open(self.keyring(), ceremony, Purpose::SignIn, self.now())?;
        self.refuse_spent(&ceremony).await?;
        let site = self.desk().passkeys()?;
        let (account, credential) = site.who_answers(answer).map_err(hidden)?;
        let account = self.usable_account(account).await?.ok_or_else(refused)?;
        let passkey = self
            .passkey_by_credential(&account, &credential)
            .await?
            .ok_or_else(refused)?;
        if account.role != Role::Subscriber && passkey.synced {
            return Err(refused());
        }
        let key = self.account_key(&account).await?;
        let mut secret: PasskeySecret = key.open(Of::Passkey, passkey.id.as_bytes(), &passkey.sealed)?;
        let signed = match site.finish_sign_in(ceremony.state.clone(), answer, &secret.key) {
            Ok(signed) => signed,
            Err(error) if error.code == CLONED => {
                self.bar_passkey(&account, passkey.id).await?;
                return Err(error);
            }
            Err(error) => return Err(hidden(error)),
        };
        secret.key = signed.key;
        let used = Used {
            id: passkey.id,
            secret,
            counter: signed.counter,
        };
        let known = |seen: Option<Timestamp>, now: Timestamp| {
            if passkey.synced {
                // A copy on a new device is a new device.
                seen.unwrap_or(now).max(passkey.added_at)
            } else {
                passkey.added_at
            }
        };
        let prepared = self
            .prepare(&account, "passkey", Some(passkey.id), from, known)
            .await?;
        self.begin_session(
            &account,
            Some((ceremony.id, ceremony.expires_at)),
            Some(used),
            prepared,
        )
        .await
    }

    /// Refuses a challenge that was answered, before its answer is looked at: the same answer sent twice must not be
    /// taken for a copy of the passkey.
    pub(crate) async fn refuse_spent(&self, ceremony: &Ceremony) -> Result<(), Error> {
        if self.store().is_ceremony_spent(ceremony.id).await? {
            return Err(over());
        }
        Ok(())
    }

    /// The good passkey of an account with this credential id.
    pub(crate) async fn passkey_by_credential(
        &self,
        account: &Account,
        credential: &[u8],
    ) -> Result<Option<PasskeyRow>, Error> {
        let index = self.keyring().index(Indexed::Credential, credential);
        let rows = self.store().passkeys_of(account.id).await?;
        Ok(rows
            .into_iter()
            .find(|row| row.cred_idx == index && row.is_good() && self.is_our_passkey(row)))
    }

    pub(crate) fn is_our_passkey(&self, row: &PasskeyRow) -> bool {
        let ours = row.mac == row.expected_mac(self.keyring());
        if !ours {
            tracing::error!(passkey = %row.id, "a passkey's row was made or changed behind the ledger's back");
        }
        ours
    }

    /// What a session begins with: its secret, its device, how it looks beside those before it.
    pub(crate) async fn prepare(
        &self,
        account: &Account,
        how: &str,
        passkey: Option<PasskeyId>,
        from: &Whereabouts,
        since: impl FnOnce(Option<Timestamp>, Timestamp) -> Timestamp,
    ) -> Result<Prepared, Error> {
        let now = self.now();
        let device = match from.known_mark() {
            Some(mark) => mark.to_owned(),
            None => format!("{DEVICE_PREFIX}{}", crate::entry::hex(&self.draw::<32>())),
        };
        let device_idx = device_mark(self.keyring(), &device);
        let seen_before = self.store().device_since(account.id, device_idx).await?;
        let own = self.store().sign_ins_of(account.id).await?;
        let everybody = self.store().sign_ins().await?;
        let row = sign_in_row(self.keyring(), account.id, device_idx, from, now);
        let risk = risk(&row, &own, &everybody);
        let secret = self.session_secret();
        let session = NewSession {
            row: SessionRow {
                id: self.with_entropy(|entropy| SessionId::draw(now, entropy)),
                account_id: account.id,
                passkey_id: passkey,
                device_idx,
                hash: token_hash(&secret),
                before_hash: None,
                how: how.to_owned(),
                sealed: Vec::new(),
                since: since(seen_before, now),
                created_at: now,
                rotated_at: now,
                expires_at: now.plus(SESSION_LIFE),
                ended_at: None,
                ended_why: None,
                mac: [0; 32],
            },
            seen: SessionSecret {
                address: from.shown_address(),
                agent: from.broad_agent(),
                risk: risk.level.as_str().to_owned(),
                reasons: risk.reasons.iter().map(|reason| (*reason).to_owned()).collect(),
            },
        };
        Ok(Prepared {
            secret,
            device,
            new_device: seen_before.is_none(),
            session,
            sign_in: row,
        })
    }

    /// Begins a session, and tells the holder elsewhere when the device is new.
    pub(crate) async fn begin_session(
        &self,
        account: &Account,
        spend: Option<(CeremonyId, Timestamp)>,
        used: Option<Used>,
        prepared: Prepared,
    ) -> Result<SignedIn, Error> {
        let view = prepared.view();
        let answer = SignedIn {
            secret: prepared.secret.clone(),
            device: prepared.device.clone(),
            expires_at: view.expires_at,
            session: view,
        };
        let job = BeginSession {
            shared: self.shared(),
            account: account.id,
            lines: self.lines_of(account).await?,
            spend,
            used,
            prepared,
        };
        self.commit(job).await?;
        Ok(answer)
    }

    /// The lines of an account's holder.
    pub(crate) async fn lines_of(&self, account: &Account) -> Result<Vec<SubscriptionId>, Error> {
        let Some(party) = account.party_id else {
            return Ok(Vec::new());
        };
        let lines = self.store().subscriptions_of(party).await?;
        Ok(lines.into_iter().map(|line| line.id).collect())
    }

    /// Bars a passkey of which a copy showed up, and ends every session of its account.
    pub(crate) async fn bar_passkey(&self, account: &Account, passkey: PasskeyId) -> Result<(), Error> {
        let job = Bar {
            shared: self.shared(),
            account: account.id,
            lines: self.lines_of(account).await?,
            passkey,
        };
        self.commit(job).await?;
        self.desk().sessions().clear();
        Ok(())
    }
}

/// Reasons that would tell a stranger something are not told.
fn hidden(error: Error) -> Error {
    match error.kind {
        ErrorKind::Forbidden if !matches!(error.code, "wrong_origin" | "user_not_verified") => refused(),
        _ => error,
    }
}

/// A session that is ready to begin.
pub(crate) struct Prepared {
    pub secret: String,
    pub device: String,
    pub new_device: bool,
    pub session: NewSession,
    pub sign_in: SignIn,
}

impl Prepared {
    pub(crate) fn view(&self) -> SessionView {
        let (row, seen) = (&self.session.row, &self.session.seen);
        SessionView {
            id: row.id,
            current: true,
            how: row.how.clone(),
            address: seen.address.clone(),
            agent: seen.agent.clone(),
            created_at: row.created_at,
            expires_at: row.expires_at,
            reasons: seen.reasons.clone(),
        }
    }
}

/// A passkey that signed.
pub(crate) struct Used {
    pub id: PasskeyId,
    pub secret: PasskeySecret,
    pub counter: i64,
}

impl Used {
    /// Writes the new count, unless somebody else used the passkey meanwhile: of two answers with one count, one came
    /// from a copy.
    pub(crate) fn write(
        &self,
        account: AccountId,
        key: &AccountKey<'_>,
        world: &World,
        draft: &mut Draft<'_>,
    ) -> Result<PasskeyRow, Error> {
        let mut row = world
            .accounts
            .passkeys
            .get(&account)
            .and_then(|rows| rows.iter().find(|row| row.id == self.id && row.is_good()))
            .cloned()
            .ok_or_else(refused)?;
        if (self.counter > 0 || row.counter > 0) && self.counter <= row.counter {
            return Err(over());
        }
        row.counter = self.counter;
        row.used_at = Some(draft.now);
        row.sealed = key.seal(Of::Passkey, row.id.as_bytes(), &self.secret, draft.entropy)?;
        row.version += 1;
        draft.account(AccountWrite::ChangePasskey(row.clone()));
        Ok(row)
    }
}

pub(crate) struct BeginSession {
    pub shared: Arc<Shared>,
    pub account: AccountId,
    pub lines: Vec<SubscriptionId>,
    pub spend: Option<(CeremonyId, Timestamp)>,
    pub used: Option<Used>,
    pub prepared: Prepared,
}

/// What a job about one account reads.
pub(crate) fn account_needs(
    account: AccountId,
    lines: &[SubscriptionId],
    ceremony: Option<CeremonyId>,
) -> Needs {
    Needs {
        lines: lines.to_vec(),
        accounts: AccountNeeds {
            accounts: vec![account],
            ceremonies: ceremony.into_iter().collect(),
            guesses: Vec::new(),
        },
        ..Needs::default()
    }
}

impl Job for BeginSession {
    type Answer = ();

    fn needs(&self) -> Needs {
        account_needs(self.account, &self.lines, self.spend.map(|(id, _)| id))
    }

    fn run(&self, world: &World, draft: &mut Draft<'_>) -> Result<(), Error> {
        let account = known(world, self.account)?;
        if account.disabled_at.is_some() {
            return Err(refused());
        }
        let key = AccountKey::of(
            &self.shared.keyring,
            account.party_id,
            account.party_id.and_then(|party| world.keys.get(&party)),
        )?;
        let mut actor = Actor::system();
        actor.role = account.role;
        begin(draft, "session.begun", &actor, &account);
        let session = &self.prepared.session;
        draft.entry().detail = serde_json::json!({
            "account": account.id, "session": session.row.id, "how": session.row.how,
            "risk": session.seen.risk, "reasons": session.seen.reasons,
        });
        if let Some((id, ends)) = self.spend {
            world.accounts.unspent(id)?;
            draft.account(AccountWrite::Spend(id, ends));
        }
        if let Some(used) = &self.used {
            used.write(account.id, &key, world, draft)?;
        }
        session.write(&self.shared, &key, draft)?;
        draft.account(AccountWrite::SignIn(self.prepared.sign_in.clone()));
        draft.account(AccountWrite::Forget);
        if self.prepared.new_device {
            tell_holder(&self.shared, world, account.party_id, Happened::NewDevice, draft)?;
        }
        draft.end_entry()?;
        Ok(())
    }
}

struct Bar {
    shared: Arc<Shared>,
    account: AccountId,
    lines: Vec<SubscriptionId>,
    passkey: PasskeyId,
}

impl Job for Bar {
    type Answer = ();

    fn needs(&self) -> Needs {
        account_needs(self.account, &self.lines, None)
    }

    fn run(&self, world: &World, draft: &mut Draft<'_>) -> Result<(), Error> {
        let account = known(world, self.account)?;
        let rows = world.accounts.passkeys.get(&self.account);
        let Some(mut row) = rows
            .and_then(|rows| rows.iter().find(|row| row.id == self.passkey && row.is_good()))
            .cloned()
        else {
            return Ok(());
        };
        begin(draft, "passkey.barred", &Actor::system(), &account);
        draft.entry().detail = serde_json::json!({ "account": account.id, "passkey": row.id });
        row.suspect_at = Some(draft.now);
        row.version += 1;
        draft.account(AccountWrite::ChangePasskey(row));
        draft.account(AccountWrite::EndSessions(account.id, Ends::All, "passkey_cloned"));
        tell_holder(
            &self.shared,
            world,
            account.party_id,
            Happened::PasskeyCloned,
            draft,
        )?;
        draft.end_entry()?;
        Ok(())
    }
}

/// The secret part of an account that is open.
pub(crate) fn open_secret(key: &AccountKey<'_>, account: &Account) -> Result<AccountSecret, Error> {
    key.open(Of::Account, account.id.as_bytes(), &account.sealed)
}
