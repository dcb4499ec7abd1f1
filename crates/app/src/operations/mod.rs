//! The sensitive operations, one file each: which steps carry one out, and how its rows change.
//!
//! A step is done by the worker in the outside world, once its ledger entry is in a signed tree; each can be done
//! twice without harm and has an undo. The change of rows is made in the transaction that records the step.

mod activate;
mod change_contact;
mod delete;
mod issue;
mod lock;
mod port_out;
mod recycle;
mod register;
mod replace;
mod resume;
mod set_forwarding;
mod suspend;
mod transfer_device;
mod transfer_owner;
pub(crate) mod travel;
mod unlock;

use crate::draft::Draft;
use crate::secrets::{LineSecret, Wish};
use crate::{Error, ErrorKind};
use serde::{Deserialize, Serialize};
use simwarden_model::{
    Entropy, LockScope, OperationKind, PartyId, ProfileEvent, ProfileId, SubscriptionEvent, Timestamp,
};
use simwarden_store::records::operation::Operation;
use simwarden_store::records::profile::Profile;
use simwarden_store::records::subscription::Subscription;
use simwarden_store::{Indexed, Keyring, SubjectKey};

/// One step of carrying an operation out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Order the profile at the SM-DP+, bound to the chip (ES2+). Undo: cancel the order.
    Order,
    /// Release it for download; the guard is asked again. Undo: bar it.
    Release,
    /// Wait until the chip has it. Undo: disable it.
    Install,
    /// Let the number follow the new profile in the network. Undo: back to the old one.
    Switch,
    /// Retire the old profile. Undo: it returns.
    Retire,
    /// Tell the network core of the change: suspension, forwarding, port. Undo: the opposite.
    Network,
    /// Change the registry only. Undo: change it back.
    Apply,
}

impl Step {
    /// The written name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Release => "release",
            Self::Install => "install",
            Self::Switch => "switch",
            Self::Retire => "retire",
            Self::Network => "network",
            Self::Apply => "apply",
        }
    }

    /// Whether the guard is asked once more right before it.
    #[must_use]
    pub const fn is_point_of_use(self) -> bool {
        matches!(self, Self::Release | Self::Switch | Self::Network | Self::Apply)
    }
}

/// How an operation is carried out.
pub(crate) struct Plan {
    /// The steps, in order.
    pub steps: &'static [Step],
    /// What must be said in the request.
    pub requires: &'static [Wanted],
    /// How the registry changes when a step is done.
    pub done: fn(Step, &mut Change<'_>) -> Result<(), Error>,
    /// How the registry changes when a step is taken back.
    pub undone: fn(Step, &mut Change<'_>) -> Result<(), Error>,
}

/// Something that a request for an operation must say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// The chip.
    Eid,
    /// The contact.
    Contact,
    /// The person.
    Owner,
    /// What a lock covers.
    LockScope,
}

/// The plan of an operation.
pub(crate) const fn plan(kind: OperationKind) -> &'static Plan {
    match kind {
        OperationKind::Register => &register::PLAN,
        OperationKind::Activate => &activate::PLAN,
        OperationKind::Issue => &issue::PLAN,
        OperationKind::Replace => &replace::PLAN,
        OperationKind::TransferDevice => &transfer_device::PLAN,
        OperationKind::TransferOwner => &transfer_owner::PLAN,
        OperationKind::ChangeContact => &change_contact::PLAN,
        OperationKind::SetForwarding => &set_forwarding::PLAN,
        OperationKind::Lock => &lock::PLAN,
        OperationKind::Unlock => &unlock::PLAN,
        OperationKind::Suspend => &suspend::PLAN,
        OperationKind::Resume => &resume::PLAN,
        OperationKind::PortOut => &port_out::PLAN,
        OperationKind::Recycle => &recycle::PLAN,
        OperationKind::Delete => &delete::PLAN,
    }
}

/// The rows that an operation changes, while one step is recorded.
pub(crate) struct Change<'a> {
    pub operation: &'a Operation,
    pub wish: &'a Wish,
    pub scope: Option<LockScope>,
    pub by_owner: bool,
    /// The line; written when `line_changed`.
    pub line: Option<Subscription>,
    pub line_changed: bool,
    pub secret: LineSecret,
    pub secret_changed: bool,
    /// All profiles of the line and those taken from stock; the changed ones are listed by place, in order.
    pub profiles: Vec<Profile>,
    pub changed: Vec<usize>,
    /// The profile that the number followed before this operation.
    pub replaced: Option<ProfileId>,
    /// The party that the line shall go to.
    pub new_owner: Option<PartyId>,
    pub keyring: &'a Keyring,
    pub key: &'a SubjectKey,
    pub now: Timestamp,
    pub entropy: &'a mut dyn Entropy,
}

impl Change<'_> {
    /// The line, for changing it.
    pub(crate) fn line(&mut self) -> Result<&mut Subscription, Error> {
        self.line_changed = true;
        self.line.as_mut().ok_or_else(|| Error::not_found("line"))
    }

    /// Moves the line to the state behind an event.
    pub(crate) fn line_event(&mut self, event: SubscriptionEvent) -> Result<(), Error> {
        let line = self.line()?;
        line.state = line.state.next(event)?;
        Ok(())
    }

    /// The place of the live profile.
    pub(crate) fn live(&self) -> Option<usize> {
        self.profiles.iter().position(|p| p.live)
    }

    /// The place of the profile that this operation brings: the newest that is on its way or, when the operation is
    /// through, the live one.
    pub(crate) fn coming(&self) -> Option<usize> {
        use simwarden_model::ProfileState as S;
        self.profiles.iter().rposition(|p| {
            matches!(
                p.state,
                S::Allocated | S::Linked | S::Confirmed | S::Released | S::Downloaded | S::Installed
            )
        })
    }

    /// Moves a profile to the state behind an event.
    pub(crate) fn profile_event(&mut self, place: usize, event: ProfileEvent) -> Result<(), Error> {
        let profile = &mut self.profiles[place];
        profile.state = profile.state.next(event)?;
        profile.live = profile.state.is_live();
        self.touch(place);
        Ok(())
    }

    pub(crate) fn touch(&mut self, place: usize) {
        if !self.changed.contains(&place) {
            self.changed.push(place);
        }
    }

    /// The index of a number, as the database finds it.
    pub(crate) fn index(&self, of: Indexed, value: &str) -> simwarden_store::BlindIndex {
        self.keyring.index(of, value.as_bytes())
    }
}

/// For plans that leave nothing to take back.
fn nothing(_: Step, _: &mut Change<'_>) -> Result<(), Error> {
    Ok(())
}

fn no_profile() -> Error {
    Error::new(
        ErrorKind::State,
        "no_profile_in_stock",
        "the operator has no unused profile in stock; import some (rows without a number) and try again",
    )
}

/// The step that a draft records in words.
pub(crate) fn record_step(draft: &mut Draft<'_>, step: Step, kind: &str, operation: &Operation) {
    let about = crate::draft::About {
        line: operation.subscription_id,
        operation: Some(operation.id),
        profile: None,
    };
    draft.history(kind, &about, &serde_json::json!({ "step": step }));
}
