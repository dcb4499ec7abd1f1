//! Who somebody is: records compared, ages, tenure, recycled numbers, the network's word about a number.

use super::world::{MACHINE, OTHER, PHONE, World, line};
use serde_json::{Value, json};
use simwarden_app::gateway::{ATTRIBUTES, day_of, phone_hash};
use std::time::Duration;

const KNOWN: &str = "+855120000040";
const STRICT: &str = "+855120000041";
const LONG: &str = "+855120000051";
const RECYCLED: &str = "+855120000053";
const FORWARDED: &str = "+855120000062";

fn record() -> Value {
    json!({
        "idDocument": "K01234567", "idDocumentType": "national_id_card", "idDocumentExpiryDate": "2031-07-12",
        "name": "Sokha Chan Dara", "givenName": "Sokha", "familyName": "Chan", "nameKanaHankaku": "ｿｶ ﾁｬﾝ",
        "nameKanaZenkaku": "ソカ　チャン", "middleNames": "Dara", "familyNameAtBirth": "Keo",
        "address": "Street 271 No 12 Phnom Penh", "streetName": "Street 271", "streetNumber": "12",
        "postalCode": "120101", "region": "Phnom Penh", "locality": "Chamkar Mon", "country": "KH",
        "houseNumberExtension": "4B", "birthdate": "1988-04-14", "email": "sokha.chan@example.com",
        "gender": "FEMALE", "cityOfBirth": "Battambang", "countryOfBirth": "KH", "nationality": "KH",
    })
}

async fn world() -> World {
    let holder = |since: u32, contract: &str| {
        json!({ "since_days_ago": since, "contract_type": contract,
            "previous": [{ "since_days_ago": 900, "until_days_ago": 850 }] })
    };
    World::build(vec![
        line(KNOWN, json!({ "kyc": record() })),
        line(
            STRICT,
            json!({ "kyc": record(), "kyc_id_document_required": true }),
        ),
        line(LONG, json!({ "holder": holder(800, "PAYG") })),
        line(RECYCLED, json!({ "holder": holder(60, "PAYM") })),
        line(
            FORWARDED,
            json!({ "call_forwarding": ["unconditional", "conditional_busy"] }),
        ),
    ])
    .await
}

#[tokio::test]
async fn a_record_is_compared_and_never_told() {
    let world = world().await;
    let token = world.two_legged("bank", "kyc-match:match").await;
    let compare = async |phone: &str, mut body: Value| {
        body["phoneNumber"] = phone.into();
        world.post("/kyc-match/v0.4/match", &token, body).await
    };
    let same = compare(KNOWN, record()).await.json();
    assert_eq!(same.as_object().unwrap().len(), ATTRIBUTES.len());
    assert!(same.as_object().unwrap().values().all(|word| word == "true"));
    for (name, scored) in ATTRIBUTES {
        let other = match *name {
            "idDocumentType" => "passport",
            "idDocumentExpiryDate" | "birthdate" => "1970-01-01",
            "email" => "a@b.example",
            "gender" => "MALE",
            _ => "zzz",
        };
        let answer = compare(KNOWN, json!({ *name: other })).await.json();
        assert_eq!(answer[format!("{name}Match")], "false");
        assert_eq!(
            answer.get(format!("{name}MatchScore")).is_some(),
            *scored,
            "{name}"
        );
        let answer = compare(PHONE, json!({ *name: other })).await;
        answer.says(&json!({ format!("{name}Match"): "not_available" }));
    }
    compare(KNOWN, json!({}))
        .await
        .is(400, "KNOW_YOUR_CUSTOMER.INVALID_PARAM_COMBINATION");
    world
        .post("/kyc-match/v0.4/match", &token, json!({}))
        .await
        .is(400, "INVALID_ARGUMENT");
    compare(STRICT, json!({ "name": "a" }))
        .await
        .is(403, "KNOW_YOUR_CUSTOMER.ID_DOCUMENT_REQUIRED");
    let wrong = json!({ "name": "a", "idDocument": "X1" });
    compare(STRICT, wrong)
        .await
        .is(403, "KNOW_YOUR_CUSTOMER.ID_DOCUMENT_MISMATCH");
    assert_eq!(compare(STRICT, record()).await.status, 200);
    for bad in [
        json!({ "birthdate": "14.4.1988" }),
        json!({ "email": "nobody" }),
        json!({ "gender": "F" }),
    ] {
        compare(KNOWN, bad).await.is(400, "INVALID_ARGUMENT");
    }
}

#[tokio::test]
async fn ages_are_told_as_a_yes_or_no() {
    let world = world().await;
    let token = world.two_legged("bank", "kyc-age-verification:verify").await;
    let verify = async |phone: &str, more: Value| {
        let mut body = json!({ "phoneNumber": phone });
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        world
            .post("/kyc-age-verification/v0.2/verify", &token, body)
            .await
    };
    let answer = verify(KNOWN, json!({ "ageThreshold": 18, "name": "Sokha Chan Dara" })).await;
    answer.says(&json!({ "ageCheck": "true", "verifiedStatus": true, "identityMatchScore": 100 }));
    assert_eq!(
        verify(KNOWN, json!({ "ageThreshold": 120 })).await.json()["ageCheck"],
        "false"
    );
    let answer = verify(PHONE, json!({ "ageThreshold": 18, "includeContentLock": true })).await;
    answer.says(
        &json!({ "ageCheck": "not_available", "verifiedStatus": false, "contentLock": "not_available" }),
    );
    verify(KNOWN, json!({ "ageThreshold": 121 }))
        .await
        .is(400, "OUT_OF_RANGE");
    verify(KNOWN, json!({ "ageThreshold": -1 }))
        .await
        .is(400, "OUT_OF_RANGE");
    verify(KNOWN, json!({ "ageThreshold": "18" }))
        .await
        .is(400, "INVALID_ARGUMENT");
    verify(KNOWN, json!({})).await.is(400, "INVALID_ARGUMENT");
}

