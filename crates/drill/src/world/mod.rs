//! The simulated outside world: what people's phones received, what the SM-DP+ handed out, which eSIM a number follows.
//!
//! It implements the ports of the use cases and believes nobody: every effect is remembered by its name, and what must
//! never happen (an effect that changes its meaning, one profile for two chips, a release without an order) is kept as
//! a violation. Faults can be put in its way. A thief's gain is read here, never in an answer of the server.

mod faults;
mod network;
mod notifier;
mod smdp;

pub use faults::{Fault, Port};
pub use notifier::Text;
pub use smdp::{Refusal, Stand};

use crate::country::Country;
use faults::Faults;
use simwarden_app::ports::PortError;
use simwarden_app::worker::Ports;
use simwarden_model::{Clock, OutboxId};
use smdp::Order;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Texts kept for one phone.
const TEXTS_MAX: usize = 200;

/// How the world behaves.
#[derive(Debug, Clone, Copy)]
pub struct WorldConfig {
    /// How long a chip takes to fetch and install a profile that was released to it.
    pub install: Duration,
}

impl Default for WorldConfig {
    fn default() -> Self {
        Self {
            install: Duration::from_millis(50),
        }
    }
}

/// The outside world. Cheap to clone.
#[derive(Debug, Clone)]
pub struct SimWorld {
    inner: Arc<Mutex<Inner>>,
    clock: Arc<dyn Clock>,
    config: WorldConfig,
}

#[derive(Debug, Default)]
struct Inner {
    /// By phone number or mail address, the oldest first.
    texts: HashMap<String, Vec<Text>>,
    /// By ICCID.
    orders: HashMap<String, Order>,
    /// By number: the IMSI it follows.
    follows: HashMap<String, String>,
    /// By number: where its calls go.
    forwards: HashMap<String, String>,
    /// Numbers that were suspended, and those that left.
    suspended: HashSet<String>,
    ported: HashSet<String>,
    /// By name: what the effect said.
    effects: HashMap<OutboxId, String>,
    /// Chips that are switched off for now.
    offline: HashSet<String>,
    repeated: u64,
    faults: Faults,
    violations: Vec<String>,
}

impl SimWorld {
    /// A world in which everybody's number follows their own eSIM.
    #[must_use]
    pub fn populated(country: &Country, clock: Arc<dyn Clock>, config: WorldConfig) -> Self {
        let inner = Inner {
            follows: country
                .lines
                .iter()
                .map(|line| (line.msisdn.clone(), line.imsi.clone()))
                .collect(),
            ..Inner::default()
        };
        Self {
            inner: Arc::new(Mutex::new(inner)),
            clock,
            config,
        }
    }

    /// The world as the worker's ports.
    #[must_use]
    pub fn ports(&self) -> Ports {
        let world = Arc::new(self.clone());
        Ports {
            notifier: world.clone(),
            smdp: world.clone(),
            network: world.clone(),
            operators: world,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A panic in between leaves a record that is still worth reading.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything that must never happen and did.
    #[must_use]
    pub fn violations(&self) -> Vec<String> {
        self.lock().violations.clone()
    }

    /// How often an effect came again under its name, and was done once.
    #[must_use]
    pub fn repeated(&self) -> u64 {
        self.lock().repeated
    }

    /// The texts that reached a phone number or mail address, the oldest first.
    #[must_use]
    pub fn texts(&self, to: &str) -> Vec<Text> {
        self.lock().texts.get(to).cloned().unwrap_or_default()
    }

    /// The IMSI that a number follows.
    #[must_use]
    pub fn follows(&self, msisdn: &str) -> Option<String> {
        self.lock().follows.get(msisdn).cloned()
    }

    /// Where a number's calls go.
    #[must_use]
    pub fn forwarded_to(&self, msisdn: &str) -> Option<String> {
        self.lock().forwards.get(msisdn).cloned()
    }

    /// Whether a number left for another operator.
    #[must_use]
    pub fn ported(&self, msisdn: &str) -> bool {
        self.lock().ported.contains(msisdn)
    }

    /// Puts a fault in the way of the next calls of a port.
    pub fn inject(&self, port: Port, fault: Fault, times: u32) {
        self.lock().faults.add(port, fault, times);
    }

    /// Before an effect: a fault in its way, if there is one.
    async fn meet(&self, port: Port) -> Result<(), PortError> {
        let fault = self.lock().faults.next(port);
        match fault {
            None => Ok(()),
            Some(Fault::Temporary) => Err(PortError::Temporary("the far end does not answer".to_owned())),
            Some(Fault::Permanent) => Err(PortError::Permanent("the far end refuses".to_owned())),
            Some(Fault::Slow(wait)) => {
                tokio::time::sleep(wait).await;
                Ok(())
            }
        }
    }
}

impl Inner {
    /// Whether an effect comes for the first time. The same name with another meaning is a violation.
    fn first(&mut self, name: OutboxId, meaning: String) -> bool {
        match self.effects.get(&name) {
            None => {
                self.effects.insert(name, meaning);
                true
            }
            Some(before) if *before == meaning => {
                self.repeated += 1;
                false
            }
            Some(before) => {
                let text = format!("effect {name} was `{before}` and came again as `{meaning}`");
                self.violations.push(text);
                false
            }
        }
    }
}
