//! What every job holds on to.

use simwarden_guard::{Brake, Engine};
use simwarden_store::Keyring;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Limits that an operator may set.
#[derive(Debug, Clone)]
pub struct Limits {
    /// How long a question to the owner stands when the operation does not wait longer.
    pub approval: Duration,
    /// How long an operation waits for evidence before it ends.
    pub evidence: Duration,
    /// Prompts to one owner about one operation.
    pub prompts_max: usize,
    /// How long an idempotency key is remembered.
    pub remembered: Duration,
    /// Tries of one effect before it is given up.
    pub tries_max: i64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            approval: Duration::from_secs(15 * 60),
            evidence: Duration::from_secs(24 * 3600),
            prompts_max: 3,
            remembered: Duration::from_secs(7 * 24 * 3600),
            tries_max: 12,
        }
    }
}

/// The rules, the keys and the limits.
#[derive(Debug)]
pub(crate) struct Shared {
    pub engine: Engine,
    pub keyring: Keyring,
    pub limits: Limits,
    brake: Mutex<Brake>,
}

impl Shared {
    pub(crate) fn new(engine: Engine, keyring: Keyring, limits: Limits) -> Arc<Self> {
        Arc::new(Self {
            engine,
            keyring,
            limits,
            brake: Mutex::default(),
        })
    }

    /// The brake, for one decision.
    pub(crate) fn with_brake<T>(&self, use_it: impl FnOnce(&mut Brake) -> T) -> T {
        // A panic while counting leaves counts, not nonsense.
        use_it(&mut self.brake.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
