//! Passwords: the second choice, for subscribers who have no passkey at hand. What a session by password may do is
//! little: it counts as a device that is known for no time, so its yes moves nothing.
//!
//! Each guess is charged before it is evaluated (see `guess`), unknown accounts cost the same work as known ones, and
//! there is one answer to everything that is wrong.

use super::account::{AccountKey, begin, known, login_index};
use super::enrol::freshly_signed_in;
use super::guess::Charged;
use super::marks::{Whereabouts, device_mark};
use super::sign_in::{SignedIn, account_needs, open_secret};
use super::tell::{Happened, tell_holder};
use super::world::AccountWrite;
use crate::app::App;
use crate::committer::Job;
use crate::draft::{Draft, Rare};
use crate::secrets::{Of, open, subject_key};
use crate::shared::Shared;
use crate::world::{Needs, World};
use crate::{Actor, Error, ErrorKind};
use simwarden_identity::passwords::{About, BreachedRange, PasswordHash, RANGE_BYTES_MAX, check};
use simwarden_identity::recovery;
use simwarden_identity::stuffing::Verdict;
use simwarden_model::{AccountId, Channel, Role, SessionId, SubscriptionId};
use simwarden_store::records::account::Account;
use simwarden_store::records::session::Ends;
use simwarden_store::{BlindIndex, Indexed};
use std::sync::Arc;

/// A sign-in without a passkey.
#[derive(Debug, Clone)]
pub struct PasswordSignIn {
    /// Name, number or mail address.
    pub login: String,
    /// The password.
    pub password: String,
    /// The six digits of the authenticator, for accounts that have one.
    pub code: Option<String>,
}

fn refused() -> Error {
    Error::new(
        ErrorKind::Unauthenticated,
        "sign_in_refused",
        "this did not work: login, password or code is wrong",
    )
}

/// The key that passwords are hashed under: the master key's own, so that the database alone cannot be guessed at.
fn pepper(shared: &Shared) -> [u8; 32] {
    shared.keyring.vouch("password", b"pepper")
}

/// The index of a recovery code.
fn recovery_index(shared: &Shared, account: AccountId, code: &str) -> BlindIndex {
    let text = format!("recovery:{account}:{code}");
    shared.keyring.index(Indexed::OneTimeCode, text.as_bytes())
}

impl App {
    /// Signs in with a password and, where the account has an authenticator, its code.
    ///
    /// # Errors
    /// `sign_in_refused` for everything that is wrong; `slow_down` when too many guesses were made.
    pub async fn sign_in_with_password(
        &self,
        given: PasswordSignIn,
        from: &Whereabouts,
    ) -> Result<SignedIn, Error> {
        let login = login_index(self.keyring(), &given.login).ok_or_else(refused)?;
        let account = self.store().account_by_login(login).await?;
        let account = account.filter(|account| account.role == Role::Subscriber && self.is_usable(account));
        let charged = self.charge(login, account.as_ref(), from).await?;
        let network = *from.network_mark(self.keyring()).as_bytes();
        let verdict = self.desk().stuffing().verdict(&network, self.now());
        if verdict == Verdict::Source && !charged.known_device {
            return Err(super::guess::slow_down());
        }
        let matched = self.password_matches(account.as_ref(), &given.password).await?;
        let account = account.filter(|_| matched);
        let passed = match &account {
            Some(account) => self.second_factor(account, given.code.as_deref()).await?,
            None => Passed::No,
        };
        let believed =
            !matches!(passed, Passed::PasswordOnly) || charged.known_device || verdict == Verdict::Quiet;
        let failed = matches!(passed, Passed::No) || !believed;
        if !charged.known_device {
            self.desk()
                .stuffing()
                .note(network, *login.as_bytes(), failed, self.now());
        }
        let Some(account) = account.filter(|_| !failed) else {
            return Err(refused());
        };
        self.refund(&charged).await?;
        self.note_leak(&account, &given.password).await?;
        let how = if matches!(passed, Passed::Both) {
            "password_totp"
        } else {
            "password"
        };
        // Whatever it was before, a device that came by password is known for no time.
        let prepared = self.prepare(&account, how, None, from, |_, now| now).await?;
        self.begin_session(&account, None, None, prepared).await
    }

