//! The life of a line: one number under one contract.

use crate::Refused;
use crate::named::named_enum;

named_enum! {
    /// Where a line stands.
    pub enum SubscriptionState ("subscription state") {
        /// The number is set aside; nobody is registered.
        Reserved = "reserved",
        /// An owner is registered; no service yet.
        Registered = "registered",
        /// In service.
        Active = "active",
        /// Service is suspended; emergency calls are not.
        Suspended = "suspended",
        /// In service here while its move to another operator is under way.
        Porting = "porting",
        /// Ended; the number rests and may not be given to anybody yet.
        Quarantined = "quarantined",
        /// Over: ported away, or the number went on to a new line. Terminal.
        Closed = "closed",
    }
}

named_enum! {
    /// What can happen to a line.
    pub enum SubscriptionEvent ("subscription event") {
        /// An owner is entered.
        Register = "register",
        /// The reserved number is given back unused.
        Release = "release",
        /// Service begins.
        Activate = "activate",
        /// Service is suspended.
        Suspend = "suspend",
        /// Service begins again.
        Resume = "resume",
        /// The move to another operator begins.
        PortRequest = "port_request",
        /// The move was called off.
        PortCancel = "port_cancel",
        /// The number is with the other operator.
        PortOut = "port_out",
        /// The line ends; its number goes into quarantine.
        Terminate = "terminate",
        /// The end is undone while the number rests.
        Restore = "restore",
        /// The quarantine is over and the number goes to a new line.
        Recycle = "recycle",
    }
}

impl SubscriptionState {
    /// The state after an event.
    ///
    /// ```text
    /// reserved ─► registered ─► active ◄─► suspended
    ///     │            │         ▲ ▼ └──────┐  │ ▲ restore
    ///     │            │       porting      ▼  ▼ │
    ///     ▼            └──────────│────► quarantined
    ///   closed ◄──────────────────┴───────────┘ recycle
    /// ```
    /// A suspended line cannot begin to move away: suspension is how a theft is stopped. `suspend` on a moving
    /// line calls the move off. A restored line comes back suspended, so that `resume` is decided on its own.
    ///
    /// # Errors
    /// [`Refused`] when the event has no place in this state; nothing leaves closed.
    pub const fn next(self, event: SubscriptionEvent) -> Result<Self, Refused> {
        use SubscriptionEvent as E;
        match (self, event) {
            (Self::Reserved, E::Register) => Ok(Self::Registered),
            (Self::Reserved, E::Release) => Ok(Self::Closed),
            (Self::Registered, E::Activate) | (Self::Suspended, E::Resume) => Ok(Self::Active),
            (Self::Registered | Self::Active | Self::Porting, E::Suspend) => Ok(Self::Suspended),
            (Self::Active, E::PortRequest) => Ok(Self::Porting),
            (Self::Porting, E::PortCancel) => Ok(Self::Active),
            (Self::Porting, E::PortOut) => Ok(Self::Closed),
            (Self::Registered | Self::Active | Self::Suspended, E::Terminate) => Ok(Self::Quarantined),
            (Self::Quarantined, E::Restore) => Ok(Self::Suspended),
            (Self::Quarantined, E::Recycle) => Ok(Self::Closed),
            _ => Err(Refused {
                what: "subscription",
                state: self.as_str(),
                event: event.as_str(),
            }),
        }
    }

    /// Whether nothing can happen any more.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Closed)
    }

    /// Whether the line is served.
    #[must_use]
    pub const fn is_in_service(self) -> bool {
        matches!(self, Self::Active | Self::Porting)
    }

    /// Whether the line keeps its number from being given to another line: all but closed.
    #[must_use]
    pub const fn holds_number(self) -> bool {
        !self.is_terminal()
    }
}

#[cfg(test)]
mod tests {
    use super::{SubscriptionEvent, SubscriptionState};
    use proptest::prelude::*;

    #[test]
    fn only_closed_is_terminal() {
        for state in SubscriptionState::ALL {
            let ways_out = SubscriptionEvent::ALL
                .iter()
                .filter(|event| state.next(**event).is_ok())
                .count();
            assert_eq!(state.is_terminal(), ways_out == 0, "{state}");
        }
    }

    #[test]
    fn a_suspended_line_cannot_move_away_and_a_moving_one_can_be_stopped() {
        use SubscriptionEvent as E;
        assert!(SubscriptionState::Suspended.next(E::PortRequest).is_err());
        assert!(SubscriptionState::Suspended.next(E::PortOut).is_err());
        assert_eq!(
            SubscriptionState::Porting.next(E::Suspend),
            Ok(SubscriptionState::Suspended)
        );
        assert_eq!(
            SubscriptionState::Quarantined.next(E::Restore),
            Ok(SubscriptionState::Suspended)
        );
    }

    proptest! {
        #[test]
        fn service_begins_only_after_registration(acts in proptest::collection::vec(0_usize..11, 0..60)) {
            let (mut state, mut registered, mut activated) = (SubscriptionState::Reserved, false, false);
            for event in acts.into_iter().map(|at| SubscriptionEvent::ALL[at]) {
                if let Ok(next) = state.next(event) {
                    prop_assert!(!state.is_terminal());
                    registered |= event == SubscriptionEvent::Register;
                    activated |= matches!(event, SubscriptionEvent::Activate | SubscriptionEvent::Resume);
                    state = next;
                }
                prop_assert!(!state.is_in_service() || registered && activated);
                prop_assert!(registered || matches!(state, SubscriptionState::Reserved | SubscriptionState::Closed));
            }
        }

        #[test]
        fn every_state_is_reached(seed in proptest::collection::vec(0_usize..11, 4000)) {
            let mut reached = std::collections::BTreeSet::new();
            let mut state = SubscriptionState::Reserved;
            for at in seed {
                reached.insert(state);
                state = state.next(SubscriptionEvent::ALL[at]).unwrap_or(state);
                if state.is_terminal() {
                    reached.insert(state);
                    state = SubscriptionState::Reserved;
                }
            }
            prop_assert_eq!(reached.len(), SubscriptionState::ALL.len());
        }
    }
}
