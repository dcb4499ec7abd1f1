//! What holds for every operation: its row, and the order in which things are refused.

use super::spec::scopes;
use super::world::{CORRELATOR, MACHINE, OTHER, PHONE, UNKNOWN, World};
use crate::camara::{Legs, endpoints};
use axum::body::Body;
use axum::http::{Method, Request};
use serde_json::{Value, json};
use simwarden_app::gateway::SCOPES;

/// Every operation: which scopes open it, who must stand behind the token, the least body.
const TABLE: &[(&str, &str, &[&str], Legs, &str)] = {
    use Legs::{ThreeByNetwork as Network, TwoOrThree as Any};
    &[
        (
            "POST",
            "/sim-swap/v2/check",
            &["sim-swap", "sim-swap:check"],
            Any,
            "{}",
        ),
        (
            "POST",
            "/sim-swap/v2/retrieve-date",
            &["sim-swap", "sim-swap:retrieve-date"],
            Any,
            "{}",
        ),
        (
            "POST",
            "/device-swap/v1/check",
            &["device-swap", "device-swap:check"],
            Any,
            "{}",
        ),
        (
            "POST",
            "/device-swap/v1/retrieve-date",
            &["device-swap", "device-swap:retrieve-date"],
            Any,
            "{}",
        ),
        (
            "POST",
            "/number-verification/v2/verify",
            &["number-verification:verify"],
            Network,
            "{}",
        ),
        (
            "GET",
            "/number-verification/v2/device-phone-number",
            &["number-verification:device-phone-number:read"],
            Network,
            "",
        ),
        (
            "POST",
            "/kyc-match/v0.4/match",
            &["kyc-match:match"],
            Any,
            "{\"name\":\"a\"}",
        ),
        (
            "POST",
            "/kyc-tenure/v0.2/check-tenure",
            &["kyc-tenure:check-tenure"],
            Any,
            "{\"tenureDate\":\"2024-01-01\"}",
        ),
        (
            "POST",
            "/kyc-age-verification/v0.2/verify",
            &["kyc-age-verification:verify"],
            Any,
            "{\"ageThreshold\":18}",
        ),
        (
            "POST",
            "/number-recycling/v0.2/check",
            &["number-recycling:check"],
            Any,
            "{\"specifiedDate\":\"2024-01-01\"}",
        ),
        (
            "POST",
            "/call-forwarding-signal/v0.4/unconditional-call-forwardings",
            &["call-forwarding-signal:unconditional-call-forwardings:read"],
            Any,
            "{}",
        ),
        (
            "POST",
            "/call-forwarding-signal/v0.4/call-forwardings",
            &["call-forwarding-signal:call-forwardings:read"],
            Any,
            "{}",
        ),
        (
            "POST",
            "/one-time-password-sms/v1/send-code",
            &["one-time-password-sms:send-validate"],
            Any,
            "",
        ),
        (
            "POST",
            "/one-time-password-sms/v1/validate-code",
            &["one-time-password-sms:send-validate"],
            Any,
            "",
        ),
        (
            "POST",
            "/subscription-status/v0.1/retrive-subscription-status",
            &["subscription-status:retrive-subscription-status"],
            Any,
            "{}",
        ),
        (
            "POST",
            "/consent-info/v0.2/retrieve",
            &["consent-info:retrieve"],
            Any,
            "{\"scopes\":[\"sim-swap:check\"],\"purpose\":\"dpv:FraudPreventionAndDetection\",\"requestCaptureUrl\":false}",
        ),
        (
            "POST",
            "/sim-swap-subscriptions/v0.3/subscriptions",
            &["sim-swap-subscriptions:org.camaraproject.sim-swap-subscriptions.v0.swapped:create"],
            Any,
            "",
        ),
        (
            "GET",
            "/sim-swap-subscriptions/v0.3/subscriptions",
            &["sim-swap-subscriptions:read"],
            Any,
            "",
        ),
        (
            "GET",
            "/sim-swap-subscriptions/v0.3/subscriptions/{subscriptionId}",
            &["sim-swap-subscriptions:read"],
            Any,
            "",
        ),
        (
            "DELETE",
            "/sim-swap-subscriptions/v0.3/subscriptions/{subscriptionId}",
            &["sim-swap-subscriptions:delete"],
            Any,
            "",
        ),
        (
            "POST",
            "/sim-swap-context/v0/retrieve",
            &["sim-swap-context:retrieve"],
            Any,
            "{}",
        ),
    ]
};

