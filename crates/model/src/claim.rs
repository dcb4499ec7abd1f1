//! What a requester says has happened to the phone or chip.

use crate::named::named_enum;

named_enum! {
    /// The reason that a requester gives. A claim, not a fact: policies decide what it is worth.
    pub enum Claim ("claim") {
        /// Phone or card is lost.
        Lost = "lost",
        /// Phone or card was stolen.
        Stolen = "stolen",
        /// Phone or chip no longer works.
        Broken = "broken",
        /// A new phone.
        Upgrade = "upgrade",
        /// Nothing of the kind.
        None = "none",
    }
}
