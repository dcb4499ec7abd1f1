//! The SM-DP+: the functions of ES9+ around the pure core, and what an operator does to fill it.
//!
//! A function verifies and signs outside the transaction, claims inside it (session, order, freezes and the guard are
//! read there), and answers when that is durable. Every claim writes one ledger entry with the SHA-256 of what the chip
//! signed, whether it was granted or refused. What nobody with a chip's key has signed writes nothing.
//!
//! **Architecture invariants:** a package leaves only after the row that binds the order to the chip is durable. The
//! guard is asked in the transaction, not before it. No entry holds an identifier, nor a hash that could be guessed.
//!
//! Sessions that wait for the chip's first signature are kept in memory, bounded: nothing is owed to them, and whoever
//! opens them without end fills no disk. A restarted server answers such a session as unknown, and the phone begins
//! again. Servers that share a database therefore need the calls of one session on one of them until then.

mod authenticate;
mod begun;
mod cancel;
mod freeze;
mod gate;
mod notification;
mod order_import;
mod package;
mod profile_import;
mod rows;
mod settle;
pub(crate) mod world;

pub use freeze::{Freeze, FreezeTarget};
pub use order_import::{LINES_MAX, OrderProblem, OrderReport};
pub use profile_import::{ProfileOutcome, ProfileTerms};

use crate::{App, Error, ErrorKind, OsEntropy};
use begun::Begun;
use simwarden_rsp::chain::Screen;
use simwarden_rsp::initiate::{InitiateAnswer, InitiateRequest, initiate};
use simwarden_rsp::notification::InstallPolicy;
use simwarden_rsp::{Refusal, Server, TransactionId};
use std::sync::{Arc, Mutex, PoisonError};

/// How often a claim is tried anew when the order changed under it.
const STALE_TRIES: u32 = 8;

/// The SM-DP+. Cheap to clone.
#[derive(Clone)]
pub struct Smdp {
    inner: Arc<Inner>,
}

struct Inner {
    app: App,
    server: Server,
    screen: Screen,
    install: InstallPolicy,
    begun: Mutex<Begun>,
}

/// How a claim ended, once it is durable.
pub(crate) enum Claimed<A> {
    /// To be answered.
    Granted(A),
    /// To be refused; what follows from it was written all the same.
    Denied(Refusal),
    /// The order changed in between; nothing was written.
    Stale,
}

impl Smdp {
    /// Opens the SM-DP+ on the use cases. `screen` says who is barred beyond what certificates say.
    #[must_use]
    pub fn new(app: App, server: Server, screen: Screen) -> Self {
        let inner = Inner {
            app,
            server,
            screen,
            install: InstallPolicy::default(),
            begun: Mutex::default(),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// Host name.
    #[must_use]
    pub fn address(&self) -> &str {
        self.inner.server.address()
    }

    /// ES9+ InitiateAuthentication.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn initiate(&self, request: &InitiateRequest) -> Result<InitiateAnswer, Refusal> {
        let now = self.inner.app.now();
        let (answer, session) = initiate(&self.inner.server, request, now, &mut self.entropy()?)?;
        self.begun().add(session, now);
        Ok(answer)
    }

    fn begun(&self) -> std::sync::MutexGuard<'_, Begun> {
        // A panic while a session was entered leaves a map, not nonsense.
        self.inner.begun.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn forget_begun(&self, transaction: &TransactionId) {
        self.begun().remove(transaction);
    }

    fn entropy(&self) -> Result<OsEntropy, Refusal> {
        OsEntropy::new().map_err(|error| {
            tracing::error!(%error, "the operating system gives no randomness");
            Refusal::NotNow
        })
    }
}

/// An error of the use cases as a client of ES9+ is told it: refused, nothing given out.
fn not_now(error: &Error) -> Refusal {
    tracing::warn!(%error, code = error.code, "a function of the SM-DP+ could not be carried out");
    Refusal::NotNow
}

/// Whether a claim is to be tried anew.
fn is_stale(error: &Error) -> bool {
    error.kind == ErrorKind::Conflict
}
