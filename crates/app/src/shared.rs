//! What every job holds on to.

use crate::accounts::Desk;
use simwarden_guard::{Brake, Engine};
use simwarden_model::Timestamp;
use simwarden_store::Keyring;
use simwarden_store::records::brake::BrakeCount;
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
    /// How long a chip may take to fetch and install a profile, counted from its release.
    pub install: Duration,
    /// What one check of a password costs.
    pub password_cost: simwarden_identity::passwords::Cost,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            approval: Duration::from_secs(15 * 60),
            evidence: Duration::from_secs(24 * 3600),
            prompts_max: 3,
            remembered: Duration::from_secs(7 * 24 * 3600),
            tries_max: 12,
            install: Duration::from_secs(48 * 3600),
            password_cost: simwarden_identity::passwords::Cost::OWASP,
        }
    }
}

/// The rules, the keys and the limits.
pub(crate) struct Shared {
    pub engine: Engine,
    pub keyring: Keyring,
    pub limits: Limits,
    /// What the accounts hold on to.
    pub desk: Desk,
    brake: Mutex<Brake>,
}

impl Shared {
    pub(crate) fn new(engine: Engine, keyring: Keyring, limits: Limits, counts: &[BrakeCount]) -> Arc<Self> {
        Arc::new(Self {
            engine,
            keyring,
            limits,
            desk: Desk::new(),
            brake: Mutex::new(brake_from(counts)),
        })
    }

    /// The brake, for one decision.
    pub(crate) fn with_brake<T>(&self, use_it: impl FnOnce(&mut Brake) -> T) -> T {
        // A panic while counting leaves counts, not nonsense.
        use_it(&mut self.brake.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The brake as it was when its counts were stored.
fn brake_from(counts: &[BrakeCount]) -> Brake {
    let rules: serde_json::Map<String, serde_json::Value> = counts
        .iter()
        .map(|c| {
            let count =
                serde_json::json!({ "looked": c.asked, "hit": c.hit, "disarmed": c.disarmed_at.is_some() });
            (c.rule.clone(), count)
        })
        .collect();
    serde_json::from_value(serde_json::json!({ "counts": rules })).unwrap_or_else(|error| {
        // Counts that cannot be read only make the brake start counting anew; it errs on the side of the rules.
        tracing::error!(%error, "the counts of the brake cannot be read; they start anew");
        Brake::default()
    })
}

/// The counts of the brake, to be stored.
pub(crate) fn counts_of(brake: &Brake, now: Timestamp) -> Vec<BrakeCount> {
    brake
        .counts()
        .map(|(rule, count)| BrakeCount {
            rule: rule.to_string(),
            asked: i64::from(count.looked),
            hit: i64::from(count.hit),
            disarmed_at: count.disarmed.then_some(now),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{brake_from, counts_of};
    use simwarden_model::Timestamp;
    use simwarden_store::records::brake::BrakeCount;

    #[test]
    fn the_brake_survives_a_restart() {
        let count = |rule: &str, disarmed: bool| BrakeCount {
            rule: rule.to_owned(),
            asked: 300,
            hit: 200,
            disarmed_at: disarmed.then_some(Timestamp::MAX),
        };
        let stored = vec![
            count("kh-default/bank_codes_pause", false),
            count("kh-default/unknown_chip", true),
        ];
        let brake = brake_from(&stored);
        assert!(brake.is_disarmed(&"kh-default/unknown_chip".parse().unwrap()));
        assert_eq!(counts_of(&brake, Timestamp::MAX), stored);
    }
}