    /// Compares a password, with the same work whether the account exists or not.
    async fn password_matches(&self, account: Option<&Account>, password: &str) -> Result<bool, Error> {
        let stored = match account {
            Some(account) => {
                let key = self.account_key(account).await?;
                open_secret(&key, account)?.password
            }
            None => None,
        };
        let stored = stored
            .map(|text| PasswordHash::from_text(&text).map_err(Error::internal))
            .transpose()?;
        let (password, pepper, cost) = (
            password.to_owned(),
            pepper(&self.shared()),
            self.limits().password_cost,
        );
        self.desk().count_evaluated();
        self.desk()
            .heavy(move || match stored {
                Some(hash) => hash.verify(&password, &pepper).map_err(Error::internal),
                None => PasswordHash::make(&password, &pepper, [0; 16], cost)
                    .map(|_| false)
                    .map_err(Error::internal),
            })
            .await?
    }

    /// The second factor, if the account has one. A wrong code after a right password is a failed challenge about
    /// every line of the person.
    async fn second_factor(&self, account: &Account, code: Option<&str>) -> Result<Passed, Error> {
        let Some(party) = account.party_id else {
            return Ok(Passed::PasswordOnly);
        };
        let job = CheckCode {
            shared: self.shared(),
            account: account.id,
            party,
            lines: self.lines_of(account).await?,
            code: code.map(str::to_owned),
        };
        self.commit(job).await
    }

    /// Marks a password that stands in the list of leaked ones: it must be changed.
    async fn note_leak(&self, account: &Account, password: &str) -> Result<(), Error> {
        if self.times_leaked(password).await?.is_some_and(|times| times > 0) {
            self.require_new_password(account.id, "password_leaked").await?;
        }
        Ok(())
    }

    /// How often a password was leaked; none without a list.
    async fn times_leaked(&self, password: &str) -> Result<Option<u64>, Error> {
        let Some(folder) = self.desk().leaked_folder().map(ToOwned::to_owned) else {
            return Ok(None);
        };
        let range = BreachedRange::of(password);
        let found = tokio::task::spawn_blocking(move || {
            use std::io::Read as _;
            for name in [range.name().to_owned(), format!("{}.txt", range.name())] {
                let file = match std::fs::File::open(folder.join(name)) {
                    Ok(file) => file,
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                    Err(error) => return Err(error.to_string()),
                };
                let mut text = String::new();
                file.take(RANGE_BYTES_MAX as u64 + 1)
                    .read_to_string(&mut text)
                    .map_err(|error| error.to_string())?;
                return range.count_in(&text).map_err(|error| error.to_string());
            }
            Ok(0)
        })
        .await
        .map_err(Error::internal)?;
        match found {
            Ok(times) => Ok(Some(times)),
            Err(why) => {
                tracing::error!(why, "the list of leaked passwords cannot be read");
                Ok(None)
            }
        }
    }

    /// Says that a password must be changed: it leaked, the account may be taken over, the SIM changed. Never the
    /// calendar.
    ///
    /// # Errors
    /// When the account is unknown.
    pub async fn require_new_password(&self, account: AccountId, why: &'static str) -> Result<(), Error> {
        self.commit(RequirePassword { account, why }).await?;
        self.desk().sessions().clear();
        Ok(())
    }

    /// Sets a password, by somebody who has just signed in.
    ///
    /// # Errors
    /// `password_…` with every reason that speaks against it; when the session is not fresh, or by staff.
    pub async fn set_password(&self, actor: &Actor, password: &str) -> Result<(), Error> {
        let id = freshly_signed_in(actor, self.now())?;
        if actor.role != Role::Subscriber {
            return Err(Error::forbidden("staff sign in with passkeys only"));
        }
        self.owner_of_old(actor, id).await?;
        let account = self.usable_account(id).await?.ok_or_else(refused)?;
        let key = self.account_key(&account).await?;
        let secret = open_secret(&key, &account)?;
        let second_factor = match account.party_id {
            Some(party) => self.store().has_factor(party).await?,
            None => false,
        };
        let words: Vec<&str> = [Some(secret.name.as_str()), secret.login.as_deref()]
            .into_iter()
            .flatten()
            .collect();
        let about = About {
            words: &words,
            second_factor,
            leaked: self.times_leaked(password).await?,
        };
        if let [first, ..] = check(password, &about).as_slice() {
            return Err(Error::new(
                ErrorKind::Invalid,
                first.code(),
                format!("`password`: {first}"),
            ));
        }
        let (salt, pepper, cost): ([u8; 16], _, _) =
            (self.draw(), pepper(&self.shared()), self.limits().password_cost);
        let password = password.to_owned();
        let hash = self
            .desk()
            .heavy(move || PasswordHash::make(&password, &pepper, salt, cost))
            .await?
            .map_err(Error::internal)?;
        let job = SetPassword {
            shared: self.shared(),
            actor: actor.clone(),
            account: id,
            lines: self.lines_of(&account).await?,
            hash: hash.to_text(),
            stays: actor.session,
        };
        self.commit(job).await?;
        self.desk().sessions().clear();
        Ok(())
    }

