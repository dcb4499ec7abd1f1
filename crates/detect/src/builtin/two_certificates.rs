//! One chip, two certificates: an EID (or any key) that comes with a second value of what cannot change.

use super::{Input, Millis, Params};
use crate::hit::Hit;
use crate::key::IdRef;
use crate::node::{At, Found, Rule};
use serde::{Deserialize, Serialize};

/// Parameters: `value`, the field that must stay the same; `remember`, how long after its last sighting.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TwoCertificates {
    value: String,
    remember: Millis,
}

impl Params for TwoCertificates {
    fn check(&self, parts: usize) -> Result<(), String> {
        match parts {
            1 => Ok(()),
            _ => Err("two_certificates looks at one rule; name one under `rules`".into()),
        }
    }

    fn input(&self) -> Input {
        Input::Values(vec![self.value.clone()])
    }
}

/// The value and its newest event.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct State(Option<(u64, At)>);

impl Rule for TwoCertificates {
    type State = State;

    fn step(&self, state: &mut State, hit: &Hit) -> Option<Found> {
        let before = state.0.replace((hit.a, At::of(hit)));
        let (value, at) = before.filter(|(_, at)| hit.ts - at.ts <= self.remember.0)?;
        (value != hit.a).then(|| Found {
            ids: vec![at.id, hit.id],
            reason: format!("seen with a second value of {}", self.value),
        })
    }

    fn forgotten_at(&self, state: &State) -> i64 {
        state.0.map_or(i64::MIN, |(_, at)| {
            at.ts.saturating_add(self.remember.0).saturating_add(1)
        })
    }

    fn ids(&self, state: &State, each: &mut dyn FnMut(IdRef)) {
        if let Some((_, at)) = &state.0 {
            each(at.id);
        }
    }
}
