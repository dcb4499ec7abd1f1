//! The sequencer: durable entries in, published checkpoints out.
//!
//! The order of one cycle, and why: files first and durable, so that nobody is ever shown a root without its tiles;
//! then the signature; then the compare-and-swap in the database, which decides between servers that share it (the
//! loser continues from what the winner signed); then cosignatures; and only then the `checkpoint` file and word to
//! those who wait with their effects. Stopped at any point, the next start finds a state that it can continue from.

use super::cosigning::{Cosigning, WitnessLink};
use super::extend::{Grown, extend, signed, unsigned};
use super::files::Folder;
use super::start::{Standing, open_stored, same, stand};
use super::steps::{Step, Steps, Undisturbed};
use super::{LogError, blocking};
use simwarden_ledger::{Checkpoint, Hash, LedgerError, Note, NoteSigner, Policy};
use simwarden_model::{Clock, Timestamp};
use simwarden_store::records::checkpoint::SignedCheckpoint;
use simwarden_store::{Store, StoreError};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Entries that one checkpoint may add.
const GROWTH_MAX: u64 = 65_536;
/// The shortest time between two cycles.
const PERIOD: Duration = Duration::from_millis(200);
/// How often other servers' entries are looked for.
const LOOK: Duration = Duration::from_secs(1);
/// The longest wait after a failure that passes by itself.
const PAUSE_MAX: Duration = Duration::from_secs(10);
/// How long a checkpoint waits for its quorum before newer entries are signed.
const QUORUM_WAIT: Duration = Duration::from_secs(2);
/// How long an entry may wait for its published checkpoint before the alarm rings, and how often it rings.
const BACKLOG_MAX: Duration = Duration::from_secs(5);

/// The tree that effects may rely on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Published {
    /// Entries in it.
    pub size: u64,
    /// The checkpoint, signed and cosigned as the policy asks; empty before the first.
    pub note: Arc<str>,
}

impl Published {
    /// Whether an entry is in the tree: an effect may leave when its entry is.
    #[must_use]
    pub fn covers(&self, entry: i64) -> bool {
        u64::try_from(entry).is_ok_and(|entry| entry < self.size)
    }
}

/// How far a cycle came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Durable entries.
    pub durable: u64,
    /// Entries in the tree that is signed.
    pub signed: u64,
    /// Entries in the tree that is published.
    pub published: u64,
}

/// What a log is made with.
pub struct LogConfig {
    /// Where the files go.
    pub folder: PathBuf,
    /// The log's key; its name is the origin.
    pub signer: NoteSigner,
    /// Which cosignatures a checkpoint needs before it is published; [`Policy::log_only`] for none.
    pub policy: Policy,
    /// The witnesses to ask.
    pub witnesses: Vec<WitnessLink>,
    /// Makes every file again at the start.
    pub rebuild: bool,
}

/// The one that grows, signs and publishes the log.
pub struct Sequencer {
    store: Store,
    clock: Arc<dyn Clock>,
    folder: Folder,
    signer: NoteSigner,
    policy: Policy,
    steps: Arc<dyn Steps>,
    /// The tree of the checkpoint that stands in the database.
    grown: Grown,
    /// That checkpoint, with the cosignatures so far.
    head: Option<(Note, Timestamp)>,
    cosigning: Cosigning,
    published: watch::Sender<Published>,
    backlog: Backlog,
}

impl Sequencer {
    /// Finds out where the log stands, makes its files again if they are missing or do not fit, and refuses to start
    /// on a history that contradicts what was signed.
    ///
    /// # Errors
    /// [`LogError::RolledBack`], [`LogError::Parted`] or [`LogError::Entry`] when it does; the database's and the
    /// folder's errors.
    pub async fn open(store: Store, clock: Arc<dyn Clock>, config: LogConfig) -> Result<Self, LogError> {
        Self::open_with(store, clock, config, Arc::new(Undisturbed)).await
    }

