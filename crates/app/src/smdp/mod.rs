//! The SM-DP+: the functions of ES9+ around the pure core, and what an operator does to fill it.
//!
//! A function verifies and signs outside the transaction, claims inside it (session, order, freezes and the guard are
//! read there), and answers when that is durable. Every claim writes one ledger entry with the SHA-256 of what the chip
//! signed, whether it was granted or refused. What nobody with a chip's key has signed writes nothing.
//!
//! **Architecture invariants:** a package leaves only after the row that binds the order to the chip is durable. The
//! guard is asked in the transaction, not before it. No entry holds an identifier, nor a hash that could be guessed.
//!
//! A session that waits for the chip's first signature is kept nowhere: its identifier says when it began, and its
//! challenge is an HMAC of that under a key of the installation. Whoever opens sessions without end fills nothing and
//! crowds nobody out, and servers that share keys and database share their sessions.

mod activation_code;
mod authenticate;
mod callers;
mod cancel;
mod es2plus;
mod freeze;
mod gate;
mod notification;
mod order_import;
mod own_orders;
mod package;
mod profile_import;
pub(crate) mod progress;
mod repeats;
mod rows;
mod settle;
mod tell;
mod unknown_codes;
pub(crate) mod world;

pub use callers::Es2Caller;
pub use es2plus::{Es2Call, Es2Request};
pub use freeze::{Freeze, FreezeTarget};
pub use order_import::{LINES_MAX, OrderProblem, OrderReport};
pub use own_orders::OwnOrders;
pub use profile_import::{ProfileOutcome, ProfileTerms};

use crate::{App, Error, ErrorKind, OsEntropy};
use repeats::Repeats;
use simwarden_model::Timestamp;
use simwarden_rsp::chain::Screen;
use simwarden_rsp::initiate::{InitiateAnswer, InitiateRequest, initiate};
use simwarden_rsp::notification::InstallPolicy;
use simwarden_rsp::{Refusal, Server};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use unknown_codes::UnknownCodes;

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
    unknown: Mutex<UnknownCodes>,
    repeats: Mutex<Repeats>,
    /// When a call was last turned away without being carried out, microseconds; at first when this server began.
    put_off_at: AtomicI64,
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
        let key = app.keyring().vouch("smdp/challenge", &[]);
        let inner = Inner {
            server: server.with_challenge_key(&key),
            screen,
            install: InstallPolicy::default(),
            unknown: Mutex::default(),
            repeats: Mutex::default(),
            put_off_at: AtomicI64::new(app.now().as_micros()),
            app,
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

    /// The caller of ES2+ behind a client certificate; none when it may order nothing.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn es2_caller(&self, certificate: [u8; 32]) -> Result<Option<Es2Caller>, Error> {
        self.inner.app.es2_caller(certificate).await
    }

    /// ES9+ InitiateAuthentication.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn initiate(&self, request: &InitiateRequest) -> Result<InitiateAnswer, Refusal> {
        let now = self.inner.app.now();
        let (answer, _) = initiate(&self.inner.server, request, now, &mut self.entropy()?)?;
        Ok(answer)
    }

    /// Says that a call was turned away, by this server or by what stands before it, and not carried out. Clients
    /// cancel after that as if the person had declined; sessions that were open then do not take their orders along.
    pub fn turned_away(&self) {
        let now = self.inner.app.now().as_micros();
        self.inner.put_off_at.fetch_max(now, Ordering::Relaxed);
    }

    /// Whether a call may have been turned away since then.
    fn put_off_since(&self, begun: Timestamp) -> bool {
        self.inner.put_off_at.load(Ordering::Relaxed) >= begun.as_micros()
    }

    fn entropy(&self) -> Result<OsEntropy, Refusal> {
        OsEntropy::new().map_err(|error| {
            tracing::error!(%error, "the operating system gives no randomness");
            Refusal::NotNow
        })
    }
}

/// A panic while something was counted leaves counts, not nonsense.
fn counts<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
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
