//! The access table against the server: every route, every role, and whoever has no token, a wrong one, one that
//! ended or was taken back.

use super::world::{Answer, World, request};
use crate::access::{ES9PLUS_TABLE, Rule, TABLE, Who};
use crate::routes::routes;
use axum::body::Body;
use axum::http::Method;
use simwarden_model::{Role, TokenId};
use std::time::Duration;

const ID: &str = "0192a3b4-c5d6-7e8f-9a0b-1c2d3e4f5061";

fn path_of(rule: &Rule) -> String {
    let path = match rule.path {
        "/ledger/tile/{*path}" => "/ledger/tile/0/000".to_owned(),
        "/ledger/tile/entries/{*path}" => "/ledger/tile/entries/000".to_owned(),
        path => path.replace("{*path}", "x"),
    };
    path.replace("{id}", ID).replace("{code}", "x")
}

async fn call(world: &World, rule: &Rule, method: &Method, token: &str) -> Answer {
    // The live stream has no end; whether it is let in is seen from its first word.
    let request = request(method.as_str(), token, &path_of(rule))
        .header("content-type", "application/json")
        .body(Body::from("{}"))
        .unwrap();
    if rule.path == "/v1/stream" {
        use tower::ServiceExt as _;
        let response = world.router.clone().oneshot(request).await.unwrap();
        let (parts, _) = response.into_parts();
        return Answer {
            status: parts.status,
            headers: parts.headers,
            text: String::new(),
        };
    }
    world.send(request).await
}

/// What somebody is who may not pass.
fn refused(answer: &Answer, status: u16) -> bool {
    answer.status.as_u16() == status
}

#[tokio::test]
async fn every_route_has_its_row_and_every_row_its_route() {
    let world = World::build().await;
    let (_, added) = routes(&world.state);
    for rule in &added {
        assert!(
            TABLE.iter().any(|row| std::ptr::eq(*row, *rule)),
            "{rule:?} is not in the table"
        );
    }
    for row in TABLE {
        let count = added.iter().filter(|rule| std::ptr::eq(**rule, *row)).count();
        assert_eq!(count, 1, "{} {} has {count} routes", row.method, row.path);
    }
    // A method that no row names does nothing, on any path.
    for row in TABLE {
        for method in [
            "GET", "POST", "DELETE", "PUT", "PATCH", "OPTIONS", "TRACE", "CONNECT", "PURGE",
        ] {
            let named = TABLE
                .iter()
                .any(|other| other.path == row.path && other.method.as_str() == method);
            if named {
                continue;
            }
            let sent = request(method, "", &path_of(row)).body(Body::empty()).unwrap();
            let answer = world.send(sent).await;
            assert!(
                matches!(answer.status.as_u16(), 404 | 405),
                "{method} {} answered {}",
                row.path,
                answer.status
            );
        }
    }
}

#[tokio::test]
async fn every_role_passes_where_its_row_says_so_and_nowhere_else() {
    // More requests than one person sends in a second.
    let limits = crate::WebLimits {
        person_per_second: crate::limits::count(10_000),
        ..crate::WebLimits::default()
    };
    let world = World::with(limits, false).await;
    let owner = world.person("Sok Dara", "85512345678").await;
    for role in Role::ALL.iter().copied().filter(|role| *role != Role::System) {
        let party = (role == Role::Subscriber).then_some(owner.party);
        let token = world.token(role, None, party).await;
        for rule in TABLE {
            let mut methods = vec![rule.method.clone()];
            if rule.method == Method::GET {
                methods.push(Method::HEAD);
            }
            for method in methods {
                let answer = call(&world, rule, &method, &token).await;
                let name = format!("{role}: {method} {} answered {}", rule.path, answer.status);
                assert_ne!(answer.status.as_u16(), 401, "{name}");
                assert_ne!(answer.status.as_u16(), 500, "{name}");
                let session = rule.path == "/v1/session";
                // Past the wall a use case may still refuse; the wall itself names the role.
                let wall = answer.status == 403
                    && (method == Method::HEAD
                        || answer.text.is_empty()
                        || answer.text.contains(&format!("the role `{role}` may not")));
                if !session {
                    assert_eq!(!wall, rule.admits(Some(role)), "{name}");
                }
            }
        }
    }
}

#[tokio::test]
async fn without_a_valid_token_nobody_passes() {
    let world = World::build().await;
    let (_, ended) = world
        .token_with(Role::Auditor, None, None, Duration::from_micros(1))
        .await;
    let (id, revoked) = world
        .token_with(Role::Auditor, None, None, Duration::from_secs(60))
        .await;
    world
        .app
        .revoke_token(&simwarden_app::Actor::system(), id)
        .await
        .unwrap();
    let never = format!("swt_{}", "0".repeat(64));
    let as_id = TokenId::from_bytes(*id.as_bytes()).to_string().replace('-', "");
    for rule in TABLE.iter().filter(|rule| matches!(rule.who, Who::Roles(_))) {
        for token in ["", &ended, &revoked, &never, "swt_", "x", &as_id] {
            let answer = call(&world, rule, &rule.method, token).await;
            // Wrong tokens without end are slowed down; either way nobody passes.
            assert!(
                refused(&answer, 401) || refused(&answer, 429),
                "{} {} with `{token}` answered {}",
                rule.method,
                rule.path,
                answer.status
            );
            if answer.status == 401 && rule.path != "/v1/stream" {
                assert_eq!(answer.headers["www-authenticate"], "Bearer realm=\"simwarden\"");
            }
        }
    }
}

/// The SM-DP+ has a listener of its own: every row has its route, every role and nobody in particular passes, and what
/// is on the other listener is not on this one.
#[tokio::test]
async fn the_listener_of_the_smdp_serves_its_rows_to_everybody_and_nothing_else() {
    use tower::ServiceExt as _;
    let world = World::build().await;
    let smdp = super::world::smdp(&world.app);
    let (router, added) = crate::es9plus::routes(smdp, crate::Es9Limits::default());
    assert_eq!(added.len(), ES9PLUS_TABLE.len());
    for row in ES9PLUS_TABLE {
        assert!(added.iter().any(|rule| std::ptr::eq(*rule, *row)), "{row:?}");
        assert_eq!(row.who, Who::Everybody);
        assert!(!TABLE.iter().any(|other| other.path == row.path));
    }
    let token = world.token(Role::Admin, None, None).await;
    let answer = async |method: &str, token: &str, path: &str| {
        let sent = request(method, token, path).body(Body::from("{}")).unwrap();
        router.clone().oneshot(sent).await.unwrap().status().as_u16()
    };
    for row in ES9PLUS_TABLE {
        let fine = if row.path.ends_with("handleNotification") {
            204
        } else {
            200
        };
        for token in ["", "swt_x", &token] {
            assert_eq!(answer("POST", token, row.path).await, fine, "{}", row.path);
        }
        for method in ["GET", "PUT", "DELETE", "OPTIONS"] {
            assert_eq!(answer(method, "", row.path).await, 405, "{method} {}", row.path);
        }
    }
    for row in TABLE {
        assert_eq!(
            answer(row.method.as_str(), &token, &path_of(row)).await,
            404,
            "{}",
            row.path
        );
    }
}
