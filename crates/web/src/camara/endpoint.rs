//! One row for every operation: where it is, which scopes open it, who must stand behind the token, who answers.
//!
//! A row and its handler are one thing, so there is no operation without its row.

use super::error::CamaraError;
use super::fields::Fields;
use axum::http::{Method, StatusCode};
use serde_json::{Map, Value};
use simwarden_app::gateway::{Caller, Gateway};
use std::future::Future;
use std::pin::Pin;

/// Who must stand behind the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Legs {
    /// The client alone, or a subscriber.
    TwoOrThree,
    /// A subscriber whom the network or the SIM told.
    ThreeByNetwork,
}

/// What is answered.
pub(super) enum Reply {
    /// A body.
    Json(StatusCode, Value),
    /// Nothing: 204.
    Nothing,
}

pub(super) type Answering<'a> = Pin<Box<dyn Future<Output = Result<Reply, CamaraError>> + Send + 'a>>;

/// A call, as far as every handler needs it.
pub(super) struct Call {
    pub gateway: Gateway,
    pub caller: Caller,
    pub body: Map<String, Value>,
    /// What stands in the path in place of `{…}`.
    pub id: String,
}

impl Call {
    pub fn fields(&self) -> Fields<'_> {
        Fields::of(&self.body)
    }
}

/// One operation.
pub struct Endpoint {
    /// The method.
    pub method: Method,
    /// The path; a `{…}` stands for one segment.
    pub path: &'static str,
    /// Scopes, one of which the token must hold.
    pub scopes: &'static [&'static str],
    /// Who must stand behind the token.
    pub legs: Legs,
    /// How it stands in the subscriber's list.
    pub(super) name: &'static str,
    pub(super) handle: for<'a> fn(&'a Call) -> Answering<'a>,
}

/// The operations of every API.
pub fn endpoints() -> impl Iterator<Item = &'static Endpoint> {
    [
        super::sim_swap::ENDPOINTS,
        super::device_swap::ENDPOINTS,
        super::number_verification::ENDPOINTS,
        super::kyc_match::ENDPOINTS,
        super::kyc_tenure::ENDPOINTS,
        super::kyc_age_verification::ENDPOINTS,
        super::number_recycling::ENDPOINTS,
        super::call_forwarding_signal::ENDPOINTS,
        super::one_time_password_sms::ENDPOINTS,
        super::subscription_status::ENDPOINTS,
        super::consent_info::ENDPOINTS,
        super::sim_swap_subscriptions::ENDPOINTS,
        super::sim_swap_context::ENDPOINTS,
    ]
    .into_iter()
    .flatten()
}

/// The part of a path that stands for `{…}` of a template; none when the path is another.
fn fits(template: &str, path: &str) -> Option<String> {
    let mut id = String::new();
    let (mut wanted, mut given) = (template.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return Some(id),
            (Some(want), Some(part)) if want.starts_with('{') && !part.is_empty() => part.clone_into(&mut id),
            (Some(want), Some(part)) if want == part => {}
            _ => return None,
        }
    }
}

/// The operation at a path.
///
/// # Errors
/// 404, or 405 with the methods that there are.
pub(super) fn find(
    method: &Method,
    path: &str,
) -> Result<(&'static Endpoint, String), (StatusCode, Vec<&'static str>)> {
    let mut allowed = Vec::new();
    for endpoint in endpoints() {
        let Some(id) = fits(endpoint.path, path) else {
            continue;
        };
        if endpoint.method == *method {
            return Ok((endpoint, id));
        }
        allowed.push(endpoint.method.as_str());
    }
    match allowed.is_empty() {
        true => Err((StatusCode::NOT_FOUND, allowed)),
        false => Err((StatusCode::METHOD_NOT_ALLOWED, allowed)),
    }
}
