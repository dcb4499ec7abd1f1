//! What a chip can be made to do wrong, as data, so that whoever must notice it can be tested.

use crate::device::Device;
use serde::{Deserialize, Serialize};

/// What a signature stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signed {
    /// `euiccSigned1`, in the answer to `AuthenticateServer`.
    Authenticate,
    /// `euiccSigned2`, in the answer to `PrepareDownload`.
    Prepare,
    /// The result of an installation.
    InstallResult,
    /// A notification of enabling, disabling or deleting.
    Notification,
    /// The answer to `CancelSession`.
    Cancel,
}

/// How `euiccInfo2` is tampered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Info2Fault {
    /// Somebody between chip and server changes the firmware version: the signature no longer fits.
    AfterSigning,
    /// The chip signs a firmware version that is not its own, as a clone with other software would.
    Firmware([u8; 3]),
}

/// The faults of one chip; the default is none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// Signatures of this kind are wrong by one bit.
    pub wrong_signature: Option<Signed>,
    /// The one-time key of the download before is used again, asked for or not.
    pub reuse_otpk: bool,
    /// The one-time public key is not on the curve.
    pub off_curve_otpk: bool,
    /// The chip claims this EID (32 digits): in answers to the device, and written over the one in its certificate.
    pub claimed_eid: Option<String>,
    /// Power is cut after so many segments of a package (1 = after the first).
    pub power_loss_after_segments: Option<u32>,
    /// `euiccInfo2` is tampered with.
    pub info2: Option<Info2Fault>,
    /// The signed device information is not what the device said.
    pub device: Option<Device>,
    /// The answer to `AuthenticateServer` is the one of the session before.
    pub replay_authenticate: bool,
    /// The answer to `PrepareDownload` is the one of the session before.
    pub replay_prepare: bool,
    /// A profile is installed, and its result neither told nor kept.
    pub no_install_result: bool,
    /// Every notification is kept, and so sent, twice.
    pub duplicate_notifications: bool,
    /// The hash of the confirmation code is wrong by one bit.
    pub wrong_hash_cc: bool,
}
