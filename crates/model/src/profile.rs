//! The life of an eSIM profile: from the operator's stock, over the SM-DP+, to the chip and its end.
//!
//! The names are those of GSMA SGP.22 (section 3.1, profile states at the SM-DP+; 2.4.5 and 3.2, states on the
//! eUICC). Who may cause an event is the guard's question, not asked here.

use crate::Refused;
use crate::named::named_enum;

named_enum! {
    /// Where a profile stands.
    pub enum ProfileState ("profile state") {
        /// In the stock of the SM-DP+, nobody's.
        Available = "available",
        /// Reserved for the operator, not yet tied to anybody.
        Allocated = "allocated",
        /// Tied to one EID.
        Linked = "linked",
        /// Ordered and confirmed (matching id, perhaps confirmation code), not to be downloaded yet.
        Confirmed = "confirmed",
        /// May be downloaded.
        Released = "released",
        /// The bound package was delivered; the chip has not answered yet.
        Downloaded = "downloaded",
        /// On the chip, not yet served by the network.
        Installed = "installed",
        /// On the chip and served by the network.
        Enabled = "enabled",
        /// On the chip and no longer served by the network.
        Disabled = "disabled",
        /// The download or installation failed for good. Terminal.
        Error = "error",
        /// Withdrawn at the SM-DP+ before it reached a chip. Terminal.
        Unavailable = "unavailable",
        /// Removed from the chip. Terminal.
        Deleted = "deleted",
    }
}

named_enum! {
    /// What can happen to a profile.
    pub enum ProfileEvent ("profile event") {
        /// ES2+ DownloadOrder without EID.
        Allocate = "allocate",
        /// ES2+ DownloadOrder with EID, or the EID given later.
        Link = "link",
        /// ES2+ ConfirmOrder without release.
        Confirm = "confirm",
        /// ES2+ ConfirmOrder with release, or ReleaseProfile.
        Release = "release",
        /// ES9+ GetBoundProfilePackage was answered.
        Download = "download",
        /// The chip reports success.
        Install = "install",
        /// The network begins to serve it.
        Enable = "enable",
        /// The network stops serving it, or bars it before it ever did.
        Disable = "disable",
        /// The chip reports it deleted.
        Delete = "delete",
        /// A download attempt failed in a way that can be tried again.
        Retry = "retry",
        /// The download or installation failed for good, or the chip was not heard of again in time.
        Fail = "fail",
        /// ES2+ CancelOrder, the profile goes back to the stock.
        Return = "return",
        /// ES2+ CancelOrder, the profile is not to be used again.
        Withdraw = "withdraw",
    }
}

impl ProfileState {
    /// The state after an event.
    ///
    /// ```text
    /// available ─► allocated ─► linked ─► confirmed ─► released ─► downloaded ─► installed ─► enabled ◄─► disabled
    ///      └──────────┴───(either may be skipped)───┘      ▲             │             └────────┴───────────┘
    ///                                                      └── retry ────┘                   delete ▼
    /// ```
    /// `disable` also bars an installed profile that was never enabled. Before the download `return` leads back to available and `withdraw` to unavailable.
    ///
    /// # Errors
    /// [`Refused`] when the event has no place in this state; nothing leaves error, unavailable and deleted.
    pub const fn next(self, event: ProfileEvent) -> Result<Self, Refused> {
        use ProfileEvent as E;
        match (self, event) {
            (Self::Available, E::Allocate) => Ok(Self::Allocated),
            (Self::Available | Self::Allocated, E::Link) => Ok(Self::Linked),
            (Self::Available | Self::Allocated | Self::Linked, E::Confirm) => Ok(Self::Confirmed),
            (Self::Allocated | Self::Linked | Self::Confirmed, E::Release) => Ok(Self::Released),
            (Self::Released, E::Download) => Ok(Self::Downloaded),
            // The notification of the chip may overtake, or be all that is heard of, the download.
            (Self::Released | Self::Downloaded, E::Install) => Ok(Self::Installed),
            (Self::Downloaded, E::Retry) => Ok(Self::Released),
            (Self::Installed | Self::Disabled, E::Enable) => Ok(Self::Enabled),
            (Self::Installed | Self::Enabled, E::Disable) => Ok(Self::Disabled),
            (Self::Installed | Self::Enabled | Self::Disabled, E::Delete) => Ok(Self::Deleted),
            (Self::Released | Self::Downloaded, E::Fail) => Ok(Self::Error),
            (Self::Allocated | Self::Linked | Self::Confirmed | Self::Released, E::Return) => {
                Ok(Self::Available)
            }
            (
                Self::Available | Self::Allocated | Self::Linked | Self::Confirmed | Self::Released,
                E::Withdraw,
            ) => Ok(Self::Unavailable),
            _ => Err(Refused {
                what: "profile",
                state: self.as_str(),
                event: event.as_str(),
            }),
        }
    }

