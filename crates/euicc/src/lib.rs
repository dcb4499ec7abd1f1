//! A simulated eUICC (GSMA SGP.22), the test PKI that vouches for it, and the faces by which the world drives it.
//!
//! The chip checks what a real chip checks: the server's certificates, roles and OIDs, every signature over the bytes
//! as received, its own challenge, transaction ids, MACs, chaining and size of every segment, that the ICCID of the
//! metadata is the one in the package, profile policy rules, memory. It signs installation results and notifications.
//! It can also be told to misbehave ([`Faults`]), so that whoever must notice has something to notice.
//!
//! | module or type | duty |
//! |---|---|
//! | [`Euicc`] | ES10a, ES10b and ES10c as a state machine over bytes |
//! | [`pki`] | CI, EUM, chips, DPauth, DPpb, DPtls, ES2+ client; also with one chosen flaw |
//! | [`apdu`], [`stdio`] | the chip behind APDUs, and behind the JSON lines of `lpac` |
//! | [`lpa`] | the pure half of a local profile assistant: ES9+ bodies in order, answers consumed |
//!
//! ```
//! # struct Fixed(u8);
//! # impl simwarden_model::Entropy for Fixed {
//! #     fn fill(&mut self, bytes: &mut [u8]) { for b in bytes { self.0 = self.0.wrapping_mul(5).wrapping_add(7); *b = self.0 } }
//! # }
//! # let mut entropy = Fixed(1);
//! use simwarden_euicc::{ChipSettings, Euicc, pki::{Pki, PkiOptions}};
//! let options = PkiOptions::new("2026-01-01T00:00:00Z".parse()?, "smdp.example.com");
//! let pki = Pki::make(options, &mut entropy)?;
//! let eid = simwarden_model::Eid::parse("89049032123451234512345678901235")?;
//! let mut chip = Euicc::new(pki.chip(eid, &mut entropy)?, ChipSettings::default());
//! let answer = chip.process(&[0xBF, 0x3E, 3, 0x5C, 1, 0x5A], &mut entropy)?; // GetEID
//! assert_eq!(&answer[5..9], [0x89, 0x04, 0x90, 0x32]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! **Architecture invariant:** this crate shares no code with the server it is to judge. It has a TLV reader, a
//! certificate reader and cryptography of its own (RustCrypto here, another library there), so that an error in one
//! is not repeated in the other. It depends on `model` only; it does no I/O of its own, knows no clock and draws no
//! randomness: streams, times and chance are handed in.

mod activation_code;
pub mod apdu;
pub mod bsp;
pub mod certificate;
mod chip;
mod commands;
pub mod crypto;
mod device;
mod error;
mod faults;
pub mod hex;
mod identity;
pub mod lpa;
pub mod metadata;
pub mod pki;
mod state;
pub mod stdio;
pub mod tlv;

pub use activation_code::ActivationCode;
pub use chip::{COMMAND_LENGTH_MAX, Euicc};
pub use device::Device;
pub use error::{EuiccError, Result};
pub use faults::{Faults, Info2Fault, Signed};
pub use identity::Identity;
pub use state::{ChipSettings, Notification, Profile};
