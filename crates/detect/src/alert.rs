//! What the engine says.

use serde::Serialize;
use serde_json::Value;

/// A finding of a rule about one group of events.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Alert {
    /// Event time of what completed it, milliseconds since 1970 UTC.
    pub ts: i64,
    /// The rule's id.
    pub rule: String,
    /// The rule's level.
    pub level: String,
    /// The group: a phone number, an agent, a chip; several values joined by commas. **In the clear.**
    pub key: String,
    /// The ids of the events it rests on, as the source wrote them, at most 64.
    pub events: Vec<Value>,
    /// In words.
    pub reason: String,
}

/// Brings alerts of several shards into the one order that does not depend on their number.
pub fn sort(alerts: &mut [Alert]) {
    alerts.sort_by_cached_key(|alert| {
        let events: Vec<String> = alert.events.iter().map(ToString::to_string).collect();
        (alert.ts, alert.rule.clone(), alert.key.clone(), events)
    });
}
