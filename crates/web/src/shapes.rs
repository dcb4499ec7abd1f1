//! What the API answers, as types: the description at `/openapi.json` is made of them, and programs in Rust that talk
//! to the API can read answers into them. A test holds them against real answers, field by field, both ways.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One operation in a list. Times are RFC 3339 in UTC with microseconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OperationSummary {
    /// Its name, a UUID.
    pub id: String,
    /// What is asked: `replace`, `transfer_device` …
    pub operation: String,
    /// Where: `shop`, `web` …
    pub channel: String,
    /// Who asked, by role.
    pub actor_role: String,
    /// MCC-MNC of the operator.
    pub operator: String,
    /// The line, by its random id.
    pub subject: Option<String>,
    /// The number, masked.
    pub line: String,
    /// Where it stands: `requested`, `awaiting_evidence`, `held`, `approved`, `executing`, `completed`, `denied`,
    /// `cancelled`, `frozen`, `failed`, `rolling_back`, `rolled_back`.
    pub state: String,
    /// The guard's last word: `allow`, `step_up`, `hold`, `deny`.
    pub verdict: String,
    /// Why, as codes.
    pub reasons: Vec<String>,
    /// What is still asked for.
    pub requirements: Vec<String>,
    /// Until when it waits.
    pub hold_until: Option<String>,
    /// When it was asked.
    pub requested_at: String,
    /// When it last changed.
    pub updated_at: String,
    /// The ledger entry of its last change.
    pub entry: i64,
}

/// A page of operations, the newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OperationPage {
    /// The operations.
    pub operations: Vec<OperationSummary>,
    /// Give this as `before` for the next page; none when this is the last.
    pub next: Option<String>,
}

/// One operation with everything about it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OperationDetail {
    /// What stands in the list.
    #[serde(flatten)]
    pub summary: OperationSummary,
    /// What is said of the old phone.
    pub claim: Option<String>,
    /// Rules that applied.
    pub rules: Vec<String>,
    /// The policy that decided, SHA-256 in hexadecimal.
    pub policy_hash: String,
    /// What becomes of a hold when nobody answers: `cancel` or `proceed`.
    pub on_timeout: Option<String>,
    /// What happened, in order.
    pub timeline: Vec<TimelineItem>,
    /// The steps and how far they are.
    pub steps: Vec<Step>,
}

/// An operation right after it was asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OperationAsked {
    /// What stands in the list.
    #[serde(flatten)]
    pub summary: OperationSummary,
    /// What is said of the old phone.
    pub claim: Option<String>,
    /// Rules that applied.
    pub rules: Vec<String>,
    /// The policy that decided, SHA-256 in hexadecimal.
    pub policy_hash: String,
    /// What becomes of a hold when nobody answers: `cancel` or `proceed`.
    pub on_timeout: Option<String>,
    /// The steps that will carry it out.
    pub steps: Vec<Step>,
    /// SHA-256(0x00 || entry bytes), base64; none when the answer repeats an earlier one.
    pub leaf_hash: Option<String>,
    /// Where the receipt is, a second or two from now.
    pub receipt: String,
    /// Two digits to show to the requester, for the owner to compare; none when the owner is not asked.
    pub match_number: Option<i64>,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TimelineItem {
    /// When.
    pub at: String,
    /// What: `requested`, `decided`, `evidence`, `approved`, `step_done` …
    pub kind: String,
    /// Who did it, by role.
    pub actor_role: String,
    /// The kind, and for decisions the verdict behind it.
    pub text_code: String,
    /// Why, as codes.
    pub reasons: Vec<String>,
    /// The ledger entry it stands in.
    pub entry: i64,
    /// More, without personal data.
    pub detail: serde_json::Value,
}

/// One step of an operation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// `order`, `release`, `install`, `switch`, `retire`, `network`, `apply`.
    pub name: String,
    /// `pending`, `running`, `done`, `failed`, `undone`.
    pub state: String,
    /// Since when.
    pub at: Option<String>,
}

/// What became of evidence or of an owner's answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EvidenceAnswer {
    /// `accepted`, or `wrong`: then the failure is on record and counts.
    pub outcome: String,
    /// The operation as it now stands.
    pub operation: OperationSummary,
}

/// What became of a roll-back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RollbackAnswer {
    /// `waits_for_second` or `begun`.
    pub outcome: String,
}

/// A decision with everything that it was made from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// The ledger entry that recorded it.
    pub entry: i64,
    /// When.
    pub at: String,
    /// What was asked of the guard.
    pub request: serde_json::Value,
    /// What it knew, group by group; `null` is what nobody knew.
    pub facts: serde_json::Value,
    /// What it said.
    pub verdict: String,
    /// Rules that applied.
    pub rules: Vec<String>,
    /// The policy, SHA-256 in hexadecimal.
    pub policy_hash: String,
}

/// The decisions about an operation, in order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Decisions {
    /// The decisions.
    pub decisions: Vec<Decision>,
}

