//! `temporal_ordered`: several rules one after another within the timespan.
//!
//! Of all ways through the first steps the one that began last is kept: if any completes in time, it does. The events
//! of an alert are used up; a newer first event takes the place of an older one.

use crate::hit::Hit;
use crate::key::IdRef;
use crate::node::{Found, Rule, span};
use serde::{Deserialize, Serialize};

/// The rule; `Hit::part` says which of the steps an event fits.
#[derive(Debug, Clone)]
pub(crate) struct TemporalOrdered {
    pub span: i64,
    pub names: Vec<String>,
}

/// For each step but the last: when the way to it began, and its events.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct State {
    ways: Vec<Option<Way>>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Way {
    began: i64,
    ids: Box<[IdRef]>,
}

impl Rule for TemporalOrdered {
    type State = State;

    fn step(&self, state: &mut State, hit: &Hit) -> Option<Found> {
        let part = usize::from(hit.part);
        let steps = self.names.len();
        state.ways.resize(steps - 1, None);
        let way = if part == 0 {
            Way {
                began: hit.ts,
                ids: [hit.id].into(),
            }
        } else {
            let before = state.ways[part - 1]
                .as_ref()
                .filter(|way| hit.ts - way.began <= self.span)?;
            let ids = before.ids.iter().copied().chain([hit.id]).collect();
            Way {
                began: before.began,
                ids,
            }
        };
        if part + 1 < steps {
            let kept = &mut state.ways[part];
            if kept.as_ref().is_none_or(|kept| kept.began <= way.began) {
                *kept = Some(way);
            }
            return None;
        }
        state.ways.clear();
        Some(Found {
            reason: format!("{} within {}", self.names.join(", then "), span(self.span)),
            ids: way.ids.into(),
        })
    }

    fn forgotten_at(&self, state: &State) -> i64 {
        let newest = state.ways.iter().flatten().map(|way| way.began).max();
        newest.map_or(i64::MIN, |ts| ts.saturating_add(self.span).saturating_add(1))
    }

    fn ids(&self, state: &State, each: &mut dyn FnMut(IdRef)) {
        state
            .ways
            .iter()
            .flatten()
            .for_each(|way| way.ids.iter().for_each(|id| each(*id)));
    }
}