    pub(crate) async fn open_with(
        store: Store,
        clock: Arc<dyn Clock>,
        config: LogConfig,
        steps: Arc<dyn Steps>,
    ) -> Result<Self, LogError> {
        let LogConfig {
            folder,
            signer,
            policy,
            witnesses,
            rebuild,
        } = config;
        let key = signer.verifier();
        if !policy.logs().iter().any(|log| log.key == *key) {
            return Err(LogError::Setup(format!(
                "the policy does not list this log: add the line `log {key}`"
            )));
        }
        let folder = Folder::writing(folder, Some(Arc::clone(&steps)))?;
        let Standing {
            grown,
            stored,
            published,
        } = stand(&store, &folder, key, &policy, rebuild).await?;
        let published = published.map(|(size, note)| Published {
            size,
            note: note.into(),
        });
        Ok(Self {
            store,
            clock,
            folder,
            policy,
            steps,
            grown,
            head: stored.map(|(stored, note)| (note, stored.at)),
            cosigning: Cosigning::new(witnesses),
            published: watch::Sender::new(published.unwrap_or_default()),
            backlog: Backlog::default(),
            signer,
        })
    }

    /// The published tree, and word of every newer one.
    #[must_use]
    pub fn published(&self) -> watch::Receiver<Published> {
        self.published.subscribe()
    }

    /// The folder that is published.
    #[must_use]
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Sequences until `stop` becomes true or its sender is gone; what is durable by then is still published.
    /// `written` is the number of durable entries that this process wrote.
    ///
    /// # Errors
    /// Only fatal ones: the process must stop ([`LogError::is_fatal`]).
    pub async fn run(
        mut self,
        mut written: watch::Receiver<i64>,
        mut stop: watch::Receiver<bool>,
    ) -> Result<(), LogError> {
        let mut pause = PERIOD;
        loop {
            let stopping = *stop.borrow() || stop.has_changed().is_err();
            written.mark_unchanged();
            let behind = match self.cycle().await {
                Ok(progress) => {
                    pause = PERIOD;
                    progress.durable > progress.signed
                }
                Err(error) if error.is_fatal() => {
                    tracing::error!(%error, "the log stops");
                    return Err(error);
                }
                Err(error) => {
                    tracing::warn!(%error, "nothing could be published; trying again");
                    pause = (pause * 2).min(PAUSE_MAX);
                    false
                }
            };
            if stopping {
                return Ok(());
            }
            if behind && pause == PERIOD {
                continue;
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = stopped(&mut stop) => continue,
            }
            tokio::select! {
                () = changed(&mut written) => {}
                () = tokio::time::sleep(LOOK) => {}
                () = stopped(&mut stop) => {}
            }
        }
    }

    /// One round: takes over what others signed, signs what is durable, publishes what is signed.
    ///
    /// # Errors
    /// See [`LogError::is_fatal`]; after any other error the next cycle continues where this one stopped.
    pub async fn cycle(&mut self) -> Result<Progress, LogError> {
        self.adopt().await?;
        let (end, _) = self.store.ledger_end().await?;
        let end = unsigned(end);
        if end < self.size() {
            return Err(LogError::RolledBack {
                known: self.size(),
                found: end,
            });
        }
        self.backlog.look(&*self.clock, end, self.published.borrow().size);
        if end > self.size() || self.head.is_none() {
            self.grow(end.min(self.size().saturating_add(GROWTH_MAX))).await?;
        }
        self.publish().await?;
        let published = self.published.borrow().size;
        self.backlog.look(&*self.clock, end, published);
        Ok(Progress {
            durable: end,
            signed: self.size(),
            published,
        })
    }

    fn size(&self) -> u64 {
        self.grown.tree.size()
    }

    /// Continues from the checkpoint in the database when another server moved it, or when our own swap succeeded
    /// without our hearing of it.
    async fn adopt(&mut self) -> Result<(), LogError> {
        let stored = self.store.checkpoint().await?;
        let known = self.size();
        let Some(stored) = stored else {
            return match self.head {
                None => Ok(()),
                Some(_) => Err(LogError::RolledBack { known, found: 0 }),
            };
        };
        let (size, root) = (unsigned(stored.size), Hash(stored.root));
        if size < known {
            return Err(LogError::RolledBack { known, found: size });
        }
        if size == known && self.head.is_some() {
            return same(size, root, self.grown.tree.root());
        }
        let note = open_stored(&stored, self.signer.verifier(), &self.policy)?;
        let (end, _) = self.store.ledger_end().await?;
        if unsigned(end) < size {
            return Err(LogError::RolledBack {
                known: size,
                found: unsigned(end),
            });
        }
        let (grown, _) = extend(&self.store, &self.folder, self.grown.clone(), size, None).await?;
        same(size, root, grown.tree.root())?;
        self.grown = grown;
        self.head = Some((note, stored.at));
        Ok(())
    }

