//! The JSON bodies of ES9+ and ES2+ (SGP.22 v2, 6.5): texts in, bytes out, and back.
//!
//! Fields that are not known are passed over; a field of another type, of bad base64, or given twice is malformed.
//! Nothing here decides anything but that.

mod es2plus;
mod es9plus;

pub use es2plus::{
    Caller, Es2Answer, ProgressInfo, cancel_order, confirm_order, download_order, release_profile,
};
pub use es9plus::{
    Es9Answer, SessionRequest, authenticate_client, cancel_session, get_bound_profile_package,
    handle_notification, initiate_authentication,
};

use crate::status::Refusal;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

/// The longest body that is read, in bytes.
pub const BODY_BYTES_MAX: usize = 64 * 1024;

/// The header of every answer that went well.
const SUCCESS: &str = r#""header":{"functionExecutionStatus":{"status":"Executed-Success"}}"#;

fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Refusal> {
    if body.len() > BODY_BYTES_MAX {
        return Err(Refusal::Malformed);
    }
    serde_json::from_slice(body).map_err(|_| Refusal::Malformed)
}

fn required<T>(field: Option<T>) -> Result<T, Refusal> {
    field.ok_or(Refusal::Missing)
}

/// Base64 as RFC 4648 has it, padded.
fn bytes(field: Option<String>) -> Result<Vec<u8>, Refusal> {
    STANDARD.decode(required(field)?).map_err(|_| Refusal::Malformed)
}

/// Appends `,"name":"<base64>"`.
fn push_bytes(out: &mut String, name: &str, bytes: &[u8]) {
    push_name(out, name);
    STANDARD.encode_string(bytes, out);
    out.push('"');
}

/// Appends `,"name":"text"` with what JSON escapes.
fn push_text(out: &mut String, name: &str, text: &str) {
    out.push_str(",\"");
    out.push_str(name);
    out.push_str("\":");
    out.push_str(&serde_json::Value::from(text).to_string());
}

fn push_name(out: &mut String, name: &str) {
    out.push_str(",\"");
    out.push_str(name);
    out.push_str("\":\"");
}

/// The body of a refusal: its header and nothing else.
#[must_use]
pub fn refused(refusal: Refusal) -> String {
    format!(
        r#"{{"header":{{"functionExecutionStatus":{}}}}}"#,
        failed_status(refusal)
    )
}

fn failed_status(refusal: Refusal) -> String {
    format!(
        r#"{{"status":"Failed","statusCodeData":{{"subjectCode":"{}","reasonCode":"{}","message":"{}"}}}}"#,
        refusal.subject(),
        refusal.reason(),
        refusal.message()
    )
}
