//! One owner at a dealer's counter, the whole way through the edge; every answer is read into its documented shape.

use super::world::{World, replace, request};
use crate::shapes;
use axum::body::Body;
use axum::http::StatusCode;
use simwarden_model::Role;

#[tokio::test]
async fn an_owner_gets_a_new_profile_at_a_dealer() {
    let world = World::build().await;
    let owner = world.person("Sok Dara", "85512345678").await;
    let agent = world.token(Role::Agent, Some("shop-1"), None).await;
    let supervisor = world.token(Role::Supervisor, Some("shop-2"), None).await;
    let device = world.token(Role::Subscriber, None, Some(owner.party)).await;

    let ask = |key: &str, body: serde_json::Value| {
        request("POST", &agent, "/v1/operations")
            .header("content-type", "application/json; charset=utf-8")
            .header("idempotency-key", key)
            .body(Body::from(body.to_string()))
            .unwrap()
    };
    let answer = world.send(ask("k-1", replace(&owner))).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
    let asked: shapes::OperationAsked = answer.json();
    let id = asked.summary.id.clone();
    assert_eq!(answer.headers["location"], format!("/v1/operations/{id}"));
    assert_eq!(
        (asked.summary.state.as_str(), asked.summary.line.as_str()),
        ("awaiting_evidence", "+855•••••678")
    );
    assert_eq!(asked.receipt, format!("/v1/operations/{id}/receipt"));
    assert!(asked.leaf_hash.is_some());
    assert!(!answer.text.contains("12345678"), "no number in the clear");

    let again = world.send(ask("k-1", replace(&owner))).await;
    assert_eq!(again.status, StatusCode::OK);
    assert_eq!(again.headers["idempotent-replayed"], "true");
    assert_eq!(again.json::<shapes::OperationAsked>().summary.id, id);
    let mut other = replace(&owner);
    other["claim"] = "lost".into();
    let reused = world.send(ask("k-1", other)).await;
    assert_eq!(
        (reused.status.as_u16(), reused.code()),
        (409, "key_reused".to_owned())
    );

    let path = format!("/v1/operations/{id}");
    let evidence = |kind: &str| serde_json::json!({ "kind": kind });
    let own = world
        .post(&agent, &format!("{path}/evidence"), evidence("second_approver"))
        .await;
    assert_eq!(own.status, StatusCode::FORBIDDEN);
    let later = world
        .post(&agent, &format!("{path}/evidence"), evidence("face"))
        .await;
    assert_eq!(later.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(later.text.contains("totp"));
    let second = world
        .post(
            &supervisor,
            &format!("{path}/evidence"),
            evidence("second_approver"),
        )
        .await;
    assert_eq!(second.json::<shapes::EvidenceAnswer>().outcome, "accepted");

    let questions: shapes::Questions = world.get(&device, "/v1/approvals").await.json();
    assert_eq!(questions.approvals.len(), 1);
    let question = format!("/v1/approvals/{}", questions.approvals[0].id);
    let no_number = world
        .post(&device, &question, serde_json::json!({ "answer": "yes" }))
        .await;
    assert_eq!(no_number.status, StatusCode::BAD_REQUEST);
    let yes = serde_json::json!({ "answer": "yes", "number": asked.match_number.unwrap() });
    let answered: shapes::EvidenceAnswer = world.post(&device, &question, yes.clone()).await.json();
    assert_eq!(
        (answered.outcome.as_str(), answered.operation.state.as_str()),
        ("accepted", "executing")
    );
    let over = world.post(&device, &question, yes).await;
    assert_eq!(
        (over.status.as_u16(), over.code()),
        (409, "question_over".to_owned())
    );

    let detail: shapes::OperationDetail = world.get(&agent, &path).await.json();
    assert!(detail.timeline.iter().any(|item| item.kind == "approved"));
    assert_eq!(detail.steps[0].name, "order");
    let stopped: shapes::OperationSummary = world
        .post(&device, &format!("{path}/stop"), serde_json::Value::Null)
        .await
        .json();
    assert_ne!(stopped.state, "executing");
}

#[tokio::test]
async fn the_record_of_an_operation_is_open_to_those_who_may_see_it() {
    let world = World::build().await;
    let owner = world.person("Chan Thida", "85512345679").await;
    let agent = world.token(Role::Agent, Some("shop-1"), None).await;
    let auditor = world.token(Role::Auditor, None, None).await;
    let stranger = world.token(Role::Agent, Some("shop-9"), None).await;
    let asked: shapes::OperationAsked = world.post(&agent, "/v1/operations", replace(&owner)).await.json();
    let path = format!("/v1/operations/{}", asked.summary.id);

    let decisions: shapes::Decisions = world.get(&auditor, &format!("{path}/decisions")).await.json();
    assert_eq!(decisions.decisions.len(), 1);
    assert_eq!(decisions.decisions[0].request["operation"], "replace");
    assert!(decisions.decisions[0].facts["line"].is_object());
    let proof: crate::ProofParts = world.get(&agent, &format!("{path}/proof")).await.json();
    assert_eq!(proof.index, asked.summary.entry);
    let foreign = world.get(&agent, &format!("{path}/proof?entry=0")).await;
    assert_eq!(
        (foreign.status.as_u16(), foreign.code()),
        (404, "not_found".to_owned())
    );
    let receipt = world.get(&agent, &format!("{path}/receipt")).await;
    assert!(receipt.text.starts_with("c2sp.org/tlog-proof@v1"));
    assert!(
        receipt.headers["content-disposition"]
            .to_str()
            .unwrap()
            .starts_with("attachment")
    );
    for below in ["", "/proof", "/receipt"] {
        assert_eq!(
            world.get(&stranger, &format!("{path}{below}")).await.status,
            404,
            "{below}"
        );
    }
    for below in ["stop", "evidence"] {
        let body = serde_json::json!({ "kind": "totp", "code": "000000" });
        let answer = world.post(&stranger, &format!("{path}/{below}"), body).await;
        assert_eq!(answer.status, 404, "{below}");
    }

    let page: shapes::OperationPage = world.get(&auditor, "/v1/operations?limit=1").await.json();
    assert_eq!((page.operations.len(), page.next), (1, None));
    for _ in 0..2 {
        world.post(&agent, "/v1/operations", replace(&owner)).await;
    }
    let page: shapes::OperationPage = world.get(&auditor, "/v1/operations?limit=2").await.json();
    let next = page.next.unwrap();
    assert_eq!(page.operations[1].id, next);
    let rest: shapes::OperationPage = world
        .get(&auditor, &format!("/v1/operations?limit=2&before={next}"))
        .await
        .json();
    assert_eq!((rest.operations.len(), rest.next), (1, None));
    assert_eq!(rest.operations[0].id, asked.summary.id);
}

#[tokio::test]
async fn the_registry_is_searched_with_a_reason_that_the_owner_sees() {
    let world = World::build().await;
    let owner = world.person("Keo Bopha", "85512345670").await;
    let hotline = world.token(Role::Hotline, None, None).await;
    let device = world.token(Role::Subscriber, None, Some(owner.party)).await;
    let search = "/v1/registry/search";
    let by_number = serde_json::json!({ "by": "msisdn", "value": "012 345 670" });
    let silent = world.post(&hotline, search, by_number.clone()).await;
    assert_eq!(silent.code(), "reason_missing");
    let mut said = by_number;
    said["reason"] = "the owner is on the phone".into();
    let found: shapes::Found = world.post(&hotline, search, said.clone()).await.json();
    assert_eq!((found.lines.len(), found.lines_at_all_operators), (1, 1));
    assert_eq!(found.lines[0].line, "+855•••••670");
    assert_eq!(world.post(&device, search, said).await.status, 403);
    let own: shapes::Found = world
        .post(&device, search, serde_json::json!({ "by": "mine" }))
        .await
        .json();
    assert_eq!(own.lines[0].line, "+85512345670", "the owner sees her own number");
    let path = format!("/v1/lines/{}/history", owner.line);
    let history: shapes::History = world.get(&device, &path).await.json();
    assert_eq!(history.history[0].kind, "viewed");
    assert_eq!(history.history[0].detail["reason"], "the owner is on the phone");
    let path = format!("/v1/profiles/{}/history", owner.profile);
    assert_eq!(world.get(&hotline, &path).await.status, StatusCode::OK);
    assert_eq!(world.get(&device, &path).await.status, 403);
}

#[tokio::test]
async fn an_administrator_makes_tokens_enrols_retains_and_erases() {
    let world = World::build().await;
    let owner = world.person("Sok Dara", "85512345671").await;
    let admin = world.token(Role::Admin, None, None).await;
    let wanted =
        serde_json::json!({ "role": "agent", "operator": "999-01", "name": "Shop 7", "shop": "shop-7" });
    let answer = world.post(&admin, "/v1/tokens", wanted).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
    let made: shapes::TokenMade = answer.json();
    let me: shapes::Me = world.get(&made.token, "/v1/me").await.json();
    assert_eq!(
        (me.role.as_str(), me.operator.as_deref(), me.name.as_str()),
        ("agent", Some("999-01"), "Shop 7")
    );
    let revoke = |id: &str| {
        request("DELETE", &admin, &format!("/v1/tokens/{id}"))
            .body(Body::empty())
            .unwrap()
    };
    assert_eq!(world.send(revoke(&made.id)).await.status, StatusCode::NO_CONTENT);
    assert_eq!(
        world.get(&made.token, "/v1/me").await.status,
        StatusCode::UNAUTHORIZED
    );

    let party = format!("/v1/parties/{}", owner.party);
    let enrolled: shapes::TotpEnrolled = world
        .post(&admin, &format!("{party}/totp"), serde_json::json!({}))
        .await
        .json();
    assert!(enrolled.uri.contains(&enrolled.secret) && enrolled.secret.len() == 32);
    let retention = format!("{party}/retention");
    assert_eq!(
        world.post(&admin, &retention, serde_json::json!({})).await.status,
        400
    );
    let until = serde_json::json!({ "until": "2099-01-01T00:00:00Z" });
    assert_eq!(
        world.post(&admin, &retention, until).await.status,
        StatusCode::NO_CONTENT
    );
    let erased = world
        .post(&admin, &format!("{party}/erase"), serde_json::Value::Null)
        .await;
    assert_eq!(erased.code(), "retained_by_law");
    world
        .post(&admin, &retention, serde_json::json!({ "until": null }))
        .await;
    let erased = world
        .post(&admin, &format!("{party}/erase"), serde_json::Value::Null)
        .await;
    assert_eq!(erased.code(), "lines_open");
}

#[tokio::test]
async fn the_page_signs_in_by_cookie_and_writes_only_from_its_own_origin() {
    let world = World::build().await;
    let analyst = world.token(Role::FraudAnalyst, None, None).await;
    let sign_in = |own: bool| {
        let request = request("POST", "", "/v1/session").header("content-type", "application/json");
        let request = if own {
            request.header("x-simwarden", "1")
        } else {
            request
        };
        request
            .body(Body::from(serde_json::json!({ "token": analyst }).to_string()))
            .unwrap()
    };
    assert_eq!(world.send(sign_in(false)).await.code(), "foreign_page");
    let answer = world.send(sign_in(true)).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    let cookie = answer.headers["set-cookie"].to_str().unwrap().to_owned();
    for part in ["simwarden_session=swt_", "HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains("Secure"));
    let pair = cookie.split(';').next().unwrap();
    let get = request("GET", "", "/v1/me")
        .header("cookie", pair)
        .body(Body::empty())
        .unwrap();
    assert_eq!(world.send(get).await.json::<shapes::Me>().role, "fraud_analyst");
    let write = |headers: &[(&str, &str)]| {
        let mut request = request("POST", "", "/v1/registry/search").header("cookie", pair);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = serde_json::json!({ "by": "msisdn", "value": "012345678", "reason": "a test" });
        request
            .header("content-type", "application/json")
            .body(Body::from(body.to_string()))
            .unwrap()
    };
    assert_eq!(world.send(write(&[])).await.status, 403);
    assert_eq!(
        world
            .send(write(&[("x-simwarden", "1"), ("sec-fetch-site", "cross-site")]))
            .await
            .status,
        403
    );
    assert_eq!(
        world
            .send(write(&[("x-simwarden", "1"), ("sec-fetch-site", "same-site")]))
            .await
            .status,
        403
    );
    assert_eq!(
        world
            .send(write(&[("x-simwarden", "1"), ("sec-fetch-site", "same-origin")]))
            .await
            .status,
        200
    );
    let out = request("DELETE", "", "/v1/session")
        .header("x-simwarden", "1")
        .body(Body::empty())
        .unwrap();
    let out = world.send(out).await;
    assert!(out.headers["set-cookie"].to_str().unwrap().contains("Max-Age=0"));

    let world = World::with(crate::WebLimits::default(), true).await;
    let analyst = world.token(Role::FraudAnalyst, None, None).await;
    let request = request("POST", "", "/v1/session")
        .header("content-type", "application/json")
        .header("x-simwarden", "1")
        .body(Body::from(serde_json::json!({ "token": analyst }).to_string()))
        .unwrap();
    let cookie = world.send(request).await.headers["set-cookie"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(cookie.starts_with("__Host-simwarden=") && cookie.ends_with("; Secure"));
}
