//! Conditions: compiled once at load, and proven there never to loosen.
//!
//! A condition may use flags, numbers, `<`, `<=`, `>`, `>=`, `!`, `&&`, `||`, `+`, `-`, and tests of who, what and by
//! which channel. That small part of Cedar is compiled into [`Test`], which evaluates some hundred times faster than
//! Cedar's interpreter; Cedar parses and type-checks every rule before, and a property test holds both evaluations
//! equal.
//!
//! **The proof.** Every fact has a direction (see [`crate::fact`]). Walking a condition, each part is found to be
//! constant, to become true (or larger) as facts get worse, or the other way round. The condition of a `forbid` may only
//! turn true as facts get worse, that of a `permit` only as they get better; a condition that mixes the two is refused.
//! Since an unknown fact reads as the worst value, this also proves that a missing fact never loosens.

use crate::fact::{Datum, Fact};
use crate::facts::Facts;
use crate::request::Request;
use crate::schema::{CHANNEL_GROUPS, ROLE_GROUPS, action_groups};
use serde_json::Value;
use simwarden_model::{Channel, OperationKind, Role};

/// A condition, ready to be evaluated. `None` is an overflow, where Cedar gives an error.
#[derive(Debug, Clone)]
pub(crate) enum Test {
    Constant(bool),
    Flag(&'static Fact),
    Compare(Number, Order, Number),
    Not(Box<Test>),
    And(Box<Test>, Box<Test>),
    Or(Box<Test>, Box<Test>),
    Role(Vec<Role>),
    Channel(Vec<Channel>),
    Operation(Vec<OperationKind>),
}

#[derive(Debug, Clone)]
pub(crate) enum Number {
    Constant(i64),
    Fact(&'static Fact),
    Sum(Box<Number>, Box<Number>),
    Difference(Box<Number>, Box<Number>),
    Negative(Box<Number>),
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Order {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Test {
    pub(crate) fn holds(&self, request: &Request, facts: &Facts) -> Option<bool> {
        Some(match self {
            Self::Constant(value) => *value,
            Self::Flag(fact) => (fact.seen)(facts) == Datum::Flag(true),
            Self::Compare(left, order, right) => {
                let (left, right) = (left.value(facts)?, right.value(facts)?);
                match order {
                    Order::Less => left < right,
                    Order::LessOrEqual => left <= right,
                    Order::Greater => left > right,
                    Order::GreaterOrEqual => left >= right,
                }
            }
            Self::Not(test) => !test.holds(request, facts)?,
            Self::And(left, right) => left.holds(request, facts)? && right.holds(request, facts)?,
            Self::Or(left, right) => left.holds(request, facts)? || right.holds(request, facts)?,
            Self::Role(roles) => roles.contains(&request.role),
            Self::Channel(channels) => channels.contains(&request.channel),
            Self::Operation(operations) => operations.contains(&request.operation),
        })
    }
}

impl Number {
    fn value(&self, facts: &Facts) -> Option<i64> {
        match self {
            Self::Constant(number) => Some(*number),
            Self::Fact(fact) => match (fact.seen)(facts) {
                Datum::Number(number) => Some(number),
                Datum::Flag(_) => None,
            },
            Self::Sum(left, right) => left.value(facts)?.checked_add(right.value(facts)?),
            Self::Difference(left, right) => left.value(facts)?.checked_sub(right.value(facts)?),
            Self::Negative(number) => number.value(facts)?.checked_neg(),
        }
    }
}

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

/// A rule's condition with what it reads and how it moves.
#[derive(Debug, Clone)]
pub(crate) struct Condition {
    pub(crate) test: Test,
    pub(crate) reads: Vec<&'static Fact>,
    pub(crate) trend: Trend,
}

/// Compiles the `conditions` of a policy in Cedar's JSON form; `unless` counts as negated.
///
/// # Errors
/// Says which expression cannot be used and what to write instead.
pub(crate) fn compile(policy: &Value) -> Result<Condition, String> {
    let mut found = Condition {
        test: Test::Constant(true),
        reads: Vec::new(),
        trend: Trend::Constant,
    };
    for condition in policy["conditions"].as_array().into_iter().flatten() {
        let (test, trend) = test(&condition["body"], &mut found.reads)?;
        let (test, trend) = if condition["kind"] == "unless" {
            (Test::Not(Box::new(test)), trend.flip())
        } else {
            (test, trend)
        };
        found.trend = found.trend.with(trend)?;
        found.test = match found.test {
            Test::Constant(true) => test,
            before => Test::And(Box::new(before), Box::new(test)),
        };
    }
    Ok(found)
}

type Reads = Vec<&'static Fact>;

/// The operator of an expression and what it is applied to.
fn split(expression: &Value) -> Result<(&str, &Value), String> {
    expression
        .as_object()
        .and_then(|object| object.iter().next())
        .map(|(operator, body)| (operator.as_str(), body))
        .ok_or_else(|| "has an expression that cannot be read".into())
}

fn test(expression: &Value, reads: &mut Reads) -> Result<(Test, Trend), String> {
    let (operator, body) = split(expression)?;
    let both = |reads: &mut Reads| -> Result<_, String> {
        let (left, a) = test(&body["left"], reads)?;
        let (right, b) = test(&body["right"], reads)?;
        Ok((Box::new(left), Box::new(right), a.with(b)?))
    };
    let order = match operator {
        "<" => Some(Order::Less),
        "<=" => Some(Order::LessOrEqual),
        ">" => Some(Order::Greater),
        ">=" => Some(Order::GreaterOrEqual),
        _ => None,
    };
    if let Some(order) = order {
        let (left, a) = number(&body["left"], reads)?;
        let (right, b) = number(&body["right"], reads)?;
        let trend = match order {
            Order::Greater | Order::GreaterOrEqual => a.with(b.flip())?,
            Order::Less | Order::LessOrEqual => b.with(a.flip())?,
        };
        return Ok((Test::Compare(left, order, right), trend));
    }
    match operator {
        "Value" => match body.as_bool() {
            Some(value) => Ok((Test::Constant(value), Trend::Constant)),
            None => Err(format!("has {body} where a Bool belongs")),
        },
        "." => {
            let (fact, trend) = read(expression, reads)?;
            if fact.kind.is_flag() {
                Ok((Test::Flag(fact), trend))
            } else {
                Err(format!("has {}, a Long, where a Bool belongs; compare it with a number", fact.path()))
            }
        }
        "!" => {
            let (inner, trend) = test(&body["arg"], reads)?;
            Ok((Test::Not(Box::new(inner)), trend.flip()))
        }
        "&&" => both(reads).map(|(left, right, trend)| (Test::And(left, right), trend)),
        "||" => both(reads).map(|(left, right, trend)| (Test::Or(left, right), trend)),
        "in" | "==" | "!=" => who(operator, body),
        "has" => Err(
            "asks with `has` whether a fact is known; every fact is there, unknown ones with their strictest value"
                .into(),
        ),
        other => Err(format!(
            "uses `{other}`, which cannot be shown never to loosen; use flags, numbers, <, <=, >, >=, !, &&, ||"
        )),
    }
}

fn number(expression: &Value, reads: &mut Reads) -> Result<(Number, Trend), String> {
    let (operator, body) = split(expression)?;
    match operator {
        "Value" => match body.as_i64() {
            Some(value) => Ok((Number::Constant(value), Trend::Constant)),
            None => Err(format!("has {body} where a Long belongs")),
        },
        "." => {
            let (fact, trend) = read(expression, reads)?;
            if fact.kind.is_flag() {
                Err(format!("has {}, a Bool, where a Long belongs", fact.path()))
            } else {
                Ok((Number::Fact(fact), trend))
            }
        }
        "neg" => {
            let (inner, trend) = number(&body["arg"], reads)?;
            Ok((Number::Negative(Box::new(inner)), trend.flip()))
        }
        "+" | "-" => {
            let (left, a) = number(&body["left"], reads)?;
            let (right, b) = number(&body["right"], reads)?;
            let (left, right) = (Box::new(left), Box::new(right));
            if operator == "+" {
                Ok((Number::Sum(left, right), a.with(b)?))
            } else {
                Ok((Number::Difference(left, right), a.with(b.flip())?))
            }
        }
        other => Err(format!(
            "uses `{other}` where a Long belongs; use facts, numbers, + and -"
        )),
    }
}

/// `context.group.name`.
fn read(expression: &Value, reads: &mut Reads) -> Result<(&'static Fact, Trend), String> {
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
    let trend = if fact.kind.larger_is_worse() {
        Trend::Rises
    } else {
        Trend::Falls
    };
    Ok((fact, trend))
}

/// `principal == Role::"agent"`, `resource in Channel::"counter"`, `action in [Action::"lock", Action::"unlock"]`.
fn who(operator: &str, body: &Value) -> Result<(Test, Trend), String> {
    let Some(variable) = body["left"]["Var"].as_str().filter(|name| *name != "context") else {
        return Err(format!(
            "compares by `{operator}`, which has no direction for facts; write a flag by itself, or compare with < or >="
        ));
    };
    let right = &body["right"];
    let single = std::slice::from_ref(right);
    let literals = right["Set"].as_array().map_or(single, Vec::as_slice);
    let mut names = Vec::new();
    for literal in literals {
        let name = literal["Value"]["__entity"]["id"].as_str();
        names.push(
            name.ok_or_else(|| format!("compares `{variable}` with something that is no literal name"))?,
        );
    }
    let wanted = |own: &str, groups: &[&str]| {
        names
            .iter()
            .any(|name| *name == own || (operator == "in" && groups.contains(name)))
    };
    let test = match variable {
        "principal" => Test::Role(chosen(Role::ALL, |role| {
            wanted(role.as_str(), &role_groups(role))
        })),
        "resource" => Test::Channel(chosen(Channel::ALL, |channel| {
            wanted(channel.as_str(), &channel_groups(channel))
        })),
        _ => Test::Operation(chosen(OperationKind::ALL, |operation| {
            wanted(operation.as_str(), &action_groups(operation))
        })),
    };
    let test = if operator == "!=" {
        Test::Not(Box::new(test))
    } else {
        test
    };
    Ok((test, Trend::Constant))
}

fn chosen<T: Copy>(all: &[T], wanted: impl Fn(T) -> bool) -> Vec<T> {
    all.iter().copied().filter(|one| wanted(*one)).collect()
}

/// The groups that a role belongs to.
pub(crate) fn role_groups(role: Role) -> Vec<&'static str> {
    let of = ROLE_GROUPS.iter().filter(|(_, members)| members.contains(&role));
    of.map(|(group, _)| *group).collect()
}

/// The groups that a channel belongs to.
pub(crate) fn channel_groups(channel: Channel) -> Vec<&'static str> {
    let of = CHANNEL_GROUPS
        .iter()
        .filter(|(_, members)| members.contains(&channel));
    of.map(|(group, _)| *group).collect()
}
