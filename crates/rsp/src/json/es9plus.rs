//! ES9+ bodies. The `header` of a request is optional there, and passed over.

use super::{SUCCESS, bytes, parse, push_bytes, push_text, required};
use crate::authenticate::AuthenticateAnswer;
use crate::bound_package::PackageAnswer;
use crate::initiate::{InitiateAnswer, InitiateRequest};
use crate::session::TransactionId;
use crate::status::Refusal;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Initiate {
    smdp_address: Option<String>,
    euicc_challenge: Option<String>,
    euicc_info1: Option<String>,
}

/// Reads the body of initiateAuthentication.
///
/// # Errors
/// [`Refusal::Malformed`] or [`Refusal::Missing`].
pub fn initiate_authentication(body: &[u8]) -> Result<InitiateRequest, Refusal> {
    let body: Initiate = parse(body)?;
    Ok(InitiateRequest {
        smdp_address: required(body.smdp_address)?,
        euicc_challenge: bytes(body.euicc_challenge)?,
        euicc_info1: bytes(body.euicc_info1)?,
    })
}

/// A message of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRequest {
    /// The session.
    pub transaction: TransactionId,
    /// What the chip says, DER.
    pub message: Vec<u8>,
}

fn session_request(transaction: Option<String>, message: Option<String>) -> Result<SessionRequest, Refusal> {
    let transaction = required(transaction)?;
    let message = bytes(message)?;
    Ok(SessionRequest {
        transaction: TransactionId::parse(&transaction)?,
        message,
    })
}

macro_rules! session_requests {
    ($($(#[$meta:meta])* $function:ident, $body:ident, $field:ident;)+) => {
        $(
            #[derive(Deserialize)]
            #[serde(rename_all = "camelCase")]
            struct $body {
                transaction_id: Option<String>,
                $field: Option<String>,
            }

            $(#[$meta])*
            ///
            /// # Errors
            /// [`Refusal::Malformed`], [`Refusal::Missing`], or [`Refusal::UnknownTransaction`] for an identifier that
            /// is none of ours by its length.
            pub fn $function(body: &[u8]) -> Result<SessionRequest, Refusal> {
                let body: $body = parse(body)?;
                session_request(body.transaction_id, body.$field)
            }
        )+
    };
}

session_requests! {
    /// Reads the body of authenticateClient.
    authenticate_client, Authenticate, authenticate_server_response;
    /// Reads the body of getBoundProfilePackage.
    get_bound_profile_package, GetPackage, prepare_download_response;
    /// Reads the body of cancelSession.
    cancel_session, Cancel, cancel_session_response;
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Notification {
    pending_notification: Option<String>,
}

/// Reads the body of handleNotification: the notification, DER. The client is answered alike whatever comes of it.
///
/// # Errors
/// [`Refusal::Malformed`] or [`Refusal::Missing`].
pub fn handle_notification(body: &[u8]) -> Result<Vec<u8>, Refusal> {
    bytes(parse::<Notification>(body)?.pending_notification)
}

/// An answer that can be written as the body of an ES9+ function.
pub trait Es9Answer {
    /// The body.
    fn to_json(&self) -> String;
}

impl Es9Answer for InitiateAnswer {
    fn to_json(&self) -> String {
        let mut out = begin(2048);
        push_text(&mut out, "transactionId", &self.transaction.to_string());
        push_bytes(&mut out, "serverSigned1", &self.server_signed1);
        push_bytes(&mut out, "serverSignature1", &self.server_signature1);
        push_bytes(&mut out, "euiccCiPKIdToBeUsed", &self.ci_key_id);
        push_bytes(&mut out, "serverCertificate", &self.server_certificate);
        out + "}"
    }
}

impl Es9Answer for AuthenticateAnswer {
    fn to_json(&self) -> String {
        let mut out = begin(2048 + self.profile_metadata.len() * 4 / 3);
        push_text(&mut out, "transactionId", &self.transaction.to_string());
        push_bytes(&mut out, "profileMetadata", &self.profile_metadata);
        push_bytes(&mut out, "smdpSigned2", &self.smdp_signed2);
        push_bytes(&mut out, "smdpSignature2", &self.smdp_signature2);
        push_bytes(&mut out, "smdpCertificate", &self.smdp_certificate);
        out + "}"
    }
}

impl Es9Answer for PackageAnswer {
    fn to_json(&self) -> String {
        let mut out = begin(256 + self.bound_profile_package.len() * 4 / 3);
        push_text(&mut out, "transactionId", &self.transaction.to_string());
        push_bytes(&mut out, "boundProfilePackage", &self.bound_profile_package);
        out + "}"
    }
}

impl Es9Answer for () {
    /// cancelSession: the header alone.
    fn to_json(&self) -> String {
        begin(128) + "}"
    }
}

fn begin(capacity: usize) -> String {
    let mut out = String::with_capacity(capacity);
    out.push('{');
    out.push_str(SUCCESS);
    out
}
