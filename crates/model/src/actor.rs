//! Who asks.

use crate::named::named_enum;

named_enum! {
    /// The role in which somebody, or something, acts. A token carries exactly one.
    pub enum Role ("role") {
        /// The owner of a line.
        Subscriber = "subscriber",
        /// A person at a counter or a dealer.
        Agent = "agent",
        /// The agents' superior: second approver.
        Supervisor = "supervisor",
        /// Works the operator's fraud cases.
        FraudAnalyst = "fraud_analyst",
        /// Answers the 24-hour hotline.
        Hotline = "hotline",
        /// The telecom regulator.
        Regulator = "regulator",
        /// Reads everything, changes nothing.
        Auditor = "auditor",
        /// A machine that delivers events.
        Feed = "feed",
        /// Runs the installation: tokens, imports, policies; decides nothing about a line.
        Admin = "admin",
        /// simwarden itself: timers and playbooks. No token carries it.
        System = "system",
    }
}
