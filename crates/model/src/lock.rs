//! Locks on a line, and the answer to "is this you?".

use crate::named::named_enum;

named_enum! {
    /// What a lock covers.
    pub enum LockScope ("lock scope") {
        /// Moving the line to another profile, chip, phone or owner.
        Swap = "swap",
        /// Leaving for another operator.
        Port = "port",
        /// Every sensitive operation.
        All = "all",
    }
}

named_enum! {
    /// Who set a lock. Only the owner's and the authority's stop every role.
    pub enum LockSetter ("setter of a lock") {
        /// The owner.
        Owner = "owner",
        /// The operator, for a limited time.
        Operator = "operator",
        /// A court or the regulator.
        Authority = "authority",
    }
}

named_enum! {
    /// What became of a question to the owner.
    pub enum ApprovalState ("state of an approval") {
        /// Waiting for the answer.
        Pending = "pending",
        /// Yes, with the right number.
        Granted = "granted",
        /// No: the operation is frozen.
        Refused = "refused",
        /// Nobody answered in time.
        Expired = "expired",
        /// The operation changed or ended; the question no longer stands.
        Withdrawn = "withdrawn",
    }
}
