//! Loading: rules are parsed, validated, sliced by operation, role and channel; whatever is wrong is refused at once.
//!
//! Cedar parses each rule and checks it strictly against the schema. The head of a rule (`principal`, `action`,
//! `resource`) is decided here, once for each operation, role and channel, so that deciding evaluates only the
//! conditions of the rules at hand.

use crate::condition::{Test, channel_groups, role_groups};
use crate::pack::PackSource;
use crate::problem::{LoadError, Problem, line_of_error};
use crate::rule::{self, Rule};
use crate::schema::{action_groups, schema_text};
use cedar_policy::{
    ActionConstraint, EntityUid, Policy, PolicySet, PrincipalConstraint, ResourceConstraint, Schema,
    ValidationMode, Validator,
};
use sha2::{Digest, Sha256};
use simwarden_model::{Channel, OperationKind, Role};
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::sync::Arc;

/// Loaded rules, ready to decide. Cheap to share, immutable.
pub struct Engine {
    pub(crate) name: String,
    pub(crate) rules: Vec<Rule>,
    pub(crate) slices: Vec<Slice>,
    /// Index into `slices` for each operation, role and channel.
    places: Vec<u32>,
    pub(crate) policy_hash: Arc<str>,
}

/// The rules that matter for one combination of operation, role and channel.
pub(crate) struct Slice {
    /// Every rule whose head matches, by index.
    pub(crate) members: Vec<usize>,
    /// A permit without conditions matches.
    pub(crate) permitted: bool,
    /// Permits with conditions.
    pub(crate) permits: Vec<usize>,
    /// Forbids.
    pub(crate) forbids: Vec<usize>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Engine({}, {} rules, {})",
            self.name,
            self.rules.len(),
            self.policy_hash
        )
    }
}

impl Engine {
    /// Loads packs, or refuses them with every problem found.
    ///
    /// # Errors
    /// [`LoadError`] lists file, line and what to write instead.
    pub fn load(source: &PackSource) -> Result<Self, LoadError> {
        let mut problems = Vec::new();
        let mut rules: Vec<Rule> = source
            .rules
            .iter()
            .filter_map(|file| rule::parse(&file.path, &file.text, &mut problems))
            .collect();
        rules.sort_by(|a, b| a.id.cmp(&b.id));
        for pair in rules.windows(2) {
            if pair[0].id == pair[1].id {
                problems.push(Problem::new(pair[0].id.as_str(), None, "is there twice"));
            }
        }
        if source.rules.is_empty() {
            problems.push(Problem::new(
                &source.name,
                None,
                "has no rules, so nothing would be permitted",
            ));
        }
        validate(source, &rules, &mut problems)?;
        let (slices, places) = slice_all(&rules);
        let engine = Self {
            name: source.name.clone(),
            slices,
            places,
            policy_hash: hash(source).into(),
            rules,
        };
        engine.refuse_what_breaks_invariants(&mut problems);
        if problems.is_empty() {
            Ok(engine)
        } else {
            problems.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
            problems.dedup();
            Err(LoadError(problems))
        }
    }

    /// The name of the packs loaded.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// SHA-256 over the rules and the version of the guard's invariants, in hexadecimal.
    #[must_use]
    pub fn policy_hash(&self) -> &str {
        &self.policy_hash
    }

    /// Every rule, sorted by name.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// One rule by name.
    #[must_use]
    pub fn rule(&self, id: &str) -> Option<&Rule> {
        let at = self.rules.binary_search_by(|rule| rule.id.as_str().cmp(id));
        at.ok().map(|index| &self.rules[index])
    }

    pub(crate) fn slice(&self, operation: OperationKind, role: Role, channel: Channel) -> &Slice {
        &self.slices[self.places[place(operation, role, channel)] as usize]
    }

    /// The rules whose head matches, by name.
    pub fn rules_for(
        &self,
        operation: OperationKind,
        role: Role,
        channel: Channel,
    ) -> impl Iterator<Item = &Rule> {
        self.slice(operation, role, channel)
            .members
            .iter()
            .map(|index| &self.rules[*index])
    }
}

fn place(operation: OperationKind, role: Role, channel: Channel) -> usize {
    (operation as usize * Role::ALL.len() + role as usize) * Channel::ALL.len() + channel as usize
}

