//! From one line of JSON to an [`Event`], or to the quarantine with a reason that repeats none of its contents.
//!
//! One pass, borrowed texts, no intermediate tree for the fields that have a fixed meaning.

use crate::event::EventId;
use crate::named::named_enum;
use crate::{Eid, Event, EventKind, Iccid, IdentifierError, Imei, Imsi, Msisdn, Plmn, Timestamp};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::fmt;

named_enum! {
    /// Why a line went to the quarantine.
    pub enum QuarantineReason ("reason for quarantine") {
        /// The line is longer than 4 KiB.
        TooLong = "too_long",
        /// The line is no JSON, or no UTF-8.
        NotJson = "not_json",
        /// The line is JSON, but no object.
        NotAnObject = "not_an_object",
        /// `ts`, `id`, `type` or, without a default, `source` is missing.
        MissingField = "missing_field",
        /// One field stands there twice: readers would disagree which one counts.
        DuplicateField = "duplicate_field",
        /// A field with a fixed meaning has the wrong type, is too long or out of its range.
        BadField = "bad_field",
        /// An identifier cannot be what its field says.
        BadIdentifier = "bad_identifier",
        /// Objects and arrays stand in each other too deep.
        TooDeep = "too_deep",
        /// Too many fields without fixed meaning.
        TooManyFields = "too_many_fields",
    }
}

/// A line that is no event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Quarantined {
    /// The reason, for counting.
    pub reason: QuarantineReason,
    /// What is wrong and what to do, in words. Repeats nothing of the line but the names of known fields.
    pub text: Box<str>,
}

impl Quarantined {
    fn new(reason: QuarantineReason, text: impl Into<Box<str>>) -> Self {
        Self {
            reason,
            text: text.into(),
        }
    }

    fn identifier(field: &str, error: IdentifierError) -> Self {
        Self::new(QuarantineReason::BadIdentifier, format!("`{field}`: {error}"))
    }

    fn field(name: &str, wanted: &str) -> Self {
        Self::new(QuarantineReason::BadField, format!("`{name}` must be {wanted}"))
    }
}

impl Event {
    /// One line of a feed, with or without its line end. `default_source` is the authenticated sender; an empty one
    /// makes `source` a required field. A field that is `null` counts as absent.
    ///
    /// # Errors
    /// [`Quarantined`] when the line is no event that can be relied on.
    pub fn parse_line(line: &[u8], default_source: &str) -> Result<Self, Quarantined> {
        let line = line.trim_ascii();
        if line.len() > Self::LINE_BYTES_MAX {
            return Err(Quarantined::new(
                QuarantineReason::TooLong,
                "the line is longer than 4096 bytes; send one event a line and leave large fields out",
            ));
        }
        let text = std::str::from_utf8(line).map_err(|error| {
            let text = format!("the line is no UTF-8 from byte {} on", error.valid_up_to() + 1);
            Quarantined::new(QuarantineReason::NotJson, text)
        })?;
        let Parsed(draft) = serde_json::from_str(text).map_err(|error| not_json(&error))?;
        draft?.finish(default_source)
    }
}

/// Only the place of the error is told: the library's own message may quote the line.
fn not_json(error: &serde_json::Error) -> Quarantined {
    if error.is_data() {
        return Quarantined::new(
            QuarantineReason::NotAnObject,
            "the line is JSON but no object; one event is one {…}",
        );
    }
    // The library stops at 128 levels, counts that as bad syntax, and tells it by its message only.
    if error.to_string().starts_with("recursion limit") {
        return too_deep();
    }
    let what = if error.is_eof() {
        "ends too early"
    } else {
        "is no JSON"
    };
    Quarantined::new(
        QuarantineReason::NotJson,
        format!("the line {what}: see column {}", error.column()),
    )
}

fn too_deep() -> Quarantined {
    Quarantined::new(
        QuarantineReason::TooDeep,
        "objects or arrays are nested deeper than 8 levels; flatten the event",
    )
}

