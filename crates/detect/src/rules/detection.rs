//! From the `detection:` of a Sigma rule to an [`Expr`].

use super::document::Document;
use super::matcher::{Compare, Expr, Match, Pattern, Test};
use crate::RuleError;
use crate::fields::Fields;
use crate::near::nearest;
use rsigma_parser::{
    ConditionExpr, Detection, DetectionItem, Detections, FieldSpec, Modifier, Quantifier, SelectorPattern,
    SigmaString, SigmaValue, SpecialChar, StringPart, detection_name_matches,
};
use simwarden_model::{Event, KnownEvent};

/// Compiles the detections of one document.
pub(crate) struct Compiler<'a> {
    pub document: &'a Document,
    pub fields: &'a mut Fields,
}

type Made<T> = Result<T, RuleError>;

impl Compiler<'_> {
    pub(crate) fn rule(&mut self, detections: &Detections) -> Made<Expr> {
        let conditions = detections
            .conditions
            .iter()
            .map(|condition| self.condition(condition, detections))
            .collect::<Made<Vec<_>>>()?;
        Ok(Expr::Or(conditions))
    }

    fn condition(&mut self, condition: &ConditionExpr, all: &Detections) -> Made<Expr> {
        let many = |this: &mut Self, parts: &[ConditionExpr]| {
            parts
                .iter()
                .map(|part| this.condition(part, all))
                .collect::<Made<Vec<_>>>()
        };
        Ok(match condition {
            ConditionExpr::And(parts) => Expr::And(many(self, parts)?),
            ConditionExpr::Or(parts) => Expr::Or(many(self, parts)?),
            ConditionExpr::Not(part) => Expr::Not(Box::new(self.condition(part, all)?)),
            ConditionExpr::Identifier(name) => match all.named.get(name) {
                Some(detection) => self.detection(detection)?,
                None => {
                    let names: Vec<&str> = all.named.keys().map(String::as_str).collect();
                    return Err(self.document.error(
                        "condition:",
                        format!(
                            "the condition names `{name}`, which `detection:` does not have; it has: {}",
                            names.join(", ")
                        ),
                    ));
                }
            },
            ConditionExpr::Selector { quantifier, pattern } => {
                let mut names: Vec<&String> = all
                    .named
                    .keys()
                    .filter(|name| match pattern {
                        SelectorPattern::Them => !name.starts_with('_'),
                        SelectorPattern::Pattern(pattern) => detection_name_matches(pattern, name),
                    })
                    .collect();
                names.sort();
                if names.is_empty() {
                    return Err(self.document.error(
                        "condition:",
                        format!("`{pattern}` fits no part of `detection:`; name one that stands there"),
                    ));
                }
                let parts = names
                    .iter()
                    .map(|name| self.detection(&all.named[*name]))
                    .collect::<Made<Vec<_>>>()?;
                match quantifier {
                    Quantifier::Any => Expr::Or(parts),
                    Quantifier::All => Expr::And(parts),
                    Quantifier::Count(count) => Expr::AtLeast(*count, parts),
                }
            }
        })
    }

    fn detection(&mut self, detection: &Detection) -> Made<Expr> {
        match detection {
            Detection::AllOf(items) => Ok(Expr::And(items.iter().map(|item| self.item(item)).collect::<Made<_>>()?)),
            Detection::AnyOf(parts) => Ok(Expr::Or(parts.iter().map(|part| self.detection(part)).collect::<Made<_>>()?)),
            Detection::And(parts) => Ok(Expr::And(parts.iter().map(|part| self.detection(part)).collect::<Made<_>>()?)),
            Detection::Keywords(_) => Err(self.document.error(
                "detection:",
                "words without a field search whole log lines, but events have fields: write `field|contains: word`".into(),
            )),
            Detection::ArrayMatch { field, .. } => Err(self.document.error(
                field,
                format!("`{field}[…]` asks about the members of a list; events are flat: send the value in a field of its own"),
            )),
            Detection::Conditional { .. } => {
                Err(self.document.error("detection:", "a condition inside a list is not known; events are flat".into()))
            }
        }
    }

    fn item(&mut self, item: &DetectionItem) -> Made<Expr> {
        let Some(name) = item.field.name.as_deref() else {
            return Err(self
                .document
                .error("detection:", "a value needs a field: write `field: value`".into()));
        };
        let slot = self.field(name)?;
        if name == "type" && item.field.modifiers.is_empty() {
            self.types(&item.values)?;
        }
        let test = self.test(name, &item.field, &item.values)?;
        Ok(Expr::Test { slot, test })
    }

    /// The slot of a field; a name that is nearly one of the contract's is a slip of the pen.
    pub(crate) fn field(&mut self, name: &str) -> Made<u8> {
        if let Some(meant) = nearest(name, Event::FIELDS) {
            return Err(self
                .document
                .error(name, format!("events have no field `{name}`; write `{meant}`")));
        }
        self.fields.slot(name).ok_or_else(|| {
            self.document.error(
                name,
                "the rules read more than 48 fields altogether; use fewer".to_owned(),
            )
        })
    }

    fn types(&self, values: &[SigmaValue]) -> Made<()> {
        for value in values {
            if let SigmaValue::String(text) = value
                && let Some(meant) = nearest(&text.original, KnownEvent::ALL.iter().map(|kind| kind.as_str()))
            {
                let said = &text.original;
                return Err(self
                    .document
                    .error(said, format!("no event has the type `{said}`; write `{meant}`")));
            }
        }
        Ok(())
    }

    fn test(&mut self, name: &str, spec: &FieldSpec, values: &[SigmaValue]) -> Made<Test> {
        let wrong = |text: String| self.document.error(name, text);
        let has = |modifier| spec.has_modifier(modifier);
        if let Some(unknown) = spec.modifiers.iter().find(|one| !KNOWN.contains(one)) {
            let word = format!("{unknown:?}").to_lowercase();
            return Err(wrong(format!(
                "the modifier `{word}` is for logs of computers and not known here; use contains, startswith, endswith, re, \
                 cidr, gt, gte, lt, lte, neq, exists, fieldref, all or cased"
            )));
        }
        if values.is_empty() {
            return Err(wrong(format!(
                "`{name}` has an empty list of values; name at least one"
            )));
        }
        if has(Modifier::Exists) {
            return match values {
                [SigmaValue::Bool(wanted)] => Ok(Test::Exists(*wanted)),
                _ => Err(wrong(format!(
                    "`{name}|exists` is true or false; write `{name}|exists: true`"
                ))),
            };
        }
        if has(Modifier::FieldRef) {
            return match values {
                [SigmaValue::String(other)] => Ok(Test::SameAs(self.field(&other.original)?)),
                _ => Err(wrong(format!(
                    "`{name}|fieldref` names one other field; write `{name}|fieldref: field`"
                ))),
            };
        }
        let matches = values
            .iter()
            .map(|value| one(spec, value))
            .collect::<Result<Vec<_>, String>>();
        let matches = matches.map_err(|text| wrong(format!("`{name}`: {text}")))?;
        Ok(if has(Modifier::All) {
            Test::All(matches)
        } else {
            Test::Any(matches)
        })
    }
}

