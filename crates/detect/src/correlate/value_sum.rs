//! `value_sum` and `value_avg`: a number of the events of a group, added up or averaged over the timespan.

use super::Threshold;
use crate::hit::Hit;
use crate::key::IdRef;
use crate::node::{At, Found, IDS_MAX, Rule, span};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// The most events of one group that are added up; the oldest go first.
pub(crate) const EVENTS_MAX: usize = 4_096;

/// The rule; the number comes as the bits of `Hit::a`.
#[derive(Debug, Clone)]
pub(crate) struct ValueSum {
    pub span: i64,
    pub threshold: Threshold,
    pub field: String,
    pub average: bool,
}

/// The numbers in the window, oldest first, and whether the condition held.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct State {
    numbers: VecDeque<(f64, At)>,
    on: bool,
}

impl Rule for ValueSum {
    type State = State;

    #[expect(clippy::cast_precision_loss, reason = "at most 4096 numbers")]
    fn step(&self, state: &mut State, hit: &Hit) -> Option<Found> {
        let numbers = &mut state.numbers;
        while numbers
            .front()
            .is_some_and(|(_, first)| first.ts <= hit.ts - self.span)
        {
            numbers.pop_front();
        }
        state.on &= !numbers.is_empty();
        if numbers.len() >= EVENTS_MAX {
            numbers.pop_front();
        }
        numbers.push_back((f64::from_bits(hit.a), At::of(hit)));
        let sum: f64 = numbers.iter().map(|(number, _)| number).sum();
        let value = if self.average {
            sum / numbers.len() as f64
        } else {
            sum
        };
        let was = std::mem::replace(&mut state.on, self.threshold.holds_number(value));
        (state.on && !was).then(|| Found {
            ids: numbers
                .iter()
                .rev()
                .take(IDS_MAX)
                .rev()
                .map(|(_, at)| at.id)
                .collect(),
            reason: format!(
                "{} of {} within {} is {value}: {}",
                if self.average { "the average" } else { "the sum" },
                self.field,
                span(self.span),
                self.threshold.words()
            ),
        })
    }

    fn forgotten_at(&self, state: &State) -> i64 {
        state
            .numbers
            .back()
            .map_or(i64::MIN, |(_, last)| last.ts.saturating_add(self.span))
    }

    fn ids(&self, state: &State, each: &mut dyn FnMut(IdRef)) {
        state.numbers.iter().for_each(|(_, at)| each(at.id));
    }
}
