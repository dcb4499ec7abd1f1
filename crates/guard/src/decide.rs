//! Deciding: evaluate the rules at hand, merge what they say, apply the invariants.

use crate::brake::Brake;
use crate::decision::Decision;
use crate::draft::Draft;
use crate::engine::{Engine, Slice};
use crate::fact::Datum;
use crate::facts::Facts;
use crate::invariants;
use crate::request::Request;
use cedar_policy::{Context, RestrictedExpression};
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
        let mut hits = slice.always.clone();
        let mut broken = false;
        let mut permitted = slice.permitted;
        if !slice.forbids.is_empty() || !slice.permits.is_empty() {
            match self.cedar_request(slice, request, facts) {
                Some(asked) => {
                    permitted |= self.evaluate(&asked, slice, &mut hits, &mut broken);
                }
                None => broken = true,
            }
        }
        if !permitted {
            draft.deny(
                "invariant/not_permitted",
                ReasonCode::from_static("not_permitted"),
            );
        }
        if broken {
            draft.deny("invariant/rule_failed", ReasonCode::from_static("rule_failed"));
        }
        hits.sort_unstable();
        for index in hits {
            let rule = &self.rules[index];
            if rule.phase_in.is_some_and(|from| request.now < from) {
                continue;
            }
            if brake.is_disarmed(&rule.id) {
                draft.disarmed.push(rule.id.clone());
                continue;
            }
            draft.apply(rule, request, facts);
        }
        invariants::apply(&mut draft, request, facts);
        draft.finish(facts, self.policy_hash.clone())
    }

    /// Only the facts that the slice reads go into Cedar's context.
    fn cedar_request(
        &self,
        slice: &Slice,
        request: &Request,
        facts: &Facts,
    ) -> Option<cedar_policy::Request> {
        let mut groups = Vec::with_capacity(slice.reads.len());
        for (group, members) in &slice.reads {
            let record = members.iter().map(|fact| {
                let value = match (fact.seen)(facts) {
                    Datum::Flag(flag) => RestrictedExpression::new_bool(flag),
                    Datum::Number(number) => RestrictedExpression::new_long(number),
                };
                (fact.name.to_owned(), value)
            });
            groups.push((
                (*group).to_owned(),
                RestrictedExpression::new_record(record).ok()?,
            ));
        }
        cedar_policy::Request::new(
            self.roles[request.role as usize].clone(),
            self.actions[request.operation as usize].clone(),
            self.channels[request.channel as usize].clone(),
            Context::from_pairs(groups).ok()?,
            None,
        )
        .ok()
    }

    /// Adds the forbids that apply to `hits`, and says whether a permit with a condition applies. A rule that cannot be
    /// evaluated sets `broken`: Cedar would skip it, which would loosen.
    fn evaluate(
        &self,
        asked: &cedar_policy::Request,
        slice: &Slice,
        hits: &mut Vec<usize>,
        broken: &mut bool,
    ) -> bool {
        if !slice.forbids.is_empty() {
            let answer = self
                .authorizer
                .is_authorized(asked, &slice.forbids, &self.entities);
            *broken |= answer.diagnostics().errors().next().is_some();
            for id in answer.diagnostics().reason() {
                match AsRef::<str>::as_ref(id).parse() {
                    Ok(index) => hits.push(index),
                    Err(_) => *broken = true,
                }
            }
        }
        if slice.permits.is_empty() {
            return false;
        }
        let answer = self
            .authorizer
            .is_authorized(asked, &slice.permits, &self.entities);
        answer.decision() == cedar_policy::Decision::Allow
    }
}