#[tokio::test]
async fn tenure_and_recycling_are_two_sides_of_one_day() {
    let world = world().await;
    let tenure = world.two_legged("bank", "kyc-tenure:check-tenure").await;
    let recycling = world.two_legged("bank", "number-recycling:check").await;
    let day = |ago: u64| day_of(world.gateway.now().minus(Duration::from_secs(ago * 86_400))).to_string();
    // 200 days ago nobody had the recycled number; 870 days ago somebody else did.
    for (phone, ago, since, contract) in [
        (LONG, 799, true, "PAYG"),
        (LONG, 800, true, "PAYG"),
        (LONG, 801, false, "PAYG"),
        (RECYCLED, 30, true, "PAYM"),
        (RECYCLED, 60, true, "PAYM"),
        (RECYCLED, 200, false, "PAYM"),
        (RECYCLED, 870, false, "PAYM"),
    ] {
        let body = json!({ "phoneNumber": phone, "tenureDate": day(ago) });
        let answer = world.post("/kyc-tenure/v0.2/check-tenure", &tenure, body).await;
        answer.says(&json!({ "tenureDateCheck": since, "contractType": contract }));
        let body = json!({ "phoneNumber": phone, "specifiedDate": day(ago) });
        let answer = world.post("/number-recycling/v0.2/check", &recycling, body).await;
        answer.says(&json!({ "phoneNumberRecycled": !since }));
    }
    for (value, code) in [
        ("2999-01-01", "OUT_OF_RANGE"),
        ("2024-02-30", "INVALID_ARGUMENT"),
        ("", "INVALID_ARGUMENT"),
    ] {
        let body = json!({ "phoneNumber": PHONE, "tenureDate": value });
        world
            .post("/kyc-tenure/v0.2/check-tenure", &tenure, body)
            .await
            .is(400, code);
        let body = json!({ "phoneNumber": PHONE, "specifiedDate": value });
        world
            .post("/number-recycling/v0.2/check", &recycling, body)
            .await
            .is(400, code);
    }
}

#[tokio::test]
async fn only_the_networks_word_verifies_a_number() {
    let world = world().await;
    let scopes = "number-verification:verify number-verification:device-phone-number:read";
    let token = world.by_network("bank", PHONE, scopes).await;
    let verify =
        async |token: &str, body: Value| world.post("/number-verification/v2/verify", token, body).await;
    let yes = json!({ "devicePhoneNumberVerified": true });
    verify(&token, json!({ "phoneNumber": PHONE })).await.says(&yes);
    verify(
        &token,
        json!({ "hashedPhoneNumber": phone_hash(PHONE).to_uppercase() }),
    )
    .await
    .says(&yes);
    let no = json!({ "devicePhoneNumberVerified": false });
    verify(&token, json!({ "phoneNumber": OTHER })).await.says(&no);
    verify(&token, json!({ "hashedPhoneNumber": phone_hash(OTHER) }))
        .await
        .says(&no);
    for bad in [
        json!({}),
        json!({ "phoneNumber": PHONE, "hashedPhoneNumber": phone_hash(PHONE) }),
        json!({ "additional_property": 1 }),
        json!({ "hashedPhoneNumber": "abc" }),
    ] {
        verify(&token, bad).await.is(400, "INVALID_ARGUMENT");
    }
    let own = world
        .call("GET", "/number-verification/v2/device-phone-number", &token, None)
        .await;
    own.says(&json!({ "devicePhoneNumber": PHONE }));
    let by_word = world.three_legged("bank", &format!("tel:{PHONE}"), scopes).await;
    let denied = verify(&by_word, json!({ "phoneNumber": PHONE })).await;
    denied.is(
        403,
        "NUMBER_VERIFICATION.USER_NOT_AUTHENTICATED_BY_MOBILE_NETWORK",
    );
}

#[tokio::test]
async fn forwarding_and_service_are_told() {
    let world = world().await;
    let token = world
        .two_legged(
            "bank",
            "call-forwarding-signal:unconditional-call-forwardings:read \
             call-forwarding-signal:call-forwardings:read subscription-status:retrive-subscription-status",
        )
        .await;
    let post =
        async |path: &str, phone: &str| world.post(path, &token, json!({ "phoneNumber": phone })).await;
    let always = "/call-forwarding-signal/v0.4/unconditional-call-forwardings";
    let all = "/call-forwarding-signal/v0.4/call-forwardings";
    post(always, FORWARDED).await.says(&json!({ "active": true }));
    post(always, PHONE).await.says(&json!({ "active": false }));
    post(all, FORWARDED)
        .await
        .says(&json!(["unconditional", "conditional_busy"]));
    post(all, PHONE).await.says(&json!(["inactive"]));
    let status = "/subscription-status/v0.1/retrive-subscription-status";
    let active = json!({ "voiceSmsIn": "active", "voiceSmsOut": "active", "dataService": "active" });
    post(status, PHONE).await.says(&active);
    post(status, MACHINE).await.is(422, "SERVICE_NOT_APPLICABLE");
}
