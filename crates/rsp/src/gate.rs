//! What the guard and the freezes said, as an input: open, or closed for a reason.

use crate::status::Refusal;
use simwarden_model::ReasonCode;

/// The answer of the guard at the point of use. It is asked anew at every function that gives something out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gate {
    /// An approved operation stands behind the order, and no freeze is on.
    Open,
    /// It must not go on.
    Closed {
        /// What the client is told: mostly [`Refusal::NotReleased`].
        refusal: Refusal,
        /// Why, for the ledger, the desk and the subscriber.
        reason: ReasonCode,
    },
}

impl Gate {
    /// Closed with the refusal that gives nothing away.
    #[must_use]
    pub const fn closed(reason: ReasonCode) -> Self {
        Self::Closed {
            refusal: Refusal::NotReleased,
            reason,
        }
    }
}
