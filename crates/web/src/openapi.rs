//! `GET /openapi.json`: the description of the API, made of the handlers' own.

use crate::{health, ledger_files, v1};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::IntoResponse;
use std::sync::LazyLock;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "simwarden",
        description = "Decides every sensitive operation on an eSIM and records it so that nobody can hide it.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    paths(
        v1::operation_ask::handle, v1::operation_list::handle, v1::operation_get::handle,
        v1::operation_evidence::handle, v1::operation_stop::handle, v1::operation_rollback::handle,
        v1::operation_decisions::handle, v1::operation_proof::handle, v1::operation_receipt::handle,
        v1::approval_list::handle, v1::approval_answer::handle, v1::registry_search::handle,
        v1::history::line, v1::history::profile, v1::gateway::asked, v1::gateway::consents, v1::gateway::decide,
        v1::gateway::asks, v1::gateway::answer, v1::token_make::handle, v1::token_revoke::handle,
        v1::party_totp::handle, v1::party_erase::handle, v1::party_retention::handle, v1::events::handle,
        v1::stream::handle, v1::session::begin, v1::session::end, v1::me::handle,
        v1::sign_in::begin, v1::sign_in::finish, v1::sign_in::password, v1::sign_in::recovery,
        v1::account::password, v1::account::recovery_codes, v1::sign_up::begin, v1::sign_up::finish, v1::account::handle,
        v1::passkeys::list, v1::passkeys::begin, v1::passkeys::add, v1::passkeys::rename, v1::passkeys::remove,
        v1::sessions::list, v1::sessions::end_others, v1::sessions::end_one, v1::accounts::make,
        v1::accounts::get, v1::accounts::invite, v1::accounts::shut_out, v1::signature::operation,
        v1::signature::approval, health::healthz, health::readyz, health::metrics, handle,
        ledger_files::checkpoint, ledger_files::tile, ledger_files::entries,
    ),
    modifiers(&Credentials),
    security(("bearer" = []), ("cookie" = [])),
)]
struct Description;

struct Credentials;

impl Modify for Credentials {
    fn modify(&self, description: &mut utoipa::openapi::OpenApi) {
        let components = description.components.get_or_insert_with(Default::default);
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
        let cookie = ApiKey::Cookie(ApiKeyValue::new(crate::auth::COOKIE_HTTPS));
        components.add_security_scheme("cookie", SecurityScheme::ApiKey(cookie));
    }
}

static TEXT: LazyLock<String> = LazyLock::new(|| Description::openapi().to_pretty_json().unwrap_or_default());

/// The description of the API, OpenAPI 3.1.
#[must_use]
pub fn openapi_json() -> &'static str {
    &TEXT
}

#[utoipa::path(get, path = "/openapi.json", tag = "running",
    responses((status = 200, description = "This description", body = Object)))]
pub(crate) async fn handle() -> impl IntoResponse {
    (
        [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-cache")],
        openapi_json(),
    )
}
