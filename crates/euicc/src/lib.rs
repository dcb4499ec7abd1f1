//! A simulated eUICC.
pub mod bsp;
pub mod certificate;
mod chip;
mod commands;
pub mod crypto;
mod error;
mod faults;
pub mod hex;
mod identity;
pub mod metadata;
pub mod pki;
mod state;
pub mod tlv;

pub use chip::{COMMAND_LENGTH_MAX, Euicc};
pub use error::{EuiccError, Result};
pub use faults::{ClaimedDevice, Faults, Info2Fault, Signed};
pub use identity::Identity;
pub use state::{ChipSettings, Notification, Profile};
