//! An agent unlike the others: many times what the middle one of the peers does.
//!
//! The group is the circle of peers (an operator, or everybody when `group-by` is left out); the member is a value in
//! the event. A member speaks up once, and again only after falling below `at_least`.

use super::{Input, Millis, Params};
use crate::hit::Hit;
use crate::key::IdRef;
use crate::node::{At, Found, IDS_MAX, Rule, span};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// The most events of one member that are kept.
const EVENTS_MAX: usize = 512;
/// The most members of one circle; the one unseen for longest makes room.
const MEMBERS_MAX: usize = 100_000;

/// Parameters: `member`, the field with the agent; `timespan`; `times` the median of the peers; `at_least` so many
/// events; `peers`, how many others there must be.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AgentOutlier {
    member: String,
    timespan: Millis,
    times: usize,
    at_least: usize,
    peers: usize,
}

impl Params for AgentOutlier {
    fn check(&self, parts: usize) -> Result<(), String> {
        if parts == 0 {
            return Err(
                "agent_outlier counts the events of one or more rules; name them under `rules`".into(),
            );
        }
        if self.times < 2 || !(2..=EVENTS_MAX).contains(&self.at_least) || self.peers == 0 {
            return Err("`times` must be 2 or more, `at_least` 2 to 512, `peers` 1 or more".into());
        }
        Ok(())
    }

    fn input(&self) -> Input {
        Input::Values(vec![self.member.clone()])
    }
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Member {
    events: VecDeque<At>,
    on: bool,
}

/// The members of a circle.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct State {
    members: BTreeMap<u64, Member>,
    newest: i64,
}

impl AgentOutlier {
    /// The middle count of the others that did anything in the window, and how many these are.
    fn peers(&self, state: &State, but: u64, now: i64) -> (usize, usize) {
        // Oldest first, so what has left the window is a beginning.
        let since = now - self.timespan.0;
        let recent = |member: &Member| match member.events.front() {
            Some(first) if first.ts > since => member.events.len(),
            _ => member.events.len() - member.events.partition_point(|at| at.ts <= since),
        };
        let mut counts: Vec<usize> = state
            .members
            .iter()
            .filter(|(id, _)| **id != but)
            .map(|(_, member)| recent(member))
            .filter(|count| *count > 0)
            .collect();
        let middle = counts.len() / 2;
        if counts.is_empty() {
            return (0, 0);
        }
        (*counts.select_nth_unstable(middle).1, counts.len())
    }
}

impl Rule for AgentOutlier {
    type State = State;

    fn step(&self, state: &mut State, hit: &Hit) -> Option<Found> {
        state.newest = hit.ts;
        if state.members.len() >= MEMBERS_MAX && !state.members.contains_key(&hit.a) {
            let oldest = state
                .members
                .iter()
                .min_by_key(|(_, member)| member.events.back().map(|at| at.ts));
            let oldest = oldest.map(|(id, _)| *id);
            oldest.and_then(|id| state.members.remove(&id));
        }
        let member = state.members.entry(hit.a).or_default();
        while member
            .events
            .front()
            .is_some_and(|first| first.ts <= hit.ts - self.timespan.0)
        {
            member.events.pop_front();
        }
        if member.events.len() >= EVENTS_MAX {
            member.events.pop_front();
        }
        member.events.push_back(At::of(hit));
        let count = member.events.len();
        member.on &= count >= self.at_least;
        if member.on || count < self.at_least {
            return None;
        }
        let (median, peers) = self.peers(state, hit.a, hit.ts);
        if peers < self.peers || count < self.times * median {
            return None;
        }
        let member = state.members.get_mut(&hit.a)?;
        member.on = true;
        Some(Found {
            ids: member
                .events
                .iter()
                .rev()
                .take(IDS_MAX)
                .rev()
                .map(|at| at.id)
                .collect(),
            reason: format!(
                "{count} within {}, the middle one of {peers} peers {median}",
                span(self.timespan.0)
            ),
        })
    }

    fn forgotten_at(&self, state: &State) -> i64 {
        state.newest.saturating_add(self.timespan.0)
    }

    fn ids(&self, state: &State, each: &mut dyn FnMut(IdRef)) {
        state
            .members
            .values()
            .flat_map(|member| &member.events)
            .for_each(|at| each(at.id));
    }
}
