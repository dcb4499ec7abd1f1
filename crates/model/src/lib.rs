//! The vocabulary of simwarden.
//!
//! Every word that two crates must agree on stands here: identifiers that cannot hold a wrong value, the
//! sensitive operations, who asks for them over which channel, their state machines, reason codes and events.
//!
//! An identifier of a person, line, chip or phone is masked by `Display` and `Debug`; `reveal` gives it in the clear.
//!
//! ```
//! let number = simwarden_model::Msisdn::parse("០១២ ៣៤៥ ៦៧៨", simwarden_model::Region::KH)?;
//! assert_eq!(number.to_string(), "+855•••••678");
//! assert_eq!(serde_json::to_string(number.reveal()).unwrap(), "\"85512345678\"");
//! # Ok::<(), simwarden_model::IdentifierError>(())
//! ```
//! It cannot be serialised by accident:
//! ```compile_fail,E0277
//! let number = simwarden_model::Msisdn::from_e164("85512345678").unwrap();
//! serde_json::to_string(&number).unwrap();
//! ```
//!
//! **Architecture invariant:** this crate does no I/O, knows no clock and draws no randomness; it depends on no
//! other crate of the workspace.

mod actor;
mod channel;
mod claim;
mod digits;
mod document;
mod eid;
mod error;
mod event;
mod event_kind;
mod event_parse;
#[cfg(test)]
mod event_tests;
mod iccid;
mod id;
mod imei;
mod imsi;
mod lock;
mod masked;
mod msisdn;
mod named;
mod operation;
mod operation_state;
mod operators;
mod outside;
mod person;
mod plmn;
mod prefix_hints;
mod profile;
mod reason;
mod refused;
mod subscription;
mod time;

pub use actor::Role;
pub use channel::Channel;
pub use claim::Claim;
pub use digits::normalise_digits;
pub use document::{DocumentKey, DocumentKind};
pub use eid::{Eid, EidCheck};
pub use error::{CheckDigit, IdentifierError};
pub use event::{Event, EventField, EventId};
pub use event_kind::{EventKind, KnownEvent};
pub use event_parse::{QuarantineReason, Quarantined};
pub use iccid::Iccid;
pub use id::{
    AccountId, ApprovalId, CeremonyId, FactorId, Id, ImportId, OperationId, OutboxId, PartyId, PasskeyId,
    ProfileId, SessionId, SubscriptionId, TokenId,
};
pub use imei::{Imei, Imeisv};
pub use imsi::Imsi;
pub use lock::{ApprovalState, LockScope, LockSetter};
pub use msisdn::{Msisdn, Region};
pub use named::UnknownName;
pub use operation::OperationKind;
pub use operation_state::{OperationEvent, OperationState};
pub use operators::{Confidence, Operator, OperatorStatus, OperatorTableError, Operators};
pub use outside::{Clock, Entropy};
pub use person::{LineKind, PartyClass, PartyKind};
pub use plmn::{Mcc, Mnc, Plmn};
pub use prefix_hints::{PrefixHints, PrefixTableError};
pub use profile::{ProfileEvent, ProfileState};
pub use reason::{ReasonCode, ReasonCodeError};
pub use refused::Refused;
pub use subscription::{SubscriptionEvent, SubscriptionState};
pub use time::Timestamp;
