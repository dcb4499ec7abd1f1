//! What is asked of the guard.

use serde::{Deserialize, Serialize};
use simwarden_model::{Channel, OperationKind, Role, Timestamp};

/// A request to go on with an operation, at the moment of deciding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// What shall be done.
    pub operation: OperationKind,
    /// Where the request came in.
    pub channel: Channel,
    /// In which role the requester acts.
    pub role: Role,
    /// When the operation was first requested: holds count from here, however often it is decided again.
    pub requested_at: Timestamp,
    /// The moment of this decision.
    pub now: Timestamp,
}
