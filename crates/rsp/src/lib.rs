//! The pure core of an SM-DP+ after GSMA SGP.22 v2: the server that hands eSIM profiles to phones, with theft
//! prevention built in.
//!
//! **Bytes in, bytes and effects out.** A function of ES9+ or ES2+ takes the [`Server`], the [`Session`], the
//! [`Order`], the received bytes, the time and entropy; it answers with bytes and with [`effect::Effect`]s, or with a
//! [`Refusal`] that carries the codes of the standard. What was received is verified as it was received, never
//! re-encoded.
//!
//! The way of a download, and what the caller does in between:
//!
//! | step | function | around it |
//! |---|---|---|
//! | begin | [`initiate::initiate`] | keep the session |
//! | the chip proves itself | [`authenticate::verify`] | look the order up by [`authenticate::Verified::wanted`] |
//! | the answer is signed | [`authenticate::draft`] | outside any transaction |
//! | the order is claimed | [`authenticate::claim`] | **inside** the writing transaction, guard and freezes asked there |
//! | the chip asks for the package | [`bound_package::verify`], [`bound_package::need`], [`bound_package::build`] | outside |
//! | the order is bound to the chip | [`bound_package::claim`] | **inside**; the package leaves when it is durable |
//! | the chip reports | [`notification::read`], `verify_*`, `apply_*` | `apply_*` inside |
//! | or the person declines | [`cancel::verify`], [`cancel::claim`] | `claim` inside |
//!
//! `claim` checks everything anew on the order as it is in the transaction. When the order changed since the draft it
//! says [`authenticate::NotGranted::Stale`]: read the order again, draft or build again, claim again. Effects of a
//! refusal are carried out like those of a success: a wrong code is counted.
//!
//! Around it: [`der`] (strict, over slices), [`certificate`] and [`chain`] (roles, validity, EID ranges, the
//! [`chain::Screen`]), [`key`] (signers, one-time keys), [`package`] (the bound package in a costly half made at order
//! time and a cheap one), [`metadata`], [`profile`] (read, lint, personalise, sample), [`es2plus`] (orders as
//! decisions), [`json`] (the bodies), [`clone_signs`], [`pki`] (certificates of an own PKI).
//!
//! **Architecture invariants.** No I/O, no clock, no global randomness; the one exception is the nonce inside an ECDSA
//! signature, which the library draws itself (see `docs/adr/0009-rsp-crypto.md`). Nothing unsigned moves a state. An
//! order is bound to one chip once and never to another. No secret is printed by `Debug`. It knows no other crate of
//! the workspace than `model`.

mod activation_code;
pub mod authenticate;
pub mod bound_package;
mod bsp;
pub mod cancel;
pub mod certificate;
mod certificate_fields;
pub mod chain;
mod chip_info;
pub mod clone_signs;
mod confirmation;
pub mod curve;
pub mod der;
pub mod effect;
pub mod es2plus;
mod gate;
pub mod initiate;
pub mod json;
mod kdf;
pub mod key;
#[cfg(test)]
mod known_answers;
mod matching_id;
pub mod metadata;
pub mod notification;
pub mod order;
pub mod package;
pub mod pki;
pub mod profile;
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
