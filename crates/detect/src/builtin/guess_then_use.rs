//! Guessed password, then use: failures, a success that empties them, and an act, all within the timespan of the first
//! of the failures that count.
//!
//! Inputs in order: the failure, the success, the act. Sigma's chained correlations have no success that forgives: a
//! count followed by a login would fire for the owner who mistyped, logged in, and came back later.

use super::{Input, Millis, Params};
use crate::hit::Hit;
use crate::key::IdRef;
use crate::node::{At, Found, Rule, span};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Parameters: `failures`, how many count (the newest); `timespan`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GuessThenUse {
    failures: usize,
    timespan: Millis,
}

impl Params for GuessThenUse {
    fn check(&self, parts: usize) -> Result<(), String> {
        if parts != 3 {
            return Err("guess_then_use needs three rules in this order: failure, success, act".into());
        }
        if !(1..=1_000).contains(&self.failures) {
            return Err("`failures` must be 1 to 1000".into());
        }
        Ok(())
    }

    fn input(&self) -> Input {
        Input::Nothing
    }
}

/// The newest failures, and the success that stands armed with the events that led to it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct State {
    failures: VecDeque<At>,
    armed: Option<Box<Armed>>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Armed {
    since: i64,
    ids: Vec<IdRef>,
}

impl Rule for GuessThenUse {
    type State = State;

    fn step(&self, state: &mut State, hit: &Hit) -> Option<Found> {
        match hit.part {
            0 => {
                if state.failures.len() >= self.failures {
                    state.failures.pop_front();
                }
                state.failures.push_back(At::of(hit));
                None
            }
            1 => {
                let failures = std::mem::take(&mut state.failures);
                let first = failures.front()?;
                if failures.len() >= self.failures && hit.ts - first.ts <= self.timespan.0 {
                    let ids = failures.iter().map(|at| at.id).chain([hit.id]).collect();
                    state.armed = Some(Box::new(Armed { since: first.ts, ids }));
                }
                None
            }
            _ => {
                let mut armed = state.armed.take()?;
                if hit.ts - armed.since > self.timespan.0 {
                    return None;
                }
                armed.ids.push(hit.id);
                Some(Found {
                    ids: armed.ids,
                    reason: format!(
                        "{} failures, a success and the act within {}",
                        self.failures,
                        span(self.timespan.0)
                    ),
                })
            }
        }
    }

    fn forgotten_at(&self, state: &State) -> i64 {
        let newest = state
            .failures
            .back()
            .map(|at| at.ts)
            .max(state.armed.as_ref().map(|armed| armed.since));
        newest.map_or(i64::MIN, |ts| {
            ts.saturating_add(self.timespan.0).saturating_add(1)
        })
    }

    fn ids(&self, state: &State, each: &mut dyn FnMut(IdRef)) {
        state.failures.iter().for_each(|at| each(at.id));
        if let Some(armed) = &state.armed {
            armed.ids.iter().for_each(|id| each(*id));
        }
    }
}
