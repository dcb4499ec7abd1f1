//! Agent, chip, victims: an agent who puts several people's lines on the same few chips.
//!
//! The group is the agent. A chip counts as reused when this agent gave it the lines of two or more people; the finding
//! is so many people on reused chips within the timespan.

use super::{Input, Millis, Params};
use crate::hit::Hit;
use crate::key::IdRef;
use crate::node::{At, Found, IDS_MAX, Rule, span};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// The most acts of one agent that are kept.
const ACTS_MAX: usize = 256;

/// Parameters: `chip` and `victim`, the fields; `victims`, how many people; `timespan`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AgentGraph {
    #[serde(default = "chip")]
    chip: String,
    #[serde(default = "victim")]
    victim: String,
    victims: usize,
    timespan: Millis,
}

fn chip() -> String {
    "eid".into()
}
fn victim() -> String {
    "msisdn".into()
}

impl Params for AgentGraph {
    fn check(&self, parts: usize) -> Result<(), String> {
        if parts == 0 {
            return Err("agent_graph looks at what agents do; name one or more rules under `rules`".into());
        }
        match self.victims {
            2..=100 => Ok(()),
            _ => Err("`victims` must be 2 to 100".into()),
        }
    }

    fn input(&self) -> Input {
        Input::Values(vec![self.chip.clone(), self.victim.clone()])
    }
}

/// Chip, victim and event, oldest first; the newest of each pair.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct State {
    acts: VecDeque<(u64, u64, At)>,
    on: bool,
}

impl Rule for AgentGraph {
    type State = State;

    fn step(&self, state: &mut State, hit: &Hit) -> Option<Found> {
        state.acts.retain(|(chip, victim, at)| {
            at.ts > hit.ts - self.timespan.0 && (*chip, *victim) != (hit.a, hit.b)
        });
        if state.acts.len() >= ACTS_MAX {
            state.acts.pop_front();
        }
        state.acts.push_back((hit.a, hit.b, At::of(hit)));
        // Pairs are unique, so a chip that stands here twice has two victims.
        let reused = |chip: u64| state.acts.iter().filter(|(other, _, _)| *other == chip).count() > 1;
        let mut victims: Vec<u64> = state
            .acts
            .iter()
            .filter(|(chip, _, _)| reused(*chip))
            .map(|(_, victim, _)| *victim)
            .collect();
        victims.sort_unstable();
        victims.dedup();
        let was = std::mem::replace(&mut state.on, victims.len() >= self.victims);
        (victims.len() >= self.victims && !was).then(|| Found {
            ids: state
                .acts
                .iter()
                .filter(|(chip, _, _)| reused(*chip))
                .map(|(_, _, at)| at.id)
                .take(IDS_MAX)
                .collect(),
            reason: format!(
                "{} people on reused chips within {}",
                victims.len(),
                span(self.timespan.0)
            ),
        })
    }

    fn forgotten_at(&self, state: &State) -> i64 {
        state
            .acts
            .back()
            .map_or(i64::MIN, |(_, _, at)| at.ts.saturating_add(self.timespan.0))
    }

    fn ids(&self, state: &State, each: &mut dyn FnMut(IdRef)) {
        state.acts.iter().for_each(|(_, _, at)| each(at.id));
    }
}
