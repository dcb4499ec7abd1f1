//! The sensitive operations on an eSIM and its line.

use crate::named::named_enum;

named_enum! {
    /// A sensitive operation: nothing of the kind happens without a decision of the guard.
    pub enum OperationKind ("operation") {
        /// Enter a person and a line into the registry.
        Register = "register",
        /// Bring a registered line to life.
        Activate = "activate",
        /// Issue the first profile of a line.
        Issue = "issue",
        /// Replace the profile of a line: lost, stolen or broken phone, new chip.
        Replace = "replace",
        /// Move the line to another phone of the same owner.
        TransferDevice = "transfer_device",
        /// Move the line to another owner.
        TransferOwner = "transfer_owner",
        /// Change the contact that notices go to.
        ChangeContact = "change_contact",
        /// Forward calls to another number.
        SetForwarding = "set_forwarding",
        /// Lock the line against sensitive operations.
        Lock = "lock",
        /// Take the owner's lock away.
        Unlock = "unlock",
        /// Suspend service.
        Suspend = "suspend",
        /// Resume a suspended service.
        Resume = "resume",
        /// Move the number to another operator.
        PortOut = "port_out",
        /// Give a quarantined number to a new owner.
        Recycle = "recycle",
        /// End the line and delete its profile.
        Delete = "delete",
    }
}

impl OperationKind {
    /// Whether the operation puts the number on another chip or phone: what a SIM-swap thief wants.
    #[must_use]
    pub const fn moves_number(self) -> bool {
        matches!(
            self,
            Self::Issue
                | Self::Replace
                | Self::TransferDevice
                | Self::TransferOwner
                | Self::PortOut
                | Self::Recycle
        )
    }

    /// Whether the operation only makes the line safer, so that it is never delayed by a lock or a hold.
    #[must_use]
    pub const fn protects(self) -> bool {
        matches!(self, Self::Lock | Self::Suspend)
    }
}
