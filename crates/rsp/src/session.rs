//! One ES9+ session as plain data, from initiateAuthentication to the install result.
//!
//! The store keeps it sealed: it outlives the connection by days, for the chip reports on the installation later.
//! It holds no private key.

use crate::certificate::KeyId;
use crate::curve::{Point, Signature};
use crate::order::OrderRef;
use crate::status::Refusal;
use simwarden_model::{Eid, Timestamp};

/// The identifier of a session: 16 random bytes, written as 32 capital hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct TransactionId(#[serde(with = "crate::wire::bytes")] [u8; 16]);

impl TransactionId {
    /// From its bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Its bytes, as messages carry them.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// From hexadecimal digits of either case.
    ///
    /// # Errors
    /// [`Refusal::Malformed`] when it is no hexadecimal text of 1 to 16 bytes; [`Refusal::UnknownTransaction`] when it
    /// is one, but not of 16: none of ours.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let digits = text.as_bytes();
        if digits.is_empty() || digits.len() > 32 || !digits.len().is_multiple_of(2) {
            return Err(Refusal::Malformed);
        }
        let mut bytes = [0; 16];
        for (slot, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let nibble = |byte: u8| char::from(byte).to_digit(16).and_then(|it| u8::try_from(it).ok());
            let (high, low) = (nibble(pair[0]), nibble(pair[1]));
            *slot = high
                .zip(low)
                .map(|(high, low)| high << 4 | low)
                .ok_or(Refusal::Malformed)?;
        }
        if digits.len() == 32 {
            Ok(Self(bytes))
        } else {
            Err(Refusal::UnknownTransaction)
        }
    }
}

impl core::fmt::Display for TransactionId {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}

impl core::fmt::Debug for TransactionId {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "TransactionId({self})")
    }
}

/// How far a session has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Begun: waits for authenticateClient.
    Init,
    /// The chip is known and was shown the profile: waits for getBoundProfilePackage or cancelSession.
    Authenticated,
    /// The package was sent: waits for the install result (or the same request again).
    Delivered,
    /// Over: cancelled, refused for good, or reported on.
    Ended,
}

/// The chip of a session and what it was shown.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Authenticated {
    /// The chip.
    #[serde(with = "crate::wire::eid")]
    pub eid: Eid,
    /// The key that its signatures are checked with.
    #[serde(with = "crate::wire::bytes")]
    pub euicc_key: Point,
    /// SHA-256 of its certificate.
    #[serde(with = "crate::wire::bytes")]
    pub certificate_digest: [u8; 32],
    /// The order.
    pub order: OrderRef,
    /// smdpSignature2: what the chip signs next is bound to it.
    #[serde(with = "crate::wire::bytes")]
    pub smdp_signature2: Signature,
    /// Whether a confirmation code was asked for.
    pub code_required: bool,
}

/// One session.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Session {
    /// Its identifier.
    pub transaction: TransactionId,
    /// The challenge that the chip must sign.
    #[serde(with = "crate::wire::bytes")]
    pub server_challenge: [u8; 16],
    /// The root that the chip's certificates must lead to.
    #[serde(with = "crate::wire::bytes")]
    pub ci: [u8; 20],
    /// The root of our own certificates in it; mostly the same.
    #[serde(with = "crate::wire::bytes")]
    pub ours: [u8; 20],
    /// When it began.
    pub begun_at: Timestamp,
    /// Until when it can go on; an install result is taken later, too.
    pub expires_at: Timestamp,
    /// How far it has come.
    pub phase: Phase,
    /// A wrong or missing confirmation code was refused in it.
    #[serde(default)]
    pub code_refused: bool,
    /// The chip, from authenticateClient on.
    #[serde(default)]
    pub authenticated: Option<Authenticated>,
}

impl Session {
    /// The key identifier of the root.
    #[must_use]
    pub const fn ci_key_id(&self) -> KeyId {
        KeyId(self.ci)
    }

    /// The key identifier of the root of our own certificates.
    #[must_use]
    pub const fn our_key_id(&self) -> KeyId {
        KeyId(self.ours)
    }

    /// Whether the session waits for authenticateClient.
    ///
    /// # Errors
    /// [`Refusal::UnknownTransaction`] when it is further, over, or too old.
    pub fn check_init(&self, now: Timestamp) -> Result<(), Refusal> {
        if self.phase == Phase::Init && now < self.expires_at {
            Ok(())
        } else {
            Err(Refusal::UnknownTransaction)
        }
    }

    /// The chip, when the session waits for getBoundProfilePackage or cancelSession.
    ///
    /// # Errors
    /// [`Refusal::UnknownTransaction`] when it is not that far, over, or too old.
    pub fn check_authenticated(&self, now: Timestamp) -> Result<&Authenticated, Refusal> {
        match (&self.authenticated, self.phase) {
            (Some(it), Phase::Authenticated | Phase::Delivered) if now < self.expires_at => Ok(it),
            _ => Err(Refusal::UnknownTransaction),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::TransactionId;
    use crate::status::Refusal;

    #[test]
    fn a_transaction_id_has_one_value_and_two_cases() {
        let id = TransactionId::new(*b"\x00\x01\x02\xAB\xCD\xEF\x10\x20\x30\x40\x50\x60\x70\x80\x90\xFF");
        assert_eq!(TransactionId::parse(&id.to_string()), Ok(id));
        assert_eq!(TransactionId::parse(&id.to_string().to_lowercase()), Ok(id));
        assert_eq!(TransactionId::parse("AB"), Err(Refusal::UnknownTransaction));
        for wrong in ["", "A", "../../etc/passwd", "ZZ", "+1", &"00".repeat(17)] {
            assert_eq!(TransactionId::parse(wrong), Err(Refusal::Malformed), "{wrong}");
        }
    }
}