/// The event while its fields come in.
#[derive(Default)]
struct Draft {
    ts: Option<Timestamp>,
    id: Option<EventId>,
    kind: Option<EventKind>,
    source: Option<Box<str>>,
    fields: Fields,
    rest: Map<String, Value>,
    seen: u32,
}

/// The optional fields, typed.
#[derive(Default)]
struct Fields {
    msisdn: Option<Msisdn>,
    iccid: Option<Iccid>,
    imsi: Option<Imsi>,
    eid: Option<Eid>,
    imei: Option<Imei>,
    agent_id: Option<Box<str>>,
    shop_id: Option<Box<str>>,
    terminal_id: Option<Box<str>>,
    session_id: Option<Box<str>>,
    ip: Option<Box<str>>,
    asn: Option<Box<str>>,
    user_agent: Option<Box<str>>,
    sender: Option<Box<str>>,
    cell: Option<Box<str>>,
    lat: Option<f64>,
    lon: Option<f64>,
    reason: Option<Box<str>>,
    outcome: Option<Box<str>>,
    operator: Option<Plmn>,
}

impl Draft {
    fn finish(self, default_source: &str) -> Result<Event, Quarantined> {
        let missing = |name: &str| {
            Quarantined::new(
                QuarantineReason::MissingField,
                format!("`{name}` is missing; add it"),
            )
        };
        let source = match self.source {
            Some(source) => source,
            None if default_source.is_empty() => return Err(missing("source")),
            None => default_source.into(),
        };
        let it = self.fields;
        Ok(Event {
            ts: self.ts.ok_or_else(|| missing("ts"))?,
            id: self.id.ok_or_else(|| missing("id"))?,
            source,
            kind: self.kind.ok_or_else(|| missing("type"))?,
            msisdn: it.msisdn,
            iccid: it.iccid,
            imsi: it.imsi,
            eid: it.eid,
            imei: it.imei,
            agent_id: it.agent_id,
            shop_id: it.shop_id,
            terminal_id: it.terminal_id,
            session_id: it.session_id,
            ip: it.ip,
            asn: it.asn,
            user_agent: it.user_agent,
            sender: it.sender,
            cell: it.cell,
            lat: it.lat,
            lon: it.lon,
            reason: it.reason,
            outcome: it.outcome,
            operator: it.operator,
            rest: self.rest,
        })
    }

    /// Marks the field at a place of [`Event::FIELDS`] as seen.
    fn once(&mut self, place: usize) -> Result<(), Quarantined> {
        let bit = 1_u32 << place;
        if self.seen & bit != 0 {
            return Err(duplicate(Event::FIELDS[place]));
        }
        self.seen |= bit;
        Ok(())
    }

