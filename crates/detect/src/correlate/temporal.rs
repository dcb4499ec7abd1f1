//! `temporal`: all of several rules within the timespan, in any order.
//!
//! The events of an alert are used up: the next alert needs all of them anew.

use crate::hit::Hit;
use crate::key::IdRef;
use crate::node::{At, Found, Rule, span};
use serde::{Deserialize, Serialize};

/// The rule; `Hit::part` says which of the rules an event fits.
#[derive(Debug, Clone)]
pub(crate) struct Temporal {
    pub span: i64,
    pub names: Vec<String>,
    pub wanted: Wanted,
}

/// Which of the rules must have been seen.
#[derive(Debug, Clone)]
pub(crate) enum Wanted {
    One(usize),
    All(Vec<Self>),
    Any(Vec<Self>),
}

impl Wanted {
    fn holds(&self, seen: &dyn Fn(usize) -> bool) -> bool {
        match self {
            Self::One(part) => seen(*part),
            Self::All(parts) => parts.iter().all(|part| part.holds(seen)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(seen)),
        }
    }
}

/// The newest event of each rule.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct State {
    newest: Vec<Option<At>>,
}

impl Rule for Temporal {
    type State = State;

    fn step(&self, state: &mut State, hit: &Hit) -> Option<Found> {
        state.newest.resize(self.names.len(), None);
        state.newest[usize::from(hit.part)] = Some(At::of(hit));
        let recent = |at: &Option<At>| at.filter(|at| hit.ts - at.ts <= self.span);
        if !self.wanted.holds(&|part| recent(&state.newest[part]).is_some()) {
            return None;
        }
        let mut events: Vec<At> = state.newest.iter().filter_map(recent).collect();
        events.sort_by_key(|at| (at.ts, at.id == hit.id));
        events.dedup_by_key(|at| at.id);
        state.newest.clear();
        Some(Found {
            ids: events.iter().map(|at| at.id).collect(),
            reason: format!("{} within {}", self.names.join(" and "), span(self.span)),
        })
    }

    fn forgotten_at(&self, state: &State) -> i64 {
        let newest = state.newest.iter().flatten().map(|at| at.ts).max();
        newest.map_or(i64::MIN, |ts| ts.saturating_add(self.span).saturating_add(1))
    }

    fn ids(&self, state: &State, each: &mut dyn FnMut(IdRef)) {
        state.newest.iter().flatten().for_each(|at| each(at.id));
    }
}
