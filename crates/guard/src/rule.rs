//! One rule: a Cedar policy in a file of its own, with its annotations read and checked.

use crate::condition::{self, Condition, Test, Trend};
use crate::decision::{Notify, RuleId};
use crate::effect::{self, Clause};
use crate::problem::{Problem, line_of_error, line_with};
use crate::schema::{ACTION_GROUPS, CHANNEL_GROUPS, ROLE_GROUPS};
use crate::span::Span;
use crate::word::words;
use cedar_policy::{Effect, Policy, PolicyId};
use simwarden_model::{Channel, OperationKind, ReasonCode, Role, Timestamp};

words! {
    /// How sure it is that the source says what the rule says.
    Confidence("confidence") {
        /// Read in the source named.
        Seen = "seen",
        /// General knowledge, not checked against the source.
        Memory = "memory",
        /// Sources contradict each other.
        Conflict = "conflict",
        /// A rule of the house; no law is claimed.
        House = "house",
    }
}

/// A rule whose file was found good.
#[derive(Debug, Clone)]
pub struct Rule {
    /// `<pack>/<slug>`.
    pub id: RuleId,
    /// The rule in one plain sentence.
    pub text: String,
    /// Why, for the person concerned. Permits have none.
    pub reason: Option<ReasonCode>,
    /// Who hears of it.
    pub notify: Vec<Notify>,
    /// The law, article or reasoning behind it.
    pub source: String,
    /// How sure the source is.
    pub confidence: Confidence,
    /// Does not apply before this time.
    pub phase_in: Option<Timestamp>,
    /// Disarms when it hits more than this share of the lines it looks at.
    pub max_share: Option<f64>,
    /// How long the record is kept at least.
    pub record: Option<Span>,
    /// The effect as written; empty for a permit.
    pub effect_text: String,
    pub(crate) permit: bool,
    pub(crate) clauses: Vec<Clause>,
    pub(crate) policy: Policy,
    pub(crate) json: serde_json::Value,
    pub(crate) condition: Condition,
}

impl Rule {
    /// Whether the rule says who may ask, rather than what follows.
    #[must_use]
    pub const fn is_permit(&self) -> bool {
        self.permit
    }
}

/// The annotations a rule may carry.
const ANNOTATIONS: &[&str] = &[
    "id",
    "effect",
    "reason",
    "notify",
    "source",
    "confidence",
    "phase_in",
    "max_share",
    "record",
    "text",
];

/// Stands in for a condition that could not be read; its rule is refused.
const NEVER: Condition = Condition {
    test: Test::Constant(false),
    reads: Vec::new(),
    trend: Trend::Constant,
};

/// Reads one rule file. Every problem found is added to `problems`; a rule comes back only when there is none.
pub(crate) fn parse(path: &str, text: &str, problems: &mut Vec<Problem>) -> Option<Rule> {
    let before = problems.len();
    let mut say = |line: Option<usize>, what: String| problems.push(Problem::new(path, line, what));
    let Some(id) = path
        .strip_suffix(".cedar")
        .and_then(|name| name.parse::<RuleId>().ok())
    else {
        say(
            None,
            "a rule's file is named <pack>/<slug>.cedar with a-z, 0-9, - and _".into(),
        );
        return None;
    };
    let policy = match Policy::parse(Some(PolicyId::new(id.as_str())), text) {
        Ok(policy) => policy,
        Err(errors) => {
            for error in errors.iter() {
                say(
                    line_of_error(error, text),
                    format!("{error}; one file holds one Cedar policy"),
                );
            }
            return None;
        }
    };
    check_names(&policy, text, &mut say);
    let permit = policy.effect() == Effect::Permit;
    let json = policy.to_json().unwrap_or_default();
    let condition_line = line_with(text, "when").or_else(|| line_with(text, "unless"));
    let condition = match condition::compile(&json) {
        Ok(condition) => condition,
        Err(what) => {
            say(
                condition_line,
                format!("the condition {what}{}", hint_on_weak(text)),
            );
            NEVER
        }
    };
    let wrong = if permit { Trend::Rises } else { Trend::Falls };
    if condition.trend == wrong {
        let what = if permit {
            "permits more as facts get worse"
        } else {
            "applies less as facts get worse"
        };
        say(
            condition_line,
            format!(
                "the rule {what}, so a bad or missing fact would loosen the decision; turn the condition round"
            ),
        );
    }
    let notes = annotations(&policy, &id, permit, text, &mut say);
    (problems.len() == before).then(|| Rule {
        id,
        policy,
        json,
        condition,
        permit,
        ..notes
    })
}

fn hint_on_weak(text: &str) -> &'static str {
    if text.contains("context.weak") {
        "; knowledge questions, call logs, recent payments and an SMS to the new SIM are recorded, but no rule can \
         count them"
    } else {
        ""
    }
}

