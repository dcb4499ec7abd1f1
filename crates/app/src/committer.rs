//! Group commit: many jobs, one transaction, one sync of the disk.
//!
//! Jobs wait in one bounded queue. A batch reads what its jobs need, runs each (pure: rows in, rows out), writes
//! everything with one ledger entry per job, commits, and only then answers. While one batch is being made durable the
//! next gathers, so under load the cost of a sync is shared and an idle server answers at once.
//!
//! **Invariant:** nothing is answered that is not durable together with its ledger entry.

use crate::draft::Draft;
use crate::watchman::ClockGuard;
use crate::world::{Needs, World, union};
use crate::{Error, ErrorKind, Update};
use simwarden_model::{Clock, Entropy, Timestamp};
use simwarden_store::{Store, StoreError, Tx};
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::{broadcast, mpsc, oneshot, watch};

/// Jobs that may wait. The next one is refused with 503 rather than kept waiting without end.
const QUEUE_JOBS: usize = 4096;
/// Jobs in one transaction.
const BATCH_JOBS: usize = 256;
/// Updates that a slow watcher may fall behind.
const UPDATES: usize = 1024;

/// Something to be decided and written.
pub(crate) trait Job: Send + 'static {
    /// What the asker gets once it is durable.
    type Answer: Send + 'static;
    /// What must be read first.
    fn needs(&self) -> Needs;
    /// Decides and says what to write. An error writes nothing. May run again when its batch could not be written.
    ///
    /// # Errors
    /// What the asker is to be told.
    fn run(&self, world: &World, draft: &mut Draft<'_>) -> Result<Self::Answer, Error>;
}

trait Queued: Send {
    fn needs(&self) -> Needs;
    fn run(&mut self, world: &World, draft: &mut Draft<'_>) -> bool;
    fn deliver(self: Box<Self>);
    fn fail(self: Box<Self>, error: Error);
}

struct Waiting<J: Job> {
    job: J,
    outcome: Option<Result<J::Answer, Error>>,
    answer: oneshot::Sender<Result<J::Answer, Error>>,
}

impl<J: Job> Queued for Waiting<J> {
    fn needs(&self) -> Needs {
        self.job.needs()
    }
    fn run(&mut self, world: &World, draft: &mut Draft<'_>) -> bool {
        let outcome = self.job.run(world, draft);
        let fine = outcome.is_ok();
        self.outcome = Some(outcome);
        fine
    }
    fn deliver(self: Box<Self>) {
        let outcome = self
            .outcome
            .unwrap_or_else(|| Err(Error::internal("a job was answered that never ran")));
        // The asker may have gone away; what was written stays written.
        let _ = self.answer.send(outcome);
    }
    fn fail(self: Box<Self>, error: Error) {
        // A job that was refused for its own reason keeps that reason.
        let outcome = match self.outcome {
            Some(Err(own)) => Err(own),
            _ => Err(error),
        };
        let _ = self.answer.send(outcome);
    }
}

/// The handle by which jobs are handed in. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Committer {
    queue: mpsc::Sender<Box<dyn Queued>>,
    updates: broadcast::Sender<Update>,
    written: watch::Receiver<i64>,
    halted: Arc<AtomicBool>,
    halt: watch::Receiver<bool>,
}

/// What the batches are made with.
pub(crate) struct Parts {
    pub store: Store,
    pub clock: Arc<dyn Clock>,
    pub entropy: Box<dyn Entropy>,
    pub guard: ClockGuard,
}

impl Committer {
    /// Starts the task that makes batches.
    pub(crate) fn start(parts: Parts, end: i64) -> Self {
        let store_is_embedded = parts.store.is_embedded();
        let (queue, jobs) = mpsc::channel(QUEUE_JOBS);
        let (updates, _) = broadcast::channel(UPDATES);
        let (written, written_rx) = watch::channel(end);
        let (halt, halt_rx) = watch::channel(false);
        let halted = Arc::new(AtomicBool::new(false));
        let task = Batches {
            parts,
            jobs,
            updates: updates.clone(),
            written,
            halted: Arc::clone(&halted),
            halt,
        };
        start(task, store_is_embedded);
        Self {
            queue,
            updates,
            written: written_rx,
            halted,
            halt: halt_rx,
        }
    }

