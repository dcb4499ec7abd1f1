//! What is asked of the use cases, and what they know of a line while they decide.

use crate::Error;
use crate::proof::Proof;
use crate::world::World;
use serde::{Deserialize, Serialize};
use simwarden_model::{
    Channel, Claim, DocumentKey, Eid, Imei, LockScope, Msisdn, OperationKind, ProfileId, SubscriptionId,
    Timestamp, TokenId,
};
use simwarden_store::records::operation::Operation;
use simwarden_store::records::profile::Profile;
use simwarden_store::records::signal::LineSignal;
use simwarden_store::records::subscription::Subscription;

/// A line, by number or by id.
#[derive(Debug, Clone)]
pub enum LineRef {
    /// By its number.
    Number(Msisdn),
    /// By its id.
    Id(SubscriptionId),
}

/// A person to be registered, or to become an owner.
#[derive(Debug, Clone)]
pub struct NewOwner {
    /// Full name.
    pub name: String,
    /// Their document.
    pub document: DocumentKey,
}

/// A request for an operation, parsed.
#[derive(Debug, Clone)]
pub struct NewOperation {
    /// What is asked.
    pub kind: OperationKind,
    /// Where.
    pub channel: Channel,
    /// Which line; for a registration, the number to be given.
    pub line: LineRef,
    /// What is said of the old phone.
    pub claim: Option<Claim>,
    /// The chip that the profile shall go to.
    pub eid: Option<Eid>,
    /// The phone.
    pub imei: Option<Imei>,
    /// The new contact phone.
    pub contact_phone: Option<String>,
    /// The new contact address.
    pub contact_email: Option<String>,
    /// Where calls shall go; none takes forwarding away.
    pub forward_to: Option<Msisdn>,
    /// What a lock shall cover.
    pub lock_scope: Option<LockScope>,
    /// The person to be registered, or to become the owner.
    pub new_owner: Option<NewOwner>,
    /// The document that the person at the counter showed.
    pub document_shown: Option<DocumentKey>,
    /// What the requester's system says of the request.
    pub context: RequestContext,
    /// The same key from the same sender gets the same answer.
    pub idempotency_key: Option<String>,
}

/// What the requester's own system says of the request. What it leaves out is read as the worst.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RequestContext {
    /// The customer was authenticated in this conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interaction_authenticated: Option<bool>,
    /// The customer stands at the counter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_present: Option<bool>,
    /// A queue ticket or case belongs to the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub has_ticket: Option<bool>,
    /// The agent opened the record before the customer was authenticated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub looked_before_authenticated: Option<bool>,
    /// The terminal stands inside its district.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_geofence: Option<bool>,
    /// It is within the agent's shift and the shop's hours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_shift: Option<bool>,
    /// The terminal is a registered one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terminal_known: Option<bool>,
    /// The line's home district is another than the shop's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub out_of_district: Option<bool>,
    /// The request overrides a rule of the house.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_override: Option<bool>,
    /// The network of the session was not used by this account before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new_network: Option<bool>,
    /// The country of the session differs from where the line is attached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country_mismatch: Option<bool>,
    /// The account's password is on a list of leaked ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_leaked: Option<bool>,
    /// An unknown caller is speaking with the line at this moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call_in_progress: Option<bool>,
    /// The number to forward to was never called by the line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forward_to_stranger: Option<bool>,
    /// What was offered as proof and never counts.
    #[serde(skip_serializing_if = "WeakProofs::none")]
    pub weak: WeakProofs,
}

/// What is kept with an operation of how it was asked for: what was said, and what was found out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct KeptContext {
    /// What the requester's system said.
    pub said: RequestContext,
    /// Whether the line is registered on the document that was shown, or on the subscriber who asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_requesters_name: Option<bool>,
    /// What a lock shall cover.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lock_scope: Option<LockScope>,
    /// Since when the requester's token exists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requester_since: Option<Timestamp>,
    /// What was seen of the requester's session, when it was one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub signs: Option<crate::accounts::Signs>,
    /// The first of the two persons who take a finished operation back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollback_asked_by: Option<TokenId>,
    /// To whom the line shall go.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new_owner: Option<simwarden_model::PartyId>,
    /// The profile that the number followed before: it returns when the operation is taken back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replaced: Option<ProfileId>,
}

/// Proofs that never count. They are kept for the record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WeakProofs {
    /// Knowledge questions were answered.
    pub knowledge: bool,
    /// Numbers lately called were named.
    pub call_log: bool,
    /// A recent payment was named.
    pub recent_payment: bool,
    /// A code sent to the new SIM was read back.
    pub sms_to_new_sim: bool,
    /// Numbers printed on the device were named.
    pub device_numbers: bool,
}

impl WeakProofs {
    fn none(&self) -> bool {
        *self == Self::default()
    }
}

/// A line with what belongs to it, as read for one batch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LineView<'w> {
    pub row: &'w Subscription,
    pub profiles: &'w [Profile],
    pub signal: LineSignal,
}

impl<'w> LineView<'w> {
    pub(crate) fn of(world: &'w World, id: SubscriptionId) -> Option<Self> {
        let row = world.lines.get(&id)?;
        let profiles = world.profiles.get(&id).map_or(&[][..], Vec::as_slice);
        let signal = row
            .msisdn_idx
            .and_then(|index| world.signals.get(&index))
            .copied()
            .unwrap_or_default();
        Some(Self {
            row,
            profiles,
            signal,
        })
    }
}

/// Where one step of an operation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// Not begun.
    Pending,
    /// Handed to the outside world, no answer yet.
    Running,
    /// Done.
    Done,
    /// It failed.
    Failed,
    /// It was done and taken back.
    Undone,
}

/// One step as it is kept with the operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepRecord {
    /// Its name.
    pub name: crate::operations::Step,
    /// Where it stands.
    pub state: StepState,
    /// Since when.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub at: Option<Timestamp>,
}

/// The JSON columns of an operation.
pub(crate) fn read_json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(Error::internal)
}

pub(crate) fn write_json<T: Serialize>(value: &T) -> Result<String, Error> {
    serde_json::to_string(value).map_err(Error::internal)
}

/// The parts of an operation that are kept as JSON, read.
#[derive(Debug, Clone)]
pub(crate) struct Parts {
    pub context: KeptContext,
    pub proofs: Vec<Proof>,
    pub steps: Vec<StepRecord>,
}

impl Parts {
    pub(crate) fn of(operation: &Operation) -> Result<Self, Error> {
        Ok(Self {
            context: read_json(&operation.context)?,
            proofs: read_json(&operation.evidence)?,
            steps: read_json(&operation.steps)?,
        })
    }
}
