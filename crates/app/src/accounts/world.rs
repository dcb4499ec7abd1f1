//! What jobs of accounts read and write: rows, in the one transaction.

use simwarden_identity::throttle::Tally;
use simwarden_model::{AccountId, CeremonyId, Timestamp};
use simwarden_store::records::account::Account;
use simwarden_store::records::guess::GuessRow;
use simwarden_store::records::passkey::PasskeyRow;
use simwarden_store::records::session::{Ends, SessionRow};
use simwarden_store::records::sign_in::SignIn;
use simwarden_store::{BlindIndex, StoreError, Tx};
use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::time::Duration;

/// What a job of accounts must have read before it runs.
#[derive(Debug, Default, Clone)]
pub(crate) struct AccountNeeds {
    /// Accounts, with their passkeys.
    pub accounts: Vec<AccountId>,
    /// Challenges: which of them were answered.
    pub ceremonies: Vec<CeremonyId>,
    /// Counts of guesses.
    pub guesses: Vec<BlindIndex>,
}

fn unique<T: Eq + Hash + Copy>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut seen = HashSet::new();
    items.filter(|item| seen.insert(*item)).collect()
}

impl AccountNeeds {
    pub(crate) fn is_empty(&self) -> bool {
        self.accounts.is_empty() && self.ceremonies.is_empty() && self.guesses.is_empty()
    }

    pub(crate) fn union<'a>(all: impl Iterator<Item = &'a Self> + Clone) -> Self {
        Self {
            accounts: unique(all.clone().flat_map(|n| n.accounts.iter().copied())),
            ceremonies: unique(all.clone().flat_map(|n| n.ceremonies.iter().copied())),
            guesses: unique(all.flat_map(|n| n.guesses.iter().copied())),
        }
    }

    /// Every row that a job with these needs may change, as bytes.
    pub(crate) fn touched(&self) -> impl Iterator<Item = [u8; 16]> {
        let accounts = self.accounts.iter().map(|id| *id.as_bytes());
        let ceremonies = self.ceremonies.iter().map(|id| *id.as_bytes());
        accounts
            .chain(ceremonies)
            .chain(self.guesses.iter().map(|key| *key.as_bytes()))
    }
}

/// What was read of the accounts' tables.
#[derive(Debug, Default)]
pub(crate) struct AccountWorld {
    pub accounts: HashMap<AccountId, Account>,
    pub passkeys: HashMap<AccountId, Vec<PasskeyRow>>,
    pub spent: HashSet<CeremonyId>,
    pub guesses: HashMap<BlindIndex, Tally>,
}

impl AccountWorld {
    pub(crate) async fn read(tx: &mut Tx, needs: &AccountNeeds) -> Result<Self, StoreError> {
        let mut world = Self::default();
        if needs.is_empty() {
            return Ok(world);
        }
        world.accounts = tx
            .accounts(&needs.accounts)
            .await?
            .into_iter()
            .map(|row| (row.id, row))
            .collect();
        for row in tx.passkeys_of(&needs.accounts).await? {
            world.passkeys.entry(row.account_id).or_default().push(row);
        }
        world.spent = tx
            .spent_ceremonies(&needs.ceremonies)
            .await?
            .into_iter()
            .collect();
        world.guesses = super::guess::tallies(tx.guesses(&needs.guesses).await?);
        Ok(world)
    }

    /// Refuses a challenge that was answered.
    pub(crate) fn unspent(&self, id: CeremonyId) -> Result<(), crate::Error> {
        if self.spent.contains(&id) {
            return Err(super::ceremony::over());
        }
        Ok(())
    }
}

/// Something of the accounts to be written.
#[derive(Debug)]
pub(crate) enum AccountWrite {
    Account(Account),
    /// The next version, counted up already.
    ChangeAccount(Account),
    Passkey(PasskeyRow),
    /// The next version, counted up already.
    ChangePasskey(PasskeyRow),
    Session(SessionRow),
    /// The next secret, and the hash of the one before.
    Rotate(SessionRow, [u8; 32]),
    EndSessions(AccountId, Ends, &'static str),
    Spend(CeremonyId, Timestamp),
    Guesses(Vec<GuessRow>),
    SignIn(SignIn),
    RecoveryCodes(AccountId, Vec<BlindIndex>),
    UseRecoveryCode(AccountId, BlindIndex),
    /// What is too old to say anything.
    Forget,
}

/// How long a count of guesses is kept: it weighs nothing long before.
const GUESSES_KEPT: Duration = Duration::from_secs(30 * 24 * 3600);
/// How long sign-ins are kept: as long as a device is known again.
const SIGN_INS_KEPT: Duration = Duration::from_secs(400 * 24 * 3600);

impl AccountWrite {
    pub(crate) async fn write(self, tx: &mut Tx, now: Timestamp) -> Result<(), StoreError> {
        match self {
            Self::Account(row) => tx.insert_accounts(&[row]).await,
            Self::ChangeAccount(row) => tx.update_account(&row).await,
            Self::Passkey(row) => tx.insert_passkeys(&[row]).await,
            Self::ChangePasskey(row) => tx.update_passkey(&row).await,
            Self::Session(row) => tx.insert_sessions(&[row]).await,
            Self::Rotate(row, before) => tx.rotate_session(&row, before).await,
            Self::EndSessions(account, which, why) => {
                tx.end_sessions(account, which, now, why).await.map(drop)
            }
            Self::Spend(id, ends) => tx.spend_ceremonies(&[(id, ends)]).await,
            Self::Guesses(rows) => tx.put_guesses(&rows).await,
            Self::SignIn(row) => tx.insert_sign_ins(&[row]).await,
            Self::RecoveryCodes(account, codes) => tx.replace_recovery_codes(account, &codes).await,
            Self::Forget => {
                tx.forget_ceremonies(now).await?;
                tx.forget_guesses(now.minus(GUESSES_KEPT)).await?;
                tx.forget_sign_ins(now.minus(SIGN_INS_KEPT)).await.map(drop)
            }
            Self::UseRecoveryCode(account, code) => tx.use_recovery_code(account, code, now).await,
        }
    }
}
