//! The Cedar schema: which facts a rule can read, who can ask, what for, and by which channel.
//!
//! Generated out of the catalogue of facts and the vocabulary of `simwarden-model`, so it cannot drift from them.

use crate::facts::CATALOGUE;
use simwarden_model::{Channel, OperationKind, Role};
use std::fmt::Write as _;

/// Groups of roles that a rule can name: `principal in Role::"staff"`.
pub(crate) const ROLE_GROUPS: &[(&str, &[Role])] = &[
    ("counter_staff", &[Role::Agent, Role::Supervisor]),
    (
        "staff",
        &[Role::Agent, Role::Supervisor, Role::FraudAnalyst, Role::Hotline],
    ),
];

/// Groups of channels that a rule can name: `resource in Channel::"counter"`.
pub(crate) const CHANNEL_GROUPS: &[(&str, &[Channel])] = &[
    ("self_service", &[Channel::App, Channel::Web]),
    ("counter", &[Channel::Shop, Channel::OwnedShop]),
    (
        "remote",
        &[
            Channel::App,
            Channel::Web,
            Channel::Call,
            Channel::Ussd,
            Channel::Api,
        ],
    ),
];

/// The groups of actions that an operation belongs to: `action in Action::"moves_number"`.
pub(crate) fn action_groups(operation: OperationKind) -> Vec<&'static str> {
    let mut groups = Vec::new();
    if operation.moves_number() {
        groups.push("moves_number");
    }
    if !operation.protects() {
        groups.push("sensitive");
    }
    groups
}

/// Every group of actions.
pub(crate) const ACTION_GROUPS: &[&str] = &["moves_number", "sensitive"];

/// The schema as Cedar text: what `policies/schema.cedarschema` holds, for editors.
#[must_use]
pub fn schema_text() -> String {
    let mut text = String::from(
        "// Generated out of the catalogue of facts; a test holds it equal. Ages are whole minutes.\n\n\
         entity Role in [Role];\nentity Channel in [Channel];\n\n",
    );
    let mut group = "";
    for fact in CATALOGUE {
        if fact.group != group {
            if !group.is_empty() {
                text.push_str("};\n\n");
            }
            group = fact.group;
            let _ = writeln!(text, "type {} = {{", type_name(group));
        }
        let type_ = if fact.kind.is_flag() { "Bool" } else { "Long" };
        let _ = writeln!(text, "  // {}", fact.text.trim());
        let _ = writeln!(text, "  {}: {type_},", fact.name);
    }
    text.push_str("};\n\ntype Facts = {\n");
    let mut groups: Vec<&str> = CATALOGUE.iter().map(|fact| fact.group).collect();
    groups.dedup();
    for group in groups {
        let _ = writeln!(text, "  {group}: {},", type_name(group));
    }
    text.push_str("};\n\n");
    for group in ACTION_GROUPS {
        let _ = writeln!(text, "action {group};");
    }
    for operation in OperationKind::ALL {
        let groups = action_groups(*operation);
        let member = if groups.is_empty() {
            String::new()
        } else {
            format!(" in [{}]", groups.join(", "))
        };
        let _ = writeln!(
            text,
            "action {operation}{member} appliesTo {{ principal: Role, resource: Channel, context: Facts }};"
        );
    }
    text
}

fn type_name(group: &str) -> String {
    let mut chars = group.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().collect::<String>() + chars.as_str() + "Facts"
    })
}
