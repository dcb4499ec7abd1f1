//! What a chip keeps: over a loss of power (profiles, notifications, one-time keys) and without (the session).

use crate::bsp::SecureChannel;
use crate::certificate::Certificate;
use crate::crypto::PrivateKey;
use crate::metadata::Metadata;
use serde::{Deserialize, Serialize};

/// How a chip is built, and what it says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ChipSettings {
    /// SGP.22 version that it supports: major, minor, revision.
    pub svn: [u8; 3],
    /// Its firmware.
    pub firmware: [u8; 3],
    /// Memory for profiles, in bytes.
    pub memory_bytes: u32,
    /// Profiles that it can hold.
    pub profiles_max: usize,
    /// Profile policy rules that it never accepts; bits as in [`crate::metadata`].
    pub forbidden_policy_rules: u8,
    /// Whether segments over 1020 bytes are refused, as SGP.22 2.5.3 has it.
    pub strict_segments: bool,
    /// Where it looks for events.
    pub root_smds: String,
}

impl Default for ChipSettings {
    fn default() -> Self {
        Self {
            svn: [2, 2, 2],
            firmware: [1, 0, 0],
            memory_bytes: 512 * 1024,
            profiles_max: 16,
            forbidden_policy_rules: 0,
            strict_segments: true,
            root_smds: "testrootsmds.gsma.com".into(),
        }
    }
}

/// A profile on the chip.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// The application identifier of its security domain (ISD-P).
    #[serde(with = "crate::hex::array")]
    pub aid: [u8; 16],
    /// Whether it is the one in use.
    pub enabled: bool,
    /// What the user calls it.
    pub nickname: Option<String>,
    /// What it says of itself.
    pub metadata: Metadata,
    /// The unprotected profile package as it arrived.
    #[serde(with = "crate::hex::bytes")]
    pub package: Vec<u8>,
}

impl Profile {
    /// The memory it takes, in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.package.len() + self.metadata.icon.len()
    }
}

/// A notification that waits to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification {
    /// Its number; they grow over the life of the chip.
    pub seq: u64,
    /// One bit of [`crate::metadata::event`].
    pub event: u8,
    /// To whom.
    pub address: String,
    /// Of which profile, if it came that far.
    pub iccid: Option<[u8; 10]>,
    /// `PendingNotification` in DER: what is sent.
    #[serde(with = "crate::hex::bytes")]
    pub der: Vec<u8>,
}

/// A one-time key that was shown to a server and may be asked for again.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct KeptKey {
    #[serde(with = "crate::hex::bytes")]
    pub smdp_oid: Vec<u8>,
    pub key: PrivateKey,
}

/// A session with a server: begins with a challenge, ends with a result or a cancellation.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Session {
    #[serde(with = "crate::hex::array")]
    pub challenge: [u8; 16],
    pub authenticated: Option<Authenticated>,
    pub prepared: Option<Prepared>,
    pub loading: Option<Loading>,
}

/// The server has shown who it is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Authenticated {
    #[serde(with = "crate::hex::bytes")]
    pub transaction_id: Vec<u8>,
    #[serde(with = "crate::hex::bytes")]
    pub ci_key_id: Vec<u8>,
    #[serde(with = "crate::hex::bytes")]
    pub smdp_oid: Vec<u8>,
    pub address: String,
    /// `5F37 40 euiccSignature1`: what `smdpSignature2` must stand on.
    #[serde(with = "crate::hex::bytes")]
    pub signature1: Vec<u8>,
}

/// The chip has given a one-time key for one package.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Prepared {
    pub dppb: Certificate,
    pub key: PrivateKey,
    /// What was shown as the public key: a fault may have bent it.
    #[serde(with = "crate::hex::bytes")]
    pub shown: Vec<u8>,
}

/// A package that is being loaded.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Loading {
    pub channel: SecureChannel,
    /// Bytes of BF36 that are still to come.
    pub left: usize,
    /// The sequence (A0 to A3) that is open, or the last one that was, and its bytes still to come.
    pub sequence: u32,
    pub sequence_left: usize,
    pub segments: u32,
    /// Clear text of the open sequence.
    #[serde(with = "crate::hex::bytes")]
    pub clear: Vec<u8>,
    pub metadata: Option<Metadata>,
}
