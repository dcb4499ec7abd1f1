//! The authorisation server over HTTP: discovery, keys, tokens, questions to the subscriber, codes, taking back.

use super::{BODY_BYTES_MAX, BODY_TIME_MAX, CamaraState, json};
use crate::auth::peer_of;
use crate::body;
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE,
};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::{Value, json};
use simwarden_app::ErrorKind;
use simwarden_app::gateway::{AskRequest, AuthorizeRequest, OAuthError, SCOPES, TokenRequest};
use std::collections::HashMap;

pub(super) fn routes(router: Router<CamaraState>) -> Router<CamaraState> {
    router
        .route("/.well-known/openid-configuration", get(discovery))
        .route("/.well-known/oauth-authorization-server", get(discovery))
        .route("/oauth2/jwks", get(jwks))
        .route("/oauth2/token", post(token))
        .route("/oauth2/bc-authorize", post(bc_authorize))
        .route("/oauth2/authorize", get(authorize))
        .route("/oauth2/revoke", post(revoke))
        .route("/oauth2/consent/{id}", get(consent))
}

async fn discovery(State(state): State<CamaraState>) -> Response {
    let issuer = state.gateway.issuer();
    let mut scopes: Vec<&str> = vec!["openid", "offline_access"];
    scopes.extend(SCOPES);
    let algorithms = ["ES256", "ES384", "PS256", "RS256", "EdDSA"];
    let body = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/oauth2/authorize"),
        "token_endpoint": format!("{issuer}/oauth2/token"),
        "backchannel_authentication_endpoint": format!("{issuer}/oauth2/bc-authorize"),
        "revocation_endpoint": format!("{issuer}/oauth2/revoke"),
        "jwks_uri": format!("{issuer}/oauth2/jwks"),
        "scopes_supported": scopes,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": [
            "authorization_code", "client_credentials", "refresh_token",
            "urn:ietf:params:oauth:grant-type:jwt-bearer", "urn:openid:params:grant-type:ciba",
        ],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": algorithms,
        "revocation_endpoint_auth_methods_supported": ["private_key_jwt"],
        "request_object_signing_alg_values_supported": algorithms,
        "request_parameter_supported": true,
        "request_uri_parameter_supported": false,
        "code_challenge_methods_supported": ["S256"],
        "prompt_values_supported": ["none"],
        "backchannel_token_delivery_modes_supported": ["poll"],
        "backchannel_user_code_parameter_supported": false,
        "authorization_response_iss_parameter_supported": true,
        "claims_supported": ["iss", "sub", "aud", "exp", "iat", "auth_time", "nonce"],
    });
    json(StatusCode::OK, &body)
}

async fn jwks(State(state): State<CamaraState>) -> Response {
    json(StatusCode::OK, &state.gateway.jwks())
}

/// An error as RFC 6749 5.2 has it.
fn refused(error: &OAuthError) -> Response {
    let (status, word, description) = match error {
        OAuthError::Protocol {
            status,
            error,
            description,
        } => (*status, *error, (*description).to_owned()),
        OAuthError::App(error) => match error.kind {
            ErrorKind::Unavailable | ErrorKind::Full | ErrorKind::TooMany => {
                (503, "temporarily_unavailable", error.message.clone())
            }
            _ => (500, "server_error", error.message.clone()),
        },
    };
    let body = json!({ "error": word, "error_description": description });
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = json(status, &body);
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("private_key_jwt"));
    }
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

/// Names and values; none when one comes twice (RFC 6749 3.1).
fn parameters(text: &[u8]) -> Option<HashMap<String, String>> {
    let mut found = HashMap::new();
    for (name, value) in form_urlencoded::parse(text) {
        if !value.is_empty() && found.insert(name.into_owned(), value.into_owned()).is_some() {
            return None;
        }
    }
    Some(found)
}

/// The form of a request.
async fn form(state: &CamaraState, request: Request) -> Result<HashMap<String, String>, Response> {
    let bad = |why| refused(&OAuthError::bad("invalid_request", why));
    if state.rates.address(peer_of(&request)).is_err() {
        return Err(refused(&OAuthError::Protocol {
            status: 429,
            error: "temporarily_unavailable",
            description: "this address asks too often; slow down",
        }));
    }
    let (parts, content) = request.into_parts();
    if body::expect_type(&parts.headers, &["application/x-www-form-urlencoded"]).is_err() {
        return Err(bad("send the body as application/x-www-form-urlencoded"));
    }
    let bytes = body::read(&parts.headers, content, BODY_BYTES_MAX, BODY_TIME_MAX)
        .await
        .map_err(|_| bad("the body is too long, or did not arrive"))?;
    parameters(&bytes).ok_or_else(|| bad("a parameter comes twice"))
}

