//! From bytes to a block of hits: the part of the work that needs no state and can run anywhere.

use crate::fields::Val;
use crate::hit::{Hit, pack_place};
use crate::key::{IdRef, JOIN, Key, Names, fold, hash};
use crate::program::{Ask, Feed, Group, Payload, Program};
use crate::scan::{Line, LineId};
use serde_json::Value;
use simwarden_model::{Event, EventField, EventId, QuarantineReason, Quarantined};

/// A line that is no event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Its number in the block, from 1.
    pub line: u64,
    /// For counting.
    pub reason: QuarantineReason,
    /// What is wrong; repeats nothing of the line.
    pub text: Box<str>,
}

/// The most quarantined lines of one block that are told one by one; all are counted.
const PROBLEMS_MAX: usize = 100;

/// Some lines, read: what the rules want of them, not the lines themselves.
#[derive(Debug, Default)]
pub struct Block {
    /// Lines, blank ones included.
    pub lines: u64,
    /// Events among them.
    pub events: u64,
    /// Lines that are no events.
    pub quarantined: u64,
    /// The first of those.
    pub problems: Vec<Problem>,
    pub(crate) hits: Vec<Vec<Hit>>,
    pub(crate) names: Vec<Names>,
    /// Source and id of each event, for finding repetitions.
    pub(crate) ids: Vec<(u64, u64)>,
    /// Time of each event.
    pub(crate) times: Vec<i64>,
    pub(crate) times_min: i64,
    /// Events that are not let in; empty when all are.
    pub(crate) dropped: Vec<bool>,
}

impl Program {
    /// Reads whole lines. `shards` is how many [`Shard`](crate::Shard)s share the work; `source` the sender of events
    /// that name none.
    #[must_use]
    pub fn read(&self, bytes: &[u8], shards: usize, source: &str) -> Block {
        let shards = shards.max(1);
        let mut reader = Reader {
            program: self,
            source,
            block: Block {
                hits: vec![Vec::new(); shards],
                names: vec![Names::default(); shards],
                times_min: i64::MAX,
                ..Block::default()
            },
        };
        match std::str::from_utf8(bytes) {
            Ok(text) => {
                let mut line = Line::new(&self.fields);
                let mut rest = text;
                while !rest.is_empty() {
                    let read = self.scanner.scan(&self.fields, rest, &mut line);
                    if read.is_some() {
                        reader.line(&line);
                    }
                    let end = read.unwrap_or_else(|| {
                        let end = rest.find('\n').map_or(rest.len(), |at| at + 1);
                        reader.slow_line(&rest.as_bytes()[..end]);
                        end
                    });
                    rest = &rest[end..];
                }
            }
            Err(_) => bytes
                .split_inclusive(|byte| *byte == b'\n')
                .for_each(|line| reader.slow_line(line)),
        }
        reader.block
    }
}

struct Reader<'p> {
    program: &'p Program,
    source: &'p str,
    block: Block,
}

impl<'p> Reader<'p> {
    fn line(&mut self, line: &Line<'_>) {
        self.block.lines += 1;
        let space = line.source.map_or(0, |source| {
            if source == self.source {
                0
            } else {
                hash(source) >> 1
            }
        });
        let (id, json) = match line.id {
            LineId::Number(number) => (IdRef::number(number), None),
            LineId::Text(text) => (None, Some(text)),
        };
        let json = json.map(|text| Value::from(text).to_string());
        let id = id.unwrap_or_else(|| IdRef::named(json.as_deref().unwrap_or("null")));
        self.admit(line.ts, space, id, json.as_deref());
        self.offer(line.ts, line.kind, &line.vals, id, json.as_deref());
    }

