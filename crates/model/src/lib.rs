//! The vocabulary of simwarden.
//!
//! Every word that two crates must agree on stands here: identifiers that cannot hold a wrong value, the
//! sensitive operations, who asks for them over which channel, their state machines, reason codes and events.
//!
//! **Architecture invariant:** this crate does no I/O, knows no clock and draws no randomness; it depends on no
//! other crate of the workspace.

mod actor;
mod channel;
mod id;
mod lock;
mod named;
mod operation;
mod outside;
mod reason;
mod time;

pub use actor::Role;
pub use channel::Channel;
pub use id::{
    ApprovalId, DecisionId, Id, ImportId, OperationId, PartyId, ProfileId, SubjectId, SubscriptionId, TokenId,
};
pub use lock::{ApprovalState, LockScope, LockSetter};
pub use named::UnknownName;
pub use operation::OperationKind;
pub use outside::{Clock, Entropy};
pub use reason::{ReasonCode, ReasonCodeError};
pub use time::Timestamp;
