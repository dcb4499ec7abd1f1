//! Faults that stand in the way of effects.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

/// Which way to the outside is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Port {
    /// Texts and mails.
    Notifier,
    /// The SM-DP+.
    SmDp,
    /// The network core.
    Network,
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Not now.
    Temporary,
    /// Not at all.
    Permanent,
    /// Late.
    Slow(Duration),
}

/// Faults in the order in which they will be met.
#[derive(Debug, Default)]
pub(super) struct Faults(HashMap<Port, VecDeque<Fault>>);

impl Faults {
    pub(super) fn add(&mut self, port: Port, fault: Fault, times: u32) {
        let queue = self.0.entry(port).or_default();
        queue.extend(std::iter::repeat_n(fault, times as usize));
    }

    pub(super) fn next(&mut self, port: Port) -> Option<Fault> {
        self.0.get_mut(&port).and_then(VecDeque::pop_front)
    }
}
