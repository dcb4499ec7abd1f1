//! The states of a share of all groups, and the events that wait until nothing older can come.

use crate::alert::Alert;
use crate::hit::Hit;
use crate::key::Names;
use crate::node::{Fire, Node};
use crate::program::Program;
use crate::read::Block;
use std::collections::{BTreeMap, HashSet};

/// Waiting events are kept in this many slices of the lateness.
const SLICES: i64 = 64;
/// Tables smaller than this are not swept.
const SWEEP_MIN: usize = 1_024;
/// Chained rules may stand so deep.
const CHAIN_MAX: usize = 16;

/// A share of the engine's state. Which groups it holds is decided by [`Program::read`]'s number of shards and its own
/// place among them.
pub struct Shard {
    place: usize,
    pub(crate) names: Names,
    pub(crate) waiting: BTreeMap<i64, Vec<Hit>>,
    pub(crate) width: i64,
    nodes: Vec<Box<dyn Node>>,
    timed: Vec<u16>,
    /// How large each table was after its last sweep.
    swept: Vec<usize>,
    names_swept: usize,
    spare: Vec<Vec<Hit>>,
}

impl Shard {
    /// An empty one. `lateness` in milliseconds; `secret` is any number that outsiders do not know, it decides nothing
    /// but places in tables.
    #[must_use]
    pub fn new(program: &Program, place: usize, lateness: i64, secret: u64) -> Self {
        let timed = (0_u16..)
            .zip(&program.nodes)
            .filter(|(_, spec)| spec.make.is_timed())
            .map(|(at, _)| at);
        Self {
            place,
            names: Names::default(),
            waiting: BTreeMap::new(),
            width: (lateness / SLICES).max(1),
            timed: timed.collect(),
            swept: vec![0; program.nodes.len()],
            nodes: program.nodes.iter().map(|spec| spec.make.node(secret)).collect(),
            names_swept: 0,
            spare: Vec::new(),
        }
    }

    /// Takes its share of a block that the gate let in. Blocks come in the order of the stream.
    pub fn take(&mut self, block: &Block) {
        let (Some(hits), Some(names)) = (block.hits.get(self.place), block.names.get(self.place)) else {
            return;
        };
        if !names.is_empty() {
            self.names.merge(names);
        }
        let mut last: Option<(i64, &mut Vec<Hit>)> = None;
        for hit in hits {
            if block.dropped.get(hit.event as usize) == Some(&true) {
                continue;
            }
            let slice = hit.ts.div_euclid(self.width);
            if last.as_ref().is_none_or(|(at, _)| *at != slice) {
                let spare = &mut self.spare;
                last = Some((
                    slice,
                    self.waiting
                        .entry(slice)
                        .or_insert_with(|| spare.pop().unwrap_or_default()),
                ));
            }
            if let Some((_, waiting)) = &mut last {
                waiting.push(Hit { event: 0, ..*hit });
            }
        }
    }

    /// Shows the rules everything that is older than `final_before`, to a sixty-fourth of the lateness.
    pub fn release(&mut self, program: &Program, final_before: i64) -> Vec<Alert> {
        let slice = final_before.div_euclid(self.width);
        let mut alerts = Vec::new();
        while self.waiting.first_key_value().is_some_and(|(at, _)| *at < slice) {
            let Some((_, hits)) = self.waiting.pop_first() else {
                break;
            };
            self.show(program, hits, &mut alerts);
        }
        self.overdue(program, slice.saturating_mul(self.width), &mut alerts);
        self.tidy(slice.saturating_mul(self.width));
        alerts
    }

    /// The end of the stream: shows everything that waits. `newest` is the newest event time of all shards.
    pub fn finish(&mut self, program: &Program, newest: i64) -> Vec<Alert> {
        let mut alerts = Vec::new();
        for (_, hits) in std::mem::take(&mut self.waiting) {
            self.show(program, hits, &mut alerts);
        }
        self.overdue(program, newest, &mut alerts);
        alerts
    }