    /// Hands in a job and waits until it is durable.
    pub(crate) async fn commit<J: Job>(&self, job: J) -> Result<J::Answer, Error> {
        if self.halted.load(Ordering::Acquire) {
            return Err(halted());
        }
        let (answer, wait) = oneshot::channel();
        self.queue
            .try_send(Box::new(Waiting {
                job,
                outcome: None,
                answer,
            }))
            .map_err(|error| match error {
                mpsc::error::TrySendError::Full(_) => Error::new(
                    ErrorKind::Unavailable,
                    "overloaded",
                    "too much is waiting to be written; try again",
                ),
                mpsc::error::TrySendError::Closed(_) => halted(),
            })?;
        wait.await.unwrap_or_else(|_| Err(halted()))
    }

    /// How many jobs wait to be taken into a batch.
    pub(crate) fn queued(&self) -> usize {
        self.queue.max_capacity() - self.queue.capacity()
    }

    /// What changed, from now on.
    pub(crate) fn updates(&self) -> broadcast::Receiver<Update> {
        self.updates.subscribe()
    }

    /// The number of entries that are durable.
    pub(crate) fn written(&self) -> watch::Receiver<i64> {
        self.written.clone()
    }

    /// Becomes true when the storage can no longer be relied on and the process must end.
    pub(crate) fn halt(&self) -> watch::Receiver<bool> {
        self.halt.clone()
    }
}

fn halted() -> Error {
    Error::new(
        ErrorKind::Unavailable,
        "halted",
        "this server has stopped writing because its storage failed; nothing was written",
    )
}

struct Batches {
    parts: Parts,
    jobs: mpsc::Receiver<Box<dyn Queued>>,
    updates: broadcast::Sender<Update>,
    written: watch::Sender<i64>,
    halted: Arc<AtomicBool>,
    halt: watch::Sender<bool>,
}

/// An embedded database works on the thread that asks it: batches get one of their own, and nobody's answer waits
/// behind them.
fn start(task: Batches, embedded: bool) {
    let runtime = tokio::runtime::Handle::current();
    if embedded {
        let batches = runtime.clone();
        let thread = std::thread::Builder::new().name("batches".to_owned());
        match thread.spawn(move || batches.block_on(task.run())) {
            Ok(_) => {}
            // Without it nothing would ever be written; every job is told so, since its channel is gone.
            Err(error) => tracing::error!(%error, "the thread that writes could not be started"),
        }
    } else {
        runtime.spawn(task.run());
    }
}

/// How a batch ended.
enum Ended {
    /// Durable; these jobs were put off to the next batch because they share a row with an earlier one.
    Durable {
        put_off: Vec<Box<dyn Queued>>,
        updates: Vec<Update>,
        end: i64,
    },
    /// Not written; the jobs come back.
    Failed {
        jobs: Vec<Box<dyn Queued>>,
        error: StoreError,
    },
}

impl Batches {
    async fn run(mut self) {
        let mut waiting: Vec<Box<dyn Queued>> = Vec::new();
        loop {
            if waiting.is_empty() && self.jobs.recv_many(&mut waiting, BATCH_JOBS).await == 0 {
                return;
            }
            while waiting.len() < BATCH_JOBS {
                match self.jobs.try_recv() {
                    Ok(job) => waiting.push(job),
                    Err(_) => break,
                }
            }
            let rest = waiting.split_off(waiting.len().min(BATCH_JOBS));
            let batch = std::mem::replace(&mut waiting, rest);
            let put_off = self.batch(batch).await;
            waiting.splice(0..0, put_off);
            if self.halted.load(Ordering::Acquire) {
                for job in waiting.drain(..) {
                    job.fail(halted());
                }
                self.jobs.close();
                while let Some(job) = self.jobs.recv().await {
                    job.fail(halted());
                }
                return;
            }
        }
    }

