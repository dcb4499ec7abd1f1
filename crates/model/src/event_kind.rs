//! The types of event that have a fixed meaning, and any other under its own name.

use crate::named::named_enum;

named_enum! {
    /// A type of event with a fixed meaning.
    pub enum KnownEvent ("event type") {
        /// A phone attached to the network.
        Attach = "attach",
        /// A phone detached.
        Detach = "detach",
        /// A phone moved to another area.
        LocationUpdate = "location_update",
        /// The line was seen in another phone.
        ImeiChange = "imei_change",
        /// The network's authentication of the chip failed.
        AuthFailure = "auth_failure",
        /// Call forwarding was set.
        CallForwardSet = "call_forward_set",
        /// Call forwarding was cleared.
        CallForwardCleared = "call_forward_cleared",
        /// A call.
        Call = "call",
        /// A message with a one-time code.
        OtpSms = "otp_sms",
        /// Any other message.
        Sms = "sms",
        /// A profile was ordered.
        ProfileOrdered = "profile_ordered",
        /// A profile was downloaded.
        ProfileDownload = "profile_download",
        /// A chip reported a profile installed.
        ProfileInstalled = "profile_installed",
        /// A chip reported a profile switched on.
        ProfileEnabled = "profile_enabled",
        /// A chip reported a profile switched off.
        ProfileDisabled = "profile_disabled",
        /// A chip reported a profile deleted.
        ProfileDeleted = "profile_deleted",
        /// A download failed.
        DownloadFailed = "download_failed",
        /// A wrong confirmation code was given.
        ConfirmationCodeFailed = "confirmation_code_failed",
        /// The line went to another card or profile.
        SimSwap = "sim_swap",
        /// The line went into service.
        Activation = "activation",
        /// Service was suspended.
        Suspension = "suspension",
        /// Service was resumed.
        Resumption = "resumption",
        /// A move to another operator was requested.
        PortOutRequested = "port_out_requested",
        /// The number moved to another operator.
        PortOut = "port_out",
        /// The number went to a new owner.
        Recycled = "recycled",
        /// A login succeeded.
        LoginOk = "login_ok",
        /// A login failed.
        LoginFailed = "login_failed",
        /// A password was reset.
        PasswordReset = "password_reset",
        /// The contact for notices was changed.
        ContactChanged = "contact_changed",
        /// A factor of authentication was added.
        FactorAdded = "factor_added",
        /// A factor of authentication was removed.
        FactorRemoved = "factor_removed",
        /// The owner's lock was set.
        LockSet = "lock_set",
        /// The owner's lock was taken away.
        LockCleared = "lock_cleared",
        /// The owner was asked to approve.
        ApprovalSent = "approval_sent",
        /// The owner approved.
        ApprovalGranted = "approval_granted",
        /// The owner denied.
        ApprovalDenied = "approval_denied",
        /// A dealer did something on a line.
        DealerOp = "dealer_op",
        /// Somebody looked at a subscriber's record.
        RecordViewed = "record_viewed",
        /// An identity check succeeded.
        KycOk = "kyc_ok",
        /// An identity check failed.
        KycFailed = "kyc_failed",
        /// A rule was overridden.
        OverrideUsed = "override_used",
        /// A caller was verified.
        CallerVerified = "caller_verified",
        /// A caller failed verification.
        CallerFailed = "caller_failed",
        /// The security state of a phone changed.
        PostureChanged = "posture_changed",
        /// Malware was found on a phone.
        MalwareFound = "malware_found",
    }
}

/// The type of an event.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventKind {
    /// One with a fixed meaning.
    Known(KnownEvent),
    /// Any other, 1 to 64 characters without white space; kept, counted under its own name, offered to the rules.
    Other(Box<str>),
}

impl EventKind {
    /// The longest name of an event type, in bytes.
    pub const NAME_BYTES_MAX: usize = 64;

    /// From its written name; `None` when that is empty, longer than 64 bytes or not visible ASCII.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        if let Some(known) = KnownEvent::from_name(name) {
            return Some(Self::Known(known));
        }
        let fits = !name.is_empty()
            && name.len() <= Self::NAME_BYTES_MAX
            && name.bytes().all(|byte| byte.is_ascii_graphic());
        fits.then(|| Self::Other(name.into()))
    }

    /// The written name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Known(known) => known.as_str(),
            Self::Other(name) => name,
        }
    }
}

impl From<KnownEvent> for EventKind {
    fn from(known: KnownEvent) -> Self {
        Self::Known(known)
    }
}

impl std::fmt::Display for EventKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}
