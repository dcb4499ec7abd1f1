//! What the accounts hold on to besides the database: the site, a bounded pool for hashing, what was seen lately.

use super::Passkeys;
use super::session::Recognised;
use crate::{Error, ErrorKind};
use simwarden_identity::stuffing::Watch;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;

/// Passwords that are hashed at once: each takes a core and 19 MiB.
const HASHING_MAX: usize = 2;
/// Passwords that may wait for that; the next is refused rather than kept waiting.
const HASHING_QUEUE: usize = 32;

/// What the accounts hold on to.
pub(crate) struct Desk {
    passkeys: OnceLock<Passkeys>,
    hashing: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    evaluated: AtomicU64,
    leaked: OnceLock<PathBuf>,
    stuffing: Mutex<Watch>,
    sessions: Mutex<HashMap<[u8; 32], (Duration, Recognised)>>,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self {
            passkeys: OnceLock::new(),
            hashing: Arc::new(Semaphore::new(HASHING_MAX)),
            waiting: Arc::new(Semaphore::new(HASHING_QUEUE)),
            evaluated: AtomicU64::new(0),
            leaked: OnceLock::new(),
            stuffing: Mutex::default(),
            sessions: Mutex::default(),
        }
    }

    pub(crate) fn open_site(&self, passkeys: Passkeys) -> Result<(), Error> {
        self.passkeys
            .set(passkeys)
            .map_err(|_| Error::internal("the site is set already"))
    }

    pub(crate) fn passkeys(&self) -> Result<&Passkeys, Error> {
        self.passkeys.get().ok_or_else(|| {
            Error::new(
                ErrorKind::Unavailable,
                "no_site",
                "this server does not know its own address, so it can take no passkeys: start it with --site",
            )
        })
    }

    pub(crate) fn site(&self) -> Option<&str> {
        self.passkeys.get().map(Passkeys::origin)
    }

    /// Says where the ranges of leaked passwords lie; once, at the start.
    pub(crate) fn use_leaked(&self, folder: PathBuf) -> Result<(), Error> {
        self.leaked
            .set(folder)
            .map_err(|_| Error::internal("the list of leaked passwords is set already"))
    }

    pub(crate) fn leaked_folder(&self) -> Option<&Path> {
        self.leaked.get().map(PathBuf::as_path)
    }

    /// A password is about to be compared.
    pub(crate) fn count_evaluated(&self) {
        self.evaluated.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn evaluated(&self) -> u64 {
        self.evaluated.load(Ordering::Relaxed)
    }

    pub(crate) fn stuffing(&self) -> MutexGuard<'_, Watch> {
        // A panic while counting leaves counts, not nonsense.
        self.stuffing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn sessions(&self) -> MutexGuard<'_, HashMap<[u8; 32], (Duration, Recognised)>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something that takes a core for a while, on a thread that serves nobody else.
    pub(crate) async fn heavy<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let busy = || {
            Error::new(
                ErrorKind::Unavailable,
                "sign_in_busy",
                "too many passwords are being checked; try again, or use a passkey, which never waits",
            )
        };
        let _waiting = Arc::clone(&self.waiting)
            .try_acquire_owned()
            .map_err(|_| busy())?;
        let permit = Arc::clone(&self.hashing)
            .acquire_owned()
            .await
            .map_err(|_| busy())?;
        tokio::task::spawn_blocking(move || {
            let done = work();
            drop(permit);
            done
        })
        .await
        .map_err(Error::internal)
    }
}
