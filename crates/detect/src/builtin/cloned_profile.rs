//! Cloned profile: one ICCID or IMSI in two places, or two phones, at once.
//!
//! Someone who travels goes from here to there. Two chips answer in turn: here, there, and here again within the
//! timespan.

use super::{Input, Millis, Params};
use crate::hit::{Hit, distance_km, place};
use crate::key::IdRef;
use crate::node::{At, Found, Rule, span};
use serde::{Deserialize, Serialize};

/// Parameters: `timespan` for here, there and here again; `min_km` between the two; `device`, the field that tells
/// phones apart.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClonedProfile {
    timespan: Millis,
    #[serde(default = "min_km")]
    min_km: f64,
    #[serde(default = "device")]
    device: String,
}

fn min_km() -> f64 {
    30.0
}
fn device() -> String {
    "imei".into()
}

impl Params for ClonedProfile {
    fn check(&self, parts: usize) -> Result<(), String> {
        match parts {
            1 => Ok(()),
            _ => Err("cloned_profile looks at one rule; name one under `rules`".into()),
        }
    }

    fn input(&self) -> Input {
        Input::Place {
            device: Some(self.device.clone()),
        }
    }
}

/// A seat: where, in which phone (0 when unknown), when it was taken first and last.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Seat {
    place: u64,
    device: u64,
    first: At,
    last: At,
}

/// The seat that was left, and the one that is held.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct State {
    left: Option<Seat>,
    held: Option<Seat>,
}

impl ClonedProfile {
    fn same(&self, seat: &Seat, hit: &Hit) -> bool {
        let other_phone = seat.device != 0 && hit.b != 0 && seat.device != hit.b;
        !other_phone && distance_km(place(seat.place), place(hit.a)) <= self.min_km
    }
}

impl Rule for ClonedProfile {
    type State = State;

    fn step(&self, state: &mut State, hit: &Hit) -> Option<Found> {
        let now = At::of(hit);
        let seat = Seat {
            place: hit.a,
            device: hit.b,
            first: now,
            last: now,
        };
        let Some(held) = state
            .held
            .as_mut()
            .filter(|held| hit.ts - held.last.ts <= self.timespan.0)
        else {
            *state = State {
                left: None,
                held: Some(seat),
            };
            return None;
        };
        if self.same(held, hit) {
            held.last = now;
            return None;
        }
        let held = *held;
        let back = state
            .left
            .filter(|left| self.same(left, hit) && hit.ts - left.last.ts <= self.timespan.0);
        state.left = Some(held);
        state.held = Some(seat);
        let left = back?;
        *state = State::default();
        Some(Found {
            ids: vec![left.last.id, held.first.id, hit.id],
            reason: format!(
                "here, {:.0} km away and here again within {}",
                distance_km(place(left.place), place(held.place)),
                span(hit.ts - left.last.ts)
            ),
        })
    }

    fn forgotten_at(&self, state: &State) -> i64 {
        // The held seat becomes the left one at the next move, and counts from its last sighting.
        let newest = state.held.map(|seat| seat.last.ts);
        newest.map_or(i64::MIN, |ts| {
            ts.saturating_add(self.timespan.0).saturating_add(1)
        })
    }

    fn ids(&self, state: &State, each: &mut dyn FnMut(IdRef)) {
        for seat in [state.left, state.held].into_iter().flatten() {
            each(seat.first.id);
            each(seat.last.id);
        }
    }
}
