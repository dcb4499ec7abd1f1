//! The condition of one Sigma rule, compiled to slots: what is asked of one event.
//!
//! Texts compare without regard to case unless the rule says `cased`, as Sigma has it.

use crate::fields::Val;
use regex::Regex;
use std::net::IpAddr;

/// A condition over the fields of one event.
#[derive(Debug, Clone)]
pub(crate) enum Expr {
    Const(bool),
    And(Vec<Self>),
    Or(Vec<Self>),
    Not(Box<Self>),
    /// So many of these.
    AtLeast(u64, Vec<Self>),
    Test {
        slot: u8,
        test: Test,
    },
}

/// What is asked of one field.
#[derive(Debug, Clone)]
pub(crate) enum Test {
    Any(Vec<Match>),
    All(Vec<Match>),
    Exists(bool),
    SameAs(u8),
}

/// One value that a field may have.
#[derive(Debug, Clone)]
pub(crate) enum Match {
    Text { pattern: Pattern, cased: bool },
    Regex(Regex),
    Number(f64),
    Compare(Compare, f64),
    Network(IpAddr, u8),
    Bool(bool),
    Null,
    Not(Box<Self>),
}

/// An order between numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Compare {
    Less,
    AtMost,
    More,
    AtLeast,
}

/// A text with wildcards, in lower case unless the rule is cased.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Pattern {
    Equals(Box<str>),
    Starts(Box<str>),
    Ends(Box<str>),
    Contains(Box<str>),
    /// Pieces between `*`; `\0` stands for one character.
    Glob(Vec<Box<str>>),
}

impl Expr {
    /// Whether an event fits.
    pub(crate) fn fits(&self, vals: &[Val<'_>]) -> bool {
        match self {
            Self::Const(fits) => *fits,
            Self::And(parts) => parts.iter().all(|part| part.fits(vals)),
            Self::Or(parts) => parts.iter().any(|part| part.fits(vals)),
            Self::Not(part) => !part.fits(vals),
            Self::AtLeast(count, parts) => {
                parts
                    .iter()
                    .filter(|part| part.fits(vals))
                    .take(usize::try_from(*count).unwrap_or(usize::MAX))
                    .count() as u64
                    >= *count
            }
            Self::Test { slot, test } => test.fits(vals[usize::from(*slot)], vals),
        }
    }

    /// What is left to ask when one field is known.
    pub(crate) fn given(&self, known: u8, value: &str) -> Self {
        let given = |parts: &[Self]| {
            parts
                .iter()
                .map(|part| part.given(known, value))
                .collect::<Vec<_>>()
        };
        match self {
            Self::Const(fits) => Self::Const(*fits),
            Self::Test { slot, test } if *slot == known && !matches!(test, Test::SameAs(_)) => {
                Self::Const(test.fits(Val::Text(value), &[]))
            }
            Self::Test { .. } => self.clone(),
            Self::Not(part) => match part.given(known, value) {
                Self::Const(fits) => Self::Const(!fits),
                part => Self::Not(Box::new(part)),
            },
            Self::AtLeast(count, parts) => Self::AtLeast(*count, given(parts)),
            Self::And(parts) => {
                let mut parts = given(parts);
                parts.retain(|part| !matches!(part, Self::Const(true)));
                match parts.len() {
                    0 => Self::Const(true),
                    _ if parts.iter().any(|part| matches!(part, Self::Const(false))) => Self::Const(false),
                    1 => parts.remove(0),
                    _ => Self::And(parts),
                }
            }
            Self::Or(parts) => {
                let mut parts = given(parts);
                parts.retain(|part| !matches!(part, Self::Const(false)));
                match parts.len() {
                    0 => Self::Const(false),
                    _ if parts.iter().any(|part| matches!(part, Self::Const(true))) => Self::Const(true),
                    1 => parts.remove(0),
                    _ => Self::Or(parts),
                }
            }
        }
    }

    /// The plain texts that a field is compared with, anywhere in the condition.
    pub(crate) fn texts_of(&self, wanted: u8, texts: &mut Vec<String>) {
        match self {
            Self::And(parts) | Self::Or(parts) | Self::AtLeast(_, parts) => {
                parts.iter().for_each(|part| part.texts_of(wanted, texts));
            }
            Self::Not(part) => part.texts_of(wanted, texts),
            Self::Test {
                slot,
                test: Test::Any(matches) | Test::All(matches),
            } if *slot == wanted => {
                texts.extend(matches.iter().filter_map(|one| match one {
                    Match::Text {
                        pattern: Pattern::Equals(text),
                        ..
                    } => Some(text.to_string()),
                    _ => None,
                }));
            }
            Self::Const(_) | Self::Test { .. } => {}
        }
    }
}

impl Test {
    fn fits(&self, value: Val<'_>, vals: &[Val<'_>]) -> bool {
        match self {
            Self::Any(matches) => matches.iter().any(|one| one.fits(value)),
            Self::All(matches) => matches.iter().all(|one| one.fits(value)),
            Self::Exists(wanted) => (value != Val::Absent) == *wanted,
            Self::SameAs(other) => match (value.text(), vals[usize::from(*other)].text()) {
                (Some(a), Some(b)) => same_text(a, b),
                _ => false,
            },
        }
    }
}

