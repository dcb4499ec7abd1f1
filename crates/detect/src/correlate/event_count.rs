//! `event_count`: so many events of a group within the timespan.
//!
//! Kept are the newest events only, as many as the condition can tell apart.

use super::Threshold;
use crate::hit::Hit;
use crate::key::IdRef;
use crate::node::{At, Found, IDS_MAX, Rule, span};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// The rule.
#[derive(Debug, Clone)]
pub(crate) struct EventCount {
    pub span: i64,
    pub threshold: Threshold,
}

/// The newest events, oldest first, and whether the condition held.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct State {
    events: VecDeque<At>,
    on: bool,
}

impl Rule for EventCount {
    type State = State;

    fn step(&self, state: &mut State, hit: &Hit) -> Option<Found> {
        while state
            .events
            .front()
            .is_some_and(|first| first.ts <= hit.ts - self.span)
        {
            state.events.pop_front();
        }
        state.on &= !state.events.is_empty();
        if state.events.len() >= self.threshold.cap() {
            state.events.pop_front();
        }
        state.events.push_back(At::of(hit));
        let was = std::mem::replace(&mut state.on, self.threshold.holds(state.events.len()));
        (state.on && !was).then(|| Found {
            ids: state
                .events
                .iter()
                .rev()
                .take(IDS_MAX)
                .rev()
                .map(|at| at.id)
                .collect(),
            reason: format!(
                "{} events within {}: {}",
                state.events.len(),
                span(self.span),
                self.threshold.words()
            ),
        })
    }

    fn forgotten_at(&self, state: &State) -> i64 {
        state
            .events
            .back()
            .map_or(i64::MIN, |last| last.ts.saturating_add(self.span))
    }

    fn ids(&self, state: &State, each: &mut dyn FnMut(IdRef)) {
        state.events.iter().for_each(|at| each(at.id));
    }
}
