//! The correlations of Sigma 2.1, one file each: event counts, distinct values, sums and averages, coincidence, order.
//!
//! Counting windows are (t − timespan, t]. Coincidence and order ask that the first and the last event lie at most
//! `timespan` apart. A counting rule speaks when its condition becomes true and again only after it was false.

pub(crate) mod event_count;
pub(crate) mod plain;
pub(crate) mod temporal;
pub(crate) mod temporal_ordered;
pub(crate) mod value_count;
pub(crate) mod value_sum;

use rsigma_parser::ConditionOperator as Op;

/// The numbers that a count, sum or average is held against; all must hold.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Threshold(pub Vec<(Op, u64)>);

impl Threshold {
    pub(crate) fn holds(&self, count: usize) -> bool {
        self.0
            .iter()
            .all(|(op, bound)| op_holds(*op, &(count as u64), bound))
    }

    #[expect(clippy::cast_precision_loss, reason = "bounds are small")]
    pub(crate) fn holds_number(&self, value: f64) -> bool {
        self.0
            .iter()
            .all(|(op, bound)| op_holds(*op, &value, &(*bound as f64)))
    }

    /// Counts above this are all alike.
    pub(crate) fn cap(&self) -> usize {
        self.0
            .iter()
            .map(|(_, bound)| usize::try_from(*bound).unwrap_or(usize::MAX))
            .max()
            .unwrap_or(0)
            .saturating_add(1)
    }

    pub(crate) fn words(&self) -> String {
        let word = |op: &Op| match op {
            Op::Lt => "fewer than",
            Op::Lte => "at most",
            Op::Gt => "more than",
            Op::Gte => "at least",
            Op::Eq => "exactly",
            Op::Neq => "not",
        };
        let words: Vec<String> = self
            .0
            .iter()
            .map(|(op, bound)| format!("{} {bound}", word(op)))
            .collect();
        words.join(" and ")
    }
}

fn op_holds<T: PartialOrd>(op: Op, value: &T, bound: &T) -> bool {
    match op {
        Op::Lt => value < bound,
        Op::Lte => value <= bound,
        Op::Gt => value > bound,
        Op::Gte => value >= bound,
        Op::Eq => value == bound,
        Op::Neq => value != bound,
    }
}