impl Match {
    fn fits(&self, value: Val<'_>) -> bool {
        match self {
            Self::Null => value == Val::Absent,
            Self::Not(one) => value != Val::Absent && !one.fits(value),
            Self::Bool(wanted) => match value {
                Val::Bool(is) => is == *wanted,
                other => other
                    .text()
                    .is_some_and(|text| text.eq_ignore_ascii_case(if *wanted { "true" } else { "false" })),
            },
            Self::Number(wanted) => value.number().is_some_and(|is| is.total_cmp(wanted).is_eq()),
            Self::Compare(order, bound) => value.number().is_some_and(|is| match order {
                Compare::Less => is < *bound,
                Compare::AtMost => is <= *bound,
                Compare::More => is > *bound,
                Compare::AtLeast => is >= *bound,
            }),
            Self::Regex(regex) => value.text().is_some_and(|text| regex.is_match(text)),
            Self::Network(net, bits) => value
                .text()
                .and_then(|text| text.parse().ok())
                .is_some_and(|ip| in_network(ip, *net, *bits)),
            Self::Text { pattern, cased } => value.text().is_some_and(|text| {
                if *cased
                    || !text
                        .bytes()
                        .any(|byte| byte.is_ascii_uppercase() || !byte.is_ascii())
                {
                    pattern.fits(text)
                } else {
                    pattern.fits(&text.to_lowercase())
                }
            }),
        }
    }
}

fn same_text(a: &str, b: &str) -> bool {
    a == b || a.to_lowercase() == b.to_lowercase()
}

fn in_network(ip: IpAddr, net: IpAddr, bits: u8) -> bool {
    match (ip, net) {
        (IpAddr::V4(ip), IpAddr::V4(net)) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(bits.min(32))).unwrap_or(0);
            u32::from(ip) & mask == u32::from(net) & mask
        }
        (IpAddr::V6(ip), IpAddr::V6(net)) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(bits.min(128))).unwrap_or(0);
            u128::from(ip) & mask == u128::from(net) & mask
        }
        _ => false,
    }
}

impl Pattern {
    fn fits(&self, text: &str) -> bool {
        match self {
            Self::Equals(wanted) => **wanted == *text,
            Self::Starts(start) => text.starts_with(&**start),
            Self::Ends(end) => text.ends_with(&**end),
            Self::Contains(part) => text.contains(&**part),
            Self::Glob(pieces) => glob(pieces, text),
        }
    }
}

/// Pieces in order, the first at the beginning, the last at the end.
fn glob(pieces: &[Box<str>], text: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let here = |piece: &str, at: usize| {
        let end = at + piece.chars().count();
        (end <= text.len()
            && piece
                .chars()
                .zip(&text[at..end])
                .all(|(p, c)| p == '\0' || p == *c))
        .then_some(end)
    };
    let Some((first, rest)) = pieces.split_first() else {
        return text.is_empty();
    };
    let Some(mut at) = here(first, 0) else {
        return false;
    };
    let Some((last, middle)) = rest.split_last() else {
        return at == text.len();
    };
    for piece in middle {
        match (at..=text.len()).find_map(|from| here(piece, from)) {
            Some(end) => at = end,
            None => return false,
        }
    }
    let len = last.chars().count();
    text.len() >= at + len && here(last, text.len() - len).is_some()
}
