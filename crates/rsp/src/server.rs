//! What this SM-DP+ is: its address, its certificates per root, how long a session lives.

use crate::certificate::{Certificate, KeyId, Role};
use crate::chain::{self, OwnCertificateError};
use crate::key::Credential;
use crate::session::{ChallengeKey, IDENTITIES_MAX};
use std::time::Duration;

/// The certificates and keys of this server under one root.
#[derive(Debug, Clone)]
pub struct Identity {
    ci: Certificate,
    dp_auth: Credential,
    dp_pb: Credential,
}

impl Identity {
    /// Checks and pairs: DPauth and DPpb under this root, in their roles, with one and the same SM-DP+ OID.
    ///
    /// # Errors
    /// [`OwnCertificateError`] that says which certificate to replace.
    pub fn new(ci: Certificate, dp_auth: Credential, dp_pb: Credential) -> Result<Self, OwnCertificateError> {
        chain::verify_own(&ci, dp_auth.certificate(), Role::DpAuth)?;
        chain::verify_own(&ci, dp_pb.certificate(), Role::DpPb)?;
        let oid = dp_auth.certificate().registered_id();
        if oid.is_none() || oid != dp_pb.certificate().registered_id() {
            return Err(OwnCertificateError::Oid);
        }
        Ok(Self { ci, dp_auth, dp_pb })
    }

    /// The root.
    #[must_use]
    pub const fn ci(&self) -> &Certificate {
        &self.ci
    }

    /// The credential that proves the server to a chip.
    #[must_use]
    pub const fn dp_auth(&self) -> &Credential {
        &self.dp_auth
    }

    /// The credential that binds profiles.
    #[must_use]
    pub const fn dp_pb(&self) -> &Credential {
        &self.dp_pb
    }

    /// Contents of the OBJECT IDENTIFIER of this SM-DP+.
    #[must_use]
    pub fn oid(&self) -> &[u8] {
        self.dp_auth.certificate().registered_id().unwrap_or_default()
    }

    pub(crate) fn ci_key_id(&self) -> KeyId {
        self.ci.subject_key_id().unwrap_or(KeyId([0; 20]))
    }
}

/// Why a server cannot be set up so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ServerError {
    /// The address is empty or too long for a chip.
    #[error("the SM-DP+ address must be a host name of 1 to 255 characters")]
    Address,
    /// The host id has another length.
    #[error("the host id must have 4 to 16 bytes")]
    HostId,
    /// No identity, or too many.
    #[error("give 1 to 16 identities: a CI root with DPauth and DPpb certificates and keys")]
    Identities,
}

/// This SM-DP+, as every function sees it.
#[derive(Debug, Clone)]
pub struct Server {
    address: String,
    host_id: Vec<u8>,
    identities: Vec<Identity>,
    session_life: Duration,
    challenge_key: Option<ChallengeKey>,
}

impl Server {
    /// Puts the server together.
    ///
    /// `address` is the host name that activation codes name; `host_id` goes into the key derivation of bound
    /// packages; `session_life` bounds the time from initiateAuthentication to getBoundProfilePackage.
    ///
    /// # Errors
    /// [`ServerError`] that says what to set otherwise.
    pub fn new(
        address: &str,
        host_id: &[u8],
        identities: Vec<Identity>,
        session_life: Duration,
    ) -> Result<Self, ServerError> {
        if address.is_empty() || address.len() > 255 {
            return Err(ServerError::Address);
        }
        if !(4..=16).contains(&host_id.len()) {
            return Err(ServerError::HostId);
        }
        if identities.is_empty() || identities.len() > IDENTITIES_MAX {
            return Err(ServerError::Identities);
        }
        Ok(Self {
            address: address.to_owned(),
            host_id: host_id.to_vec(),
            identities,
            session_life,
            challenge_key: None,
        })
    }

    /// Makes the challenges of sessions out of this key: then nothing need be kept of a session before its chip has
    /// proven itself, and servers that share the key share their sessions.
    #[must_use]
    pub fn with_challenge_key(mut self, key: &[u8; 32]) -> Self {
        self.challenge_key = Some(ChallengeKey::new(key));
        self
    }

    pub(crate) const fn challenge_key(&self) -> Option<&ChallengeKey> {
        self.challenge_key.as_ref()
    }

    /// Host name.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The host id of key derivations.
    #[must_use]
    pub fn host_id(&self) -> &[u8] {
        &self.host_id
    }

    /// How long a session may take.
    #[must_use]
    pub const fn session_life(&self) -> Duration {
        self.session_life
    }

    /// The identity under the root of this key.
    #[must_use]
    pub fn identity(&self, ci: KeyId) -> Option<&Identity> {
        self.identities.iter().find(|it| it.ci_key_id() == ci)
    }

    /// All identities, in the order in which they are preferred.
    #[must_use]
    pub fn identities(&self) -> &[Identity] {
        &self.identities
    }
}
