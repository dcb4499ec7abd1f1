//! Swaps of SIMs and phones: the newest counts, hours have edges, a change is in the very next answer.

use super::world::{PHONE, World, line};
use serde_json::{Value, json};
use simwarden_app::gateway::time_from;

const SIX: &str = "+855120000011";
const TWICE: &str = "+855120000013";
const NEW: &str = "+855120000091";
const NEVER: &str = "+855120000016";
const WITHOUT: &str = "+855120000017";
const SHELF: &str = "+855120000027";
const OLD: &str = "+855120000018";

fn lines() -> Vec<Value> {
    let sim = |state: &str, activated: u32, swaps: &[u32]| json!({ "state": state, "activated_hours_ago": activated, "swaps_hours_ago": swaps });
    let device = |first: Option<u32>, swaps: &[u32]| json!({ "first_seen_hours_ago": first, "swaps_hours_ago": swaps });
    vec![
        line(
            SIX,
            json!({ "sim": sim("active", 9000, &[6]), "device": device(Some(9000), &[6]) }),
        ),
        line(
            TWICE,
            json!({ "sim": sim("active", 9000, &[2000, 100]), "device": device(Some(9000), &[2000, 100]) }),
        ),
        line(
            NEW,
            json!({ "sim": sim("active", 5, &[]), "device": device(Some(5), &[]) }),
        ),
        line(
            NEVER,
            json!({ "sim": sim("active", 1900, &[]), "device": device(Some(1900), &[]) }),
        ),
        line(WITHOUT, json!({ "sim": sim("none", 9000, &[]) })),
        line(
            SHELF,
            json!({ "sim": sim("never_connected", 9000, &[]), "device": device(None, &[]) }),
        ),
        line(
            OLD,
            json!({ "sim": sim("active", 22_320, &[1440]), "device": device(Some(22_320), &[1440]) }),
        ),
    ]
}

#[tokio::test]
async fn the_newest_binding_counts_and_hours_have_edges() {
    let world = World::build(lines()).await;
    for (api, scope) in [("/sim-swap/v2", "sim-swap"), ("/device-swap/v1", "device-swap")] {
        let token = world.two_legged("bank", scope).await;
        for (phone, hours, expected) in [
            (SIX, None, true),
            (SIX, Some(6), false),
            (SIX, Some(7), true),
            (TWICE, Some(99), false),
            (TWICE, Some(101), true),
            (NEW, None, true),
            (NEW, Some(4), false),
            (NEVER, Some(1899), false),
            (NEVER, Some(1901), true),
            (PHONE, Some(2400), false),
        ] {
            let mut body = json!({ "phoneNumber": phone });
            if let Some(hours) = hours {
                body["maxAge"] = hours.into();
            }
            let answer = world.post(&format!("{api}/check"), &token, body).await;
            answer.says(&json!({ "swapped": expected }));
        }
        for (age, code) in [
            (json!("240"), "INVALID_ARGUMENT"),
            (json!(1.5), "INVALID_ARGUMENT"),
            (json!(null), "INVALID_ARGUMENT"),
            (json!(0), "OUT_OF_RANGE"),
            (json!(2401), "OUT_OF_RANGE"),
            (json!(u64::MAX), "OUT_OF_RANGE"),
        ] {
            let body = json!({ "phoneNumber": PHONE, "maxAge": age });
            world
                .post(&format!("{api}/check"), &token, body)
                .await
                .is(400, code);
        }
    }
}

#[tokio::test]
async fn a_date_is_the_newest_the_first_or_none() {
    let world = World::build(lines()).await;
    let hours_ago = |value: &Value| {
        let at = time_from(value.as_str().unwrap()).unwrap();
        world.gateway.now().since(at).as_secs() / 3600
    };
    let sim = world.two_legged("bank", "sim-swap").await;
    let device = world.two_legged("bank", "device-swap").await;
    for (phone, hours) in [(TWICE, 100), (NEVER, 1900), (NEW, 5)] {
        let answer = world
            .post(
                "/sim-swap/v2/retrieve-date",
                &sim,
                json!({ "phoneNumber": phone }),
            )
            .await;
        assert_eq!(hours_ago(&answer.json()["latestSimChange"]), hours);
        let answer = world
            .post(
                "/device-swap/v1/retrieve-date",
                &device,
                json!({ "phoneNumber": phone }),
            )
            .await;
        assert_eq!(hours_ago(&answer.json()["latestDeviceChange"]), hours);
    }
    let answer = world
        .post(
            "/sim-swap/v2/retrieve-date",
            &sim,
            json!({ "phoneNumber": WITHOUT }),
        )
        .await;
    answer.says(&json!({ "latestSimChange": null }));
    for path in ["/device-swap/v1/check", "/device-swap/v1/retrieve-date"] {
        world
            .post(path, &device, json!({ "phoneNumber": SHELF }))
            .await
            .is(422, "SERVICE_NOT_APPLICABLE");
    }
}

#[tokio::test]
async fn what_lies_before_the_window_is_not_told() {
    let world = World::with(lines(), Some(30), json!([])).await;
    let sim = world.two_legged("bank", "sim-swap").await;
    let device = world.two_legged("bank", "device-swap").await;
    let body = json!({ "phoneNumber": OLD });
    let answer = world.post("/sim-swap/v2/retrieve-date", &sim, body.clone()).await;
    answer.says(&json!({ "latestSimChange": null, "monitoredPeriod": 30 }));
    let answer = world.post("/device-swap/v1/retrieve-date", &device, body).await;
    answer.says(&json!({ "latestDeviceChange": null, "monitoredPeriod": 30 }));
    let check = async |hours: u32| {
        let body = json!({ "phoneNumber": SIX, "maxAge": hours });
        world.post("/sim-swap/v2/check", &sim, body).await
    };
    check(720).await.says(&json!({ "swapped": true }));
    check(721).await.is(400, "OUT_OF_RANGE");
}

#[tokio::test]
async fn a_swap_is_in_the_very_next_answer_and_grows_old() {
    let world = World::build(vec![]).await;
    let token = world
        .two_legged("bank", "sim-swap sim-swap-context:retrieve")
        .await;
    let body = json!({ "phoneNumber": PHONE, "maxAge": 1 });
    let check = async || world.post("/sim-swap/v2/check", &token, body.clone()).await;
    check().await.says(&json!({ "swapped": false }));
    world.gateway.sandbox_sim_swap(PHONE).await.unwrap();
    check().await.says(&json!({ "swapped": true }));
    let context = world
        .post(
            "/sim-swap-context/v0/retrieve",
            &token,
            json!({ "phoneNumber": PHONE }),
        )
        .await;
    assert_eq!(context.json()["ageBand"], "under_1h");
    assert_eq!(context.json()["risk"], "high");
    world.gateway.sandbox_advance(3_601).unwrap();
    check().await.says(&json!({ "swapped": false }));
}
