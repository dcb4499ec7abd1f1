//! Errors in CAMARA's own form, `{status, code, message}`. Only here a refusal of the gateway becomes a status.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use simwarden_app::ErrorKind;
use simwarden_app::gateway::Denied;

/// What a client is told.
#[derive(Debug, Clone)]
pub(super) struct CamaraError {
    pub status: StatusCode,
    pub code: &'static str,
    pub message: String,
    pub retry_after_s: Option<u64>,
}

impl CamaraError {
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            retry_after_s: None,
        }
    }

    pub fn argument(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "INVALID_ARGUMENT", message)
    }

    pub fn unavailable(message: &'static str) -> Self {
        Self {
            retry_after_s: Some(1),
            ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE", message)
        }
    }

    pub fn response(&self) -> Response {
        let body = serde_json::json!({
            "status": self.status.as_u16(),
            "code": self.code,
            "message": self.message,
        });
        let mut response = Response::new(Body::from(body.to_string()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(seconds) = self.retry_after_s {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<Denied> for CamaraError {
    fn from(denied: Denied) -> Self {
        let message = denied.to_string();
        let (status, code) = match &denied {
            Denied::Unauthenticated => (401, "UNAUTHENTICATED"),
            Denied::Permission(_) => (403, "PERMISSION_DENIED"),
            Denied::Quota => (429, "QUOTA_EXCEEDED"),
            Denied::TooMany { .. } => (429, "TOO_MANY_REQUESTS"),
            Denied::Argument(_) => (400, "INVALID_ARGUMENT"),
            Denied::Range(_) => (400, "OUT_OF_RANGE"),
            Denied::TokenContext => (403, "INVALID_TOKEN_CONTEXT"),
            Denied::MissingIdentifier => (422, "MISSING_IDENTIFIER"),
            Denied::UnnecessaryIdentifier => (422, "UNNECESSARY_IDENTIFIER"),
            Denied::IdentifierNotFound => (404, "IDENTIFIER_NOT_FOUND"),
            Denied::NotFound(_) => (404, "NOT_FOUND"),
            Denied::NotApplicable(_) => (422, "SERVICE_NOT_APPLICABLE"),
            Denied::Combination => (400, "KNOW_YOUR_CUSTOMER.INVALID_PARAM_COMBINATION"),
            Denied::IdDocumentRequired => (403, "KNOW_YOUR_CUSTOMER.ID_DOCUMENT_REQUIRED"),
            Denied::IdDocumentMismatch => (403, "KNOW_YOUR_CUSTOMER.ID_DOCUMENT_MISMATCH"),
            Denied::NotByNetwork => (
                403,
                "NUMBER_VERIFICATION.USER_NOT_AUTHENTICATED_BY_MOBILE_NETWORK",
            ),
            Denied::OtpFailed => (400, "ONE_TIME_PASSWORD_SMS.VERIFICATION_FAILED"),
            Denied::OtpExpired => (400, "ONE_TIME_PASSWORD_SMS.VERIFICATION_EXPIRED"),
            Denied::OtpInvalid => (400, "ONE_TIME_PASSWORD_SMS.INVALID_OTP"),
            Denied::OtpTooMany => (403, "ONE_TIME_PASSWORD_SMS.MAX_OTP_CODES_EXCEEDED"),
            Denied::NumberNotAllowed => (403, "ONE_TIME_PASSWORD_SMS.PHONE_NUMBER_NOT_ALLOWED"),
            Denied::NumberBlocked => (403, "ONE_TIME_PASSWORD_SMS.PHONE_NUMBER_BLOCKED"),
            Denied::Protocol => (400, "INVALID_PROTOCOL"),
            Denied::Credential => (400, "INVALID_CREDENTIAL"),
            Denied::TokenType => (400, "INVALID_TOKEN"),
            Denied::Sink => (400, "INVALID_SINK"),
            Denied::ScopesPurpose => (403, "CONSENT_INFO.NOT_ALLOWED_SCOPES_PURPOSE"),
            Denied::Callback => (403, "CONSENT_INFO.INVALID_CALLBACK_URL"),
            Denied::CaptureFrequency => (403, "CONSENT_INFO.CAPTURE_FREQUENCY_EXCEEDED"),
            Denied::AlreadyExists => (409, "ALREADY_EXISTS"),
            Denied::Full(_) => (503, "UNAVAILABLE"),
            Denied::App(error) => of_kind(error.kind),
        };
        let retry_after_s = match denied {
            Denied::TooMany { retry_after_s } => Some(retry_after_s),
            _ if status == 503 => Some(1),
            _ => None,
        };
        Self {
            status: StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            code,
            message,
            retry_after_s,
        }
    }
}

const fn of_kind(kind: ErrorKind) -> (u16, &'static str) {
    match kind {
        ErrorKind::Invalid => (400, "INVALID_ARGUMENT"),
        ErrorKind::Unauthenticated => (401, "UNAUTHENTICATED"),
        ErrorKind::Forbidden => (403, "PERMISSION_DENIED"),
        ErrorKind::NotFound => (404, "NOT_FOUND"),
        ErrorKind::Conflict | ErrorKind::State => (409, "ABORTED"),
        ErrorKind::TooMany | ErrorKind::Full | ErrorKind::Unavailable => (503, "UNAVAILABLE"),
        ErrorKind::Unknown | ErrorKind::Internal => (500, "INTERNAL"),
    }
}
