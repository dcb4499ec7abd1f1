//! How often the very same signed request came again: answered a few times, then the session ends.
//!
//! Counted in memory, bounded, because a repeated request must write nothing.

use simwarden_rsp::TransactionId;
use std::collections::{HashMap, VecDeque};

/// Repeats of one request that are answered.
const REPEATS_MAX: u8 = 5;
/// Sessions that are remembered; the oldest goes first.
const KEPT_MAX: usize = 16_384;

/// The counts.
#[derive(Debug, Default)]
pub(crate) struct Repeats {
    counts: HashMap<TransactionId, u8>,
    order: VecDeque<TransactionId>,
}

impl Repeats {
    /// Counts one; answers whether it was one too many.
    pub(crate) fn is_too_many(&mut self, transaction: TransactionId) -> bool {
        if !self.counts.contains_key(&transaction) {
            if self.order.len() >= KEPT_MAX
                && let Some(oldest) = self.order.pop_front()
            {
                self.counts.remove(&oldest);
            }
            self.order.push_back(transaction);
        }
        let count = self.counts.entry(transaction).or_default();
        *count = count.saturating_add(1);
        *count > REPEATS_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::{KEPT_MAX, REPEATS_MAX, Repeats};
    use simwarden_rsp::TransactionId;

    #[test]
    fn a_few_are_answered_and_memory_is_bounded() {
        let mut repeats = Repeats::default();
        let id = TransactionId::new([1; 16]);
        for _ in 0..REPEATS_MAX {
            assert!(!repeats.is_too_many(id));
        }
        assert!(repeats.is_too_many(id));
        for n in 0..KEPT_MAX as u64 + 5 {
            let mut other = [2; 16];
            other[..8].copy_from_slice(&n.to_be_bytes());
            repeats.is_too_many(TransactionId::new(other));
        }
        assert!(repeats.counts.len() <= KEPT_MAX && !repeats.is_too_many(id));
    }
}
