//! Proves at load that a worse fact can only tighten a decision.
//!
//! Every fact has a direction (see [`crate::fact`]). Walking a rule's condition, each part is found to be constant, to
//! become true (or larger) as facts get worse, or the other way round. The condition of a `forbid` may only turn true
//! as facts get worse, that of a `permit` only as they get better; a condition that mixes the two is refused. Since an
//! unknown fact reads as the worst value, this also proves that a missing fact never loosens.

use crate::fact::Fact;
use crate::facts::Facts;
use serde_json::Value;

/// How a part of a condition moves as facts get worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trend {
    Constant,
    Rises,
    Falls,
}

impl Trend {
    const fn flip(self) -> Self {
        match self {
            Self::Constant => Self::Constant,
            Self::Rises => Self::Falls,
            Self::Falls => Self::Rises,
        }
    }

    fn with(self, other: Self) -> Result<Self, String> {
        match (self, other) {
            (Self::Constant, one) | (one, Self::Constant) => Ok(one),
            (one, two) if one == two => Ok(one),
            _ => Err(
                "reads one fact as bad and as good at once, so a worse fact could loosen the decision; \
                 split it into two rules"
                    .into(),
            ),
        }
    }
}

/// What a condition reads and how it moves.
pub(crate) struct Condition {
    pub(crate) reads: Vec<&'static Fact>,
    pub(crate) trend: Trend,
}

/// Analyses the `conditions` of a policy in Cedar's JSON form; `unless` counts as negated.
///
/// # Errors
/// Says which expression cannot be shown to have a direction and what to write instead.
pub(crate) fn analyse(policy: &Value) -> Result<Condition, String> {
    let mut found = Condition {
        reads: Vec::new(),
        trend: Trend::Constant,
    };
    for condition in policy["conditions"].as_array().into_iter().flatten() {
        let trend = walk(&condition["body"], &mut found.reads)?;
        let trend = if condition["kind"] == "unless" {
            trend.flip()
        } else {
            trend
        };
        found.trend = found.trend.with(trend)?;
    }
    Ok(found)
}

fn walk(expression: &Value, reads: &mut Vec<&'static Fact>) -> Result<Trend, String> {
    let (operator, body) = expression
        .as_object()
        .and_then(|object| object.iter().next())
        .ok_or("has an expression that cannot be read")?;
    match operator.as_str() {
        "Value" => Ok(Trend::Constant),
        "Var" if body != "context" => Ok(Trend::Constant),
        "." => read(expression, reads),
        "!" | "neg" => Ok(walk(&body["arg"], reads)?.flip()),
        "&&" | "||" | "+" => walk(&body["left"], reads)?.with(walk(&body["right"], reads)?),
        "-" => walk(&body["left"], reads)?.with(walk(&body["right"], reads)?.flip()),
        ">" | ">=" => walk(&body["left"], reads)?.with(walk(&body["right"], reads)?.flip()),
        "<" | "<=" => walk(&body["right"], reads)?.with(walk(&body["left"], reads)?.flip()),
        "in" | "==" | "!=" | "is" if reads_no_fact(body) => Ok(Trend::Constant),
        "==" | "!=" => Err(
            "compares a fact by == or !=, which has no direction; write the flag by itself or compare with < or >="
                .into(),
        ),
        "has" => Err("asks whether a fact is known with `has`; every fact is there, unknown ones with their strictest value".into()),
        other => Err(format!(
            "uses `{other}`, which cannot be shown never to loosen; use flags, numbers, <, <=, >, >=, !, &&, ||"
        )),
    }
}

fn reads_no_fact(body: &Value) -> bool {
    !body.to_string().contains("\"context\"")
}

/// `context.group.name`.
fn read(expression: &Value, reads: &mut Vec<&'static Fact>) -> Result<Trend, String> {
    let name = expression["."]["attr"].as_str().unwrap_or_default();
    let group = expression["."]["left"]["."]["attr"].as_str().unwrap_or_default();
    if expression["."]["left"]["."]["left"]["Var"] != "context" {
        return Err("reads something that is no fact; write context.<group>.<fact>".into());
    }
    let path = format!("{group}.{name}");
    let fact = Facts::find(&path).ok_or_else(|| format!("reads `{path}`, which is no fact"))?;
    if !reads.iter().any(|known| std::ptr::eq(*known, fact)) {
        reads.push(fact);
    }
    Ok(if fact.kind.larger_is_worse() {
        Trend::Rises
    } else {
        Trend::Falls
    })
}
