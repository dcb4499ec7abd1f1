//! One event of a feed: what the network, the shops and the portals tell us.
//!
//! A line of JSON becomes an [`Event`] or a [`Quarantined`] with a reason; nothing in between. The parser lives in
//! `event_parse.rs`; this file holds what an event is and how rules read it.

use crate::{Eid, EventKind, Iccid, Imei, Imsi, Msisdn, Plmn, Timestamp};
use serde_json::{Map, Value};

/// The name that a source gave an event; unique within the source.
///
/// Written out without quotes by `Display`: a store that keys on that text takes `5` and `"5"` for the same event,
/// as it should when a feed changes how it quotes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventId {
    /// An integer of at most 64 bits, signed or not.
    Number(i128),
    /// A text of 1 to 128 bytes.
    Text(Box<str>),
}

impl std::fmt::Display for EventId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => f.pad(text),
        }
    }
}

impl serde::Serialize for EventId {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Number(number) => s.serialize_i128(*number),
            Self::Text(text) => s.serialize_str(text),
        }
    }
}

/// One event. Of its identifiers the structure is checked, the check digits are not: networks and chips report
/// numbers that they cannot choose (see [`Iccid::parse_vouched`], [`Eid::parse_vouched`]), and an event about a
/// strange number must not get lost. An IMEI always carries the computed check digit (see [`Imei::parse_vouched`]).
///
/// `Debug` shows no personal data beyond masked identifiers.
#[derive(Clone, PartialEq)]
pub struct Event {
    /// When it happened, to the millisecond.
    pub ts: Timestamp,
    /// The source's own name for it.
    pub id: EventId,
    /// The feed.
    pub source: Box<str>,
    /// What happened.
    pub kind: EventKind,
    /// The line.
    pub msisdn: Option<Msisdn>,
    /// The profile or card.
    pub iccid: Option<Iccid>,
    /// The subscriber as the network knows it.
    pub imsi: Option<Imsi>,
    /// The chip.
    pub eid: Option<Eid>,
    /// The phone.
    pub imei: Option<Imei>,
    /// The person at the operator's side.
    pub agent_id: Option<Box<str>>,
    /// The shop.
    pub shop_id: Option<Box<str>>,
    /// The terminal in the shop.
    pub terminal_id: Option<Box<str>>,
    /// The account session.
    pub session_id: Option<Box<str>>,
    /// The address of the session.
    pub ip: Option<Box<str>>,
    /// The autonomous system of that address.
    pub asn: Option<Box<str>>,
    /// The browser or application.
    pub user_agent: Option<Box<str>>,
    /// Who sent the message: `bank:…`, `shop:…`, `person:…`.
    pub sender: Option<Box<str>>,
    /// The radio cell.
    pub cell: Option<Box<str>>,
    /// Latitude, degrees north, −90 to 90.
    pub lat: Option<f64>,
    /// Longitude, degrees east, −180 to 180.
    pub lon: Option<f64>,
    /// Why.
    pub reason: Option<Box<str>>,
    /// With what result.
    pub outcome: Option<Box<str>>,
    /// The operator; `None` means the feed's own.
    pub operator: Option<Plmn>,
    /// Fields that have no fixed meaning, as they came.
    pub rest: Map<String, Value>,
}

