//! The quick way takes nothing that the slow way would not take, and finds the same.

use super::{Line, LineId, Scanner};
use crate::fields::{Fields, Val};
use proptest::prelude::*;
use simwarden_model::{Event, EventField, EventId};
use std::sync::LazyLock;

fn all_fields() -> Fields {
    let mut fields = Fields::default();
    for name in Event::FIELDS {
        fields.slot(name);
    }
    fields.slot("extra");
    fields
}

/// Compares both ways on one line; true when the quick way took it.
fn agree(line: &str) -> bool {
    let fields = all_fields();
    static SCANNER: LazyLock<Scanner> = LazyLock::new(Scanner::new);
    let scanner = &*SCANNER;
    let mut out = Line::new(&fields);
    let slow = Event::parse_line(line.as_bytes(), "feed");
    if scanner.scan(&fields, line, &mut out).is_none() {
        return false;
    }
    let event = slow.unwrap_or_else(|why| panic!("the quick way took what is refused ({why}): {line}"));
    assert_eq!(out.ts, event.ts.as_millis());
    match (&out.id, &event.id) {
        (LineId::Number(a), EventId::Number(b)) => assert_eq!(i128::from(*a), *b),
        (LineId::Text(a), EventId::Text(b)) => assert_eq!(**a, **b),
        other => panic!("{other:?}"),
    }
    assert_eq!(out.kind, event.kind.as_str());
    for (slot, name) in fields.names().iter().enumerate() {
        let quick = out.vals[slot];
        match event.field(name) {
            None => assert_eq!(quick, Val::Absent, "{name}"),
            Some(EventField::Text(text)) if **name == *"source" => {
                assert_eq!(quick.text().unwrap_or("feed"), text)
            }
            Some(EventField::Text(text)) => assert_eq!(quick, Val::Text(text), "{name}"),
            Some(EventField::Operator(plmn)) => assert_eq!(quick, Val::Text(&plmn.to_string())),
            Some(EventField::Integer(n)) => assert_eq!(quick.text(), Some(n.to_string().as_str())),
            Some(EventField::Float(f)) => assert_eq!(quick.number(), Some(f)),
            Some(EventField::Json(json)) => match json {
                serde_json::Value::String(text) => assert_eq!(quick, Val::Text(text)),
                serde_json::Value::Number(n) => assert_eq!(quick.number(), n.as_f64()),
                other => panic!("{other}"),
            },
        }
    }
    true
}

#[test]
fn an_empty_text_is_no_number() {
    for field in ["ts", "lat", "lon"] {
        let line = format!(r#"{{"ts":1,"id":7,"type":"attach","{field}":""}}"#).replacen(
            if field == "ts" { r#""ts":1,"# } else { "-" },
            "",
            1,
        );
        assert!(!agree(&line), "{line}");
    }
}

#[test]
fn plain_lines_go_the_quick_way() {
    assert!(agree(
        r#"{"ts":1760000000000,"id":7,"type":"attach","msisdn":"85512345678","iccid":"8985501123456789012","eid":"89049032123456789012345678901234","imei":"490154203237518","imsi":"456012345678901","agent_id":"AG000001","sender":"bank:01","ip":"10.1.2.3","cell":"456-01-0001-00002","lat":11.556400,"lon":-104.928200}"#
    ));
    assert!(agree(
        r#"{ "ts": 1, "id": "a", "type": "x", "extra": 5, "operator": "456-01", "lat": -0.5 }"#
    ));
    assert!(agree(r#"{"ts":1,"id":"ភ្នំ","type":"x","reason":"ស្រុក"}"#));
}

#[test]
fn whatever_is_odd_goes_the_slow_way() {
    for line in [
        r#"{"ts":1,"id":1,"type":"x","imei":"49015420323751"}"#,
        r#"{"ts":1,"id":1,"type":"x","msisdn":"+85512345678"}"#,
        r#"{"ts":1,"id":1,"type":"x","reason":"a\nb"}"#,
        r#"{"ts":1,"id":1,"type":"x","extra":null}"#,
        r#"{"ts":1,"id":1,"type":"x","extra":[1]}"#,
        r#"{"ts":1,"id":1,"type":"x","extra":1e3}"#,
        r#"{"ts":1,"id":1,"type":"x","ts":1}"#,
        r#"{"ts":1,"id":1,"type":"x","extra":1,"extra":1}"#,
        r#"{"ts":01,"id":1,"type":"x"}"#,
        r#"{"ts":1,"id":1}"#,
        r#"{"ts":1,"id":1,"type":"x"} "#,
        r#"{"ts":1,"id":1,"type":"x"}}"#,
        r#"{"ts":1,"id":1,"type":"x",}"#,
        r#"{"ts":1,"id":1,"type":"x","lat":90.5}"#,
        "{}",
        "",
        "[1]",
    ] {
        assert!(!agree(line), "{line}");
    }
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        "\"[ -~]{0,12}\"",
        "\"[0-9]{1,33}\"",
        "\"89[0-9]{16,18}\"",
        "\"855[0-9]{6,10}\"",
        "\"45[0-9]{12,13}\"",
        "\"456-0[0-9]{1,2}\"",
        "-?[0-9]{1,20}",
        "-?[0-9]{1,3}\\.[0-9]{0,9}",
        "[0-9]e[0-9]",
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just("\"\\u0041\"".to_owned()),
        Just("{\"a\":1}".to_owned()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]
    #[test]
    fn both_ways_agree(
        named in prop::collection::vec((prop::sample::select(&Event::FIELDS[4..]), value()), 0..6),
        others in prop::collection::vec(("[a-z]{1,3}|extra|agent_idx|terminal_", value()), 0..3),
        ts in prop_oneof!["[0-9]{1,16}", Just("-1".to_owned())],
        id in prop_oneof!["[0-9]{1,20}", "\"[a-z]{0,3}\""],
        space in prop_oneof![Just(""), Just(" ")],
    ) {
        let mut line = format!("{{\"ts\":{space}{ts},{space}\"id\":{id},\"type\":\"attach\"");
        for (name, value) in named.iter().map(|(n, v)| ((*n).to_owned(), v)).chain(others.iter().map(|(n, v)| (n.clone(), v))) {
            line += &format!(",{space}\"{name}\":{space}{value}");
        }
        line.push('}');
        agree(&line);
    }

    #[test]
    fn a_damaged_line_is_never_taken(at in 0_usize..90, byte in 0_u8..128) {
        let mut line = br#"{"ts":1760000000000,"id":7,"type":"attach","msisdn":"85512345678","lat":11.5,"cell":"x"}"#.to_vec();
        let at = at % line.len();
        line[at] = byte;
        if let Ok(text) = String::from_utf8(line) {
            agree(&text);
        }
    }
}