/// Roles, channels and actions are written as entities; Cedar's validator does not know which exist.
fn check_names(policy: &Policy, text: &str, say: &mut impl FnMut(Option<usize>, String)) {
    for uid in policy.entity_literals() {
        let (kind, name) = (uid.type_name().to_string(), uid.id().unescaped().to_owned());
        let known: Vec<&str> = match kind.as_str() {
            "Role" => Role::NAMES
                .iter()
                .copied()
                .chain(ROLE_GROUPS.iter().map(|g| g.0))
                .collect(),
            "Channel" => Channel::NAMES
                .iter()
                .copied()
                .chain(CHANNEL_GROUPS.iter().map(|g| g.0))
                .collect(),
            "Action" => OperationKind::NAMES
                .iter()
                .chain(ACTION_GROUPS)
                .copied()
                .collect(),
            _ => {
                say(
                    line_with(text, &kind),
                    format!("`{kind}` is no kind of entity; use Role, Channel or Action"),
                );
                continue;
            }
        };
        if !known.contains(&name.as_str()) {
            say(
                line_with(text, &format!("\"{name}\"")),
                format!(
                    "there is no {}::\"{name}\"; use one of: {}",
                    kind,
                    known.join(", ")
                ),
            );
        }
    }
}

/// Reads the annotations into a rule whose other fields are still empty.
fn annotations(
    policy: &Policy,
    id: &RuleId,
    permit: bool,
    text: &str,
    say: &mut impl FnMut(Option<usize>, String),
) -> Rule {
    let line = |key: &str| line_with(text, &format!("@{key}"));
    for (key, _) in policy.annotations() {
        if !ANNOTATIONS.contains(&key) {
            say(
                line(key),
                format!("there is no annotation @{key}; use {}", ANNOTATIONS.join(", ")),
            );
        }
    }
    let slug = id.as_str().split_once('/').map_or("", |(_, slug)| slug);
    if policy.annotation("id").is_some_and(|given| given != slug) {
        say(
            line("id"),
            format!("@id must be the name of the file, `{slug}`; or leave it out"),
        );
    }
    let mut rule = Rule {
        id: id.clone(),
        text: policy.annotation("text").unwrap_or_default().to_owned(),
        reason: None,
        notify: Vec::new(),
        source: policy.annotation("source").unwrap_or_default().to_owned(),
        confidence: Confidence::Seen,
        phase_in: None,
        max_share: None,
        record: None,
        effect_text: String::new(),
        permit,
        clauses: Vec::new(),
        policy: policy.clone(),
        json: serde_json::Value::Null,
        condition: NEVER,
    };
    if rule.source.trim().is_empty() {
        say(
            Some(1),
            "add @source(\"…\"): the law, article or reasoning behind the rule".into(),
        );
    }
    if rule.text.trim().is_empty() {
        say(Some(1), "add @text(\"…\"): the rule in one plain sentence".into());
    }
    let mut read = |key: &str, take: &mut dyn FnMut(&str) -> Result<(), String>| {
        if let Some(value) = policy.annotation(key)
            && let Err(what) = take(value)
        {
            say(line(key), format!("@{key}: {what}"));
        }
    };
    read("confidence", &mut |v| v.parse().map(|c| rule.confidence = c));
    if permit {
        for key in ["effect", "reason", "notify", "phase_in", "max_share", "record"] {
            read(key, &mut |_| {
                Err("a permit only says who may ask; obligations belong to a `forbid`".into())
            });
        }
        return rule;
    }
    read("effect", &mut |v| {
        v.clone_into(&mut rule.effect_text);
        effect::parse(v).map(|clauses| rule.clauses = clauses)
    });
    read("reason", &mut |v| {
        v.parse::<ReasonCode>()
            .map(|code| rule.reason = Some(code))
            .map_err(|e| e.to_string())
    });
    read("notify", &mut |v| {
        v.split(',')
            .map(|word| word.trim().parse())
            .collect::<Result<_, _>>()
            .map(|list| rule.notify = list)
    });
    read("phase_in", &mut |v| day(v).map(|at| rule.phase_in = Some(at)));
    read("max_share", &mut |v| {
        share(v).map(|share| rule.max_share = Some(share))
    });
    read("record", &mut |v| v.parse().map(|span| rule.record = Some(span)));
    for (key, example) in [("effect", "hold 72h default cancel"), ("reason", "recent_swap")] {
        if policy.annotation(key).is_none() {
            say(
                Some(1),
                format!("a forbid needs @{key}, say @{key}(\"{example}\")"),
            );
        }
    }
    rule
}

fn day(text: &str) -> Result<Timestamp, String> {
    format!("{text}T00:00:00Z")
        .parse()
        .map_err(|_| format!("`{text}` is no day; write 2026-01-31"))
}

fn share(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|share| (0.0001..=1.0).contains(share))
        .ok_or_else(|| format!("`{text}` is no share; write a number from 0.0001 to 1, say 0.10"))
}