/// A field of an event as a rule sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum EventField<'a> {
    /// A text; identifiers come **in the clear**.
    Text(&'a str),
    /// Milliseconds since 1970 (`ts`) or a numeric `id`.
    Integer(i128),
    /// Degrees (`lat`, `lon`).
    Float(f64),
    /// A code with its own type (`operator`).
    Operator(Plmn),
    /// A field without fixed meaning.
    Json(&'a Value),
}

impl Event {
    /// Longest line, in bytes, without the line end.
    pub const LINE_BYTES_MAX: usize = 4096;
    /// Most fields without fixed meaning.
    pub const REST_FIELDS_MAX: usize = 64;
    /// How deep objects and arrays may stand in each other, the event itself counted.
    pub const DEPTH_MAX: usize = 8;

    /// An event with nothing but what every event has.
    #[must_use]
    pub fn new(ts: Timestamp, id: EventId, source: &str, kind: EventKind) -> Self {
        Self {
            ts,
            id,
            source: source.into(),
            kind,
            msisdn: None,
            iccid: None,
            imsi: None,
            eid: None,
            imei: None,
            agent_id: None,
            shop_id: None,
            terminal_id: None,
            session_id: None,
            ip: None,
            asn: None,
            user_agent: None,
            sender: None,
            cell: None,
            lat: None,
            lon: None,
            reason: None,
            outcome: None,
            operator: None,
            rest: Map::new(),
        }
    }

    /// A field by its name in JSON, identifiers **in the clear**; `None` when the event does not have it.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<EventField<'_>> {
        use EventField::{Float, Integer, Json, Operator, Text};
        match name {
            "ts" => Some(Integer(self.ts.as_millis().into())),
            "id" => Some(match &self.id {
                EventId::Number(number) => Integer(*number),
                EventId::Text(text) => Text(text),
            }),
            "source" => Some(Text(&self.source)),
            "type" => Some(Text(self.kind.as_str())),
            "msisdn" => self.msisdn.as_ref().map(|it| Text(it.reveal())),
            "iccid" => self.iccid.as_ref().map(|it| Text(it.reveal())),
            "imsi" => self.imsi.as_ref().map(|it| Text(it.reveal())),
            "eid" => self.eid.as_ref().map(|it| Text(it.reveal())),
            "imei" => self.imei.as_ref().map(|it| Text(it.reveal())),
            "agent_id" => self.agent_id.as_deref().map(Text),
            "shop_id" => self.shop_id.as_deref().map(Text),
            "terminal_id" => self.terminal_id.as_deref().map(Text),
            "session_id" => self.session_id.as_deref().map(Text),
            "ip" => self.ip.as_deref().map(Text),
            "asn" => self.asn.as_deref().map(Text),
            "user_agent" => self.user_agent.as_deref().map(Text),
            "sender" => self.sender.as_deref().map(Text),
            "cell" => self.cell.as_deref().map(Text),
            "reason" => self.reason.as_deref().map(Text),
            "outcome" => self.outcome.as_deref().map(Text),
            "lat" => self.lat.map(Float),
            "lon" => self.lon.map(Float),
            "operator" => self.operator.map(Operator),
            other => self.rest.get(other).map(Json),
        }
    }

    /// The names of the fields that have a fixed meaning.
    pub const FIELDS: [&'static str; 23] = [
        "ts",
        "id",
        "source",
        "type",
        "msisdn",
        "iccid",
        "imsi",
        "eid",
        "imei",
        "agent_id",
        "shop_id",
        "terminal_id",
        "session_id",
        "ip",
        "asn",
        "user_agent",
        "sender",
        "cell",
        "lat",
        "lon",
        "reason",
        "outcome",
        "operator",
    ];

    /// The event as one JSON object **in the clear**, for storing under a key or handing on; parsing it gives the
    /// same event.
    #[must_use]
    pub fn reveal_json(&self) -> Map<String, Value> {
        let mut object = self.rest.clone();
        for name in Self::FIELDS {
            let value = match self.field(name) {
                Some(EventField::Text(text)) => Value::from(text),
                Some(EventField::Integer(number)) => integer(number),
                Some(EventField::Float(number)) => Value::from(number),
                Some(EventField::Operator(plmn)) => Value::from(plmn.to_string()),
                Some(EventField::Json(_)) | None => continue,
            };
            object.insert(name.to_owned(), value);
        }
        object
    }
}

fn integer(number: i128) -> Value {
    i64::try_from(number)
        .map(Value::from)
        .or_else(|_| u64::try_from(number).map(Value::from))
        .unwrap_or(Value::Null)
}

impl std::fmt::Debug for Event {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Event")
            .field("ts", &self.ts.as_millis())
            .field("id", &self.id)
            .field("source", &self.source)
            .field("kind", &self.kind.as_str())
            .field("msisdn", &self.msisdn)
            .field("iccid", &self.iccid)
            .field("imsi", &self.imsi)
            .field("eid", &self.eid)
            .field("imei", &self.imei)
            .finish_non_exhaustive()
    }
}
