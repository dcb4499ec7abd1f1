//! One ES9+ session as plain data, from initiateAuthentication to the install result.
//!
//! The store keeps it sealed: it outlives the connection by days, for the chip reports on the installation later.
//! It holds no private key.

use crate::certificate::KeyId;
use crate::curve::{Point, Signature};
use crate::order::OrderRef;
use crate::server::Server;
use crate::status::Refusal;
use aws_lc_rs::hmac;
use simwarden_model::{Eid, Entropy, Timestamp};

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
    /// SHA-256 of what the chip signed of the phone around it: type and number.
    #[serde(with = "crate::wire::bytes")]
    pub device: [u8; 32],
}

/// The last getBoundProfilePackage that the chip signed in a session, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LastCall {
    /// SHA-256 of euiccSigned2.
    #[serde(with = "crate::wire::bytes")]
    pub signed_digest: [u8; 32],
    /// The written name of the refusal; none when the package was sent.
    pub refused: Option<String>,
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
    /// The chip, from authenticateClient on.
    #[serde(default)]
    pub authenticated: Option<Authenticated>,
    /// A package was sent in it: from then on the chip's own word on the installation counts.
    #[serde(default)]
    pub delivered: bool,
    /// The last request for the package: the same once more is no new step.
    #[serde(default)]
    pub last_call: Option<LastCall>,
    /// Requests for the package that were not the same as the one before.
    #[serde(default)]
    pub calls: u8,
}

/// The key that server challenges are made of, so that a session needs no memory before its chip has proven itself.
#[derive(Clone)]
pub(crate) struct ChallengeKey(hmac::Key);

impl core::fmt::Debug for ChallengeKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("ChallengeKey")
    }
}

impl ChallengeKey {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    fn challenge(&self, transaction: &TransactionId) -> [u8; 16] {
        let mut challenge = [0; 16];
        let tag = hmac::sign(&self.0, transaction.as_bytes());
        challenge.copy_from_slice(&tag.as_ref()[..16]);
        challenge
    }
}

/// Begins a session between the roots at these places of the server's identities.
///
/// With a challenge key the identifier itself says when and between which roots it began (80 of its bits are random),
/// and the challenge is its HMAC: [`Session::reopen`] makes the same session of the identifier alone.
/// Whoever makes an identifier up has no chip's signature over its challenge. Without a key both are random.
pub(crate) fn begin(
    server: &Server,
    (ci, ours): (usize, usize),
    now: Timestamp,
    entropy: &mut dyn Entropy,
) -> Option<Session> {
    let mut bytes = [0; 16];
    entropy.fill(&mut bytes);
    let Some(key) = server.challenge_key() else {
        let mut challenge = [0; 16];
        entropy.fill(&mut challenge);
        return fresh(server, TransactionId(bytes), challenge, (ci, ours), now);
    };
    let ticks = u64::try_from(now.as_micros() / TICK_MICROS).ok()?.to_be_bytes();
    let ([0, 0, 0], ticks) = ticks.split_first_chunk()? else {
        return None;
    };
    bytes[..5].copy_from_slice(ticks);
    bytes[5] = u8::try_from(ci * IDENTITIES_MAX + ours).ok()?;
    let transaction = TransactionId(bytes);
    fresh(server, transaction, key.challenge(&transaction), (ci, ours), now)
}

/// Roots of a server that an identifier can name.
pub(crate) const IDENTITIES_MAX: usize = 16;
/// How exactly an identifier says when its session began: to 4 ms; five bytes of it last to the year 2109.
const TICK_MICROS: i64 = 4_000;

fn fresh(
    server: &Server,
    transaction: TransactionId,
    server_challenge: [u8; 16],
    (ci, ours): (usize, usize),
    begun_at: Timestamp,
) -> Option<Session> {
    let key_id = |at: usize| server.identities().get(at).map(|it| it.ci_key_id().0);
    Some(Session {
        transaction,
        server_challenge,
        ci: key_id(ci)?,
        ours: key_id(ours)?,
        begun_at,
        expires_at: begun_at.plus(server.session_life()),
        phase: Phase::Init,
        authenticated: None,
        delivered: false,
        last_call: None,
        calls: 0,
    })
}

impl Session {
    /// The session that this identifier began; none without a challenge key, or when it is too old or not ours.
    ///
    /// It is as it was at its beginning: what became of it since stands in the store.
    #[must_use]
    pub fn reopen(server: &Server, transaction: TransactionId, now: Timestamp) -> Option<Self> {
        let key = server.challenge_key()?;
        let [a, b, c, d, e, roots, ..] = transaction.0;
        let ticks = i64::from_be_bytes([0, 0, 0, a, b, c, d, e]);
        let begun = Timestamp::from_micros(ticks * TICK_MICROS);
        let roots = (
            usize::from(roots) / IDENTITIES_MAX,
            usize::from(roots) % IDENTITIES_MAX,
        );
        let session = fresh(server, transaction, key.challenge(&transaction), roots, begun)?;
        (begun <= now && session.check_init(now).is_ok()).then_some(session)
    }

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

    /// Whether the last request for the package was refused.
    #[must_use]
    pub fn was_refused(&self) -> bool {
        self.last_call.as_ref().is_some_and(|last| last.refused.is_some())
    }

    /// Whether this very request for the package came last.
    #[must_use]
    pub fn is_repeated(&self, signed_digest: &[u8; 32]) -> bool {
        self.last_call
            .as_ref()
            .is_some_and(|last| last.signed_digest == *signed_digest)
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
