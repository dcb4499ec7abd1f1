//! Silence, wanted or not: a device that was said to be lost and speaks, or a line that should speak and does not.
//!
//! Inputs in order: the claim, the sign of life. With `expect: silence` a sign of life within the timespan after the
//! claim is the finding; with `expect: life` its absence is, at the moment the timespan ends.

use super::{Input, Millis, Params};
use crate::hit::Hit;
use crate::key::IdRef;
use crate::node::{At, Found, Rule, span};
use serde::{Deserialize, Serialize};

/// Parameters: `expect`, `timespan`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Silence {
    expect: Expect,
    timespan: Millis,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Expect {
    Silence,
    Life,
}

impl Params for Silence {
    fn check(&self, parts: usize) -> Result<(), String> {
        match parts {
            2 => Ok(()),
            _ => Err("silence needs two rules in this order: the claim, the sign of life".into()),
        }
    }

    fn input(&self) -> Input {
        Input::Nothing
    }
}

/// The newest claim that stands.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct State(Option<At>);

impl Rule for Silence {
    type State = State;

    fn step(&self, state: &mut State, hit: &Hit) -> Option<Found> {
        if hit.part == 0 {
            state.0 = Some(At::of(hit));
            return None;
        }
        let claim = state.0.take()?;
        let after = hit.ts - claim.ts;
        (self.expect == Expect::Silence && after <= self.timespan.0).then(|| Found {
            ids: vec![claim.id, hit.id],
            reason: format!("a sign of life {} after the claim", span(after)),
        })
    }

    fn forgotten_at(&self, state: &State) -> i64 {
        // One moment after it is due, so that silence is told before it is forgotten.
        state.0.map_or(i64::MIN, |claim| {
            claim.ts.saturating_add(self.timespan.0).saturating_add(2)
        })
    }

    fn ids(&self, state: &State, each: &mut dyn FnMut(IdRef)) {
        if let Some(claim) = &state.0 {
            each(claim.id);
        }
    }

    fn due(&self, state: &State) -> Option<i64> {
        let claim = state.0.as_ref().filter(|_| self.expect == Expect::Life)?;
        Some(claim.ts.saturating_add(self.timespan.0))
    }

    fn overdue(&self, state: &mut State) -> Option<Found> {
        let claim = state.0.take()?;
        Some(Found {
            ids: vec![claim.id],
            reason: format!("no sign of life within {}", span(self.timespan.0)),
        })
    }
}
