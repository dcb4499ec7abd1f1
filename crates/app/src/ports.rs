//! The outside world, as the use cases see it. `links` holds the real ones, `drill` a simulated one.
//!
//! Every call carries the name of its effect; a receiver that sees the same name twice does the thing once.

use serde::{Deserialize, Serialize};
use simwarden_guard::Notify;
use simwarden_model::{OperationId, OperationKind, OutboxId};
use std::future::Future;
use std::pin::Pin;

/// What a port answers, later.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, PortError>> + Send + 'a>>;

/// Why the outside world did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PortError {
    /// Not now: it is tried again.
    #[error("{0}")]
    Temporary(String),
    /// Not at all: the operation is undone.
    #[error("{0}")]
    Permanent(String),
}

/// A text to somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// Who is told, and so over which channel.
    pub to: Notify,
    /// The phone number, for texts: E.164 digits without `+`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub phone: Option<String>,
    /// The mail address.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub email: Option<String>,
    /// `km`, `en` or `zh`.
    pub language: String,
    /// What is said.
    pub text: String,
}

/// Tells people.
pub trait Notifier: Send + Sync {
    /// Hands a text to the network, the mail server or the application.
    fn tell<'a>(&'a self, name: OutboxId, notice: &'a Notice) -> Answer<'a, ()>;
}

/// A profile order at an SM-DP+ (GSMA SGP.22, ES2+).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileOrder {
    /// The profile.
    pub iccid: String,
    /// The chip that it is bound to.
    pub eid: Option<String>,
    /// MCC-MNC of the operator.
    pub operator: String,
    /// The operation that it is for.
    pub operation: Option<OperationId>,
}

/// Hands out profiles.
pub trait SmDpPlus: Send + Sync {
    /// Orders a profile for a chip (`DownloadOrder`, `ConfirmOrder` without release).
    fn order<'a>(&'a self, name: OutboxId, order: &'a ProfileOrder) -> Answer<'a, ()>;
    /// Releases it for download (`ReleaseProfile`).
    fn release<'a>(&'a self, name: OutboxId, order: &'a ProfileOrder) -> Answer<'a, ()>;
    /// Whether the chip has told that it installed it.
    fn is_installed<'a>(&'a self, order: &'a ProfileOrder) -> Answer<'a, bool>;
    /// Takes the order back and bars the profile, wherever it is (`CancelOrder`, final state `Unavailable`).
    fn bar<'a>(&'a self, name: OutboxId, order: &'a ProfileOrder) -> Answer<'a, ()>;
}

/// Something to be told to an operator's system (GSMA SGP.22, ES2+ HandleDownloadProgressInfo).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgressCall {
    /// Where to: its https:// address, without the function's path.
    pub callback: String,
    /// The body, JSON.
    pub body: String,
}

/// Tells operators' systems how downloads go.
pub trait OperatorLink: Send + Sync {
    /// Makes the call; it names itself in its header, so that one that comes twice is known.
    fn progress<'a>(&'a self, name: OutboxId, call: &'a ProgressCall) -> Answer<'a, ()>;
}

/// A change in the network core (HLR, UDM).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkChange {
    /// Which operation asks for it.
    pub operation: OperationKind,
    /// Whether it is done or taken back.
    pub undo: bool,
    /// The line.
    pub msisdn: String,
    /// The profile that the number shall follow, by its subscriber identity.
    pub imsi: Option<String>,
    /// Where calls shall go.
    pub forward_to: Option<String>,
}

/// Changes what the network does with a line.
pub trait NetworkCore: Send + Sync {
    /// Makes a change; the same name twice changes once.
    fn change<'a>(&'a self, name: OutboxId, change: &'a NetworkChange) -> Answer<'a, ()>;
}
