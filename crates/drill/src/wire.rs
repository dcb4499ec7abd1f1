//! What is sent to the API and what is read of its answers: the fields that the drill needs, no more.

use serde::{Deserialize, Serialize};
use simwarden_app::RequestContext;

/// `POST /v1/operations`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Ask {
    /// `replace`, `lock` …
    pub operation: String,
    /// `shop`, `app`, `web` …
    pub channel: String,
    /// The number, with `+`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub msisdn: Option<String>,
    /// `lost`, `broken` …
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub claim: Option<String>,
    /// The chip.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub eid: Option<String>,
    /// The phone.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub imei: Option<String>,
    /// The new contact.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub contact_phone: Option<String>,
    /// Where calls shall go.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub forward_to: Option<String>,
    /// `swap`, `port`, `all`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub lock_scope: Option<String>,
    /// Who shall own the line.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub new_owner: Option<Owner>,
    /// What was laid on the counter.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub document_shown: Option<Document>,
    /// What the requester's system says.
    #[serde(skip_serializing_if = "unsaid", default)]
    pub context: RequestContext,
}

fn unsaid(context: &RequestContext) -> bool {
    *context == RequestContext::default()
}

/// A document.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Document {
    /// Three letters.
    pub country: String,
    /// `national_id`, `passport` …
    pub kind: String,
    /// Its number.
    pub number: String,
}

/// A person.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Owner {
    /// Full name.
    pub name: String,
    /// Their document.
    pub document: Document,
}

/// `POST /v1/operations/{id}/evidence`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Evidence {
    /// `totp` or `second_approver`.
    pub kind: String,
    /// For `totp`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub code: Option<String>,
}

/// `POST /v1/approvals/{id}`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OwnersAnswer {
    /// `yes` or `no`.
    pub answer: String,
    /// With `yes`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub number: Option<i64>,
}

/// An operation, in whichever answer it stands.
#[derive(Debug, Clone, Deserialize)]
pub struct Operation {
    /// Its name.
    pub id: String,
    /// What was asked.
    pub operation: String,
    /// Where it stands.
    pub state: String,
    /// The guard's last word.
    pub verdict: String,
    /// Why.
    #[serde(default)]
    pub reasons: Vec<String>,
    /// What is still asked for.
    #[serde(default)]
    pub requirements: Vec<String>,
    /// Rules that applied; in lists they are not told.
    #[serde(default)]
    pub rules: Vec<String>,
    /// Until when it waits.
    #[serde(default)]
    pub hold_until: Option<String>,
    /// When it was asked.
    pub requested_at: String,
    /// When it last changed.
    pub updated_at: String,
    /// How far it was carried out; in lists it is not told.
    #[serde(default)]
    pub steps: Vec<Step>,
    /// Two digits on the requester's screen.
    #[serde(default)]
    pub match_number: Option<i64>,
}

/// One step of carrying an operation out.
#[derive(Debug, Clone, Deserialize)]
pub struct Step {
    /// `order`, `release`, `install`, `switch`, `retire` …
    pub name: String,
    /// `pending`, `running`, `done`, `failed`, `undone`.
    pub state: String,
}

/// What became of evidence or of an answer.
#[derive(Debug, Clone, Deserialize)]
pub struct Checked {
    /// `accepted` or `wrong`.
    pub outcome: String,
    /// The operation as it now stands.
    pub operation: Operation,
}

/// `GET /v1/approvals`.
#[derive(Debug, Clone, Deserialize)]
pub struct Questions {
    /// The questions.
    pub approvals: Vec<Question>,
}

/// A question that waits for the owner.
#[derive(Debug, Clone, Deserialize)]
pub struct Question {
    /// Its name.
    pub id: String,
    /// What would happen.
    pub operation: Operation,
}

/// `POST /v1/operations/{id}/rollback`.
#[derive(Debug, Clone, Deserialize)]
pub struct RolledBack {
    /// `waits_for_second` or `begun`.
    pub outcome: String,
}

/// `POST /v1/events`.
#[derive(Debug, Clone, Deserialize)]
pub struct Taken {
    /// Stored.
    pub accepted: u64,
    /// There already.
    pub duplicate: u64,
    /// Not readable.
    pub quarantined: u64,
}

/// A problem document (RFC 9457).
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Problem {
    /// A code for programs.
    #[serde(default)]
    pub code: String,
    /// For people.
    #[serde(default)]
    pub detail: String,
}
