//! From rule files to a [`Program`]: documents, then references, then nodes, each after what feeds it.

use super::check::check;
use super::correlation;
use super::detection::Compiler;
use super::document::Document;
use super::info::RuleInfo;
use super::matcher::Expr;
use crate::builtin::{Builtin, Input};
use crate::correlate::plain::Plain;
use crate::fields::Fields;
use crate::key::hash;
use crate::program::{Ask, Feed, Group, Make, NodeSpec, Payload, Program};
use crate::scan::Scanner;
use crate::{RuleError, RuleErrors};
use rsigma_parser::CorrelationRule;
use simwarden_model::KnownEvent;
use std::collections::HashMap;
use yaml_serde::Value;

/// The most nodes, and the most rules, of one program.
const NODES_MAX: usize = 4_096;
/// Whom a plain rule's alert is about: the first of these that the event has.
const ABOUT: [&str; 8] = [
    "msisdn",
    "iccid",
    "imsi",
    "eid",
    "imei",
    "agent_id",
    "session_id",
    "ip",
];

/// One document, understood.
struct Item {
    document: Document,
    body: Body,
    /// The node it became, once it did.
    node: Option<u16>,
    /// Referred to by another, which did not ask for its alerts too.
    silent: bool,
}

enum Body {
    Detection {
        expr: Expr,
        feeds: Vec<Feed>,
    },
    Correlation(Box<CorrelationRule>),
    Builtin {
        builtin: Builtin,
        input: Input,
        rules: Vec<String>,
        group_by: Vec<String>,
    },
}

struct Loader {
    items: Vec<Item>,
    names: HashMap<String, usize>,
    fields: Fields,
    nodes: Vec<NodeSpec>,
}

/// Compiles everything, or says everything that is wrong.
pub(crate) fn program(files: &[(String, String)]) -> Result<Program, RuleErrors> {
    let mut loader = Loader {
        items: Vec::new(),
        names: HashMap::new(),
        fields: Fields::default(),
        nodes: Vec::new(),
    };
    let mut errors = Vec::new();
    for (file, text) in files {
        match Document::cut(file, text) {
            Ok(documents) => documents
                .into_iter()
                .for_each(|document| loader.read(document, &mut errors)),
            Err(error) => errors.push(error),
        }
    }
    if loader.items.is_empty() && errors.is_empty() {
        let text =
            "there is no rule here; a rule is a file ending in .yml, see docs/add/detection.md".to_owned();
        errors.push(RuleError {
            file: files.first().map_or("rules", |f| &f.0).to_owned(),
            line: 1,
            text,
        });
    }
    if errors.is_empty() {
        for at in 0..loader.items.len() {
            if let Err(error) = loader.place(at, &mut Vec::new()) {
                errors.push(error);
            }
        }
    }
    errors.dedup();
    if errors.is_empty() {
        let fingerprint = files
            .iter()
            .fold(1, |sum: u64, (_, text)| sum.rotate_left(5) ^ hash(text));
        loader
            .finish(fingerprint)
            .map_err(|error| RuleErrors(vec![error]))
    } else {
        Err(RuleErrors(errors))
    }
}

impl Loader {
    fn read(&mut self, document: Document, errors: &mut Vec<RuleError>) {
        let mut found = check(&document);
        if found.is_empty() {
            match self.body(&document) {
                Ok(body) => {
                    let at = self.items.len();
                    let names = ["id", "name"].map(|key| document.str(key).map(str::to_owned));
                    for name in names.into_iter().flatten() {
                        if self
                            .names
                            .insert(name.clone(), at)
                            .is_some_and(|before| before != at)
                        {
                            found.push(document.error(
                                &name,
                                format!("another rule is called `{name}` already; choose another name"),
                            ));
                        }
                    }
                    self.items.push(Item {
                        document,
                        body,
                        node: None,
                        silent: false,
                    });
                }
                Err(error) => found.push(error),
            }
        }
        errors.append(&mut found);
    }

    fn body(&mut self, document: &Document) -> Result<Body, RuleError> {
        if let Some(section) = document.get("builtin").and_then(Value::as_mapping) {
            let list = |key: &str| match section.get(Value::from(key)) {
                Some(Value::String(one)) => vec![one.clone()],
                Some(Value::Sequence(many)) => {
                    many.iter().filter_map(Value::as_str).map(str::to_owned).collect()
                }
                _ => Vec::new(),
            };
            let name = section
                .get(Value::from("type"))
                .and_then(Value::as_str)
                .unwrap_or("");
            let rules = list("rules");
            let (builtin, input) = Builtin::read(name, section.get(Value::from("with")), rules.len())
                .map_err(|text| document.error("with:", text))?;
            return Ok(Body::Builtin {
                builtin,
                input,
                rules,
                group_by: list("group-by"),
            });
        }
        let parsed = rsigma_parser::parse_sigma_yaml(&document.text)
            .map_err(|error| document.error("", error.to_string()))?;
        if let Some(text) = parsed.errors.first() {
            let word = text.split(['\'', '`', '"']).nth(1).unwrap_or("").to_owned();
            return Err(document.error(
                &word,
                format!("{text}; see docs/add/detection.md for what a rule may say"),
            ));
        }
        if let Some(rule) = parsed.correlations.into_iter().next() {
            return Ok(Body::Correlation(Box::new(rule)));
        }
        let rule = parsed
            .rules
            .into_iter()
            .next()
            .ok_or_else(|| document.error("", "no rule in this document".into()))?;
        let mut compiler = Compiler {
            document,
            fields: &mut self.fields,
        };
        let expr = compiler.rule(&rule.detection)?;
        Ok(Body::Detection {
            expr,
            feeds: Vec::new(),
        })
    }