#[test]
fn every_operation_has_its_row_and_opens_to_the_official_scopes_only() {
    let row = |method: &Method, path: &str| {
        TABLE
            .iter()
            .find(|row| row.0 == method.as_str() && row.1 == path)
            .unwrap_or_else(|| panic!("{method} {path} has no row"))
    };
    assert_eq!(endpoints().count(), TABLE.len());
    for endpoint in endpoints() {
        let row = row(&endpoint.method, endpoint.path);
        let sorted = |list: &[&str]| {
            let mut list: Vec<String> = list.iter().map(|scope| (*scope).to_owned()).collect();
            list.sort();
            list
        };
        assert_eq!(sorted(endpoint.scopes), sorted(row.2), "{}", endpoint.path);
        assert_eq!(endpoint.legs, row.3, "{}", endpoint.path);
        if let Some(mut official) = scopes(endpoint.method.as_str(), endpoint.path) {
            official.sort();
            assert_eq!(sorted(endpoint.scopes), official, "{}", endpoint.path);
        }
        assert!(endpoint.scopes.iter().all(|scope| SCOPES.contains(scope)));
    }
    for scope in SCOPES {
        assert!(
            TABLE.iter().any(|row| row.2.contains(scope)),
            "{scope} opens nothing"
        );
    }
}

#[tokio::test]
async fn the_router_too_speaks_in_camaras_form_and_a_token_opens_what_it_names() {
    let world = World::build(vec![]).await;
    for (method, path, scopes, legs, _) in TABLE {
        let path = path.replace("{subscriptionId}", "0123");
        world
            .call(method, &path, "", Some(json!({})))
            .await
            .is(401, "UNAUTHENTICATED");
        let made_up = format!("swg_{}", "0".repeat(64));
        world
            .call(method, &path, &made_up, Some(json!({})))
            .await
            .is(401, "UNAUTHENTICATED");
        let other = SCOPES.iter().find(|scope| !scopes.contains(scope)).unwrap();
        let token = world.two_legged("bank", other).await;
        world
            .call(method, &path, &token, Some(json!({})))
            .await
            .is(403, "PERMISSION_DENIED");
        let wrong = world.call("PATCH", &path, "", None).await;
        wrong.is(405, "METHOD_NOT_ALLOWED");
        assert!(wrong.headers["allow"].to_str().unwrap().contains(method));
        world
            .call(method, &format!("{path}/more/more"), "", None)
            .await
            .is(404, "NOT_FOUND");
        for scope in *scopes {
            let token = world.two_legged("bank", scope).await;
            let answer = world.call(method, &path, &token, Some(json!({}))).await;
            match legs {
                Legs::ThreeByNetwork => {
                    answer.is(
                        403,
                        "NUMBER_VERIFICATION.USER_NOT_AUTHENTICATED_BY_MOBILE_NETWORK",
                    );
                }
                Legs::TwoOrThree => assert!(!matches!(answer.status, 401 | 403), "{path}: {answer:?}"),
            }
        }
        let request = Request::builder()
            .method(*method)
            .uri(&path)
            .header("x-correlator", "not valid")
            .body(Body::empty())
            .unwrap();
        world.send(request).await.is(400, "INVALID_ARGUMENT");
    }
    world
        .call("GET", "/sim-swap/v2", "", None)
        .await
        .is(404, "NOT_FOUND");
}