    async fn grow(&mut self, target: u64) -> Result<(), LogError> {
        let (grown, _) = extend(&self.store, &self.folder, self.grown.clone(), target, None).await?;
        let root = grown.tree.root();
        let note = Checkpoint::new(self.signer.verifier().name(), target, root).sign(&self.signer)?;
        let last = self.head.as_ref().map_or(Timestamp::EPOCH, |(_, at)| *at);
        let at = self.clock.now().max(last);
        let new = SignedCheckpoint {
            size: signed(target),
            root: root.0,
            note: note.to_string(),
            at,
        };
        let old = self.head.as_ref().map(|_| signed(self.size()));
        self.around(Step::Swap, false)?;
        let swapped = self.store.swap_checkpoint(old, &new).await?;
        self.around(Step::Swap, true)?;
        if swapped {
            self.grown = grown;
            self.head = Some((note, at));
            Ok(())
        } else {
            tracing::debug!(size = target, "another server signed first");
            self.adopt().await
        }
    }

    async fn publish(&mut self) -> Result<(), LogError> {
        let size = self.size();
        let before = self.published.borrow().clone();
        let Some((note, at)) = self.head.take() else {
            return Ok(());
        };
        if before.size == size && !before.note.is_empty() {
            self.head = Some((note, at));
            return Ok(());
        }
        let had = note.signatures().len();
        let (folder, policy) = (&self.folder, &self.policy);
        let note = self
            .cosigning
            .collect(note, size, folder, policy, QUORUM_WAIT)
            .await;
        let text = note.to_string();
        let (checked, more) = (self.policy.check_note(&note), note.signatures().len() > had);
        self.head = Some((note, at));
        match checked {
            Ok(_) => {}
            Err(error @ LedgerError::Quorum { .. }) => {
                tracing::warn!(size, %error, "the checkpoint is not published");
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        }
        if more {
            self.around(Step::Cosign, false)?;
            // Others read it from there; when the checkpoint has moved on meanwhile, they need it no more.
            self.store.cosign_checkpoint(signed(size), &text).await?;
            self.around(Step::Cosign, true)?;
        }
        let folder = self.folder.clone();
        let text: Arc<str> = text.into();
        let out = Arc::clone(&text);
        blocking(move || folder.publish(size, &out)).await?;
        self.published.send_replace(Published { size, note: text });
        Ok(())
    }

    fn around(&self, step: Step, after: bool) -> Result<(), LogError> {
        let outcome = if after {
            self.steps.after(step)
        } else {
            self.steps.before(step)
        };
        outcome.map_err(|e| StoreError::Unavailable(e.to_string()).into())
    }
}

/// Waits for the next number; for ever once nobody can send one.
async fn changed(written: &mut watch::Receiver<i64>) {
    if written.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    // A sender that is gone means the same.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Notices entries that wait too long for their published checkpoint.
#[derive(Debug, Default)]
pub(crate) struct Backlog {
    /// The first entry that waits, and since when it was seen to.
    waiting: Option<(u64, Duration)>,
    rang: Option<Duration>,
}

impl Backlog {
    /// Answers whether the alarm rang now.
    pub(crate) fn look(&mut self, clock: &dyn Clock, durable: u64, published: u64) -> bool {
        let now = clock.monotonic();
        if durable <= published {
            *self = Self::default();
            return false;
        }
        match self.waiting {
            Some((first, _)) if first == published => {}
            _ => self.waiting = Some((published, now)),
        }
        let waited = self
            .waiting
            .map_or(Duration::ZERO, |(_, since)| now.saturating_sub(since));
        let quiet = self
            .rang
            .is_none_or(|rang| now.saturating_sub(rang) >= BACKLOG_MAX);
        if waited < BACKLOG_MAX || !quiet {
            return false;
        }
        self.rang = Some(now);
        tracing::warn!(
            entries = durable - published,
            waited_ms = u64::try_from(waited.as_millis()).unwrap_or(u64::MAX),
            "entries wait for a published checkpoint: their effects are held back"
        );
        true
    }
}
