//! Replace the profile of a line: lost, stolen or broken phone, new chip.

use super::{Plan, Step, Wanted, travel};

pub(super) const PLAN: Plan = Plan {
    steps: &[
        Step::Order,
        Step::Release,
        Step::Install,
        Step::Switch,
        Step::Retire,
    ],
    requires: &[Wanted::Eid],
    done: travel::done,
    undone: travel::undone,
};