    /// Makes a new set of recovery codes, by somebody who has just signed in; they are shown this once.
    ///
    /// # Errors
    /// When the session is not fresh.
    pub async fn make_recovery_codes(&self, actor: &Actor) -> Result<Vec<String>, Error> {
        let id = freshly_signed_in(actor, self.now())?;
        self.owner_of_old(actor, id).await?;
        let account = self.usable_account(id).await?.ok_or_else(refused)?;
        let codes = self.with_entropy(|entropy| recovery::draw(entropy));
        let shared = self.shared();
        let indexes = codes
            .iter()
            .filter_map(|code| recovery::normal(code))
            .map(|code| recovery_index(&shared, id, &code))
            .collect();
        let job = Codes {
            lines: self.lines_of(&account).await?,
            shared,
            actor: actor.clone(),
            account: id,
            indexes,
        };
        self.commit(job).await?;
        Ok(codes)
    }

    /// Signs in with a recovery code, to enrol a passkey again.
    ///
    /// # Errors
    /// As [`Self::sign_in_with_password`].
    pub async fn sign_in_with_recovery_code(
        &self,
        login: &str,
        code: &str,
        from: &Whereabouts,
    ) -> Result<SignedIn, Error> {
        let login = login_index(self.keyring(), login).ok_or_else(refused)?;
        let code = recovery::normal(code).ok_or_else(refused)?;
        let account = self.store().account_by_login(login).await?;
        // Staff who lost their keys are invited again by an administrator.
        let account = account.filter(|account| account.role == Role::Subscriber && self.is_usable(account));
        let charged = self.charge(login, account.as_ref(), from).await?;
        let account = account.ok_or_else(refused)?;
        let job = UseCode {
            shared: self.shared(),
            account: account.id,
            lines: self.lines_of(&account).await?,
            code: recovery_index(&self.shared(), account.id, &code),
        };
        match self.commit(job).await {
            Ok(()) => {}
            Err(error) if error.kind == ErrorKind::Conflict => return Err(refused()),
            Err(error) => return Err(error),
        }
        self.refund(&charged).await?;
        let prepared = self
            .prepare(&account, "recovery", None, from, |_, now| now)
            .await?;
        self.begin_session(&account, None, None, prepared).await
    }

    /// Passwords that were compared since the start, for the counters.
    #[must_use]
    pub fn passwords_evaluated(&self) -> u64 {
        self.desk().evaluated()
    }

    pub(crate) async fn charge(
        &self,
        login: BlindIndex,
        account: Option<&Account>,
        from: &Whereabouts,
    ) -> Result<Charged, Error> {
        let device = from.known_mark().map(|mark| device_mark(self.keyring(), mark));
        let known_device = match (account, device) {
            (Some(account), Some(device)) => self.store().device_since(account.id, device).await?.is_some(),
            _ => false,
        };
        self.charge_guess(login, device, known_device, from).await
    }
}

/// How far somebody came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Passed {
    No,
    PasswordOnly,
    Both,
}

/// Checks the code of an authenticator at a sign-in, and remembers that it was used.
struct CheckCode {
    shared: Arc<Shared>,
    account: AccountId,
    party: simwarden_model::PartyId,
    lines: Vec<SubscriptionId>,
    code: Option<String>,
}

impl Job for CheckCode {
    type Answer = Passed;

    fn needs(&self) -> Needs {
        Needs {
            factors: true,
            ..account_needs(self.account, &self.lines, None)
        }
    }

