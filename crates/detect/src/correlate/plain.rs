//! A rule without correlation: every event that fits is an alert.

use crate::hit::Hit;
use crate::node::{Found, Rule};

/// Says so at once and remembers nothing.
#[derive(Debug, Clone)]
pub(crate) struct Plain {
    pub reason: String,
}

impl Rule for Plain {
    type State = ();

    fn step(&self, (): &mut (), hit: &Hit) -> Option<Found> {
        Some(Found {
            ids: vec![hit.id],
            reason: self.reason.clone(),
        })
    }

    fn forgotten_at(&self, (): &()) -> i64 {
        i64::MIN
    }
}