fn token_request(form: &mut HashMap<String, String>) -> TokenRequest {
    let mut take = |name: &str| form.remove(name);
    TokenRequest {
        grant_type: take("grant_type"),
        scope: take("scope"),
        client_id: take("client_id"),
        client_assertion_type: take("client_assertion_type"),
        client_assertion: take("client_assertion"),
        assertion: take("assertion"),
        auth_req_id: take("auth_req_id"),
        code: take("code"),
        redirect_uri: take("redirect_uri"),
        code_verifier: take("code_verifier"),
        refresh_token: take("refresh_token"),
    }
}

/// An answer that nobody keeps.
fn fresh<T: serde::Serialize>(answer: &T) -> Response {
    let body = serde_json::to_value(answer).unwrap_or(Value::Null);
    let mut response = json(StatusCode::OK, &body);
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert("pragma", HeaderValue::from_static("no-cache"));
    response
}

async fn token(State(state): State<CamaraState>, request: Request) -> Response {
    let mut form = match form(&state, request).await {
        Ok(form) => form,
        Err(response) => return response,
    };
    match state.gateway.token(token_request(&mut form)).await {
        Ok(answer) => fresh(&answer),
        Err(error) => refused(&error),
    }
}

async fn bc_authorize(State(state): State<CamaraState>, request: Request) -> Response {
    let mut form = match form(&state, request).await {
        Ok(form) => form,
        Err(response) => return response,
    };
    let login_hint = form.remove("login_hint");
    let other_hint = ["login_hint_token", "id_token_hint"]
        .iter()
        .any(|name| form.contains_key(*name));
    let asked = AskRequest {
        client: token_request(&mut form),
        login_hint,
        other_hint,
    };
    match state.gateway.ask(asked).await {
        Ok(answer) => fresh(&answer),
        Err(error) => refused(&error),
    }
}

async fn revoke(State(state): State<CamaraState>, request: Request) -> Response {
    let mut form = match form(&state, request).await {
        Ok(form) => form,
        Err(response) => return response,
    };
    let Some(token) = form.remove("token") else {
        return refused(&OAuthError::bad("invalid_request", "`token` is missing"));
    };
    match state.gateway.revoke(token_request(&mut form), &token).await {
        Ok(()) => fresh(&json!({})),
        Err(error) => refused(&error),
    }
}

async fn authorize(State(state): State<CamaraState>, request: Request) -> Response {
    let bad = |why| refused(&OAuthError::bad("invalid_request", why));
    if state.rates.address(peer_of(&request)).is_err() {
        return bad("this address asks too often; slow down");
    }
    let query = request.uri().query().unwrap_or("");
    let Some(parameters) = parameters(query.as_bytes()) else {
        return bad("a parameter comes twice");
    };
    let token = request.headers().get("x-operator-token");
    let asked = AuthorizeRequest {
        parameters,
        operator_token: token.and_then(|token| token.to_str().ok()).map(str::to_owned),
    };
    match state.gateway.authorize(asked).await {
        Ok(redirect) => {
            let mut query = form_urlencoded::Serializer::new(String::new());
            query.extend_pairs(&redirect.parameters);
            let mark = if redirect.uri.contains('?') { '&' } else { '?' };
            let Ok(location) = HeaderValue::from_str(&format!("{}{mark}{}", redirect.uri, query.finish()))
            else {
                return bad("`redirect_uri` cannot be used");
            };
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::FOUND;
            response.headers_mut().insert(LOCATION, location);
            response
                .headers_mut()
                .insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            response
        }
        Err(error) => refused(&error),
    }
}

/// Says who asks for what. It is answered where the subscriber is signed in, never on a page that anybody can send.
async fn consent(State(state): State<CamaraState>, Path(id): Path<String>) -> Response {
    let plain = |text: &str| {
        text.replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
    };
    let (status, text) = match state.gateway.ask_shown(&id) {
        Some(ask) => (
            StatusCode::OK,
            format!(
                "<p>{} asks to know about your line, for the purpose {}.</p><p>Answer in your own application: \
                 nobody can answer for you on this page.</p>",
                plain(&ask.client),
                plain(&ask.purpose),
            ),
        ),
        None => (
            StatusCode::NOT_FOUND,
            "<p>This question is over, or never was.</p>".to_owned(),
        ),
    };
    let page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>simwarden</title>{text}</html>"
    );
    let mut response = Response::new(Body::from(page));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"),
    );
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
