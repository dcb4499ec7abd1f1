//! The use cases, as the edge calls them.

use crate::accounts::freshly_signed_in;
use crate::chance::{OsEntropy, SystemClock};
use crate::committer::{Committer, Job, Parts};
use crate::followup::{RollBack, RollBackAnswer, Stop, TimeUp};
use crate::ingest::{BATCH_BYTES_MAX, CHUNK_EVENTS, IngestReport, StoreEvents, may_deliver, named, parse};
use crate::operation::NewOperation;
use crate::shared::{Limits, Shared};
use crate::submit::{Submit, Submitted};
use crate::tokens::{EnrolTotp, Erase, MakeToken, NewToken, Retain, RevokeToken, TOKEN_PREFIX, token_hash};
use crate::views::{OperationDetail, OperationSummary, detail, summary};
use crate::watchman::ClockGuard;
use crate::{Actor, Error, ErrorKind, Update};
use simwarden_guard::Engine;
use simwarden_model::{
    Clock, Entropy, FactorId, OperationId, OperationState, PartyId, Role, Timestamp, TokenId,
};
use simwarden_store::records::operation::Operation;
use simwarden_store::{Keyring, Store};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{broadcast, watch};

/// How long a token that was looked up is believed without looking again.
const TOKEN_CACHE: Duration = Duration::from_secs(1);
/// Tokens kept in that cache.
const TOKEN_CACHE_MAX: usize = 4096;
/// Operations whose time is up, taken at once.
const TIME_UP_MAX: u32 = 64;

/// What the use cases are opened with.
pub struct AppConfig {
    /// The database.
    pub store: Store,
    /// The keys.
    pub keyring: Keyring,
    /// The rules.
    pub engine: Engine,
    /// The limits.
    pub limits: Limits,
    /// The clock; the machine's when absent.
    pub clock: Option<Arc<dyn Clock>>,
    /// The source of chance; the machine's when absent.
    pub entropy: Option<Box<dyn Entropy>>,
    /// Somebody's word that the clock is right although it stands far from the ledger's last entry.
    pub accept_clock: bool,
}

/// The use cases. Cheap to clone.
#[derive(Clone)]
pub struct App {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    shared: Arc<Shared>,
    committer: Committer,
    clock: Arc<dyn Clock>,
    entropy: Mutex<OsEntropy>,
    tokens: Mutex<HashMap<[u8; 32], (Duration, Actor, Timestamp)>>,
}

impl App {
    /// Opens the use cases on a database.
    ///
    /// # Errors
    /// When the database cannot be read or the operating system gives no randomness.
    pub async fn open(config: AppConfig) -> Result<Self, Error> {
        let os = || OsEntropy::new().map_err(Error::internal);
        let clock = config.clock.unwrap_or_else(|| Arc::new(SystemClock::start()));
        let entropy = match config.entropy {
            Some(entropy) => entropy,
            None => Box::new(os()?),
        };
        let (end, last) = config.store.ledger_end().await?;
        let guard = ClockGuard::start(
            clock.now(),
            clock.monotonic(),
            (end > 0).then_some(last),
            config.accept_clock,
        );
        let parts = Parts {
            store: config.store.clone(),
            clock: Arc::clone(&clock),
            entropy,
            guard,
        };
        let committer = Committer::start(parts, end);
        let counts = config.store.brake_counts().await?;
        let shared = Shared::new(config.engine, config.keyring, config.limits, &counts);
        let inner = Inner {
            store: config.store,
            shared,
            committer,
            clock,
            entropy: Mutex::new(os()?),
            tokens: Mutex::default(),
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// The database, for reading.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.inner.store
    }

    /// The keys.
    #[must_use]
    pub fn keyring(&self) -> &Keyring {
        &self.inner.shared.keyring
    }

    /// The rules that decide.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.inner.shared.engine
    }

    /// The limits.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.inner.shared.limits
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    /// What changed, from now on.
    #[must_use]
    pub fn updates(&self) -> broadcast::Receiver<Update> {
        self.inner.committer.updates()
    }

    /// The number of ledger entries that are durable.
    #[must_use]
    pub fn written(&self) -> watch::Receiver<i64> {
        self.inner.committer.written()
    }

