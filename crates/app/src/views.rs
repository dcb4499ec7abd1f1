//! What the use cases answer: plain data for the edge, with numbers masked.

use crate::Error;
use crate::operation::{StepRecord, StepState, read_json};
use crate::operations::Step;
use serde::Serialize;
use simwarden_model::{
    ApprovalId, Channel, Claim, OperationId, OperationKind, OperationState, Role, SubscriptionId, Timestamp,
};
use simwarden_store::records::history::HistoryItem;
use simwarden_store::records::operation::Operation;

/// One operation in a list.
#[derive(Debug, Clone, Serialize)]
pub struct OperationSummary {
    /// Its name.
    pub id: OperationId,
    /// What is asked.
    pub operation: OperationKind,
    /// Where it was asked.
    pub channel: Channel,
    /// Who asked, by role.
    pub actor_role: Role,
    /// MCC-MNC of the operator.
    pub operator: String,
    /// The line, by its random id.
    pub subject: Option<SubscriptionId>,
    /// The number, masked.
    pub line: String,
    /// Where it stands.
    pub state: OperationState,
    /// The guard's last word.
    pub verdict: String,
    /// Why.
    pub reasons: Vec<String>,
    /// What is still asked for.
    pub requirements: Vec<String>,
    /// Until when it waits.
    pub hold_until: Option<Timestamp>,
    /// When it was asked.
    pub requested_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// The ledger entry of its last change.
    pub entry: i64,
}

/// One operation with everything about it.
#[derive(Debug, Clone, Serialize)]
pub struct OperationDetail {
    /// What stands in the list.
    #[serde(flatten)]
    pub summary: OperationSummary,
    /// What is said of the old phone.
    pub claim: Option<Claim>,
    /// Rules that applied.
    pub rules: Vec<String>,
    /// The policy that decided.
    pub policy_hash: String,
    /// What becomes of a hold when nobody answers.
    pub on_timeout: Option<String>,
    /// What happened, in order.
    pub timeline: Vec<TimelineItem>,
    /// The steps and how far they are.
    pub steps: Vec<StepView>,
}

/// One step of an operation.
#[derive(Debug, Clone, Serialize)]
pub struct StepView {
    /// Its name.
    pub name: Step,
    /// Where it stands.
    pub state: StepState,
    /// Since when.
    pub at: Option<Timestamp>,
}

impl From<StepRecord> for StepView {
    fn from(record: StepRecord) -> Self {
        Self {
            name: record.name,
            state: record.state,
            at: record.at,
        }
    }
}

/// One thing that happened.
#[derive(Debug, Clone, Serialize)]
pub struct TimelineItem {
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: String,
    /// Who did it, by role.
    pub actor_role: Role,
    /// The same as a code for texts: the kind, and for decisions the verdict behind it.
    pub text_code: String,
    /// Why, where there is a why.
    pub reasons: Vec<String>,
    /// The ledger entry it stands in.
    pub entry: i64,
    /// More, without personal data.
    pub detail: serde_json::Value,
}

impl From<HistoryItem> for TimelineItem {
    fn from(item: HistoryItem) -> Self {
        let detail: serde_json::Value = serde_json::from_str(&item.detail).unwrap_or_default();
        let text_code = match detail.get("verdict").and_then(|v| v.as_str()) {
            Some(verdict) => format!("{}_{verdict}", item.kind),
            None => item.kind.clone(),
        };
        let reasons = detail
            .get("reasons")
            .and_then(|r| r.as_array())
            .map(|list| {
                list.iter()
                    .filter_map(|r| r.as_str().map(str::to_owned))
                    .collect()
            })
            .unwrap_or_default();
        Self {
            at: item.at,
            kind: item.kind,
            actor_role: item.actor_role,
            text_code,
            reasons,
            entry: item.entry,
            detail,
        }
    }
}

/// A question that waits for the owner.
#[derive(Debug, Clone, Serialize)]
pub struct QuestionView {
    /// Its name.
    pub id: ApprovalId,
    /// What would happen.
    pub operation: OperationSummary,
    /// The same in plain words, by language: `km`, `en`, `zh`.
    pub words: std::collections::HashMap<String, String>,
    /// When it was asked.
    pub created_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
}

/// One line in an answer to a search.
#[derive(Debug, Clone, Serialize)]
pub struct LineSummary {
    /// Its random id.
    pub id: SubscriptionId,
    /// MCC-MNC of the operator.
    pub operator: String,
    /// The number, masked, or in the clear for its owner.
    pub line: String,
    /// Prepaid, postpaid …
    pub kind: simwarden_model::LineKind,
    /// Where it is in its life.
    pub state: simwarden_model::SubscriptionState,
    /// What the lock in force covers.
    pub lock: Option<simwarden_model::LockScope>,
    /// Whether it is frozen.
    pub frozen: bool,
    /// When it was registered.
    pub opened_at: Timestamp,
    /// When the number last moved.
    pub swapped_at: Option<Timestamp>,
    /// Its profiles.
    pub profiles: Vec<ProfileSummary>,
}

/// One profile.
#[derive(Debug, Clone, Serialize)]
pub struct ProfileSummary {
    /// Its random id.
    pub id: simwarden_model::ProfileId,
    /// Its number, masked.
    pub iccid: String,
    /// The chip, masked.
    pub eid: Option<String>,
    /// The phone, masked.
    pub imei: Option<String>,
    /// Where it is in its life.
    pub state: simwarden_model::ProfileState,
    /// Whether it is the live one.
    pub live: bool,
}

/// An operation as it stands in lists.
///
/// # Errors
/// When what is stored cannot be read.
pub fn summary(row: &Operation) -> Result<OperationSummary, Error> {
    Ok(OperationSummary {
        id: row.id,
        operation: row.kind,
        channel: row.channel,
        actor_role: row.actor_role,
        operator: row.operator.clone(),
        subject: row.subscription_id,
        line: row.line_masked.clone(),
        state: row.state,
        verdict: row.verdict.clone(),
        reasons: read_json(&row.reasons)?,
        requirements: read_json(&row.requirements)?,
        hold_until: row.hold_until,
        requested_at: row.requested_at,
        updated_at: row.updated_at,
        entry: row.entry,
    })
}

/// An operation with everything about it.
///
/// # Errors
/// When what is stored cannot be read.
pub fn detail(row: &Operation, timeline: Vec<HistoryItem>) -> Result<OperationDetail, Error> {
    let steps: Vec<StepRecord> = read_json(&row.steps)?;
    Ok(OperationDetail {
        summary: summary(row)?,
        claim: row.claim,
        rules: read_json(&row.rules)?,
        policy_hash: String::from_utf8_lossy(&row.policy_hash).into_owned(),
        on_timeout: row.on_timeout.clone(),
        timeline: timeline.into_iter().map(TimelineItem::from).collect(),
        steps: steps.into_iter().map(StepView::from).collect(),
    })
}
