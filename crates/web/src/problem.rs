//! Problem details, RFC 9457. Only here an error becomes a status.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use simwarden_app::{Error, ErrorKind};

/// What went wrong, for the client. Carries names of fields, never their values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The status.
    pub status: StatusCode,
    /// A short word in snake case for machines.
    pub code: &'static str,
    /// What is wrong and what to do.
    pub detail: String,
    /// Seconds after which to try again.
    pub retry_after_s: Option<u64>,
}

/// As it is written.
#[derive(Serialize)]
struct Written<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    code: &'a str,
    request_id: &'a str,
}

/// The media type of problem details.
pub(crate) const MEDIA_TYPE: &str = "application/problem+json";

impl Problem {
    pub(crate) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            code,
            detail: detail.into(),
            retry_after_s: None,
        }
    }

    /// A request that cannot be understood.
    pub(crate) fn invalid(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    /// A value of a field that cannot be.
    pub(crate) fn field(name: &str, why: impl std::fmt::Display) -> Self {
        Self::invalid("invalid_field", format!("`{name}`: {why}"))
    }

    pub(crate) fn not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not_found",
            "there is nothing here; see /openapi.json",
        )
    }

    pub(crate) fn unauthenticated(detail: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", detail)
    }

    pub(crate) fn too_many(code: &'static str, detail: &str, retry_after_s: u64) -> Self {
        Self {
            retry_after_s: Some(retry_after_s.max(1)),
            ..Self::new(StatusCode::TOO_MANY_REQUESTS, code, detail)
        }
    }

    pub(crate) fn unavailable(code: &'static str, detail: &str) -> Self {
        Self {
            retry_after_s: Some(1),
            ..Self::new(StatusCode::SERVICE_UNAVAILABLE, code, detail)
        }
    }

    pub(crate) fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "something went wrong on our side; it was logged",
        )
    }

    /// The body, with the request's id.
    pub(crate) fn written(&self, request_id: &str) -> Vec<u8> {
        let written = Written {
            r#type: format!("urn:simwarden:problem:{}", self.code),
            title: self.status.canonical_reason().unwrap_or("Problem"),
            status: self.status.as_u16(),
            detail: &self.detail,
            code: self.code,
            request_id,
        };
        serde_json::to_vec(&written).unwrap_or_default()
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let status = match error.kind {
            ErrorKind::Invalid => StatusCode::BAD_REQUEST,
            ErrorKind::Unauthenticated => StatusCode::UNAUTHORIZED,
            ErrorKind::Forbidden => StatusCode::FORBIDDEN,
            ErrorKind::NotFound => StatusCode::NOT_FOUND,
            ErrorKind::Conflict | ErrorKind::State => StatusCode::CONFLICT,
            ErrorKind::TooMany if error.code == "batch_too_large" => StatusCode::PAYLOAD_TOO_LARGE,
            ErrorKind::TooMany => StatusCode::TOO_MANY_REQUESTS,
            ErrorKind::Full => StatusCode::INSUFFICIENT_STORAGE,
            ErrorKind::Unavailable | ErrorKind::Unknown => StatusCode::SERVICE_UNAVAILABLE,
            ErrorKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let code = if error.kind == ErrorKind::Unknown {
            "outcome_unknown"
        } else {
            error.code
        };
        let retry = matches!(
            status,
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS
        );
        Self {
            status,
            code,
            detail: error.message,
            retry_after_s: retry.then_some(1),
        }
    }
}

impl IntoResponse for Problem {
    /// The body is written by the outermost layer, which knows the request's id.
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::Problem;
    use simwarden_app::{Error, ErrorKind};

    #[test]
    fn every_kind_has_its_status_and_a_time_to_wait_where_waiting_helps() {
        let of = |kind, code| {
            let problem = Problem::from(Error::new(kind, code, "x"));
            (problem.status.as_u16(), problem.code, problem.retry_after_s)
        };
        assert_eq!(of(ErrorKind::Invalid, "a"), (400, "a", None));
        assert_eq!(of(ErrorKind::Unauthenticated, "a"), (401, "a", None));
        assert_eq!(of(ErrorKind::Forbidden, "a"), (403, "a", None));
        assert_eq!(of(ErrorKind::NotFound, "a"), (404, "a", None));
        assert_eq!(of(ErrorKind::Conflict, "a"), (409, "a", None));
        assert_eq!(of(ErrorKind::State, "a"), (409, "a", None));
        assert_eq!(of(ErrorKind::TooMany, "a"), (429, "a", Some(1)));
        assert_eq!(
            of(ErrorKind::TooMany, "batch_too_large"),
            (413, "batch_too_large", None)
        );
        assert_eq!(of(ErrorKind::Full, "a"), (507, "a", None));
        assert_eq!(of(ErrorKind::Unavailable, "a"), (503, "a", Some(1)));
        assert_eq!(of(ErrorKind::Unknown, "a"), (503, "outcome_unknown", Some(1)));
        assert_eq!(of(ErrorKind::Internal, "a"), (500, "a", None));
    }
}