    /// How many requests wait to be taken into a batch.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.inner.committer.queued()
    }

    /// Becomes true when the storage can no longer be relied on and the process must end.
    #[must_use]
    pub fn halt(&self) -> watch::Receiver<bool> {
        self.inner.committer.halt()
    }

    pub(crate) fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.inner.shared)
    }

    pub(crate) async fn commit<J: Job>(&self, job: J) -> Result<J::Answer, Error> {
        self.inner.committer.commit(job).await
    }

    pub(crate) fn draw<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.with_entropy(|entropy| entropy.fill(&mut bytes));
        bytes
    }

    /// Chance, for as long as something is drawn.
    pub(crate) fn with_entropy<T>(&self, draw: impl FnOnce(&mut dyn Entropy) -> T) -> T {
        draw(&mut *self.inner.entropy.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Time since the process started, which no clock change moves.
    pub(crate) fn monotonic(&self) -> Duration {
        self.inner.clock.monotonic()
    }

    /// What the accounts hold on to.
    pub(crate) fn desk(&self) -> &crate::accounts::Desk {
        &self.inner.shared.desk
    }

    /// Says at which address people reach this server: passkeys are bound to it. Once, at the start.
    ///
    /// # Errors
    /// When it was said before.
    pub fn open_site(&self, passkeys: crate::accounts::Passkeys) -> Result<(), Error> {
        self.desk().open_site(passkeys)
    }

    /// Says in which folder the ranges of leaked passwords lie. Once, at the start.
    ///
    /// # Errors
    /// When it was said before.
    pub fn use_leaked_passwords(&self, folder: std::path::PathBuf) -> Result<(), Error> {
        self.desk().use_leaked(folder)
    }

    // ---- tokens -------------------------------------------------------------------------------------------------

    /// Who presents this token.
    ///
    /// # Errors
    /// [`ErrorKind::Unauthenticated`] when it is unknown, expired or taken back.
    pub async fn authenticate(&self, secret: &str) -> Result<Actor, Error> {
        let no = || {
            Error::new(
                ErrorKind::Unauthenticated,
                "token_invalid",
                "this token is not valid: sign in again, or ask for a new one",
            )
        };
        if !secret.starts_with(TOKEN_PREFIX) || secret.len() > 100 {
            return Err(no());
        }
        let hash = token_hash(secret);
        let (now, tick) = (self.now(), self.inner.clock.monotonic());
        if let Some((at, actor, expires)) = self.cached(&hash)
            && tick.saturating_sub(at) < TOKEN_CACHE
            && expires > now
        {
            return Ok(actor);
        }
        let row = self.inner.store.token_by_hash(hash).await?.ok_or_else(no)?;
        if row.mac != row.expected_mac(self.keyring()) {
            tracing::error!(token = %row.id, "a token's row was made or changed behind the ledger's back");
            return Err(no());
        }
        if row.revoked_at.is_some() || row.expires_at <= now {
            return Err(no());
        }
        let actor = Actor {
            token: row.id,
            role: row.role,
            operator: row.operator,
            party: row.party_id,
            shop: row.shop,
            terminal: row.terminal,
            since: row.created_at,
            name: row.name,
            account: None,
            session: None,
            begun: None,
            signs: None,
        };
        let mut cache = self.inner.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        if cache.len() >= TOKEN_CACHE_MAX {
            cache.clear();
        }
        cache.insert(hash, (tick, actor.clone(), row.expires_at));
        Ok(actor)
    }

    fn cached(&self, hash: &[u8; 32]) -> Option<(Duration, Actor, Timestamp)> {
        self.inner
            .tokens
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(hash)
            .cloned()
    }

    /// Makes a token; answers its id and its secret, which is shown this once.
    ///
    /// # Errors
    /// When the actor may not make such a token.
    pub async fn make_token(&self, actor: &Actor, new: NewToken) -> Result<(TokenId, String), Error> {
        let bytes: [u8; 32] = self.draw();
        let secret = format!("{TOKEN_PREFIX}{}", crate::entry::hex(&bytes));
        let hash = token_hash(&secret);
        let id = self
            .commit(MakeToken {
                shared: self.shared(),
                actor: actor.clone(),
                new,
                hash,
            })
            .await?;
        Ok((id, secret))
    }

    /// Takes a token back. Within a second no server knows it any more.
    ///
    /// # Errors
    /// When the actor may not.
    pub async fn revoke_token(&self, actor: &Actor, token: TokenId) -> Result<(), Error> {
        let row = self
            .inner
            .store
            .token(token)
            .await?
            .ok_or_else(|| Error::not_found("token"))?;
        self.commit(RevokeToken {
            actor: actor.clone(),
            token,
            operator: row.operator,
        })
        .await?;
        self.inner
            .tokens
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&row.hash);
        Ok(())
    }

    /// Enrols an authenticator; answers its id and the secret to put into it.
    ///
    /// # Errors
    /// When the party is not the actor's.
    pub async fn enrol_totp(
        &self,
        actor: &Actor,
        party: PartyId,
        since: Option<Timestamp>,
    ) -> Result<(FactorId, Vec<u8>), Error> {
        if actor.role == Role::Subscriber && actor.session.is_some() {
            let account = freshly_signed_in(actor, self.now())?;
            self.owner_of_old(actor, account).await?;
        }
        let lines = self.store().subscriptions_of(party).await?;
        let secret = self.draw::<{ crate::totp::SECRET_BYTES }>().to_vec();
        let job = EnrolTotp {
            lines: lines.into_iter().map(|line| line.id).collect(),
            shared: self.shared(),
            actor: actor.clone(),
            party,
            secret: secret.clone(),
            since,
        };
        Ok((self.commit(job).await?, secret))
    }

    // ---- operations ---------------------------------------------------------------------------------------------

    /// Asks for an operation.
    ///
    /// # Errors
    /// When the request is incomplete, the line is not the actor's to touch, or nothing can be written.
    pub async fn submit(&self, actor: &Actor, order: NewOperation) -> Result<Submitted, Error> {
        if matches!(actor.role, Role::Auditor | Role::Feed | Role::Admin) {
            return Err(Error::forbidden("this role asks for no operations"));
        }
        self.commit(Submit {
            shared: self.shared(),
            actor: actor.clone(),
            order,
        })
        .await
    }

    /// One operation with everything about it.
    ///
    /// # Errors
    /// When it is not the actor's to see.
    pub async fn operation(&self, actor: &Actor, id: OperationId) -> Result<OperationDetail, Error> {
        let row = self.seen(actor, id).await?;
        let timeline = self.inner.store.history_of_operation(id).await?;
        detail(&row, timeline)
    }

    pub(crate) async fn seen(&self, actor: &Actor, id: OperationId) -> Result<Operation, Error> {
        let row = self.operation_row(id).await?;
        if may_see(actor, &row) {
            Ok(row)
        } else {
            Err(Error::not_found("operation"))
        }
    }

    /// Operations, the newest first.
    ///
    /// # Errors
    /// When the actor may not see lists.
    pub async fn operations(
        &self,
        actor: &Actor,
        state: Option<OperationState>,
        before: Option<OperationId>,
        limit: u32,
    ) -> Result<Vec<OperationSummary>, Error> {
        if matches!(actor.role, Role::Feed | Role::Agent) {
            return Err(Error::forbidden("this role sees no lists of operations"));
        }
        if actor.role == Role::Subscriber {
            let party = actor.party.ok_or_else(|| Error::not_found("party"))?;
            let mut rows = Vec::new();
            for line in self.inner.store.subscriptions_of(party).await? {
                rows.extend(self.inner.store.operations_of(line.id, limit).await?);
            }
            rows.sort_by_key(|row| std::cmp::Reverse(row.id));
            rows.retain(|row| before.is_none_or(|before| row.id < before));
            rows.retain(|row| state.is_none_or(|state| row.state == state));
            rows.truncate(limit as usize);
            return rows.iter().map(summary).collect();
        }
        let rows = self
            .inner
            .store
            .operations_page(actor.operator.as_deref(), state, before, limit)
            .await?;
        rows.iter().map(summary).collect()
    }

    /// Stops an operation.
    ///
    /// # Errors
    /// When it is over already.
    pub async fn stop(&self, actor: &Actor, id: OperationId) -> Result<(), Error> {
        self.commit(Stop {
            shared: self.shared(),
            actor: actor.clone(),
            operation: id,
        })
        .await
    }

    /// Takes a finished operation back; the second of two persons begins it.
    ///
    /// # Errors
    /// When the persons are the same, or the operation is not finished.
    pub async fn roll_back(&self, actor: &Actor, id: OperationId) -> Result<RollBackAnswer, Error> {
        self.commit(RollBack {
            shared: self.shared(),
            actor: actor.clone(),
            operation: id,
        })
        .await
    }

    /// Ends or decides again every operation whose time is up.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn time_up(&self) -> Result<usize, Error> {
        let due = self.inner.store.operations_due(self.now(), TIME_UP_MAX).await?;
        for id in &due {
            let eid = self.wished_eid(*id).await?;
            self.commit(TimeUp {
                shared: self.shared(),
                operation: *id,
                eid,
            })
            .await?;
        }
        Ok(due.len())
    }

    // ---- events -------------------------------------------------------------------------------------------------

    /// Takes in a batch of events, JSON Lines.
    ///
    /// # Errors
    /// When the batch is too large or nothing can be written; what was written before stays, and sending the batch
    /// again counts it as duplicate.
    pub async fn accept_events(&self, actor: &Actor, body: &[u8]) -> Result<IngestReport, Error> {
        may_deliver(actor)?;
        if body.len() > BATCH_BYTES_MAX {
            return Err(Error::new(
                ErrorKind::TooMany,
                "batch_too_large",
                "send at most 16 MiB at once",
            ));
        }
        let batch: [u8; 16] = self.draw();
        let parsed = {
            let mut entropy = OsEntropy::new().map_err(Error::internal)?;
            parse(body, actor, self.keyring(), self.now(), &mut entropy)
        };
        let mut report = IngestReport {
            quarantined: parsed.bad.len() as u64,
            problems: named(&parsed.bad),
            ..IngestReport::default()
        };
        let (mut events, mut bad) = (parsed.events, parsed.bad);
        while !events.is_empty() || !bad.is_empty() {
            let rest = events.split_off(events.len().min(CHUNK_EVENTS));
            let bad_rest = bad.split_off(bad.len().min(CHUNK_EVENTS));
            let job = StoreEvents {
                shared: self.shared(),
                actor: actor.clone(),
                batch,
                events: std::mem::replace(&mut events, rest),
                bad: std::mem::replace(&mut bad, bad_rest),
            };
            let (accepted, duplicate) = self.commit(job).await?;
            report.accepted += accepted;
            report.duplicate += duplicate;
        }
        Ok(report)
    }

    // ---- persons ------------------------------------------------------------------------------------------------

    /// Erases a person for good.
    ///
    /// # Errors
    /// While the law keeps the data, or lines are open.
    pub async fn erase(&self, actor: &Actor, party: PartyId) -> Result<(), Error> {
        let lines = self
            .inner
            .store
            .subscriptions_of(party)
            .await?
            .into_iter()
            .map(|line| line.id)
            .collect();
        self.commit(Erase {
            actor: actor.clone(),
            party,
            lines,
        })
        .await
    }

    /// Sets until when the law forbids erasing a person.
    ///
    /// # Errors
    /// When the actor may not.
    pub async fn retain(&self, actor: &Actor, party: PartyId, until: Option<Timestamp>) -> Result<(), Error> {
        self.commit(Retain {
            actor: actor.clone(),
            party,
            until,
        })
        .await
    }
}

/// Whether somebody may see an operation.
pub(crate) fn may_see(actor: &Actor, row: &Operation) -> bool {
    match actor.role {
        Role::Subscriber => actor.party == Some(row.party_id),
        Role::Agent => actor.token == row.actor,
        Role::Feed => false,
        _ => actor.sees_operator(&row.operator),
    }
}

/// Whether somebody may be told of an update.
#[must_use]
pub fn may_watch(actor: &Actor, update: &Update) -> bool {
    may_see(actor, &update.operation)
}
