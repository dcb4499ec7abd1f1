//! Who is let in, in the order of arrival: no event twice, none later than the lateness allows.
//!
//! What is let in therefore depends on nothing but the order of the lines, not on how they were cut into blocks.

use crate::read::Block;
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet, VecDeque};

/// Blocks of numbers that are remembered; the one begun first goes first. At most 528 bytes each.
const PAGES_MAX: usize = 1 << 18;
/// Names that are texts: so many at least are remembered.
const TEXTS_MAX: usize = 1 << 21;
/// Numbers in one page.
const PAGE_BITS: u32 = 12;
/// A page with more numbers than this becomes a bitmap.
const SPARSE_MAX: usize = 64;

/// What arrived so far.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Gate {
    lateness: i64,
    newest: i64,
    seen: Seen,
    /// Events that came a second time.
    pub duplicates: u64,
    /// Events that came too late to be looked at.
    pub late: u64,
}

impl Gate {
    /// `lateness`: how late an event may come, in milliseconds.
    #[must_use]
    pub fn new(lateness: i64) -> Self {
        Self {
            lateness: lateness.max(0),
            newest: i64::MIN,
            seen: Seen::default(),
            duplicates: 0,
            late: 0,
        }
    }

    /// Lets a block in, as the next of the stream; marks in it what is not let in.
    pub fn admit(&mut self, block: &mut Block) {
        let mut dropped = Vec::new();
        for (at, (space, id)) in block.ids.iter().enumerate() {
            if !self.seen.insert(*space, *id) {
                mark(&mut dropped, block.times.len(), at);
                self.duplicates += 1;
            }
        }
        let block_newest = block
            .times
            .iter()
            .copied()
            .max()
            .unwrap_or(i64::MIN)
            .max(self.newest);
        if block.times_min < block_newest.saturating_sub(self.lateness) {
            let mut newest = self.newest;
            for (at, ts) in block.times.iter().enumerate() {
                if *ts < newest.saturating_sub(self.lateness) && !dropped.get(at).copied().unwrap_or(false) {
                    mark(&mut dropped, block.times.len(), at);
                    self.late += 1;
                }
                newest = newest.max(*ts);
            }
        }
        self.newest = block_newest;
        block.dropped = dropped;
    }

    /// Takes the time from a clock: what is older by the lateness is final even if nothing more arrives.
    pub fn advance(&mut self, now: i64) {
        self.newest = self.newest.max(now);
    }

    /// Nothing before this time will be let in any more.
    #[must_use]
    pub fn final_before(&self) -> i64 {
        self.newest.saturating_sub(self.lateness)
    }

    /// The newest event time seen.
    #[must_use]
    pub fn newest(&self) -> i64 {
        self.newest
    }

    pub(crate) fn lateness(&self) -> i64 {
        self.lateness
    }
}

fn mark(dropped: &mut Vec<bool>, len: usize, at: usize) {
    dropped.resize(len, false);
    dropped[at] = true;
}

/// Names of events, bounded.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Seen {
    pages: HashMap<(u64, u64), Page>,
    order: VecDeque<(u64, u64)>,
    texts: HashSet<(u64, u64)>,
    older_texts: HashSet<(u64, u64)>,
    /// The page that is being filled: numbers mostly come one after another.
    current: Option<((u64, u64), Page)>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
enum Page {
    Sparse(Vec<u16>),
    Dense(Vec<u64>),
}

impl Page {
    fn insert(&mut self, place: u16) -> bool {
        match self {
            Self::Sparse(places) => {
                if places.contains(&place) {
                    return false;
                }
                if places.len() < SPARSE_MAX {
                    places.push(place);
                    return true;
                }
                let mut bits = vec![0; 1 << (PAGE_BITS - 6)];
                for place in std::mem::take(places).into_iter().chain([place]) {
                    bits[usize::from(place >> 6)] |= 1 << (place & 63);
                }
                *self = Self::Dense(bits);
                true
            }
            Self::Dense(bits) => {
                let (word, bit) = (&mut bits[usize::from(place >> 6)], 1 << (place & 63));
                let fresh = *word & bit == 0;
                *word |= bit;
                fresh
            }
        }
    }
}

impl Seen {
    /// True when the name is new.
    fn insert(&mut self, space: u64, id: u64) -> bool {
        if space >> 63 == 1 {
            return self.insert_text(space, id);
        }
        let page = (space, id >> PAGE_BITS);
        let place = u16::try_from(id & ((1 << PAGE_BITS) - 1)).unwrap_or(0);
        if let Some((current, bits)) = &mut self.current
            && *current == page
        {
            return bits.insert(place);
        }
        let next = self.pages.remove(&page).unwrap_or_else(|| {
            self.order.push_back(page);
            Page::Sparse(Vec::new())
        });
        if let Some((old, bits)) = self.current.replace((page, next)) {
            self.pages.insert(old, bits);
        }
        while self.order.len() > PAGES_MAX {
            if let Some(first) = self.order.pop_front() {
                self.pages.remove(&first);
            }
        }
        self.current.as_mut().is_none_or(|(_, bits)| bits.insert(place))
    }

    fn insert_text(&mut self, space: u64, id: u64) -> bool {
        if self.older_texts.contains(&(space, id)) || !self.texts.insert((space, id)) {
            return false;
        }
        if self.texts.len() >= TEXTS_MAX {
            self.older_texts = std::mem::take(&mut self.texts);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::Seen;
    use proptest::prelude::*;
    use std::collections::HashSet;

    proptest! {
        #[test]
        fn remembers_like_a_set(ids in prop::collection::vec((0_u64..3, 0_u64..9_000), 0..2_000)) {
            let (mut seen, mut plain) = (Seen::default(), HashSet::new());
            for (space, id) in ids {
                let space = if space == 2 { 1 << 63 | 7 } else { space };
                prop_assert_eq!(seen.insert(space, id), plain.insert((space, id)));
            }
        }
    }
}
