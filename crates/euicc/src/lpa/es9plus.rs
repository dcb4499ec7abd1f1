//! The JSON of ES9+ as a device sees it (SGP.22 6.5).

use crate::error::{EuiccError, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// One call: POST `https://<host>/gsma/rsp2/es9plus/<function>` with this body.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The last part of the path, such as `initiateAuthentication`.
    pub function: &'static str,
    /// The JSON body.
    pub body: Value,
}

impl Request {
    /// The path on the server.
    #[must_use]
    pub fn path(&self) -> String {
        format!("/gsma/rsp2/es9plus/{}", self.function)
    }
}

/// What a server says when it does not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// In which function.
    pub function: &'static str,
    /// The subject code, such as `8.2.6`; empty when the HTTP status or the body was not as it should be.
    pub subject: String,
    /// The reason code, such as `3.8`.
    pub reason: String,
    /// The message, if any.
    pub message: String,
}

pub(super) fn initiate(challenge: &[u8], info1: &[u8], address: &str) -> Request {
    Request {
        function: "initiateAuthentication",
        body: json!({
            "euiccChallenge": STANDARD.encode(challenge),
            "euiccInfo1": STANDARD.encode(info1),
            "smdpAddress": address,
        }),
    }
}

pub(super) fn with_transaction(
    function: &'static str,
    transaction: &str,
    field: &str,
    der: &[u8],
) -> Request {
    Request {
        function,
        body: json!({ "transactionId": transaction, field: STANDARD.encode(der) }),
    }
}

pub(super) fn notification(der: &[u8]) -> Request {
    Request {
        function: "handleNotification",
        body: json!({ "pendingNotification": STANDARD.encode(der) }),
    }
}

/// The outcome of one call: the answer, or the refusal in it.
pub(super) fn read(function: &'static str, status: u16, body: &[u8]) -> Result<Value, Refusal> {
    let broken = |message: String| Refusal {
        function,
        subject: String::new(),
        reason: String::new(),
        message,
    };
    if !(200..300).contains(&status) {
        return Err(broken(format!("HTTP status {status}")));
    }
    let answer: Value = serde_json::from_slice(body).map_err(|e| broken(format!("no JSON: {e}")))?;
    let execution = &answer["header"]["functionExecutionStatus"];
    match execution["status"].as_str() {
        Some("Executed-Success" | "Executed-WithWarning") => Ok(answer),
        Some(_) => {
            let text = |name: &str| {
                let value = &execution["statusCodeData"][name];
                value.as_str().unwrap_or_default().to_owned()
            };
            Err(Refusal {
                function,
                subject: text("subjectCode"),
                reason: text("reasonCode"),
                message: text("message"),
            })
        }
        None => Err(broken("no functionExecutionStatus".into())),
    }
}

/// A field of base64.
pub(super) fn bytes(answer: &Value, field: &str) -> Result<Vec<u8>> {
    let text = answer[field].as_str().ok_or(EuiccError::Malformed(
        "an answer without a field that it must have",
    ))?;
    STANDARD
        .decode(text)
        .map_err(|_| EuiccError::Malformed("a field that is not base64"))
}
