//! How a new profile comes to a line and the old one leaves: shared by the operations that move a number.

use super::{Change, Step, no_profile};
use crate::Error;
use crate::secrets::{Of, ProfileSecret, open_common, seal};
use simwarden_model::{ProfileEvent, ProfileState};
use simwarden_store::Indexed;
use simwarden_store::records::profile::Profile;

/// A step was done in the outside world.
pub(super) fn done(step: Step, change: &mut Change<'_>) -> Result<(), Error> {
    match step {
        Step::Order => {
            let coming = change.coming().ok_or_else(no_profile)?;
            change.profile_event(coming, ProfileEvent::Link)
        }
        Step::Release => {
            let coming = change.coming().ok_or_else(no_profile)?;
            change.profile_event(coming, ProfileEvent::Confirm)?;
            change.profile_event(coming, ProfileEvent::Release)
        }
        Step::Install => {
            let coming = change.coming().ok_or_else(no_profile)?;
            change.profile_event(coming, ProfileEvent::Install)
        }
        Step::Switch => switch(change),
        Step::Retire | Step::Network | Step::Apply => Ok(()),
    }
}

/// A step was taken back.
pub(super) fn undone(step: Step, change: &mut Change<'_>) -> Result<(), Error> {
    match step {
        Step::Order | Step::Release => match change.coming() {
            Some(coming) => withdraw(coming, change),
            None => Ok(()),
        },
        Step::Install => match change.coming() {
            Some(coming) if change.profiles[coming].state == ProfileState::Installed => {
                change.profile_event(coming, ProfileEvent::Delete)
            }
            Some(coming) => withdraw(coming, change),
            None => Ok(()),
        },
        Step::Switch => switch_back(change),
        Step::Retire | Step::Network | Step::Apply => Ok(()),
    }
}

/// Takes the oldest profile from stock, gives it to the line and binds it to the chip, before it is ordered.
pub(crate) fn reserve(change: &mut Change<'_>) -> Result<(), Error> {
    let in_stock = |p: &Profile| p.subscription_id.is_none() && p.state == ProfileState::Available;
    let Some(place) = change.profiles.iter().position(in_stock) else {
        return Ok(());
    };
    let eid = change.wish.eid.clone();
    let eid_idx = eid.as_deref().map(|eid| change.index(Indexed::Eid, eid));
    let imei_idx = change
        .wish
        .imei
        .as_deref()
        .map(|imei| change.index(Indexed::Imei, imei));
    let profile = &mut change.profiles[place];
    let mut secret: ProfileSecret = match &profile.sealed {
        Some(sealed) => open_common(change.keyring, Of::Profile, profile.id.as_bytes(), sealed)?,
        None => ProfileSecret::default(),
    };
    secret.eid = eid;
    secret.imei = change.wish.imei.clone();
    profile.sealed = Some(seal(
        change.key,
        Of::Profile,
        profile.id.as_bytes(),
        &secret,
        change.entropy,
    )?);
    profile.subscription_id = change.operation.subscription_id;
    profile.eid_idx = eid_idx;
    profile.imei_idx = imei_idx;
    change.profile_event(place, ProfileEvent::Allocate)
}

/// The old profile stops, the new one begins, in this order.
fn switch(change: &mut Change<'_>) -> Result<(), Error> {
    let coming = change.coming().ok_or_else(no_profile)?;
    if let Some(live) = change.live() {
        change.replaced = Some(change.profiles[live].id);
        change.profile_event(live, ProfileEvent::Disable)?;
    }
    change.profile_event(coming, ProfileEvent::Enable)?;
    let now = change.now;
    let moved = change.profiles[coming].imei_idx.is_some();
    let line = change.line()?;
    line.swapped_at = Some(now);
    if moved {
        line.device_changed_at = Some(now);
    }
    Ok(())
}

/// The new profile stops and is barred for good, the old one returns.
fn switch_back(change: &mut Change<'_>) -> Result<(), Error> {
    let Some(live) = change.live() else { return Ok(()) };
    let old = change
        .profiles
        .iter()
        .position(|p| Some(p.id) == change.replaced && p.state == ProfileState::Disabled);
    change.profile_event(live, ProfileEvent::Disable)?;
    change.profile_event(live, ProfileEvent::Delete)?;
    if let Some(old) = old {
        change.profile_event(old, ProfileEvent::Enable)?;
    }
    let now = change.now;
    change.line()?.swapped_at = Some(now);
    Ok(())
}

/// A profile that never reached its chip is taken out of use: its activation code may be in a thief's hands.
fn withdraw(place: usize, change: &mut Change<'_>) -> Result<(), Error> {
    if change.profiles[place].state.is_on_chip() || change.profiles[place].state.is_terminal() {
        return Ok(());
    }
    let event = if change.profiles[place].state == ProfileState::Downloaded {
        ProfileEvent::Fail
    } else {
        ProfileEvent::Withdraw
    };
    change.profile_event(place, event)
}
