//! Tests of the event parser: what feeds send, what they must not, and that nothing panics.

use crate::{CheckDigit, Event, EventField, EventId, EventKind, KnownEvent, QuarantineReason, Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};

/// A line as the benchmark's generator writes it: none of the check digits is right.
const LINE: &str = r#"{"ts":1760000000123,"id":7,"type":"otp_sms","msisdn":"85512345678","iccid":"8985501000000123456","eid":"89049032000000123456000000654321","imei":"351234567890123","imsi":"456010123456789","agent_id":"AG000017","sender":"bank:07","ip":"10.1.2.3","cell":"456-01-0004-00123","lat":11.556400,"lon":104.928200}"#;

fn parse(line: &str) -> Result<Event, QuarantineReason> {
    Event::parse_line(line.as_bytes(), "feed-1").map_err(|quarantined| quarantined.reason)
}

/// The least event with one field more.
fn with(name: &str, value: Value) -> Result<Event, QuarantineReason> {
    let mut line = json!({"ts": 1, "id": 1, "type": "attach"});
    line[name] = value;
    parse(&line.to_string())
}

#[test]
fn reads_a_line_of_the_network() {
    let event = parse(&format!("{LINE}\r\n")).unwrap();
    assert_eq!(event.ts, Timestamp::from_millis(1_760_000_000_123));
    assert_eq!((event.id.clone(), &*event.source), (EventId::Number(7), "feed-1"));
    assert_eq!(event.kind, EventKind::Known(KnownEvent::OtpSms));
    assert_eq!(event.msisdn.unwrap().reveal(), "85512345678");
    assert_eq!(event.iccid.unwrap().check(), CheckDigit::Failed);
    assert_eq!(event.eid.unwrap().check(), CheckDigit::Failed);
    assert_eq!(event.imei.unwrap().reveal(), "351234567890124");
    assert_eq!(event.imsi.unwrap().reveal(), "456010123456789");
    assert_eq!(event.lat, Some(11.5564));
    assert_eq!(event.field("sender"), Some(EventField::Text("bank:07")));
    assert_eq!(event.field("shop_id"), None);
    assert!(event.rest.is_empty());
}

