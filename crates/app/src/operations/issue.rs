//! Issue the first profile of a line.

use super::{Plan, Step, Wanted, travel};

pub(super) const PLAN: Plan = Plan {
    steps: &[Step::Order, Step::Release, Step::Install, Step::Switch],
    requires: &[Wanted::Eid],
    done: travel::done,
    undone: travel::undone,
};