    /// The way that decides what an event is.
    fn slow_line(&mut self, bytes: &[u8]) {
        self.block.lines += 1;
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return;
        }
        let event = match Event::parse_line(bytes, self.source) {
            Ok(event) => event,
            Err(why) => return self.quarantine(why),
        };
        let space = if *event.source == *self.source {
            0
        } else {
            hash(&event.source) >> 1
        };
        let (id, json) = id_of(&event.id);
        let owned: Vec<Owned> = self
            .program
            .fields
            .names()
            .iter()
            .map(|name| Owned::of(event.field(name)))
            .collect();
        let vals: Vec<Val<'_>> = owned.iter().map(Owned::val).collect();
        let ts = event.ts.as_millis();
        self.admit(ts, space, id, json.as_deref());
        self.offer(ts, event.kind.as_str(), &vals, id, json.as_deref());
    }

    fn quarantine(&mut self, why: Quarantined) {
        self.block.quarantined += 1;
        if self.block.problems.len() < PROBLEMS_MAX {
            self.block.problems.push(Problem {
                line: self.block.lines,
                reason: why.reason,
                text: why.text,
            });
        }
    }

    fn admit(&mut self, ts: i64, space: u64, id: IdRef, json: Option<&str>) {
        let block = &mut self.block;
        block.events += 1;
        block.times.push(ts);
        block.times_min = block.times_min.min(ts);
        // A number and the text of that number are the same name, as for the store.
        let number = json
            .and_then(|json| json.trim_matches('"').parse::<u64>().ok())
            .and_then(IdRef::number);
        let (space, id) = match number.unwrap_or(id) {
            id if id.is_named() => (
                fold(space ^ 0x5851_F42D_4C95_7F2D, 0xDA94_2042_E4DD_58B5) | 1 << 63,
                id,
            ),
            id => (space, id),
        };
        block.ids.push((space, id.bits()));
    }

    /// Asks the rules.
    fn offer(&mut self, ts: i64, kind: &str, vals: &[Val<'_>], id: IdRef, json: Option<&str>) {
        let program = self.program;
        let asks: &'p [Ask] = program.kinds.get(kind).unwrap_or(&program.other_kinds);
        for ask in asks {
            if ask.expr.fits(vals) {
                for feed in &ask.feeds {
                    self.feed(feed, ts, vals, id, json);
                }
            }
        }
    }

    fn feed(&mut self, feed: &Feed, ts: i64, vals: &[Val<'_>], id: IdRef, json: Option<&str>) -> Option<()> {
        let (a, b) = payload(&feed.payload, vals)?;
        let (key, long) = group(&feed.group, vals)?;
        let block = &mut self.block;
        let shard = shard_of(key, block.hits.len());
        if let Some(text) = &long {
            block.names[shard].keep_key(key, text);
        }
        if let Some(json) = json {
            block.names[shard].keep_id(id, json);
        }
        let event = u32::try_from(block.times.len() - 1).ok()?;
        block.hits[shard].push(Hit {
            key,
            ts,
            id,
            a,
            b,
            node: feed.node,
            part: feed.part,
            event,
        });
        Some(())
    }
}

/// Which shard a group belongs to.
pub(crate) fn shard_of(key: Key, shards: usize) -> usize {
    if shards == 1 {
        return 0;
    }
    usize::try_from(((key.mixed() >> 32) * shards as u64) >> 32).unwrap_or(0)
}

fn filled<'a>(vals: &[Val<'a>], slot: u8) -> Option<&'a str> {
    vals[usize::from(slot)].text().filter(|text| !text.is_empty())
}

/// The group of an event, with its text where the key does not hold it.
fn group(group: &Group, vals: &[Val<'_>]) -> Option<(Key, Option<String>)> {
    let one = |text: &str| {
        let key = Key::of(text);
        (key, key.is_digest().then(|| text.to_owned()))
    };
    Some(match group {
        Group::All => one("all"),
        Group::One(slot) => one(filled(vals, *slot)?),
        Group::Many(slots) => {
            let texts = slots
                .iter()
                .map(|slot| filled(vals, *slot))
                .collect::<Option<Vec<_>>>()?;
            one(&texts.join(&JOIN.to_string()))
        }
        Group::First(slots) => one(slots.iter().find_map(|slot| filled(vals, *slot)).unwrap_or("")),
    })
}

/// What the node wants; `None` when the event does not have it.
fn payload(payload: &Payload, vals: &[Val<'_>]) -> Option<(u64, u64)> {
    let digest = |slot: u8| filled(vals, slot).map(|text| Key::of(text).mixed());
    Some(match payload {
        Payload::Nothing => (0, 0),
        Payload::Number(slot) => (vals[usize::from(*slot)].number()?.to_bits(), 0),
        Payload::Digest(slots) => {
            let sum = slots.iter().try_fold(0, |sum, slot| {
                Some(fold(sum ^ digest(*slot)?, 0x2545_F491_4F6C_DD1D))
            })?;
            (sum, 0)
        }
        Payload::TwoDigests(a, b) => (digest(*a)?, digest(*b)?),
        Payload::Place { lat, lon, device } => {
            let degrees = |slot: &u8| vals[usize::from(*slot)].degrees_e7();
            let place = pack_place(degrees(lat)?, degrees(lon)?);
            (place, device.and_then(digest).map_or(0, |device| device | 1))
        }
    })
}

fn id_of(id: &EventId) -> (IdRef, Option<String>) {
    let json = match id {
        EventId::Number(number) => {
            if let Some(id) = u64::try_from(*number).ok().and_then(IdRef::number) {
                return (id, None);
            }
            number.to_string()
        }
        EventId::Text(text) => Value::from(&**text).to_string(),
    };
    (IdRef::named(&json), Some(json))
}

/// A value of an event that was read the slow way.
enum Owned {
    Absent,
    Text(String),
    Number(String),
    Bool(bool),
    Other,
}

impl Owned {
    fn of(field: Option<EventField<'_>>) -> Self {
        match field {
            None | Some(EventField::Json(Value::Null)) => Self::Absent,
            Some(EventField::Text(text)) => Self::Text(text.to_owned()),
            Some(EventField::Integer(number)) => Self::Number(number.to_string()),
            Some(EventField::Float(number)) => Self::Number(number.to_string()),
            Some(EventField::Operator(plmn)) => Self::Text(plmn.to_string()),
            Some(EventField::Json(Value::String(text))) => Self::Text(text.clone()),
            Some(EventField::Json(Value::Number(number))) => Self::Number(number.to_string()),
            Some(EventField::Json(Value::Bool(is))) => Self::Bool(*is),
            Some(EventField::Json(_)) => Self::Other,
        }
    }

    fn val(&self) -> Val<'_> {
        match self {
            Self::Absent => Val::Absent,
            Self::Text(text) => Val::Text(text),
            Self::Number(text) => Val::Number(text),
            Self::Bool(is) => Val::Bool(*is),
            Self::Other => Val::Other,
        }
    }
}
