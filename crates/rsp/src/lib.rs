//! The pure core of an SM-DP+ after GSMA SGP.22 v2.
mod activation_code;
pub mod authenticate;
pub mod bound_package;
mod bsp;
pub mod certificate;
pub mod chain;
mod chip_info;
pub mod clone_signs;
mod confirmation;
pub mod curve;
pub mod der;
pub mod effect;
mod gate;
pub mod initiate;
mod kdf;
pub mod key;
mod matching_id;
pub mod metadata;
pub mod order;
pub mod package;
mod server;
pub mod session;
mod status;
#[cfg(test)]
mod testkit;
mod wire;

pub use activation_code::{ACTIVATION_CODE_CHARS_MAX, ActivationCode, NoActivationCode};
pub use bsp::{ENCRYPTED_PAYLOAD_BYTES_MAX, PLAIN_PAYLOAD_BYTES_MAX, SEGMENT_BYTES_MAX};
pub use chip_info::{DeviceInfo, EuiccInfo1, EuiccInfo2};
pub use confirmation::{CONFIRMATION_CODE_CHARS_MAX, ConfirmationDigest};
pub use gate::Gate;
pub use matching_id::{MATCHING_ID_CHARS_MAX, MatchingId, NoMatchingId};
pub use order::{Order, OrderLimits, OrderRef};
pub use package::Prepared;
pub use server::{Identity, Server, ServerError};
pub use session::{Session, TransactionId};
pub use status::Refusal;
