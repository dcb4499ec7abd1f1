//! Impossible travel: two sightings, one after the other, that no aeroplane connects.

use super::{Input, Millis, Params};
use crate::hit::{Hit, at_most_km, distance_km, place};
use crate::key::IdRef;
use crate::node::{At, Found, Rule, span};
use serde::{Deserialize, Serialize};

/// Parameters: `min_km` (nearer places are cell changes), `over_km_h`, `min_gap` (sightings nearer in time count as so
/// far apart).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ImpossibleTravel {
    #[serde(default = "min_km")]
    min_km: f64,
    #[serde(default = "over_km_h")]
    over_km_h: f64,
    #[serde(default = "min_gap")]
    min_gap: Millis,
}

fn min_km() -> f64 {
    50.0
}
fn over_km_h() -> f64 {
    900.0
}
fn min_gap() -> Millis {
    Millis(1_000)
}

/// Half the way round the earth, rounded up.
const FARTHEST_KM: f64 = 20_038.0;
const HOUR_MS: f64 = 3_600_000.0;

impl Params for ImpossibleTravel {
    fn check(&self, parts: usize) -> Result<(), String> {
        if parts != 1 {
            return Err("impossible_travel looks at one rule; name one under `rules`".into());
        }
        if !(self.min_km >= 0.0 && self.over_km_h >= 1.0 && self.over_km_h.is_finite()) {
            return Err("`min_km` must be 0 or more and `over_km_h` 1 or more".into());
        }
        Ok(())
    }

    fn input(&self) -> Input {
        Input::Place { device: None }
    }
}

/// The last sighting and where it was.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct State(Option<(At, u64)>);

impl Rule for ImpossibleTravel {
    type State = State;

    #[expect(
        clippy::cast_precision_loss,
        reason = "spans of days in milliseconds are exact"
    )]
    fn step(&self, state: &mut State, hit: &Hit) -> Option<Found> {
        let (before, was) = state.0.replace((At::of(hit), hit.a))?;
        let gap = hit.ts - before.ts;
        let allowed = self.over_km_h * gap.max(self.min_gap.0) as f64;
        let (from, to) = (place(was), place(hit.a));
        let most = at_most_km(from, to);
        if most <= self.min_km || most * HOUR_MS <= allowed || FARTHEST_KM * HOUR_MS <= allowed {
            return None;
        }
        let km = distance_km(from, to);
        (km > self.min_km && km * HOUR_MS > allowed).then(|| Found {
            ids: vec![before.id, hit.id],
            reason: format!("{km:.0} km in {}", span(gap)),
        })
    }

    fn forgotten_at(&self, state: &State) -> i64 {
        #[expect(clippy::cast_possible_truncation, reason = "at most 20,038 hours")]
        let horizon = (FARTHEST_KM / self.over_km_h * HOUR_MS) as i64 + 1;
        state.0.map_or(i64::MIN, |(at, _)| at.ts.saturating_add(horizon))
    }

    fn ids(&self, state: &State, each: &mut dyn FnMut(IdRef)) {
        if let Some((at, _)) = &state.0 {
            each(at.id);
        }
    }
}