const KNOWN: [Modifier; 17] = [
    Modifier::Contains,
    Modifier::StartsWith,
    Modifier::EndsWith,
    Modifier::All,
    Modifier::Re,
    Modifier::IgnoreCase,
    Modifier::Multiline,
    Modifier::DotAll,
    Modifier::Cidr,
    Modifier::Cased,
    Modifier::Exists,
    Modifier::FieldRef,
    Modifier::Gt,
    Modifier::Gte,
    Modifier::Lt,
    Modifier::Lte,
    Modifier::Neq,
];

/// One value under its modifiers.
fn one(spec: &FieldSpec, value: &SigmaValue) -> Result<Match, String> {
    let has = |modifier| spec.has_modifier(modifier);
    let orders = [
        (Modifier::Gt, Compare::More),
        (Modifier::Gte, Compare::AtLeast),
        (Modifier::Lt, Compare::Less),
        (Modifier::Lte, Compare::AtMost),
    ];
    if let Some((_, order)) = orders.iter().find(|(modifier, _)| has(*modifier)) {
        let bound = number(value).ok_or("an order needs a number; write for example `|gte: 5`")?;
        return Ok(Match::Compare(*order, bound));
    }
    let plain = match value {
        SigmaValue::Null => Match::Null,
        SigmaValue::Bool(wanted) => Match::Bool(*wanted),
        SigmaValue::Integer(_) | SigmaValue::Float(_) => Match::Number(number(value).unwrap_or_default()),
        SigmaValue::String(text) if has(Modifier::Re) => {
            let made = regex::RegexBuilder::new(&text.original)
                .case_insensitive(has(Modifier::IgnoreCase))
                .multi_line(has(Modifier::Multiline))
                .dot_matches_new_line(has(Modifier::DotAll))
                .size_limit(1 << 20)
                .build();
            Match::Regex(made.map_err(|error| format!("no regular expression that is understood: {error}"))?)
        }
        SigmaValue::String(text) if has(Modifier::Cidr) => {
            let bad = || format!("`{}` is no network; write for example 10.0.0.0/8", text.original);
            let (net, bits) = text.original.split_once('/').ok_or_else(bad)?;
            let net: std::net::IpAddr = net.parse().map_err(|_| bad())?;
            let bits: u8 = bits.parse().map_err(|_| bad())?;
            if bits > if net.is_ipv4() { 32 } else { 128 } {
                return Err(bad());
            }
            Match::Network(net, bits)
        }
        SigmaValue::String(text) => Match::Text {
            pattern: pattern(spec, text),
            cased: has(Modifier::Cased),
        },
    };
    Ok(if has(Modifier::Neq) {
        Match::Not(Box::new(plain))
    } else {
        plain
    })
}

