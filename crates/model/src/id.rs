//! Identifiers that simwarden gives out itself: UUIDs of version 7 (RFC 9562), so they sort by time of birth.

use crate::Timestamp;
use std::marker::PhantomData;
use uuid::Uuid;

/// An identifier of one kind of thing; `K` only keeps, say, a party from being taken for a profile.
///
/// Written as a hyphenated UUID in JSON, as 16 bytes in the database.
pub struct Id<K>(Uuid, PhantomData<fn() -> K>);

impl<K> Id<K> {
    /// Builds an identifier out of the time of birth and ten random bytes.
    #[must_use]
    pub fn new(at: Timestamp, random: [u8; 10]) -> Self {
        let millis = u64::try_from(at.as_millis()).unwrap_or(0);
        Self(
            uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid(),
            PhantomData,
        )
    }

    /// The 16 bytes, as stored.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// From the 16 bytes that were stored.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes), PhantomData)
    }
}

impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K> Copy for Id<K> {}
impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl<K> Eq for Id<K> {}
impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}
impl<K> std::hash::Hash for Id<K> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}
impl<K> std::fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)
    }
}
impl<K> std::fmt::Display for Id<K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}
impl<K> std::str::FromStr for Id<K> {
    type Err = uuid::Error;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(Uuid::try_parse(text)?, PhantomData))
    }
}
impl<K> serde::Serialize for Id<K> {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(s)
    }
}
impl<'de, K> serde::Deserialize<'de> for Id<K> {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Ok(Self(Uuid::deserialize(d)?, PhantomData))
    }
}

macro_rules! kinds {
    ($($(#[$meta:meta])* $alias:ident($marker:ident)),+ $(,)?) => {
        /// The kinds of thing that an [`Id`] can name.
        pub mod kind {
            $(#[doc = concat!("Marks a `", stringify!($alias), "`.")] #[derive(Debug)] pub enum $marker {})+
        }
        $($(#[$meta])* pub type $alias = Id<kind::$marker>;)+
    };
}

kinds! {
    /// A person or company, as one operator knows it; also the random name under which their data stand on the ledger.
    PartyId(Party),
    /// A line: one number under one contract.
    SubscriptionId(Subscription),
    /// One eSIM profile.
    ProfileId(Profile),
    /// A requested operation.
    OperationId(Operation),
    /// A request to the owner to approve or deny.
    ApprovalId(Approval),
    /// A second factor of a person.
    FactorId(Factor),
    /// An effect that waits to leave.
    OutboxId(Outbox),
    /// One run of an import.
    ImportId(Import),
    /// An access token.
    TokenId(Token),
    /// An account that a person signs in to.
    AccountId(Account),
    /// A passkey of an account.
    PasskeyId(Passkey),
    /// One sign-in, until it ends.
    SessionId(Session),
    /// One challenge to a passkey, good for one answer.
    CeremonyId(Ceremony),
}