#[tokio::test]
async fn bodies_are_read_strictly() {
    let world = World::build(vec![]).await;
    for (_, path, scopes, ..) in TABLE
        .iter()
        .filter(|row| row.0 == "POST" && row.3 == Legs::TwoOrThree)
    {
        let token = world.two_legged("bank", scopes[0]).await;
        let send = async |media: &str, body: Vec<u8>| {
            let request = Request::post(*path)
                .header("authorization", format!("Bearer {token}"))
                .header("content-type", media)
                .body(Body::from(body))
                .unwrap();
            world.send(request).await
        };
        for body in [
            "",
            "{",
            "[]",
            "null",
            "\"a\"",
            "{} x",
            "{\"phoneNumber\":\"\u{0}\"}",
            "\u{feff}{}",
        ] {
            send("application/json", body.into())
                .await
                .is(400, "INVALID_ARGUMENT");
        }
        send("application/json", vec![b'{', b'"', 0xFF, b'"', b'}'])
            .await
            .is(400, "INVALID_ARGUMENT");
        send("text/plain", "{}".into())
            .await
            .is(415, "UNSUPPORTED_MEDIA_TYPE");
        send("application/json", vec![b' '; 70_000])
            .await
            .is(413, "PAYLOAD_TOO_LARGE");
    }
}

#[tokio::test]
async fn the_number_comes_from_the_token_or_the_body_and_never_from_both() {
    let world = World::build(vec![]).await;
    for (_, path, scopes, _, least) in TABLE
        .iter()
        .filter(|row| row.4.starts_with('{') && row.3 == Legs::TwoOrThree)
    {
        let body = |phone: Option<&str>| {
            let mut body: Value = serde_json::from_str(least).unwrap();
            if let Some(phone) = phone {
                body["phoneNumber"] = phone.into();
            }
            body
        };
        let two = world.two_legged("bank", scopes[0]).await;
        let three = world
            .three_legged("bank", &format!("tel:{PHONE}"), scopes[0])
            .await;
        let post = async |token: &str, phone: Option<&str>| world.post(path, token, body(phone)).await;
        assert_eq!(post(&two, Some(PHONE)).await.status, 200, "{path}");
        assert_eq!(post(&three, None).await.status, 200, "{path}");
        post(&two, None).await.is(422, "MISSING_IDENTIFIER");
        for wrong in ["855120000001", "+0855", "", "+85512000000112345"] {
            post(&two, Some(wrong)).await.is(400, "INVALID_ARGUMENT");
        }
        post(&two, Some(UNKNOWN)).await.is(404, "IDENTIFIER_NOT_FOUND");
        post(&two, Some(MACHINE)).await.is(422, "SERVICE_NOT_APPLICABLE");
        if ["/kyc-match", "/subscription-status"]
            .iter()
            .any(|api| path.starts_with(api))
        {
            assert_eq!(post(&three, Some(PHONE)).await.status, 200, "{path}");
            post(&three, Some(OTHER)).await.is(403, "INVALID_TOKEN_CONTEXT");
        } else {
            post(&three, Some(PHONE)).await.is(422, "UNNECESSARY_IDENTIFIER");
            post(&three, Some(OTHER)).await.is(422, "UNNECESSARY_IDENTIFIER");
        }
    }
}

#[tokio::test]
async fn quota_and_burst_are_told_apart() {
    let world = World::build(vec![]).await;
    for (client, code) in [("quota", "QUOTA_EXCEEDED"), ("burst", "TOO_MANY_REQUESTS")] {
        let token = world.two_legged(client, "sim-swap").await;
        let check = async || {
            world
                .post("/sim-swap/v2/check", &token, json!({ "phoneNumber": PHONE }))
                .await
        };
        for _ in 0..3 {
            assert_eq!(check().await.status, 200);
        }
        check().await.is(429, code);
    }
}

#[tokio::test]
async fn a_correlator_is_said_back_and_made_up_where_there_is_none() {
    let world = World::build(vec![]).await;
    let answer = world
        .call("POST", "/sim-swap/v2/check", "", Some(json!({})))
        .await;
    assert_eq!(answer.headers["x-correlator"], CORRELATOR);
    assert_eq!(answer.headers["www-authenticate"], "Bearer");
    let request = Request::post("/sim-swap/v2/check").body(Body::empty()).unwrap();
    let answer = world.send(request).await;
    assert!(
        answer.headers["x-correlator"]
            .to_str()
            .unwrap()
            .starts_with("simwarden-")
    );
    let two = Request::post("/sim-swap/v2/check")
        .header("x-correlator", "a")
        .header("x-correlator", "b")
        .body(Body::empty())
        .unwrap();
    world.send(two).await.is(400, "INVALID_ARGUMENT");
}
