//! Every route with its handler. A route is added together with its row of the access table; there is no other way.

use crate::access::{self, Rule};
use crate::auth::{Gate, gate};
use crate::edge::{edge, panicked};
use crate::{Problem, WebState, assets, deny, health, ledger_files, openapi, v1};
use axum::Router;
use axum::handler::Handler;
use axum::http::Method;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodFilter, on};
use tower_http::catch_panic::CatchPanicLayer;

/// Collects routes.
struct Routes {
    state: WebState,
    router: Router<WebState>,
    added: Vec<&'static Rule>,
}

impl Routes {
    fn add<H, T>(mut self, rule: &'static Rule, handler: H) -> Self
    where
        H: Handler<T, WebState>,
        T: 'static,
    {
        let filter = match rule.method {
            Method::POST => MethodFilter::POST,
            Method::DELETE => MethodFilter::DELETE,
            _ => MethodFilter::GET,
        };
        let guard = Gate {
            state: self.state.clone(),
            rule,
        };
        let route = on(filter, handler).route_layer(from_fn_with_state(guard, gate));
        self.router = self.router.route(rule.path, route);
        self.added.push(rule);
        self
    }
}

/// The whole edge, ready to be served.
pub fn router(state: WebState) -> Router {
    routes(&state).0
}

/// The edge, and the rows that have a handler.
pub(crate) fn routes(state: &WebState) -> (Router, Vec<&'static Rule>) {
    let routes = Routes {
        state: state.clone(),
        router: Router::new(),
        added: Vec::new(),
    };
    let Routes { router, added, .. } = pages(running(accounts(api(routes))));
    let router = router
        .fallback(async || Problem::not_found())
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(state.clone(), edge))
        .with_state(state.clone());
    (router, added)
}

fn api(routes: Routes) -> Routes {
    routes
        .add(&access::OPERATION_ASK, v1::operation_ask::handle)
        .add(&access::OPERATION_LIST, v1::operation_list::handle)
        .add(&access::OPERATION_GET, v1::operation_get::handle)
        .add(&access::OPERATION_EVIDENCE, v1::operation_evidence::handle)
        .add(&access::OPERATION_STOP, v1::operation_stop::handle)
        .add(&access::OPERATION_ROLLBACK, v1::operation_rollback::handle)
        .add(&access::OPERATION_DECISIONS, v1::operation_decisions::handle)
        .add(&access::OPERATION_PROOF, v1::operation_proof::handle)
        .add(&access::OPERATION_RECEIPT, v1::operation_receipt::handle)
        .add(&access::APPROVAL_LIST, v1::approval_list::handle)
        .add(&access::APPROVAL_ANSWER, v1::approval_answer::handle)
        .add(&access::REGISTRY_SEARCH, v1::registry_search::handle)
        .add(&access::LINE_HISTORY, v1::history::line)
        .add(&access::LINE_ASKED, v1::gateway::asked)
        .add(&access::LINE_CONSENTS, v1::gateway::consents)
        .add(&access::LINE_CONSENT, v1::gateway::decide)
        .add(&access::ASK_LIST, v1::gateway::asks)
        .add(&access::ASK_ANSWER, v1::gateway::answer)
        .add(&access::PROFILE_HISTORY, v1::history::profile)
        .add(&access::TOKEN_MAKE, v1::token_make::handle)
        .add(&access::TOKEN_REVOKE, v1::token_revoke::handle)
        .add(&access::PARTY_TOTP, v1::party_totp::handle)
        .add(&access::PARTY_ERASE, v1::party_erase::handle)
        .add(&access::PARTY_RETENTION, v1::party_retention::handle)
        .add(&access::EVENTS, v1::events::handle)
        .add(&access::STREAM, v1::stream::handle)
        .add(&access::OPERATION_SIGN, v1::signature::operation)
        .add(&access::APPROVAL_SIGN, v1::signature::approval)
        .add(&access::SESSION_BEGIN, v1::session::begin)
        .add(&access::SESSION_END, v1::session::end)
        .add(&access::ME, v1::me::handle)
}

fn accounts(routes: Routes) -> Routes {
    routes
        .add(&access::SIGN_IN_BEGIN, v1::sign_in::begin)
        .add(&access::SIGN_IN_FINISH, v1::sign_in::finish)
        .add(&access::SIGN_IN_PASSWORD, v1::sign_in::password)
        .add(&access::SIGN_IN_RECOVERY, v1::sign_in::recovery)
        .add(&access::DENY_VIEW, deny::view)
        .add(&access::DENY, deny::deny)
        .add(&access::SIGN_UP_BEGIN, v1::sign_up::begin)
        .add(&access::SIGN_UP_FINISH, v1::sign_up::finish)
        .add(&access::ACCOUNT, v1::account::handle)
        .add(&access::ACCOUNT_PASSWORD, v1::account::password)
        .add(&access::ACCOUNT_RECOVERY, v1::account::recovery_codes)
        .add(&access::PASSKEY_LIST, v1::passkeys::list)
        .add(&access::PASSKEY_BEGIN, v1::passkeys::begin)
        .add(&access::PASSKEY_ADD, v1::passkeys::add)
        .add(&access::PASSKEY_RENAME, v1::passkeys::rename)
        .add(&access::PASSKEY_REMOVE, v1::passkeys::remove)
        .add(&access::SESSION_LIST, v1::sessions::list)
        .add(&access::SESSION_END_OTHERS, v1::sessions::end_others)
        .add(&access::SESSION_END_ONE, v1::sessions::end_one)
        .add(&access::ACCOUNT_MAKE, v1::accounts::make)
        .add(&access::ACCOUNT_GET, v1::accounts::get)
        .add(&access::ACCOUNT_INVITE, v1::accounts::invite)
        .add(&access::ACCOUNT_SHUT_OUT, v1::accounts::shut_out)
}

fn running(routes: Routes) -> Routes {
    routes
        .add(&access::OPENAPI, openapi::handle)
        .add(&access::HEALTHZ, health::healthz)
        .add(&access::READYZ, health::readyz)
        .add(&access::METRICS, health::metrics)
        .add(&access::LEDGER_CHECKPOINT, ledger_files::checkpoint)
        .add(&access::LEDGER_TILE, ledger_files::tile)
        .add(&access::LEDGER_ENTRIES, ledger_files::entries)
}

fn pages(routes: Routes) -> Routes {
    routes
        .add(&access::ROOT, assets::root)
        .add(&access::CONSOLE, assets::console)
        .add(&access::CONSOLE_BELOW, assets::console)
        .add(&access::ASSET, assets::asset)
        .add(&access::LICENCE, assets::licence)
        .add(&access::ICON, assets::icon)
}
