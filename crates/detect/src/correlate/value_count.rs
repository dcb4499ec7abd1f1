//! `value_count`: so many different values of a field within the timespan.
//!
//! Of each value only the newest event is kept, and only as many values as the condition can tell apart.

use super::Threshold;
use crate::hit::Hit;
use crate::key::IdRef;
use crate::node::{At, Found, IDS_MAX, Rule, span};
use serde::{Deserialize, Serialize};

/// The rule; the value comes as `Hit::a`.
#[derive(Debug, Clone)]
pub(crate) struct ValueCount {
    pub span: i64,
    pub threshold: Threshold,
    pub field: String,
}

/// Digest of the value and its newest event, the one seen longest ago first.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct State {
    values: Vec<(u64, At)>,
    on: bool,
}

impl Rule for ValueCount {
    type State = State;

    fn step(&self, state: &mut State, hit: &Hit) -> Option<Found> {
        let values = &mut state.values;
        values.retain(|(_, at)| at.ts > hit.ts - self.span);
        state.on &= !values.is_empty();
        values.retain(|(value, _)| *value != hit.a);
        if values.len() >= self.threshold.cap() {
            values.remove(0);
        }
        values.push((hit.a, At::of(hit)));
        let was = std::mem::replace(&mut state.on, self.threshold.holds(values.len()));
        (state.on && !was).then(|| Found {
            ids: values
                .iter()
                .rev()
                .take(IDS_MAX)
                .rev()
                .map(|(_, at)| at.id)
                .collect(),
            reason: format!(
                "{} different values of {} within {}: {}",
                values.len(),
                self.field,
                span(self.span),
                self.threshold.words()
            ),
        })
    }

    fn forgotten_at(&self, state: &State) -> i64 {
        state
            .values
            .last()
            .map_or(i64::MIN, |(_, last)| last.ts.saturating_add(self.span))
    }

    fn ids(&self, state: &State, each: &mut dyn FnMut(IdRef)) {
        state.values.iter().for_each(|(_, at)| each(at.id));
    }
}
