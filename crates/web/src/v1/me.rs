//! `GET /v1/me`: who is signed in.

use crate::auth::Caller;
use axum::Json;
use serde::Serialize;
use simwarden_model::Role;

#[derive(Serialize)]
pub(crate) struct Me {
    role: Role,
    operator: Option<String>,
    name: String,
}

#[utoipa::path(
    get, path = "/v1/me", tag = "session",
    responses(
        (status = 200, description = "Who", body = crate::shapes::Me),
        (status = "default", description = "Problem", body = crate::shapes::ProblemDetails,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn handle(caller: Caller) -> Json<Me> {
    Json(Me {
        role: caller.actor.role,
        operator: caller.actor.operator,
        name: caller.actor.name,
    })
}