    /// Makes the node of an item, after those it refers to.
    fn place(&mut self, at: usize, path: &mut Vec<usize>) -> Result<(), RuleError> {
        if self.items[at].node.is_some() {
            return Ok(());
        }
        if path.contains(&at) {
            return Err(self.items[at].document.error(
                "rules:",
                "this rule waits for itself through others; break the circle".into(),
            ));
        }
        let (rules, generate) = match &self.items[at].body {
            Body::Detection { .. } => return Ok(()),
            Body::Correlation(rule) => (rule.rules.clone(), rule.generate),
            Body::Builtin { rules, .. } => (rules.clone(), false),
        };
        path.push(at);
        let mut parts = Vec::new();
        for name in &rules {
            let Some(part) = self.names.get(name).copied() else {
                let known = crate::near::nearest(name, self.names.keys().map(String::as_str));
                let hint = known.map_or_else(String::new, |known| format!("; did you mean `{known}`?"));
                return Err(self.items[at].document.error(
                    name,
                    format!("there is no rule called `{name}`{hint} Rules are referred to by `name` or `id`"),
                ));
            };
            self.place(part, path)?;
            self.items[part].silent |= !generate;
            parts.push(part);
        }
        path.pop();
        self.connect(at, &parts)
    }

    fn connect(&mut self, at: usize, parts: &[usize]) -> Result<(), RuleError> {
        let document = self.items[at].document.clone();
        let (make, wants, group_by) = match &self.items[at].body {
            Body::Correlation(rule) => {
                let (make, wants) = correlation::make(&document, rule)?;
                let sum = matches!(make, Make::ValueSum(_));
                (make, Wants::Fields(wants, sum), rule.group_by.clone())
            }
            Body::Builtin {
                builtin,
                input,
                group_by,
                ..
            } => (
                Make::Builtin(builtin.clone()),
                Wants::Input(input.clone()),
                group_by.clone(),
            ),
            Body::Detection { .. } => return Ok(()),
        };
        let node = self.add(
            &document,
            NodeSpec {
                make,
                rule: self.index(at),
                alerts: true,
                parents: Vec::new(),
            },
        )?;
        for (part, source) in parts.iter().enumerate() {
            let part_number = u16::try_from(part).unwrap_or(u16::MAX);
            if let Some(child) = self.items[*source].node {
                if self.group_by(*source) != group_by || !wants.is_nothing() {
                    return Err(document.error("rules:", "a chained rule must group by the same fields as the rule it builds on, and take no values".into()));
                }
                self.nodes[usize::from(child)].parents.push((node, part_number));
                continue;
            }
            let fields = self.aliased(at, *source, &group_by);
            let mut compiler = Compiler {
                document: &document,
                fields: &mut self.fields,
            };
            let slots = fields
                .iter()
                .map(|name| compiler.field(name))
                .collect::<Result<Vec<_>, _>>()?;
            let payload = wants.payload(&mut compiler)?;
            let group = match slots.as_slice() {
                [] => Group::All,
                [one] => Group::One(*one),
                _ => Group::Many(slots),
            };
            if let Body::Detection { feeds, .. } = &mut self.items[*source].body {
                feeds.push(Feed {
                    node,
                    part: part_number,
                    group,
                    payload,
                });
            }
        }
        self.items[at].node = Some(node);
        Ok(())
    }

    fn index(&self, at: usize) -> u16 {
        debug_assert!(at < self.items.len());
        u16::try_from(at).unwrap_or(u16::MAX)
    }

    fn group_by(&self, at: usize) -> Vec<String> {
        match &self.items[at].body {
            Body::Correlation(rule) => rule.group_by.clone(),
            Body::Builtin { group_by, .. } => group_by.clone(),
            Body::Detection { .. } => Vec::new(),
        }
    }

    /// The fields of one referred rule that the group goes by.
    fn aliased(&self, at: usize, source: usize, group_by: &[String]) -> Vec<String> {
        let Body::Correlation(rule) = &self.items[at].body else {
            return group_by.to_vec();
        };
        let called = ["id", "name"].map(|key| self.items[source].document.str(key));
        let field = |name: &String| {
            let alias = rule.aliases.iter().find(|alias| alias.alias == *name)?;
            called
                .iter()
                .flatten()
                .find_map(|called| alias.mapping.get(*called))
                .cloned()
        };
        group_by
            .iter()
            .map(|name| field(name).unwrap_or_else(|| name.clone()))
            .collect()
    }