/// A question that waits for the owner.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// Its name, a UUID.
    pub id: String,
    /// What would happen.
    pub operation: OperationSummary,
    /// The same in plain words, by language: `km`, `en`, `zh`.
    pub words: std::collections::HashMap<String, String>,
    /// When it was asked.
    pub created_at: String,
    /// When it ends by itself.
    pub expires_at: String,
}

/// The questions that wait for the owner.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Questions {
    /// The questions.
    pub approvals: Vec<Question>,
}

/// What a search found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Found {
    /// Lines that the asker may see.
    pub lines: Vec<Line>,
    /// How many there are over all operators, without saying whose.
    pub lines_at_all_operators: usize,
}

/// A line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// Its random id.
    pub id: String,
    /// MCC-MNC of the operator.
    pub operator: String,
    /// The number, masked, or in the clear for its owner.
    pub line: String,
    /// `prepaid`, `postpaid` …
    pub kind: String,
    /// Where it is in its life.
    pub state: String,
    /// What the lock in force covers.
    pub lock: Option<String>,
    /// Whether it is frozen.
    pub frozen: bool,
    /// When it was registered.
    pub opened_at: String,
    /// When the number last moved.
    pub swapped_at: Option<String>,
    /// Its profiles.
    pub profiles: Vec<Profile>,
}

/// A profile.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Its random id.
    pub id: String,
    /// Its number, masked.
    pub iccid: String,
    /// The chip, masked.
    pub eid: Option<String>,
    /// The phone, masked.
    pub imei: Option<String>,
    /// Where it is in its life.
    pub state: String,
    /// Whether it is the live one.
    pub live: bool,
}

/// What happened, the newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct History {
    /// The items.
    pub history: Vec<TimelineItem>,
}

/// A question of a bank or service about a line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskedOne {
    /// Who asked.
    pub client: String,
    /// What: `sim-swap/check` …
    pub api: String,
    /// What for; empty where the client did not say.
    pub purpose: String,
    /// When.
    pub at: String,
}

/// Who asked about a line, the newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WhoAsked {
    /// The questions.
    pub asked: Vec<AskedOne>,
}

/// What a subscriber agreed to, or refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Consent {
    /// What for.
    pub purpose: String,
    /// For whom; for everybody when absent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub client: Option<String>,
    /// `granted`, `denied` or `objected`.
    pub state: String,
    /// The legal basis.
    pub basis: String,
    /// Since when.
    pub changed_at: String,
}

/// Everything that holds for a line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Consents {
    /// By purpose.
    pub consents: Vec<Consent>,
}

/// A question of a bank or service that waits for the subscriber.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// Its name.
    pub id: String,
    /// Who asks.
    pub client: String,
    /// What for.
    pub purpose: String,
    /// What it may then ask about the line.
    pub scopes: Vec<String>,
    /// Until when it stands.
    pub expires_at: String,
}

/// The questions that wait.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Asks {
    /// The one that ends first comes first.
    pub asks: Vec<Ask>,
}

/// A token that was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenMade {
    /// Its name, a UUID.
    pub id: String,
    /// The secret, shown this once.
    pub token: String,
}

/// An authenticator that was enrolled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TotpEnrolled {
    /// Its name, a UUID.
    pub id: String,
    /// The secret, base32, shown this once.
    pub secret: String,
    /// The same as an address for a QR code (Key URI Format).
    pub uri: String,
}

/// How a batch of events went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EventsAnswer {
    /// Events that were stored.
    pub accepted: u64,
    /// Events that were there already, or twice in the batch.
    pub duplicate: u64,
    /// Lines that could not be read as events.
    pub quarantined: u64,
    /// The first of those.
    pub problems: Vec<LineProblem>,
}

/// Why a line was quarantined.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LineProblem {
    /// Its number, from 1.
    pub line: u64,
    /// A short word.
    pub reason: String,
    /// What is wrong.
    pub text: String,
}

/// Who is signed in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Me {
    /// The role.
    pub role: String,
    /// MCC-MNC of the operator; none for those who see all of them.
    pub operator: Option<String>,
    /// Whom the token was given to.
    pub name: String,
}

/// Whether the server can work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Ready {
    /// Whether it can.
    pub ready: bool,
    /// Whether the database answers.
    pub database: bool,
    /// Whether writing goes on.
    pub writing: bool,
    /// Whether the log keeps up with what is written.
    pub log: bool,
    /// Entries that are durable and not yet in the published tree.
    pub log_backlog: i64,
}

/// Problem details, RFC 9457.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProblemDetails {
    /// Names the kind of problem.
    pub r#type: String,
    /// The status in words.
    pub title: String,
    /// The status.
    pub status: u16,
    /// What is wrong and what to do; names fields, never repeats their values.
    pub detail: String,
    /// A short word for machines.
    pub code: String,
    /// Names the request; the same as the header `x-request-id`.
    pub request_id: String,
}
