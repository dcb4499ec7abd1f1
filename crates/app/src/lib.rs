//! The use cases of simwarden: gather facts, call the core, write ONE transaction, carry effects out.
//!
//! **Architecture invariants:** nothing is answered before it is durable together with its ledger entry; no effect
//! leaves before that entry is in a signed tree; every sensitive step asks the guard again at the point of use. This
//! crate knows no SQL and no HTTP, and opens no connections: the outside world stands behind the ports.

mod accounts;
mod actor;
mod app;
mod carry;
mod chance;
mod committer;
mod decide;
mod draft;
mod entry;
mod error;
mod evidence;
mod facts;
mod followup;
pub mod gateway;
pub mod import;
mod ingest;
pub mod log;
mod lookup;
mod notice;
mod operation;
mod operations;
pub mod ports;
mod proof;
mod question;
mod review;
mod rows;
mod secrets;
mod shared;
pub mod smdp;
mod step;
mod submit;
mod tell;
mod tokens;
mod totp;
mod views;
mod watchman;
pub mod worker;
mod world;

pub use accounts::{
    AccountView, Begun, Enrol, INVITATION_LIFE, Invited, NewAccount, PasskeyView, Passkeys, PasskeysError,
    PasswordSignIn, SESSION_PREFIX, SessionView, Sign, Signature, SignedIn, Signs, Whereabouts,
};
pub use actor::Actor;
pub use app::{App, AppConfig, may_watch};
pub use chance::{OsEntropy, SystemClock};
pub use entry::{ENTRY_BYTES_MAX, EntryBody, RowMark};
pub use error::{Error, ErrorKind};
pub use followup::{Given, Outcome, RollBackAnswer};
pub use ingest::{BATCH_BYTES_MAX, IngestReport, LineProblem};
pub use lookup::{Found, Search};
pub use operation::{LineRef, NewOperation, NewOwner, RequestContext, StepState, WeakProofs};
pub use operations::Step;
pub use question::OwnerAnswer;
pub use review::DecisionView;
pub use secrets::{
    LineSecret, Of, PartySecret, ProfileSecret, Wish, open, open_common, seal, seal_common, subject_key,
};
pub use shared::Limits;
pub use submit::Submitted;
pub use tokens::{LIFE_MAX, NewToken, TOKEN_PREFIX, token_hash};
pub use views::{
    LineSummary, OperationDetail, OperationSummary, ProfileSummary, QuestionView, StepView, TimelineItem,
    detail, summary,
};
pub use watchman::{ClockGuard, DRIFT_MAX, SILENCE_MAX};

/// An operation was made or changed, and that is durable.
#[derive(Debug, Clone)]
pub struct Update {
    /// The ledger entry, which numbers the updates.
    pub entry: i64,
    /// The operation as it now is.
    pub operation: simwarden_store::records::operation::Operation,
}