    /// Groups that rules remember, and about how many bytes they take.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        let groups = self.nodes.iter().map(|node| node.groups()).sum();
        (
            groups,
            self.nodes
                .iter()
                .map(|node| node.groups() * node.state_bytes())
                .sum(),
        )
    }

    fn show(&mut self, program: &Program, mut hits: Vec<Hit>, alerts: &mut Vec<Alert>) {
        let names = &self.names;
        hits.sort_by(|a, b| {
            a.ts.cmp(&b.ts)
                .then_with(|| names.order(a.id, b.id))
                .then_with(|| a.rank().cmp(&b.rank()))
        });
        for hit in &hits {
            if !self.timed.is_empty() {
                self.overdue(program, hit.ts, alerts);
            }
            self.step(program, hit, alerts, 0);
        }
        hits.clear();
        self.spare.push(hits);
        self.spare.truncate(8);
    }

    fn step(&mut self, program: &Program, hit: &Hit, alerts: &mut Vec<Alert>, depth: usize) {
        if let Some(fire) = self.nodes[usize::from(hit.node)].step(hit) {
            self.fired(program, hit.node, &fire, alerts, depth);
        }
    }

    fn overdue(&mut self, program: &Program, until: i64, alerts: &mut Vec<Alert>) {
        for at in 0..self.timed.len() {
            let (node, mut fires) = (self.timed[at], Vec::new());
            self.nodes[usize::from(node)].overdue(until, &mut fires);
            for fire in &fires {
                self.fired(program, node, fire, alerts, 0);
            }
        }
    }

    fn fired(&mut self, program: &Program, node: u16, fire: &Fire, alerts: &mut Vec<Alert>, depth: usize) {
        let spec = &program.nodes[usize::from(node)];
        if spec.alerts {
            let rule = &program.rules[usize::from(spec.rule)];
            alerts.push(Alert {
                ts: fire.ts,
                rule: rule.id.clone(),
                level: rule.level.clone(),
                key: self.names.key_text(fire.key),
                events: fire.ids.iter().map(|id| self.names.id_value(*id)).collect(),
                reason: fire.reason.clone(),
            });
        }
        let Some(id) = fire.ids.last().copied().filter(|_| depth < CHAIN_MAX) else {
            return;
        };
        for (parent, part) in &spec.parents {
            let hit = Hit {
                key: fire.key,
                ts: fire.ts,
                id,
                a: 0,
                b: 0,
                node: *parent,
                part: *part,
                event: 0,
            };
            self.step(program, &hit, alerts, depth + 1);
        }
    }

    /// Forgets, once a table has doubled, what is as good as forgotten.
    fn tidy(&mut self, now: i64) {
        for (node, swept) in self.nodes.iter_mut().zip(&mut self.swept) {
            if node.groups() > SWEEP_MIN.max(*swept * 2) {
                node.sweep(now);
                *swept = node.groups();
            }
        }
        if self.names.len() > SWEEP_MIN.max(self.names_swept * 2) {
            let (mut keys, mut ids) = (HashSet::new(), HashSet::new());
            for node in &self.nodes {
                node.refers(&mut keys, &mut ids);
            }
            for hit in self.waiting.values().flatten() {
                keys.insert(hit.key);
                ids.insert(hit.id);
            }
            self.names.keep_only(&keys, &ids);
            self.names_swept = self.names.len();
        }
    }

    pub(crate) fn save(&self) -> Result<Vec<Vec<u8>>, postcard::Error> {
        self.nodes.iter().map(|node| node.save()).collect()
    }

    pub(crate) fn load(&mut self, states: &[Vec<u8>]) -> Result<(), postcard::Error> {
        self.nodes
            .iter_mut()
            .zip(states)
            .try_for_each(|(node, bytes)| node.load(bytes))
    }
}
