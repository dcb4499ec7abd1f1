//! Cedar's own authorizer as the oracle: whatever the facts, it names the same rules as the compiled conditions.

use crate::engine::Engine;
use crate::fact::Datum;
use crate::facts::{CATALOGUE, Facts};
use crate::request::Request;
use crate::schema::{CHANNEL_GROUPS, ROLE_GROUPS, schema_text};
use cedar_policy::{
    Authorizer, Context, Decision, Effect, Entities, Entity, EntityId, EntityUid, PolicySet,
    RestrictedExpression, Schema,
};
use simwarden_model::{Channel, Role};
use std::collections::{BTreeSet, HashSet};

/// Cedar with the whole rules, heads included, forbids and permits apart.
pub(crate) struct Oracle {
    permits: PolicySet,
    forbids: PolicySet,
    entities: Entities,
}

fn uid(kind: &str, name: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(kind.parse().unwrap(), EntityId::new(name))
}

impl Oracle {
    pub(crate) fn new(engine: &Engine) -> Self {
        let set = |effect: Effect| {
            let rules = engine.rules().iter().map(|rule| rule.policy.clone());
            PolicySet::from_policies(rules.filter(|policy| policy.effect() == effect)).unwrap()
        };
        let mut entities = Vec::new();
        for role in Role::ALL {
            let groups = ROLE_GROUPS.iter().filter(|(_, members)| members.contains(role));
            let parents = groups.map(|(group, _)| uid("Role", group)).collect();
            entities.push(Entity::new_no_attrs(uid("Role", role.as_str()), parents));
        }
        for channel in Channel::ALL {
            let groups = CHANNEL_GROUPS
                .iter()
                .filter(|(_, members)| members.contains(channel));
            let parents = groups.map(|(group, _)| uid("Channel", group)).collect();
            entities.push(Entity::new_no_attrs(uid("Channel", channel.as_str()), parents));
        }
        let groups = ROLE_GROUPS.iter().map(|(group, _)| uid("Role", group));
        let groups = groups.chain(CHANNEL_GROUPS.iter().map(|(group, _)| uid("Channel", group)));
        entities.extend(groups.map(|group| Entity::new_no_attrs(group, HashSet::new())));
        // The schema brings the groups of actions.
        let schema = Schema::from_cedarschema_str(&schema_text()).unwrap().0;
        Self {
            permits: set(Effect::Permit),
            forbids: set(Effect::Forbid),
            entities: Entities::from_entities(entities, Some(&schema)).unwrap(),
        }
    }

    /// Whether Cedar permits the request, and which forbids it finds satisfied.
    pub(crate) fn ask(&self, request: &Request, facts: &Facts) -> (bool, BTreeSet<String>) {
        let mut groups: Vec<&str> = CATALOGUE.iter().map(|fact| fact.group).collect();
        groups.dedup();
        let context = groups.into_iter().map(|group| {
            let members = CATALOGUE.iter().filter(|fact| fact.group == group).map(|fact| {
                let value = match (fact.seen)(facts) {
                    Datum::Flag(flag) => RestrictedExpression::new_bool(flag),
                    Datum::Number(number) => RestrictedExpression::new_long(number),
                };
                (fact.name.to_owned(), value)
            });
            (
                group.to_owned(),
                RestrictedExpression::new_record(members).unwrap(),
            )
        });
        let asked = cedar_policy::Request::new(
            uid("Role", request.role.as_str()),
            uid("Action", request.operation.as_str()),
            uid("Channel", request.channel.as_str()),
            Context::from_pairs(context).unwrap(),
            None,
        )
        .unwrap();
        let authorizer = Authorizer::new();
        let permits = authorizer.is_authorized(&asked, &self.permits, &self.entities);
        let forbids = authorizer.is_authorized(&asked, &self.forbids, &self.entities);
        assert_eq!(forbids.diagnostics().errors().count(), 0);
        (
            permits.decision() == Decision::Allow,
            forbids.diagnostics().reason().map(ToString::to_string).collect(),
        )
    }
}