#[test]
fn unknown_fields_and_types_are_kept() {
    let event = parse(r#"{"ts":1,"id":"a\u0062","type":"x.new","source":"s","msisdn":"+85512345678","shop_id":null,"k":{"a":[1]},"operator":"456-01"}"#).unwrap();
    assert_eq!(event.id, EventId::Text("ab".into()));
    assert_eq!((event.kind.as_str(), &*event.source), ("x.new", "s"));
    assert_eq!(event.field("k"), Some(EventField::Json(&json!({"a": [1]}))));
    assert_eq!(event.shop_id, None);
    assert_eq!(event.operator.unwrap().to_string(), "456-01");
    assert_eq!(event.msisdn.unwrap().reveal(), "85512345678");
}

#[test]
fn every_field_with_a_fixed_meaning_is_read_and_written() {
    let mut all: serde_json::Map<String, Value> = serde_json::from_str(LINE).unwrap();
    all.insert("imei".into(), "351234567890124".into());
    all.insert("operator".into(), "456-01".into());
    for name in Event::FIELDS {
        all.entry(name).or_insert_with(|| "text".into());
    }
    all.insert("own".into(), json!([true, {"x": 1.5}]));
    let event = parse(&Value::Object(all.clone()).to_string()).unwrap();
    assert_eq!(event.reveal_json(), all);
    for name in Event::FIELDS {
        assert!(event.field(name).is_some(), "{name}");
    }
}

#[test]
fn malformed_lines_go_to_the_quarantine_for_the_right_reason() {
    use QuarantineReason as R;
    let cases: &[(&str, R)] = &[
        ("", R::NotJson),
        ("{", R::NotJson),
        ("{]", R::NotJson),
        ("ts=1", R::NotJson),
        (r#"{"ts":1,"id":1,"type":"attach"} {}"#, R::NotJson),
        (r#"{"ts":1,"id":1,"type":"attach","imsi":"x","a":}"#, R::NotJson),
        (r#"{"ts":1,"id":1,"type":"attach","a":"\ud800"}"#, R::NotJson),
        ("[]", R::NotAnObject),
        ("7", R::NotAnObject),
        ("null", R::NotAnObject),
        (r#"{"id":1,"type":"attach"}"#, R::MissingField),
        (r#"{"ts":1,"type":"attach"}"#, R::MissingField),
        (r#"{"ts":1,"id":1}"#, R::MissingField),
        (r#"{"ts":null,"id":1,"type":"attach"}"#, R::MissingField),
        (r#"{"ts":1,"id":1,"type":"attach","ts":1}"#, R::DuplicateField),
        (
            r#"{"ts":1,"id":1,"type":"attach","msisdn":null,"msisdn":"85512345678"}"#,
            R::DuplicateField,
        ),
        (
            r#"{"ts":1,"id":1,"type":"attach","own":1,"own":2}"#,
            R::DuplicateField,
        ),
        (r#"{"ts":1.5,"id":1,"type":"attach"}"#, R::BadField),
        (r#"{"ts":-1,"id":1,"type":"attach"}"#, R::BadField),
        (r#"{"ts":"1","id":1,"type":"attach"}"#, R::BadField),
        (r#"{"ts":999999999999999999,"id":1,"type":"attach"}"#, R::BadField),
        (r#"{"ts":1,"id":1.5,"type":"attach"}"#, R::BadField),
        (r#"{"ts":1,"id":"","type":"attach"}"#, R::BadField),
        (r#"{"ts":1,"id":[1],"type":"attach"}"#, R::BadField),
        (r#"{"ts":1,"id":1,"type":"two words"}"#, R::BadField),
        (r#"{"ts":1,"id":1,"type":7}"#, R::BadField),
    ];
    for (line, reason) in cases {
        assert_eq!(parse(line).unwrap_err(), *reason, "{line}");
    }
    assert_eq!(
        Event::parse_line(br#"{"ts":1,"id":1,"type":"attach"}"#, "")
            .unwrap_err()
            .reason,
        R::MissingField
    );
    assert_eq!(
        Event::parse_line(b"{\"a\xff\":1}", "f").unwrap_err().reason,
        R::NotJson
    );
}

#[test]
fn malformed_fields_go_to_the_quarantine_for_the_right_reason() {
    use QuarantineReason as R;
    for (name, value) in [
        ("msisdn", json!("012345678")),
        ("msisdn", json!(85_512_345_678_u64)),
        ("msisdn", json!("")),
        ("iccid", json!("898550100000012345X")),
        ("iccid", json!("8985501")),
        ("imsi", json!("4560101234")),
        ("eid", json!("8904903200000012345600000065432")),
        ("imei", json!("35123456789012345")),
        ("operator", json!("456")),
        ("eid", json!({"a": 1})),
    ] {
        assert_eq!(
            with(name, value.clone()).unwrap_err(),
            R::BadIdentifier,
            "{name} {value}"
        );
    }
    for (name, value) in [
        ("lat", json!(90.1)),
        ("lat", json!("eleven")),
        ("lon", json!(-181)),
        ("agent_id", json!("a".repeat(129))),
        ("sender", json!(["bank"])),
        ("cell", json!("a\u{0}b")),
        ("ip", json!(10)),
        ("own", json!({"a": "\u{0}"})),
        (&*"k".repeat(65), json!(1)),
    ] {
        assert_eq!(
            with(name, value.clone()).unwrap_err(),
            R::BadField,
            "{name} {value}"
        );
    }
    assert!(with("lat", json!(-90)).is_ok() && with("lon", json!(180.0)).is_ok());
}

#[test]
fn size_depth_and_number_of_fields_are_bounded() {
    let nest = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
    let line = |levels: usize| format!(r#"{{"ts":1,"id":1,"type":"attach","own":{}}}"#, nest(levels));
    assert!(parse(&line(7)).is_ok());
    for levels in [8, 100, 200, 1_500] {
        assert_eq!(
            parse(&line(levels)).unwrap_err(),
            QuarantineReason::TooDeep,
            "{levels}"
        );
    }
    let fields = |count: usize| {
        let own: String = (0..count).map(|at| format!(",\"k{at}\":1")).collect();
        format!(r#"{{"ts":1,"id":1,"type":"attach"{own}}}"#)
    };
    assert_eq!(parse(&fields(64)).unwrap().rest.len(), 64);
    assert_eq!(parse(&fields(65)).unwrap_err(), QuarantineReason::TooManyFields);
    let sized = |bytes: usize| {
        let rest = r#"{"ts":1,"id":1,"type":"attach","own":""}"#.len();
        format!(
            r#"{{"ts":1,"id":1,"type":"attach","own":"{}"}}"#,
            "a".repeat(bytes - rest)
        )
    };
    assert!(parse(&sized(4096)).is_ok());
    assert_eq!(parse(&sized(4097)).unwrap_err(), QuarantineReason::TooLong);
}

#[test]
fn neither_reasons_nor_debug_repeat_personal_data() {
    for line in [
        r#"{"ts":"85512345678","id":1,"type":"attach"}"#,
        r#"{"ts":1,"id":1,"type":"attach","msisdn":"85512345678901234"}"#,
        r#"{"ts":1,"id":1,"type":"attach","imsi":"85512345678x"}"#,
        r#""85512345678""#,
        r#"{"85512345678":1,"85512345678":2,"ts":1,"id":1,"type":"attach"}"#,
    ] {
        let quarantined = Event::parse_line(line.as_bytes(), "f").unwrap_err();
        assert!(!quarantined.to_string().contains("2345"), "{quarantined}");
    }
    let debug = format!("{:?}", parse(LINE).unwrap());
    assert!(
        debug.contains("+855•••••678") && !debug.contains("345678") && !debug.contains("10.1.2.3"),
        "{debug}"
    );
}

proptest! {
    #[test]
    fn never_panics_whatever_comes(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Event::parse_line(&bytes, "f");
    }

    #[test]
    fn a_damaged_line_is_an_event_or_quarantined(at in 0_usize..LINE.len(), byte in any::<u8>(), cut in any::<bool>()) {
        let mut line = LINE.as_bytes().to_vec();
        if cut { line.truncate(at) } else { line[at] = byte }
        match Event::parse_line(&line, "f") {
            Ok(event) => {
                let again = Value::Object(event.reveal_json()).to_string();
                prop_assert_eq!(parse(&again), Ok(event));
            }
            Err(quarantined) => prop_assert!(quarantined.text.len() < 200),
        }
    }
}
