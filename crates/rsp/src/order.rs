//! The download order: one profile on its way to one chip, and the checks that every function makes of it.
//!
//! The states are those of [`ProfileState`]; [`next`] is the only way from one to another. An order is plain data:
//! the store keeps it (sealed, for it holds the matching id) and changes it in one transaction with the ledger.

use crate::confirmation::ConfirmationDigest;
use crate::curve::Point;
use crate::matching_id::MatchingId;
use crate::status::Refusal;
use simwarden_model::{Eid, Entropy, Iccid, ProfileEvent, ProfileState, Refused, Timestamp};

/// Which order: 16 bytes that the store gave it, the same for its whole life.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct OrderRef(#[serde(with = "crate::wire::bytes")] pub [u8; 16]);

impl OrderRef {
    /// Draws one.
    #[must_use]
    pub fn draw(entropy: &mut dyn Entropy) -> Self {
        let mut bytes = [0; 16];
        entropy.fill(&mut bytes);
        Self(bytes)
    }
}

impl core::fmt::Debug for OrderRef {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("OrderRef(")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str(")")
    }
}

/// How a chip finds the order.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Matching {
    /// Not at all yet.
    #[default]
    Unset,
    /// By this matching id.
    Id(MatchingId),
    /// As the default order of its EID.
    DefaultForEid,
}

/// How often an order may be tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct OrderLimits {
    /// Downloads begun, over all sessions; the one after the last is refused.
    pub attempts_max: u32,
    /// Wrong confirmation codes, over all sessions; the last one kills the order.
    pub code_tries_max: u8,
    /// How often the chip that the order is bound to may come with another one-time key, in the same phone, and get the
    /// profile bound anew. Each time is a sign that its key may be in two hands.
    #[serde(default = "rebindings_max")]
    pub rebindings_max: u8,
}

/// A power cut or two between package and installation.
const fn rebindings_max() -> u8 {
    3
}

impl Default for OrderLimits {
    fn default() -> Self {
        Self {
            attempts_max: 10,
            code_tries_max: 3,
            rebindings_max: rebindings_max(),
        }
    }
}

/// What was sent to the chip that the order is bound to, so that a retry gets the same bytes.
#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Binding {
    /// The one-time key of the chip.
    #[serde(with = "crate::wire::bytes")]
    pub ot_pk_euicc: Point,
    /// Our one-time key; its private half was never kept.
    #[serde(with = "crate::wire::bytes")]
    pub ot_pk_dp: Point,
    /// A0, A1 and A2 of the package, protected.
    #[serde(with = "crate::wire::bytes")]
    pub head: Vec<u8>,
    /// Which prepared package stands behind it as A3.
    #[serde(with = "crate::wire::bytes")]
    pub prepared: [u8; 16],
    /// SHA-256 of what the chip signed of the phone that fetched it.
    #[serde(with = "crate::wire::bytes")]
    pub device: [u8; 32],
}

impl core::fmt::Debug for Binding {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Binding({} bytes)", self.head.len())
    }
}

/// An order: a profile of the stock and what was agreed about its download.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Order {
    /// Which order.
    pub reference: OrderRef,
    /// The profile.
    #[serde(with = "crate::wire::iccid")]
    pub iccid: Iccid,
    /// Its type, as operators name it.
    pub profile_type: String,
    /// The operator or reseller whose it is.
    pub owner: String,
    /// Where it stands.
    pub state: ProfileState,
    /// The one chip that may have it; `None` until it is bound.
    #[serde(with = "crate::wire::eid_optional", default)]
    pub eid: Option<Eid>,
    /// How a chip finds it.
    #[serde(default)]
    pub matching: Matching,
    /// The digest of its confirmation code, when it has one.
    #[serde(default)]
    pub confirmation: Option<ConfirmationDigest>,
    /// Wrong codes so far.
    #[serde(default)]
    pub code_tries: u8,
    /// Downloads begun so far.
    #[serde(default)]
    pub attempts: u32,
    /// How often it may be tried.
    #[serde(default)]
    pub limits: OrderLimits,
    /// When it lapses.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
    /// The profile's metadata, `BF25`, exactly as the chip is shown it.
    #[serde(with = "crate::wire::bytes")]
    pub metadata: Vec<u8>,
    /// The memory that the profile takes on the chip, in bytes.
    #[serde(default)]
    pub nvm_bytes_min: u32,
    /// What was sent already.
    #[serde(default)]
    pub binding: Option<Binding>,
    /// How often it was bound anew to its chip.
    #[serde(default)]
    pub rebindings: u8,
    /// Of which notices the subscriber was told already, one bit each.
    #[serde(default)]
    pub told: u8,
}

