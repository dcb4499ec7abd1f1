//! Messages that are broken, replayed, crossed, too long.

use crate::world::{HOST, World, codes, eid, released};
use serde_json::json;
use simwarden_euicc::lpa::Outcome;

const ES9: &str = "/gsma/rsp2/es9plus";
const FUNCTIONS: [&str; 4] = [
    "initiateAuthentication",
    "authenticateClient",
    "getBoundProfilePackage",
    "cancelSession",
];

#[test]
fn broken_bodies_are_refused_with_codes_and_never_with_an_error_of_the_server() {
    let mut world = World::new();
    world.must(&["profile", "thaw", "all"]);
    world.serve();
    let phone = world.phone();
    let megabyte = format!("{{\"transactionId\":\"{}\"}}", "A".repeat(1024 * 1024));
    let bodies: Vec<Vec<u8>> = vec![
        Vec::new(),
        b"{".to_vec(),
        b"[]".to_vec(),
        b"null".to_vec(),
        b"\xFF\xFE{}".to_vec(),
        b"{}trailing".to_vec(),
        vec![b'['; 30_000],
        br#"{"transactionId":"../../etc/passwd","authenticateServerResponse":"AA==","prepareDownloadResponse":"AA==","cancelSessionResponse":"AA=="}"#.to_vec(),
        br#"{"transactionId":5,"smdpAddress":[],"euiccChallenge":{}}"#.to_vec(),
        megabyte.into_bytes(),
    ];
    for function in FUNCTIONS {
        for body in &bodies {
            let heard = phone.raw(&format!("{ES9}/{function}"), body);
            let (subject, reason) = heard.codes();
            assert_eq!(heard.status, 200, "{function}");
            assert!(
                (subject.as_str(), reason.as_str()) == ("1.3", "2.1")
                    || (subject.as_str(), reason.as_str()) == ("1.3", "2.2"),
                "{function}: {subject}/{reason}"
            );
            let header = |name: &str| {
                heard
                    .headers
                    .iter()
                    .find(|it| it.0 == name)
                    .map(|it| it.1.clone())
            };
            assert!(header("x-admin-protocol").unwrap().starts_with("gsma/rsp/v2."));
            assert_eq!(header("content-type").unwrap(), "application/json;charset=UTF-8");
        }
        let unknown = json!({
            "transactionId": "00112233445566778899AABBCCDDEEFF", "authenticateServerResponse": "MAA=",
            "prepareDownloadResponse": "MAA=", "cancelSessionResponse": "MAA=",
        });
        if function != "initiateAuthentication" {
            let heard = phone.raw(&format!("{ES9}/{function}"), unknown.to_string().as_bytes());
            assert_eq!(heard.codes(), codes("8.10.1", "3.9"), "{function}");
        }
    }
    for body in &bodies {
        let heard = phone.raw(&format!("{ES9}/handleNotification"), body);
        assert_eq!((heard.status, heard.body.len()), (204, 0));
    }
    assert_eq!(phone.raw("/gsma/rsp2/es9plus/other", b"{}").status, 404);
    assert_eq!(phone.raw("/v1/me", b"{}").status, 404);
}

#[test]
fn what_was_sent_once_or_belongs_to_another_session_is_refused() {
    let mut world = World::new();
    let (first, second) = (world.profile(1).0, world.profile(2).0);
    world.orders(&[released(&first, "REPLAY-1"), released(&second, "REPLAY-2")]);
    world.serve();
    let phone = world.phone();
    let (mut chip, mut other) = (world.chip(eid(1)), world.chip(eid(2)));
    let mut calls = Vec::new();
    let outcome = phone.download_with(&mut chip, "REPLAY-1", &[], &mut calls);
    assert!(matches!(outcome, Outcome::Installed { .. }), "{outcome:?}");
    for call in &calls[1..] {
        let heard = phone.call(call);
        if call.function == "handleNotification" {
            assert_eq!(heard.status, 204);
        } else {
            assert_eq!(heard.codes(), codes("8.10.1", "3.9"), "{}", call.function);
        }
    }
    // The second chip's messages under the first one's session, and a tail behind them.
    let mut calls_other = Vec::new();
    phone.download_with(&mut other, "REPLAY-2", &[], &mut calls_other);
    let initiate = phone.call(&calls[0]);
    let fresh: serde_json::Value = serde_json::from_slice(&initiate.body).unwrap();
    for (call, expected) in [(1, codes("8.10.1", "3.9")), (2, codes("8.10.1", "3.9"))] {
        let mut crossed = calls_other[call].clone();
        crossed.body["transactionId"] = fresh["transactionId"].clone();
        assert_eq!(phone.call(&crossed).codes(), expected, "{}", crossed.function);
    }
    let mut tail = calls[1].clone();
    tail.body["transactionId"] = fresh["transactionId"].clone();
    let text = tail.body["authenticateServerResponse"].as_str().unwrap();
    let longer = format!("{}AAAA", text.trim_end_matches('='));
    tail.body["authenticateServerResponse"] = longer.into();
    assert_eq!(phone.call(&tail).codes(), codes("1.3", "2.1"));
    let mut elsewhere = calls[0].clone();
    elsewhere.body["smdpAddress"] = format!("not-{HOST}").into();
    assert_eq!(phone.call(&elsewhere).codes(), codes("8.8.1", "3.8"));
}