    /// Takes one field in.
    fn take(&mut self, name: &str, value: Scalar<'_>) -> Result<(), Quarantined> {
        let it = &mut self.fields;
        match name {
            "ts" => self.ts = Some(timestamp(&value)?),
            "id" => self.id = Some(event_id(&value)?),
            "type" => {
                let kind = value.text().and_then(EventKind::from_name);
                self.kind =
                    Some(kind.ok_or_else(|| Quarantined::field(name, "1 to 64 visible ASCII characters"))?);
            }
            "source" => self.source = Some(value.bounded(name, 128)?),
            "msisdn" => it.msisdn = Some(value.identifier(name, Msisdn::from_e164)?),
            "iccid" => it.iccid = Some(value.identifier(name, |text| Ok(Iccid::parse_vouched(text)?.0))?),
            "imsi" => it.imsi = Some(value.identifier(name, Imsi::parse_plain)?),
            "eid" => it.eid = Some(value.identifier(name, |text| Ok(Eid::parse_vouched(text)?.0))?),
            "imei" => it.imei = Some(value.identifier(name, |text| Ok(Imei::parse_vouched(text)?.0))?),
            "operator" => it.operator = Some(value.identifier(name, Plmn::parse)?),
            "agent_id" => it.agent_id = Some(value.bounded(name, 128)?),
            "shop_id" => it.shop_id = Some(value.bounded(name, 128)?),
            "terminal_id" => it.terminal_id = Some(value.bounded(name, 128)?),
            "session_id" => it.session_id = Some(value.bounded(name, 128)?),
            "ip" => it.ip = Some(value.bounded(name, 64)?),
            "asn" => it.asn = Some(value.bounded(name, 64)?),
            "user_agent" => it.user_agent = Some(value.bounded(name, 1024)?),
            "sender" => it.sender = Some(value.bounded(name, 256)?),
            "cell" => it.cell = Some(value.bounded(name, 64)?),
            "reason" => it.reason = Some(value.bounded(name, 512)?),
            "outcome" => it.outcome = Some(value.bounded(name, 128)?),
            "lat" => it.lat = Some(value.degrees(name, 90.0)?),
            "lon" => it.lon = Some(value.degrees(name, 180.0)?),
            _ => unreachable_field(),
        }
        Ok(())
    }

    /// Keeps a field without fixed meaning.
    fn keep(&mut self, name: Cow<'_, str>, value: Value) -> Result<(), Quarantined> {
        if self.rest.len() >= Event::REST_FIELDS_MAX {
            return Err(Quarantined::new(
                QuarantineReason::TooManyFields,
                "the event has more than 64 fields without fixed meaning; leave some out",
            ));
        }
        if name.is_empty() || name.len() > 64 || name.contains('\0') {
            return Err(Quarantined::field("a field name", "1 to 64 bytes"));
        }
        check_depth(&value, 2)?;
        match self.rest.insert(name.into_owned(), value) {
            None => Ok(()),
            Some(_) => Err(duplicate("a field without fixed meaning")),
        }
    }
}

/// `take` is called with the names of [`Event::FIELDS`] only; a test holds the two lists together.
fn unreachable_field() {
    debug_assert!(false, "a name in Event::FIELDS has no place in Draft::take");
}

fn duplicate(name: &str) -> Quarantined {
    Quarantined::new(
        QuarantineReason::DuplicateField,
        format!("`{name}` stands there twice; send it once"),
    )
}

fn check_depth(value: &Value, level: usize) -> Result<(), Quarantined> {
    let nul = |text: &str| {
        if text.contains('\0') {
            Err(Quarantined::field("a text", "without NUL characters"))
        } else {
            Ok(())
        }
    };
    match value {
        Value::Object(_) | Value::Array(_) if level > Event::DEPTH_MAX => Err(too_deep()),
        Value::Object(fields) => fields.iter().try_for_each(|(name, inner)| {
            nul(name)?;
            check_depth(inner, level + 1)
        }),
        Value::Array(items) => items.iter().try_for_each(|inner| check_depth(inner, level + 1)),
        Value::String(text) => nul(text),
        _ => Ok(()),
    }
}

fn timestamp(value: &Scalar<'_>) -> Result<Timestamp, Quarantined> {
    let millis = match value {
        Scalar::Integer(millis) => i64::try_from(*millis).ok(),
        _ => None,
    };
    millis
        .filter(|millis| (0..=Timestamp::MAX.as_millis()).contains(millis))
        .map(Timestamp::from_millis)
        .ok_or_else(|| Quarantined::field("ts", "whole milliseconds since 1970 UTC"))
}

fn event_id(value: &Scalar<'_>) -> Result<EventId, Quarantined> {
    match value {
        Scalar::Integer(number) => Ok(EventId::Number(*number)),
        Scalar::Text(text) if !text.is_empty() && text.len() <= 128 && !text.contains('\0') => {
            Ok(EventId::Text(text.as_ref().into()))
        }
        _ => Err(Quarantined::field(
            "id",
            "an integer, or a text of 1 to 128 bytes",
        )),
    }
}