    fn add(&mut self, document: &Document, node: NodeSpec) -> Result<u16, RuleError> {
        match u16::try_from(self.nodes.len()) {
            Ok(at) if self.nodes.len() < NODES_MAX => {
                self.nodes.push(node);
                Ok(at)
            }
            _ => Err(document.error("", format!("more than {NODES_MAX} rules; load fewer at once"))),
        }
    }

    fn finish(mut self, fingerprint: u64) -> Result<Program, RuleError> {
        let mut rules: Vec<RuleInfo> = Vec::new();
        for at in 0..self.items.len() {
            let mut info = RuleInfo::of(&self.items[at].document);
            info.alerts = !self.items[at].silent;
            let is_detection = matches!(self.items[at].body, Body::Detection { .. });
            if let Some(node) = self.items[at].node {
                self.nodes[usize::from(node)].alerts = info.alerts;
            } else if is_detection && info.alerts {
                let document = self.items[at].document.clone();
                let mut compiler = Compiler {
                    document: &document,
                    fields: &mut self.fields,
                };
                let about = ABOUT
                    .iter()
                    .map(|name| compiler.field(name))
                    .collect::<Result<Vec<_>, _>>()?;
                let make = Make::Plain(Plain {
                    reason: info.title.clone(),
                });
                let node = self.add(
                    &document,
                    NodeSpec {
                        make,
                        rule: self.index(at),
                        alerts: true,
                        parents: Vec::new(),
                    },
                )?;
                if let Body::Detection { feeds, .. } = &mut self.items[at].body {
                    feeds.push(Feed {
                        node,
                        part: 0,
                        group: Group::First(about),
                        payload: Payload::Nothing,
                    });
                }
            }
            rules.push(info);
        }
        let (kinds, other_kinds) = self.asks();
        Ok(Program {
            fields: self.fields,
            scanner: Scanner::new(),
            kinds,
            other_kinds,
            nodes: self.nodes,
            rules,
            fingerprint,
        })
    }

    /// The questions for each type of event that a rule names, the type itself already answered.
    fn asks(&mut self) -> (HashMap<Box<str>, Vec<Ask>>, Vec<Ask>) {
        let asks: Vec<Ask> = std::mem::take(&mut self.items)
            .into_iter()
            .filter_map(|item| match item.body {
                Body::Detection { expr, feeds } if !feeds.is_empty() => Some(Ask { expr, feeds }),
                _ => None,
            })
            .collect();
        let Some(kind) = self.fields.slot("type") else {
            return (HashMap::new(), asks);
        };
        let mut names = Vec::new();
        asks.iter().for_each(|ask| ask.expr.texts_of(kind, &mut names));
        names.extend(KnownEvent::ALL.iter().map(|known| known.as_str().to_owned()));
        let kinds = names
            .into_iter()
            .map(|name| {
                let given = asks
                    .iter()
                    .map(|ask| Ask {
                        expr: ask.expr.given(kind, &name),
                        feeds: ask.feeds.clone(),
                    })
                    .filter(|ask| !matches!(ask.expr, Expr::Const(false)))
                    .collect();
                (name.into_boxed_str(), given)
            })
            .collect();
        // Types in other letter case come here too: ask everything.
        (kinds, asks)
    }
}

enum Wants {
    Fields(Vec<String>, bool),
    Input(Input),
}

impl Wants {
    fn is_nothing(&self) -> bool {
        match self {
            Self::Fields(fields, _) => fields.is_empty(),
            Self::Input(input) => *input == Input::Nothing,
        }
    }

    fn payload(&self, compiler: &mut Compiler<'_>) -> Result<Payload, RuleError> {
        let mut slots = |names: &[String]| {
            names
                .iter()
                .map(|name| compiler.field(name))
                .collect::<Result<Vec<_>, _>>()
        };
        Ok(match self {
            Self::Fields(fields, _) if fields.is_empty() => Payload::Nothing,
            Self::Fields(fields, true) => Payload::Number(slots(fields)?[0]),
            Self::Fields(fields, false) => Payload::Digest(slots(fields)?),
            Self::Input(Input::Nothing) => Payload::Nothing,
            Self::Input(Input::Values(fields)) => match slots(fields)?.as_slice() {
                [a, b] => Payload::TwoDigests(*a, *b),
                one => Payload::Digest(one.to_vec()),
            },
            Self::Input(Input::Place { device }) => {
                let device = device.as_ref().map(|name| compiler.field(name)).transpose()?;
                Payload::Place {
                    lat: compiler.field("lat")?,
                    lon: compiler.field("lon")?,
                    device,
                }
            }
        })
    }
}