    /// Writes a batch; when it cannot be written as a whole, one job at a time, so that only the culprit fails.
    async fn batch(&mut self, jobs: Vec<Box<dyn Queued>>) -> Vec<Box<dyn Queued>> {
        match self.write(jobs).await {
            Ended::Durable {
                put_off,
                updates,
                end,
            } => {
                self.announce(updates, end);
                put_off
            }
            Ended::Failed { jobs, error } if jobs.len() > 1 && by_one_of_them(&error) => {
                for job in jobs {
                    match self.write(vec![job]).await {
                        Ended::Durable { updates, end, .. } => self.announce(updates, end),
                        Ended::Failed { jobs, error } => self.fail(jobs, error),
                    }
                }
                Vec::new()
            }
            Ended::Failed { jobs, error } => {
                self.fail(jobs, error);
                Vec::new()
            }
        }
    }

    fn announce(&self, updates: Vec<Update>, end: i64) {
        for update in updates {
            // Nobody may be watching.
            let _ = self.updates.send(update);
        }
        self.written.send_if_modified(|before| {
            let more = end > *before;
            *before = end.max(*before);
            more
        });
    }

    fn fail(&self, jobs: Vec<Box<dyn Queued>>, error: StoreError) {
        if matches!(error, StoreError::Broken(_)) {
            self.halted.store(true, Ordering::Release);
            let _ = self.halt.send(true);
        }
        let error = Error::from(error);
        for job in jobs {
            job.fail(error.clone());
        }
    }

    async fn write(&mut self, jobs: Vec<Box<dyn Queued>>) -> Ended {
        let wall = self.parts.clock.now();
        if let Err(error) = self.parts.guard.check(wall, self.parts.clock.monotonic()) {
            for job in jobs {
                job.fail(error.clone());
            }
            return Ended::Durable {
                put_off: Vec::new(),
                updates: Vec::new(),
                end: 0,
            };
        }
        match self.parts.store.begin().await {
            Ok(tx) => self.write_in(tx, jobs, wall).await,
            Err(error) => Ended::Failed { jobs, error },
        }
    }

    async fn write_in(&mut self, mut tx: Tx, mut jobs: Vec<Box<dyn Queued>>, wall: Timestamp) -> Ended {
        let needs: Vec<Needs> = jobs.iter().map(|job| job.needs()).collect();
        let read = async {
            let (end, last) = tx.ledger_end().await?;
            let world = World::read(&mut tx, &union(&needs), wall.max(last)).await?;
            Ok::<_, StoreError>((end, last, world))
        };
        let (end, last, world) = match read.await {
            Ok(read) => read,
            Err(error) => return Ended::Failed { jobs, error },
        };
        let mut draft = Draft::new(wall.max(last), end, &mut *self.parts.entropy);
        let (mut taken, mut leant_on) = (HashSet::<[u8; 16]>::new(), HashSet::<[u8; 16]>::new());
        let (mut ran, mut refused, mut put_off) = (Vec::new(), Vec::new(), Vec::new());
        for (mut job, needs) in jobs.drain(..).zip(needs) {
            let touched = world.touched(&needs);
            let leans = World::leans_on(&needs);
            let changed = |key: &[u8; 16]| taken.contains(key);
            if touched.iter().any(|key| changed(key) || leant_on.contains(key)) || leans.iter().any(changed) {
                put_off.push(job);
                continue;
            }
            taken.extend(touched);
            leant_on.extend(leans);
            let mark = draft.mark();
            if job.run(&world, &mut draft) && !draft.has_open_entry() {
                ran.push(job);
            } else {
                draft.take_back(&mark);
                refused.push(job);
            }
        }
        let updates = draft.take_updates();
        let new_end = draft.index();
        // A batch of which nothing is to be written needs no sync.
        let outcome = if draft.is_empty() {
            tx.rollback().await
        } else {
            match draft.write(&mut tx).await {
                Ok(()) => tx.commit().await,
                Err(error) => Err(error),
            }
        };
        for job in refused {
            job.deliver();
        }
        match outcome {
            Ok(()) => {
                for job in ran {
                    job.deliver();
                }
                Ended::Durable {
                    put_off,
                    updates,
                    end: new_end,
                }
            }
            Err(error) => {
                ran.append(&mut put_off);
                Ended::Failed { jobs: ran, error }
            }
        }
    }
}

/// Whether one job of a batch may be to blame, so that the others deserve a try of their own.
fn by_one_of_them(error: &StoreError) -> bool {
    matches!(
        error,
        StoreError::Conflict(_) | StoreError::Stale { .. } | StoreError::Corrupt(_)
    )
}