/// A JSON value that a field with a fixed meaning may have; arrays and objects are passed over.
enum Scalar<'a> {
    Null,
    Integer(i128),
    Float(f64),
    Text(Cow<'a, str>),
    Unfit,
}

impl Scalar<'_> {
    fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    fn bounded(&self, name: &str, bytes_max: usize) -> Result<Box<str>, Quarantined> {
        match self.text() {
            Some(text) if text.len() <= bytes_max && !text.contains('\0') => Ok(text.into()),
            _ => Err(Quarantined::field(
                name,
                &format!("a text of at most {bytes_max} bytes"),
            )),
        }
    }

    fn identifier<T>(
        &self,
        name: &str,
        parse: impl Fn(&str) -> Result<T, IdentifierError>,
    ) -> Result<T, Quarantined> {
        let text = self.text().ok_or_else(|| {
            Quarantined::new(
                QuarantineReason::BadIdentifier,
                format!("`{name}` must be a text of digits"),
            )
        })?;
        parse(text).map_err(|error| Quarantined::identifier(name, error))
    }

    fn degrees(&self, name: &str, most: f64) -> Result<f64, Quarantined> {
        let degrees = match self {
            Self::Float(degrees) => Some(*degrees),
            // The range check below refuses whatever a conversion could round.
            Self::Integer(degrees) => i32::try_from(*degrees).ok().map(f64::from),
            Self::Text(degrees) => degrees.parse().ok(),
            _ => None,
        };
        degrees
            .filter(|degrees: &f64| degrees.abs() <= most)
            .ok_or_else(|| Quarantined::field(name, &format!("a number from -{most} to {most}")))
    }
}

impl<'de> Deserialize<'de> for Scalar<'de> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_any(ScalarVisitor)
    }
}

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }
    fn visit_bool<E>(self, _: bool) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Unfit)
    }
    fn visit_i64<E>(self, number: i64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Integer(number.into()))
    }
    fn visit_u64<E>(self, number: u64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Integer(number.into()))
    }
    fn visit_f64<E>(self, number: f64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Float(number))
    }
    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Text(Cow::Borrowed(text)))
    }
    fn visit_str<E>(self, text: &str) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Text(Cow::Owned(text.to_owned())))
    }
    fn visit_unit<E>(self) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Null)
    }
    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<Scalar<'de>, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::Unfit)
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Scalar<'de>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::Unfit)
    }
}

/// What became of a line that is a JSON object.
struct Parsed(Result<Draft, Quarantined>);

impl<'de> Deserialize<'de> for Parsed {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_map(ParsedVisitor)
    }
}

struct ParsedVisitor;

impl<'de> Visitor<'de> for ParsedVisitor {
    type Value = Parsed;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("one event as a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Parsed, A::Error> {
        let mut draft = Draft::default();
        while let Some(Key(name)) = map.next_key()? {
            let known = Event::FIELDS.iter().position(|field| *field == name);
            let taken = if let Some(place) = known {
                let value: Scalar<'de> = map.next_value()?;
                draft.once(place).and_then(|()| match value {
                    Scalar::Null => Ok(()),
                    value => draft.take(Event::FIELDS[place], value),
                })
            } else {
                let value = map.next_value()?;
                draft.keep(name, value)
            };
            if let Err(problem) = taken {
                // The rest is read as well: a line that is no JSON is called that, whatever stood before.
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                return Ok(Parsed(Err(problem)));
            }
        }
        Ok(Parsed(Ok(draft)))
    }
}

/// A field name, borrowed from the line unless it contains escapes.
struct Key<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        match d.deserialize_str(ScalarVisitor)? {
            Scalar::Text(name) => Ok(Self(name)),
            _ => Ok(Self(Cow::Borrowed(""))),
        }
    }
}