    fn run(&self, world: &World, draft: &mut Draft<'_>) -> Result<Passed, Error> {
        let factors = world.factors.get(&self.party).map_or(&[][..], Vec::as_slice);
        let factors: Vec<_> = factors.iter().filter(|factor| factor.kind == "totp").collect();
        if factors.is_empty() {
            return Ok(Passed::PasswordOnly);
        }
        let Some(code) = &self.code else {
            return Ok(Passed::No);
        };
        let key = subject_key(&self.shared.keyring, world.keys.get(&self.party))?;
        for factor in factors {
            let secret: Vec<u8> = open(&key, Of::Factor, factor.id.as_bytes(), &factor.sealed)?;
            if let Some(step) = crate::totp::matching_step(&secret, code, draft.now)
                && step > factor.last_step
            {
                draft.rare(Rare::FactorStep { id: factor.id, step });
                return Ok(Passed::Both);
            }
        }
        let account = known(world, self.account)?;
        begin(draft, "sign_in.failed", &Actor::system(), &account);
        for line in world.lines.values().filter(|line| line.party_id == self.party) {
            draft.attempt(line.id, Channel::Web, "sign_in_code");
        }
        draft.end_entry()?;
        Ok(Passed::No)
    }
}

struct RequirePassword {
    account: AccountId,
    why: &'static str,
}

impl Job for RequirePassword {
    type Answer = ();

    fn needs(&self) -> Needs {
        account_needs(self.account, &[], None)
    }

    fn run(&self, world: &World, draft: &mut Draft<'_>) -> Result<(), Error> {
        let mut account = known(world, self.account)?;
        if account.password_due.as_deref() == Some(self.why) || account.password_at.is_none() {
            return Ok(());
        }
        begin(draft, "password.due", &Actor::system(), &account);
        draft.entry().detail = serde_json::json!({ "account": account.id, "why": self.why });
        account.password_due = Some(self.why.to_owned());
        account.version += 1;
        draft.account(AccountWrite::ChangeAccount(account));
        draft.end_entry()?;
        Ok(())
    }
}

struct SetPassword {
    shared: Arc<Shared>,
    actor: Actor,
    account: AccountId,
    lines: Vec<SubscriptionId>,
    hash: String,
    stays: Option<SessionId>,
}

impl Job for SetPassword {
    type Answer = ();

    fn needs(&self) -> Needs {
        account_needs(self.account, &self.lines, None)
    }

    fn run(&self, world: &World, draft: &mut Draft<'_>) -> Result<(), Error> {
        let mut account = known(world, self.account)?;
        let key = AccountKey::of(
            &self.shared.keyring,
            account.party_id,
            account.party_id.and_then(|party| world.keys.get(&party)),
        )?;
        let mut secret = open_secret(&key, &account)?;
        secret.password = Some(self.hash.clone());
        account.sealed = key.seal(Of::Account, account.id.as_bytes(), &secret, draft.entropy)?;
        account.password_at = Some(draft.now);
        account.password_due = None;
        account.version += 1;
        begin(draft, "password.set", &self.actor, &account);
        if let Some(session) = self.stays {
            let which = Ends::AllBut(session);
            draft.account(AccountWrite::EndSessions(account.id, which, "password_set"));
        }
        let party = account.party_id;
        draft.account(AccountWrite::ChangeAccount(account));
        tell_holder(&self.shared, world, party, Happened::PasswordSet, draft)?;
        draft.end_entry()?;
        Ok(())
    }
}

struct Codes {
    shared: Arc<Shared>,
    lines: Vec<SubscriptionId>,
    actor: Actor,
    account: AccountId,
    indexes: Vec<BlindIndex>,
}

impl Job for Codes {
    type Answer = ();

    fn needs(&self) -> Needs {
        account_needs(self.account, &self.lines, None)
    }

    fn run(&self, world: &World, draft: &mut Draft<'_>) -> Result<(), Error> {
        let account = known(world, self.account)?;
        begin(draft, "recovery.made", &self.actor, &account);
        draft.account(AccountWrite::RecoveryCodes(account.id, self.indexes.clone()));
        tell_holder(
            &self.shared,
            world,
            account.party_id,
            Happened::RecoveryMade,
            draft,
        )?;
        draft.end_entry()?;
        Ok(())
    }
}

struct UseCode {
    shared: Arc<Shared>,
    account: AccountId,
    lines: Vec<SubscriptionId>,
    code: BlindIndex,
}

impl Job for UseCode {
    type Answer = ();

    fn needs(&self) -> Needs {
        account_needs(self.account, &self.lines, None)
    }

    fn run(&self, world: &World, draft: &mut Draft<'_>) -> Result<(), Error> {
        let account = known(world, self.account)?;
        begin(draft, "recovery.used", &Actor::system(), &account);
        draft.account(AccountWrite::UseRecoveryCode(account.id, self.code));
        tell_holder(
            &self.shared,
            world,
            account.party_id,
            Happened::RecoveryUsed,
            draft,
        )?;
        draft.end_entry()?;
        Ok(())
    }
}