/// Lets Cedar check every rule against the schema: unknown facts and wrong types.
fn validate(source: &PackSource, rules: &[Rule], problems: &mut Vec<Problem>) -> Result<(), LoadError> {
    let schema = Schema::from_cedarschema_str(&schema_text())
        .map_err(|error| LoadError::one("schema.cedarschema", error.to_string()))?
        .0;
    let set = PolicySet::from_policies(rules.iter().map(|rule| rule.policy.clone()))
        .map_err(|error| LoadError::one(&source.name, error.to_string()))?;
    let text_of: HashMap<&str, &str> = source
        .rules
        .iter()
        .map(|f| (f.path.as_str(), f.text.as_str()))
        .collect();
    for error in Validator::new(schema)
        .validate(&set, ValidationMode::Strict)
        .validation_errors()
    {
        let path = format!("{}.cedar", error.policy_id());
        let line = text_of
            .get(path.as_str())
            .and_then(|text| line_of_error(error, text));
        problems.push(Problem::new(&path, line, error.to_string()));
    }
    Ok(())
}

fn slice_all(rules: &[Rule]) -> (Vec<Slice>, Vec<u32>) {
    let heads: Vec<Head> = rules.iter().map(|rule| Head::of(&rule.policy)).collect();
    let mut slices = Vec::new();
    let mut known: BTreeMap<Vec<usize>, u32> = BTreeMap::new();
    let mut places = Vec::with_capacity(OperationKind::ALL.len() * Role::ALL.len() * Channel::ALL.len());
    for operation in OperationKind::ALL {
        for role in Role::ALL {
            for channel in Channel::ALL {
                let members: Vec<usize> = (0..rules.len())
                    .filter(|index| heads[*index].matches(*operation, *role, *channel))
                    .collect();
                let next = u32::try_from(slices.len()).unwrap_or(u32::MAX);
                let index = *known.entry(members).or_insert_with_key(|members| {
                    slices.push(Slice::of(members, rules));
                    next
                });
                places.push(index);
            }
        }
    }
    (slices, places)
}

/// What the head of a rule asks for; `None` is anything.
struct Head {
    roles: Option<String>,
    actions: Option<Vec<String>>,
    channels: Option<String>,
}

impl Head {
    fn of(policy: &Policy) -> Self {
        let name = |uid: EntityUid| uid.id().unescaped().to_owned();
        Self {
            roles: match policy.principal_constraint() {
                PrincipalConstraint::Any | PrincipalConstraint::Is(_) => None,
                PrincipalConstraint::Eq(uid)
                | PrincipalConstraint::In(uid)
                | PrincipalConstraint::IsIn(_, uid) => Some(name(uid)),
            },
            actions: match policy.action_constraint() {
                ActionConstraint::Any => None,
                ActionConstraint::Eq(uid) => Some(vec![name(uid)]),
                ActionConstraint::In(uids) => Some(uids.into_iter().map(name).collect()),
            },
            channels: match policy.resource_constraint() {
                ResourceConstraint::Any | ResourceConstraint::Is(_) => None,
                ResourceConstraint::Eq(uid)
                | ResourceConstraint::In(uid)
                | ResourceConstraint::IsIn(_, uid) => Some(name(uid)),
            },
        }
    }

    fn matches(&self, operation: OperationKind, role: Role, channel: Channel) -> bool {
        let named = |wanted: &str, own: &str, groups: &[&str]| wanted == own || groups.contains(&wanted);
        self.roles
            .as_ref()
            .is_none_or(|wanted| named(wanted, role.as_str(), &role_groups(role)))
            && self
                .channels
                .as_ref()
                .is_none_or(|wanted| named(wanted, channel.as_str(), &channel_groups(channel)))
            && self.actions.as_ref().is_none_or(|wanted| {
                let groups = action_groups(operation);
                wanted.iter().any(|one| named(one, operation.as_str(), &groups))
            })
    }
}

impl Slice {
    fn of(members: &[usize], rules: &[Rule]) -> Self {
        let permits = members.iter().copied().filter(|index| rules[*index].permit);
        let plain = |index: &usize| matches!(rules[*index].condition.test, Test::Constant(true));
        Self {
            members: members.to_vec(),
            permitted: permits.clone().any(|index| plain(&index)),
            permits: permits.filter(|index| !plain(index)).collect(),
            forbids: members
                .iter()
                .copied()
                .filter(|index| !rules[*index].permit)
                .collect(),
        }
    }
}

/// Changes with every rule's name or text, and with the invariants.
fn hash(source: &PackSource) -> String {
    let mut hasher = Sha256::new();
    hasher.update(crate::invariants::VERSION);
    let mut files: Vec<_> = source.rules.iter().collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    for file in files {
        for part in [&file.path, &file.text] {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part.as_bytes());
        }
    }
    hasher.finalize().iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
