//! One rule over one group of events: the shape that all correlations and built-ins share.

use crate::hit::Hit;
use crate::key::{IdRef, Key, KeyHash};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::collections::{HashMap, HashSet};

/// What a rule found.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fire {
    pub key: Key,
    /// Event time of what completed it, milliseconds.
    pub ts: i64,
    /// The events it rests on, oldest first.
    pub ids: Vec<IdRef>,
    pub reason: String,
}

/// The most events that an alert names.
pub(crate) const IDS_MAX: usize = 64;

/// A rule with its parameters; `State` is what it remembers of one group.
pub(crate) trait Rule: Clone + Send + Sync {
    type State: Default + Clone + Send + Serialize + DeserializeOwned;

    /// Takes one event, in the order of event time.
    fn step(&self, state: &mut Self::State, hit: &Hit) -> Option<Found>;

    /// From when on the state is as good as none, if nothing more comes: event time, milliseconds.
    fn forgotten_at(&self, state: &Self::State) -> i64;

    /// The events that the state refers to.
    fn ids(&self, _state: &Self::State, _each: &mut dyn FnMut(IdRef)) {}

    /// The moment at which silence itself becomes the finding.
    fn due(&self, _state: &Self::State) -> Option<i64> {
        None
    }

    /// That moment has come.
    fn overdue(&self, _state: &mut Self::State) -> Option<Found> {
        None
    }
}

/// What a rule found in its group.
pub(crate) struct Found {
    pub ids: Vec<IdRef>,
    pub reason: String,
}

/// The states of all groups of one rule in one shard.
#[derive(Clone)]
pub(crate) struct Groups<R: Rule> {
    rule: R,
    states: HashMap<Key, R::State, KeyHash>,
    /// Only for rules that look for silence: when whose state has to be looked at.
    due: std::collections::BTreeSet<(i64, Key)>,
}

impl<R: Rule> Groups<R> {
    pub(crate) fn new(rule: R, secret: u64) -> Self {
        Self {
            rule,
            states: HashMap::with_hasher(KeyHash(secret)),
            due: std::collections::BTreeSet::new(),
        }
    }
}

/// [`Groups`] of any rule.
pub(crate) trait Node: Send {
    fn step(&mut self, hit: &Hit) -> Option<Fire>;
    fn overdue(&mut self, until: i64, fires: &mut Vec<Fire>);
    /// Drops what is as good as none at this time.
    fn sweep(&mut self, now: i64);
    fn groups(&self) -> usize;
    fn state_bytes(&self) -> usize;
    fn refers(&self, keys: &mut HashSet<Key>, ids: &mut HashSet<IdRef>);
    fn save(&self) -> Result<Vec<u8>, postcard::Error>;
    fn load(&mut self, bytes: &[u8]) -> Result<(), postcard::Error>;
}

impl<R: Rule> Node for Groups<R> {
    fn step(&mut self, hit: &Hit) -> Option<Fire> {
        let state = self.states.entry(hit.key).or_default();
        let before = self.rule.due(state);
        let found = self.rule.step(state, hit);
        let after = self.rule.due(state);
        if before != after {
            before.map(|at| self.due.remove(&(at, hit.key)));
            after.map(|at| self.due.insert((at, hit.key)));
        }
        found.map(|found| Fire {
            key: hit.key,
            ts: hit.ts,
            ids: found.ids,
            reason: found.reason,
        })
    }

    fn overdue(&mut self, until: i64, fires: &mut Vec<Fire>) {
        while let Some((at, key)) = self.due.first().copied().filter(|(at, _)| *at < until) {
            self.due.pop_first();
            let Some(state) = self.states.get_mut(&key) else {
                continue;
            };
            if let Some(found) = self.rule.overdue(state) {
                fires.push(Fire {
                    key,
                    ts: at,
                    ids: found.ids,
                    reason: found.reason,
                });
            }
        }
    }

    fn sweep(&mut self, now: i64) {
        let rule = &self.rule;
        self.states.retain(|_, state| rule.forgotten_at(state) > now);
        if self.states.capacity() > 64 && self.states.len() < self.states.capacity() / 4 {
            self.states.shrink_to(self.states.len() * 2);
        }
    }

    fn groups(&self) -> usize {
        self.states.len()
    }

    fn state_bytes(&self) -> usize {
        size_of::<(Key, R::State)>() + 1
    }

    fn refers(&self, keys: &mut HashSet<Key>, ids: &mut HashSet<IdRef>) {
        for (key, state) in &self.states {
            if key.is_digest() {
                keys.insert(*key);
            }
            self.rule.ids(state, &mut |id| {
                if id.is_named() {
                    ids.insert(id);
                }
            });
        }
    }

    fn save(&self) -> Result<Vec<u8>, postcard::Error> {
        let mut states: Vec<(&Key, &R::State)> = self.states.iter().collect();
        states.sort_unstable_by_key(|(key, _)| **key);
        postcard::to_allocvec(&states)
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), postcard::Error> {
        let states: Vec<(Key, R::State)> = postcard::from_bytes(bytes)?;
        self.due = states
            .iter()
            .filter_map(|(key, state)| Some((self.rule.due(state)?, *key)))
            .collect();
        self.states.clear();
        self.states.extend(states);
        Ok(())
    }
}

/// When something happened, and what.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct At {
    pub ts: i64,
    pub id: IdRef,
}

impl At {
    pub(crate) fn of(hit: &Hit) -> Self {
        Self {
            ts: hit.ts,
            id: hit.id,
        }
    }
}

/// A span in words: `90 s`, `15 min`, `26 h`.
pub(crate) fn span(millis: i64) -> String {
    match millis {
        0..=999 => format!("{millis} ms"),
        1_000..=119_999 => format!("{} s", millis / 1_000),
        120_000..=7_199_999 => format!("{} min", millis / 60_000),
        7_200_000..=172_799_999 => format!("{} h", millis / 3_600_000),
        _ => format!("{} days", millis / 86_400_000),
    }
}
