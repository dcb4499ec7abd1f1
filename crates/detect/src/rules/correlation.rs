//! From `correlation:` to a node of the program.

use super::document::Document;
use crate::RuleError;
use crate::correlate::event_count::EventCount;
use crate::correlate::temporal::{Temporal, Wanted};
use crate::correlate::temporal_ordered::TemporalOrdered;
use crate::correlate::value_count::ValueCount;
use crate::correlate::value_sum::ValueSum;
use crate::correlate::{Threshold, value_sum};
use crate::program::Make;
use rsigma_parser::{
    ConditionExpr, ConditionOperator, CorrelationCondition, CorrelationRule, CorrelationType,
};

/// Counts above this are for a data warehouse.
const COUNT_MAX: u64 = 10_000;
/// More steps are never one attack.
const STEPS_MAX: usize = 8;

/// The node of a correlation, and the fields whose values it wants.
pub(crate) fn make(document: &Document, rule: &CorrelationRule) -> Result<(Make, Vec<String>), RuleError> {
    let span = i64::try_from(rule.timespan.seconds).unwrap_or(i64::MAX / 2_000) * 1_000;
    match rule.correlation_type {
        CorrelationType::Temporal | CorrelationType::TemporalOrdered => {
            if !(2..=STEPS_MAX).contains(&rule.rules.len()) {
                return Err(document.error(
                    "rules:",
                    "name two to eight rules that have to come together".into(),
                ));
            }
            if let Some(least) = document.least()
                && least != rule.rules.len() as u64
            {
                return Err(document.error(
                    "condition:",
                    "all the rules have to come together; leave `condition` out, or join their names with `and` and `or`".into(),
                ));
            }
            let names = rule.rules.clone();
            if rule.correlation_type == CorrelationType::TemporalOrdered {
                if matches!(rule.condition, CorrelationCondition::Extended(_)) {
                    return Err(document.error(
                        "condition:",
                        "temporal_ordered wants all its rules in their order; leave `condition` out".into(),
                    ));
                }
                return Ok((Make::TemporalOrdered(TemporalOrdered { span, names }), Vec::new()));
            }
            let wanted = match &rule.condition {
                CorrelationCondition::Extended(expression) => wanted(document, expression, &names)?,
                CorrelationCondition::Threshold { .. } => {
                    Wanted::All((0..names.len()).map(Wanted::One).collect())
                }
            };
            Ok((Make::Temporal(Temporal { span, names, wanted }), Vec::new()))
        }
        kind => counted(document, rule, kind, span),
    }
}

fn counted(
    document: &Document,
    rule: &CorrelationRule,
    kind: CorrelationType,
    span: i64,
) -> Result<(Make, Vec<String>), RuleError> {
    let CorrelationCondition::Threshold {
        predicates, field, ..
    } = &rule.condition
    else {
        return Err(document.error(
            "condition:",
            "a count is held against a number; write `condition: {gte: 10}`".into(),
        ));
    };
    let threshold = Threshold(predicates.clone());
    let fields = field.clone().unwrap_or_default();
    let name = fields.join(" and ");
    let is_sum = matches!(kind, CorrelationType::ValueSum | CorrelationType::ValueAvg);
    if !is_sum {
        if threshold.holds(0) {
            return Err(document.error(
                "condition:",
                "the condition holds when nothing happens; ask for a least number (gte), or use the built-in `silence`".into(),
            ));
        }
        let negative = predicates.iter().any(|(op, _)| *op == ConditionOperator::Neq);
        if negative || predicates.iter().any(|(_, bound)| *bound > COUNT_MAX) {
            return Err(document.error(
                "condition:",
                "use gt, gte, lt, lte or eq with numbers up to 10000".into(),
            ));
        }
    }
    let made = match kind {
        CorrelationType::EventCount => Make::EventCount(EventCount { span, threshold }),
        CorrelationType::ValueCount => Make::ValueCount(ValueCount {
            span,
            threshold,
            field: name,
        }),
        CorrelationType::ValueSum | CorrelationType::ValueAvg => {
            if fields.len() != 1 {
                return Err(document.error(
                    "condition:",
                    format!(
                        "name one field with a number, of at most {} events",
                        value_sum::EVENTS_MAX
                    ),
                ));
            }
            let average = kind == CorrelationType::ValueAvg;
            Make::ValueSum(ValueSum {
                span,
                threshold,
                field: name,
                average,
            })
        }
        _ => return Err(document.error("type:", "this type is not known here; use value_avg".into())),
    };
    let wants = if kind == CorrelationType::EventCount {
        Vec::new()
    } else {
        fields
    };
    Ok((made, wants))
}

fn wanted(document: &Document, expression: &ConditionExpr, names: &[String]) -> Result<Wanted, RuleError> {
    let many = |parts: &[ConditionExpr]| {
        parts
            .iter()
            .map(|part| wanted(document, part, names))
            .collect::<Result<Vec<_>, _>>()
    };
    match expression {
        ConditionExpr::And(parts) => Ok(Wanted::All(many(parts)?)),
        ConditionExpr::Or(parts) => Ok(Wanted::Any(many(parts)?)),
        ConditionExpr::Identifier(name) => match names.iter().position(|known| known == name) {
            Some(part) => Ok(Wanted::One(part)),
            None => Err(document.error(
                "condition:",
                format!("`{name}` is not among `rules`; it has {}", names.join(", ")),
            )),
        },
        ConditionExpr::Not(_) | ConditionExpr::Selector { .. } => Err(document.error(
            "condition:",
            "join the rules with `and` and `or`; what must not have happened belongs into a rule's own `not`"
                .into(),
        )),
    }
}