    /// Whether nothing can happen any more.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Error | Self::Unavailable | Self::Deleted)
    }

    /// Whether the network serves the line through this profile: `enabled`, and nothing else.
    ///
    /// **One subscription never has two live profiles**, and never two that are [pending](Self::is_pending). A
    /// replacement is therefore prepared, released and installed beside the live profile; the switch in the
    /// network is one transaction that takes `disable` to the old profile first and `enable` to the new one. A
    /// chip's own report of having switched a profile on is no `enable`: until the network serves it, the
    /// profile is of no use there, and the report is only kept as evidence.
    #[must_use]
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Enabled)
    }

    /// Whether the profile is on its way to a chip or waits there for the switch: released, downloaded, installed.
    ///
    /// Before `released` no chip can get it without a further act of the operator.
    #[must_use]
    pub const fn is_pending(self) -> bool {
        matches!(self, Self::Released | Self::Downloaded | Self::Installed)
    }

    /// Whether one subscription may have a profile in this state and another in that one: not both live, not
    /// both pending.
    #[must_use]
    pub const fn may_stand_beside(self, other: Self) -> bool {
        !(self.is_live() && other.is_live() || self.is_pending() && other.is_pending())
    }

    /// Whether the profile is on a chip.
    #[must_use]
    pub const fn is_on_chip(self) -> bool {
        matches!(self, Self::Installed | Self::Enabled | Self::Disabled)
    }
}

#[cfg(test)]
mod tests {
    use super::{ProfileEvent, ProfileState};
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn terminal_means_terminal_and_everything_is_reachable() {
        let mut reached = BTreeSet::from([ProfileState::Available]);
        loop {
            let more: BTreeSet<_> = reached
                .iter()
                .flat_map(|state| {
                    ProfileEvent::ALL
                        .iter()
                        .filter_map(|event| state.next(*event).ok())
                })
                .collect();
            let before = reached.len();
            reached.extend(more);
            if reached.len() == before {
                break;
            }
        }
        assert_eq!(reached.len(), ProfileState::ALL.len());
        for state in ProfileState::ALL {
            let ways_out = ProfileEvent::ALL
                .iter()
                .filter(|event| state.next(**event).is_ok())
                .count();
            assert_eq!(state.is_terminal(), ways_out == 0, "{state}");
        }
    }

    #[test]
    fn the_way_of_an_ordered_profile() {
        use ProfileEvent::{Confirm, Delete, Disable, Download, Enable, Install, Link, Release};
        let way = [
            Link, Confirm, Release, Download, Install, Enable, Disable, Enable, Disable, Delete,
        ];
        let end = way
            .iter()
            .try_fold(ProfileState::Available, |state, event| state.next(*event));
        assert_eq!(end, Ok(ProfileState::Deleted));
        let error = ProfileState::Deleted.next(Enable).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("a profile that is `deleted` cannot take `enable`")
        );
    }

    #[test]
    fn a_profile_is_enabled_only_from_the_chip_and_released_only_when_tied_to_the_operator() {
        for state in ProfileState::ALL {
            assert_eq!(
                state.next(ProfileEvent::Enable).is_ok(),
                state.is_on_chip() && !state.is_live(),
                "{state}"
            );
            assert!(!(state.is_live() && state.is_pending()));
            assert!(!state.is_terminal() || !state.is_live() && !state.is_pending());
        }
        assert!(ProfileState::Available.next(ProfileEvent::Release).is_err());
    }

    proptest! {
        /// Three profiles of one line under any events, each taken only when the states may stand together.
        #[test]
        fn one_line_never_has_two_live_profiles(acts in proptest::collection::vec((0_usize..3, 0_usize..13), 0..200)) {
            let mut states = [ProfileState::Available; 3];
            for (which, event) in acts {
                let Ok(next) = states[which].next(ProfileEvent::ALL[event]) else { continue };
                let others = (0..3).filter(|other| *other != which);
                if others.map(|other| states[other]).all(|other| next.may_stand_beside(other)) {
                    states[which] = next;
                }
                prop_assert!(states.iter().filter(|state| state.is_live()).count() <= 1);
                prop_assert!(states.iter().filter(|state| state.is_pending()).count() <= 1);
            }
        }
    }

    #[test]
    fn a_replacement_can_be_installed_beside_the_live_profile_and_then_switched() {
        let (mut old, mut new) = (ProfileState::Enabled, ProfileState::Linked);
        for event in [
            ProfileEvent::Release,
            ProfileEvent::Download,
            ProfileEvent::Install,
        ] {
            new = new.next(event).unwrap();
            assert!(new.may_stand_beside(old));
        }
        let early = new.next(ProfileEvent::Enable).unwrap();
        assert!(!early.may_stand_beside(old));
        old = old.next(ProfileEvent::Disable).unwrap();
        assert!(early.may_stand_beside(old));
    }
}
