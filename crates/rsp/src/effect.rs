//! What follows from a function besides its answer: data for the caller to carry out.
//!
//! All effects of one call belong into one transaction with the changed order and session. The answer leaves only
//! after that transaction is durable.

use crate::clone_signs::CloneSign;
use crate::status::Refusal;
use sha2::{Digest, Sha256};
use simwarden_model::{Eid, ProfileState, ReasonCode};

/// A step of an order that the ledger keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// A profile was reserved for its owner, or for a chip.
    Ordered,
    /// The order was confirmed: it has its matching id.
    Confirmed,
    /// The order may be fetched.
    Released,
    /// The order was taken back, or its profile barred.
    Withdrawn,
    /// A chip proved itself and was shown the order.
    Authenticated,
    /// The order was bound to a chip and the package was made for it.
    Delivered,
    /// The chip installed the profile.
    Installed,
    /// The chip could not install the profile.
    InstallFailed,
    /// The chip enabled the profile.
    EnabledOnChip,
    /// The chip disabled the profile.
    DisabledOnChip,
    /// The chip deleted the profile.
    DeletedOnChip,
    /// The person or the phone ended the session.
    Cancelled,
    /// A function was refused.
    Refused,
}

impl Step {
    /// The written name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ordered => "ordered",
            Self::Confirmed => "confirmed",
            Self::Released => "released",
            Self::Withdrawn => "withdrawn",
            Self::Authenticated => "authenticated",
            Self::Delivered => "delivered",
            Self::Installed => "installed",
            Self::InstallFailed => "install_failed",
            Self::EnabledOnChip => "enabled_on_chip",
            Self::DisabledOnChip => "disabled_on_chip",
            Self::DeletedOnChip => "deleted_on_chip",
            Self::Cancelled => "cancelled",
            Self::Refused => "refused",
        }
    }
}

/// What the operator is told by ES2+ HandleDownloadProgressInfo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NotificationPoint {
    /// Eligibility and the limit of attempts.
    Eligibility,
    /// The confirmation code was wrong.
    Confirmation,
    /// The package was delivered.
    Download,
    /// The chip reported on the installation.
    Installation,
    /// The chip reported the profile deleted.
    Deletion,
}

impl NotificationPoint {
    /// Its number in `notificationPointId`.
    #[must_use]
    pub const fn id(self) -> u8 {
        match self {
            Self::Eligibility => 1,
            Self::Confirmation => 2,
            Self::Download => 3,
            Self::Installation => 4,
            Self::Deletion => 5,
        }
    }
}

/// Something to be told to the subscriber, over a channel that is not the chip's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Notice {
    /// Another device tried to fetch the profile.
    OtherDeviceTried,
    /// A wrong confirmation code was entered.
    WrongCode,
    /// The order is dead: too many wrong codes.
    CodesExhausted,
    /// The guard or a freeze held the download.
    Held,
    /// The download ended for good at the phone.
    Cancelled,
    /// The profile is installed.
    Installed,
    /// The chip could not install the profile.
    InstallFailed,
}

/// One thing to be carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// The order moved; write it.
    OrderMoved {
        /// From.
        from: ProfileState,
        /// To.
        to: ProfileState,
    },
    /// A field of the order changed without a move (a count); write it.
    OrderTouched,
    /// The session changed; write it.
    SessionChanged,
    /// An entry for the ledger.
    Record {
        /// What happened.
        step: Step,
        /// The chip, when it is proven.
        eid: Option<Eid>,
        /// SHA-256 of the bytes that the chip signed; `None` where nothing was signed.
        signed_digest: Option<[u8; 32]>,
        /// The refusal, when it is one.
        refusal: Option<Refusal>,
        /// The guard's reason, when it was the guard's.
        reason: Option<ReasonCode>,
    },
    /// A sign that a chip was cloned or its identity is used twice: raise an alarm, quarantine the EID.
    CloneSign(CloneSign),
    /// A message that nobody with the chip's key signed was sent as if: raise an alarm, change nothing.
    Forged {
        /// Which refusal it met.
        refusal: Refusal,
    },
    /// Tell the subscriber.
    Tell(Notice),
    /// Tell the operator.
    Progress {
        /// Which point was reached.
        point: NotificationPoint,
        /// `None` when it was reached well.
        refusal: Option<Refusal>,
        /// The chip's own words on it, when there are any.
        result: Option<Vec<u8>>,
    },
    /// Erase the unprotected profile, the prepared package and the one-time keys of this order.
    EraseProfile,
}

impl Effect {
    /// An entry for the ledger on signed bytes.
    #[must_use]
    pub(crate) fn record(step: Step, eid: Eid, signed_digest: [u8; 32]) -> Self {
        Self::Record {
            step,
            eid: Some(eid),
            signed_digest: Some(signed_digest),
            refusal: None,
            reason: None,
        }
    }

    /// An entry for the ledger on what an operator did.
    #[must_use]
    pub const fn done(step: Step) -> Self {
        Self::Record {
            step,
            eid: None,
            signed_digest: None,
            refusal: None,
            reason: None,
        }
    }

    /// An entry for the ledger on a refusal.
    #[must_use]
    pub(crate) fn refused(
        refusal: Refusal,
        eid: Eid,
        signed_digest: [u8; 32],
        reason: Option<ReasonCode>,
    ) -> Self {
        Self::Record {
            step: Step::Refused,
            eid: Some(eid),
            signed_digest: Some(signed_digest),
            refusal: Some(refusal),
            reason,
        }
    }
}

/// A refusal with what follows from it. The effects are carried out all the same: a wrong code is counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denied {
    /// What the client is told.
    pub refusal: Refusal,
    /// What is to be carried out.
    pub effects: Vec<Effect>,
}

impl From<Refusal> for Denied {
    fn from(refusal: Refusal) -> Self {
        Self {
            refusal,
            effects: Vec::new(),
        }
    }
}

/// SHA-256, as entries carry it.
#[must_use]
pub(crate) fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}