fn number(value: &SigmaValue) -> Option<f64> {
    match value {
        #[expect(
            clippy::cast_precision_loss,
            reason = "rules do not compare numbers of 53 bits"
        )]
        SigmaValue::Integer(number) => Some(*number as f64),
        SigmaValue::Float(number) => Some(*number),
        SigmaValue::String(text) => text.original.parse().ok(),
        SigmaValue::Bool(_) | SigmaValue::Null => None,
    }
}

fn pattern(spec: &FieldSpec, text: &SigmaString) -> Pattern {
    let cased = spec.has_modifier(Modifier::Cased);
    let open_start = spec.has_modifier(Modifier::Contains) || spec.has_modifier(Modifier::EndsWith);
    let open_end = spec.has_modifier(Modifier::Contains) || spec.has_modifier(Modifier::StartsWith);
    let mut pieces = vec![String::new()];
    if open_start {
        pieces.push(String::new());
    }
    for part in &text.parts {
        match part {
            StringPart::Special(SpecialChar::WildcardMulti) => pieces.push(String::new()),
            StringPart::Special(SpecialChar::WildcardSingle) => {
                pieces.iter_mut().last().into_iter().for_each(|p| p.push('\0'))
            }
            StringPart::Plain(plain) => {
                let plain = if cased {
                    plain.clone()
                } else {
                    plain.to_lowercase()
                };
                pieces
                    .iter_mut()
                    .last()
                    .into_iter()
                    .for_each(|p| p.push_str(&plain));
            }
        }
    }
    if open_end {
        pieces.push(String::new());
    }
    let pieces: Vec<Box<str>> = pieces.into_iter().map(String::into_boxed_str).collect();
    if pieces.iter().any(|piece| piece.contains('\0')) {
        return Pattern::Glob(pieces);
    }
    match pieces.as_slice() {
        [whole] => Pattern::Equals(whole.clone()),
        [start, end] if end.is_empty() => Pattern::Starts(start.clone()),
        [start, end] if start.is_empty() => Pattern::Ends(end.clone()),
        [start, part, end] if start.is_empty() && end.is_empty() => Pattern::Contains(part.clone()),
        _ => Pattern::Glob(pieces),
    }
}