/// The state of an order after an event: as [`ProfileState::next`], and a download may be repeated.
///
/// # Errors
/// [`Refused`] when the event has no place in the state.
pub const fn next(state: ProfileState, event: ProfileEvent) -> Result<ProfileState, Refused> {
    match (state, event) {
        // The same chip fetches the same bytes once more.
        (ProfileState::Downloaded, ProfileEvent::Download) => Ok(ProfileState::Downloaded),
        (state, event) => state.next(event),
    }
}

impl Order {
    /// A profile in the stock, nobody's yet.
    #[must_use]
    pub fn in_stock(
        reference: OrderRef,
        iccid: Iccid,
        profile_type: String,
        owner: String,
        metadata: Vec<u8>,
    ) -> Self {
        Self {
            reference,
            iccid,
            profile_type,
            owner,
            state: ProfileState::Available,
            eid: None,
            matching: Matching::Unset,
            confirmation: None,
            code_tries: 0,
            attempts: 0,
            limits: OrderLimits::default(),
            expires_at: None,
            metadata,
            nvm_bytes_min: 0,
            binding: None,
            rebindings: 0,
            told: 0,
        }
    }

    /// Moves the order.
    ///
    /// # Errors
    /// [`Refused`] when the event has no place in the state; nothing changes then.
    pub fn apply(&mut self, event: ProfileEvent) -> Result<(), Refused> {
        self.state = next(self.state, event)?;
        Ok(())
    }

    /// Whether the chip must send a confirmation code.
    #[must_use]
    pub const fn needs_code(&self) -> bool {
        self.confirmation.is_some()
    }

    /// Whether the order is this chip's, or nobody's yet.
    ///
    /// # Errors
    /// [`Refusal::OtherEid`] for every other chip: an order is bound once and never again.
    pub fn check_chip(&self, eid: &Eid) -> Result<(), Refusal> {
        match &self.eid {
            Some(bound) if bound != eid => Err(Refusal::OtherEid),
            // Bound by what was sent, even if the row lost its EID: never to be sent to a chip that is not named.
            None if self.binding.is_some() => Err(Refusal::OtherEid),
            _ => Ok(()),
        }
    }

    /// Whether the order has been released (and not: whether it still can be had).
    ///
    /// # Errors
    /// [`Refusal::NotReleased`] before its release.
    pub const fn check_released(&self) -> Result<(), Refusal> {
        match self.state {
            ProfileState::Available
            | ProfileState::Allocated
            | ProfileState::Linked
            | ProfileState::Confirmed => Err(Refusal::NotReleased),
            _ => Ok(()),
        }
    }

    /// Whether the order lives still.
    ///
    /// # Errors
    /// [`Refusal::OrderExpired`] when its time is over.
    pub fn check_time(&self, now: Timestamp) -> Result<(), Refusal> {
        match self.expires_at {
            Some(end) if now >= end => Err(Refusal::OrderExpired),
            _ => Ok(()),
        }
    }

    /// Whether the profile can be had: released, or downloaded and not yet installed.
    ///
    /// # Errors
    /// [`Refusal::MatchingId`] when it is installed, failed or withdrawn.
    pub const fn check_open(&self) -> Result<(), Refusal> {
        match self.state {
            ProfileState::Released | ProfileState::Downloaded => Ok(()),
            _ => Err(Refusal::MatchingId),
        }
    }

    /// Forgets what a chip could be given: after the end of the order.
    pub fn erase_secrets(&mut self) {
        self.confirmation = None;
        self.binding = None;
    }
}

#[cfg(test)]
mod tests {
    use super::next;
    use simwarden_model::{ProfileEvent, ProfileState};

    #[test]
    fn differs_from_the_profile_only_in_the_repeated_download() {
        for state in ProfileState::ALL {
            for event in ProfileEvent::ALL {
                let repeated = *state == ProfileState::Downloaded && *event == ProfileEvent::Download;
                assert_eq!(
                    next(*state, *event).is_ok(),
                    repeated || state.next(*event).is_ok()
                );
            }
        }
    }
}
