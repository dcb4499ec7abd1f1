//! Bodies of ES9+: what is taken, what is refused, what is answered.

use crate::kit::{EID, MATCHING_ID, World, order};
use crate::story::Story;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use serde_json::{Value, json};
use simwarden_rsp::Refusal;
use simwarden_rsp::json::{self, Es9Answer};

#[test]
fn a_whole_session_in_json() {
    let world = World::new();
    let chip = world.chip(EID, 1);
    let mut story = Story::new(&world, order(None));
    let begun = story.initiate(&world);
    let body: Value = serde_json::from_str(&begun.to_json()).unwrap();
    assert_eq!(
        body["header"]["functionExecutionStatus"]["status"],
        "Executed-Success"
    );
    let transaction = body["transactionId"].as_str().unwrap().to_owned();
    assert_eq!(transaction, transaction.to_uppercase());
    let decode = |body: &Value, name: &str| STANDARD.decode(body[name].as_str().unwrap()).unwrap();
    assert_eq!(decode(&body, "serverSigned1"), begun.server_signed1);
    assert_eq!(decode(&body, "euiccCiPKIdToBeUsed")[..2], [4, 20]);
    assert_eq!(decode(&body, "serverSignature1")[..3], [0x5F, 0x37, 64]);
    assert_eq!(decode(&body, "serverCertificate"), begun.server_certificate);

    let message = STANDARD.encode(chip.authenticate(&begun, Some(MATCHING_ID)));
    let request = json!({"header": {"functionRequesterIdentifier": "x"}, "transactionId": transaction.to_lowercase(), "authenticateServerResponse": message});
    let read = json::authenticate_client(request.to_string().as_bytes()).unwrap();
    let shown = story.authenticate(read.transaction, &read.message).unwrap();
    let body: Value = serde_json::from_str(&shown.to_json()).unwrap();
    for name in [
        "profileMetadata",
        "smdpSigned2",
        "smdpSignature2",
        "smdpCertificate",
    ] {
        assert!(!decode(&body, name).is_empty());
    }
    let message = STANDARD.encode(chip.prepare(
        begun.transaction.as_bytes(),
        &decode(&body, "smdpSignature2"),
        None,
    ));
    let request = json!({"transactionId": transaction, "prepareDownloadResponse": message});
    let read = json::get_bound_profile_package(request.to_string().as_bytes()).unwrap();
    let package = story.get_package(read.transaction, &read.message).unwrap();
    let body: Value = serde_json::from_str(&package.to_json()).unwrap();
    assert_eq!(
        decode(&body, "boundProfilePackage"),
        package.bound_profile_package
    );
    assert_eq!(
        ().to_json(),
        r#"{"header":{"functionExecutionStatus":{"status":"Executed-Success"}}}"#
    );
}

#[test]
fn refusals_are_a_header_and_nothing_else() {
    for refusal in Refusal::ALL {
        let body: Value = serde_json::from_str(&json::refused(*refusal)).unwrap();
        assert_eq!(body.as_object().unwrap().len(), 1);
        let status = &body["header"]["functionExecutionStatus"];
        assert_eq!(status["status"], "Failed");
        assert_eq!(status["statusCodeData"]["subjectCode"], refusal.subject());
        assert_eq!(status["statusCodeData"]["reasonCode"], refusal.reason());
        assert_eq!(status["statusCodeData"]["message"], refusal.message());
    }
}

#[test]
fn malformed_and_missing() {
    let id = "00".repeat(16);
    for (body, refusal) in [
        (String::new(), Refusal::Malformed),
        ("[]".into(), Refusal::Malformed),
        ("{".into(), Refusal::Malformed),
        ("{}{}".into(), Refusal::Malformed),
        ("{}".into(), Refusal::Missing),
        (json!({"transactionId": id}).to_string(), Refusal::Missing),
        (
            json!({"transactionId": null, "prepareDownloadResponse": "AA=="}).to_string(),
            Refusal::Missing,
        ),
        (
            json!({"transactionId": 7, "prepareDownloadResponse": "AA=="}).to_string(),
            Refusal::Malformed,
        ),
        (
            json!({"transactionId": "../..", "prepareDownloadResponse": "AA=="}).to_string(),
            Refusal::Malformed,
        ),
        (
            json!({"transactionId": "AABB", "prepareDownloadResponse": "AA=="}).to_string(),
            Refusal::UnknownTransaction,
        ),
        (
            json!({"transactionId": id, "prepareDownloadResponse": "AA"}).to_string(),
            Refusal::Malformed,
        ),
        (
            json!({"transactionId": id, "prepareDownloadResponse": "A A="}).to_string(),
            Refusal::Malformed,
        ),
        (
            json!({"transactionId": id, "prepareDownloadResponse": "AB=="}).to_string(),
            Refusal::Malformed,
        ),
        (
            format!(r#"{{"transactionId":"{id}","transactionId":"{id}","prepareDownloadResponse":"AA=="}}"#),
            Refusal::Malformed,
        ),
        (
            format!("{}{}", "[".repeat(30_000), "]".repeat(30_000)),
            Refusal::Malformed,
        ),
        (" ".repeat(70_000), Refusal::Malformed),
    ] {
        let outcome = json::get_bound_profile_package(body.as_bytes());
        assert_eq!(outcome.unwrap_err(), refusal, "{}", &body[..body.len().min(80)]);
    }
    assert_eq!(
        json::initiate_authentication(b"{\"smdpAddress\":\"a\"}"),
        Err(Refusal::Missing)
    );
    assert_eq!(
        json::handle_notification(b"{\"pendingNotification\":\"AAAA\"}").unwrap(),
        [0, 0, 0]
    );
    assert_eq!(json::cancel_session(b"\xFF\xFE"), Err(Refusal::Malformed));
}

proptest! {
    #[test]
    fn never_panics(text in "\\PC{0,200}", bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for body in [text.as_bytes(), &bytes] {
            let _ = json::initiate_authentication(body);
            let _ = json::authenticate_client(body);
            let _ = json::handle_notification(body);
            let _ = json::download_order(body);
            let _ = json::confirm_order(body);
            let _ = json::cancel_order(body);
            let _ = json::release_profile(body);
        }
    }
}
