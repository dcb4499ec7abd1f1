//! Deciding: evaluate the rules at hand, merge what they say, apply the invariants.

use crate::brake::Brake;
use crate::decision::Decision;
use crate::draft::Draft;
use crate::engine::Engine;
use crate::facts::Facts;
use crate::invariants;
use crate::request::Request;
use simwarden_model::ReasonCode;

impl Engine {
    /// May this operation go on, with which further evidence, after which delay, and why.
    ///
    /// Pure: the same request, facts, rules and brake give the same decision. Unknown facts read as their worst value.
    #[must_use]
    pub fn decide(&self, request: &Request, facts: &Facts, brake: &Brake) -> Decision {
        let slice = self.slice(request.operation, request.role, request.channel);
        let mut draft = Draft::default();
        if invariants::never_delayed(request) {
            draft.never_delay();
        }
        let (mut permitted, mut broken) = (slice.permitted, false);
        for &index in &slice.permits {
            match self.rules[index].condition.test.holds(request, facts) {
                Some(holds) => permitted |= holds,
                None => broken = true,
            }
        }
        if !permitted {
            draft.deny(
                "invariant/not_permitted",
                ReasonCode::from_static("not_permitted"),
            );
        }
        for &index in &slice.forbids {
            let rule = &self.rules[index];
            match rule.condition.test.holds(request, facts) {
                Some(true) => {}
                Some(false) => continue,
                None => {
                    broken = true;
                    continue;
                }
            }
            if rule.phase_in.is_some_and(|from| request.now < from) {
                continue;
            }
            if brake.is_disarmed(&rule.id) {
                draft.disarmed.push(rule.id.clone());
                continue;
            }
            draft.apply(rule, request, facts);
        }
        // Cedar skips a rule that cannot be evaluated, which would loosen; here it refuses.
        if broken {
            draft.deny("invariant/rule_failed", ReasonCode::from_static("rule_failed"));
        }
        invariants::apply(&mut draft, request, facts);
        draft.finish(facts, self.policy_hash.clone())
    }
}
