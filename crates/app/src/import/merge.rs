//! A later inventory, into a registry that has rows: each row is held against what is registered.
//!
//! An import brings what the operator's systems know; it is no way around the guard. It never changes the owner of a
//! line nor moves a number between known profiles of different lines, and what it does change leaves the same traces
//! (`swapped_at`, `contact_changed_at` …) as an operation would, so that the rules see it.

use super::known::Known;
use super::maker::Maker;
use super::problem::Reason;
use super::row::{Keyed, LineRow, Row};
use crate::Error;
use crate::secrets::{LineSecret, Of, PartySecret, ProfileSecret, open, open_common, seal};
use simwarden_model::{SubscriptionState, Timestamp};
use simwarden_store::records::import::FreshRows;
use simwarden_store::records::party::Party;
use simwarden_store::records::place::{Place, Sitting};
use simwarden_store::records::profile::Profile;
use simwarden_store::records::subscription::Subscription;
use simwarden_store::{BlindIndex, Keyring, SubjectKey};

/// The rows that one row of the file changes. Their versions are counted up already.
#[derive(Debug, Default)]
pub(super) struct Change {
    pub party: Option<Party>,
    pub line: Option<Subscription>,
    pub profile: Option<Profile>,
    pub sitting: Option<Sitting>,
}

impl Change {
    pub(super) const fn is_empty(&self) -> bool {
        self.party.is_none() && self.line.is_none() && self.profile.is_none()
    }
}

/// What a batch of rows comes to.
#[derive(Default)]
pub(super) struct Merged {
    pub fresh: FreshRows,
    pub changes: Vec<Change>,
    pub chips: Vec<Place>,
    pub phones: Vec<Place>,
    pub unchanged: u64,
}

/// Why a row comes to nothing: its own fault, or ours.
pub(super) enum Stop {
    Row(Reason),
    Fault(Error),
}
impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Fault(error)
    }
}
impl From<Reason> for Stop {
    fn from(reason: Reason) -> Self {
        Self::Row(reason)
    }
}

/// Holds rows against what is registered.
pub(super) struct Merger {
    pub maker: Maker,
    pub keyring: Keyring,
}

/// The line that a row speaks of, as far as the row has changed it.
struct Line {
    row: Subscription,
    key: SubjectKey,
    /// Whether this very run made it.
    fresh: bool,
    changed: bool,
    party: Option<Party>,
}

impl Merger {
    /// Takes a row in.
    pub(super) fn add(&mut self, row: &Row, known: &mut Known, out: &mut Merged) -> Result<(), Stop> {
        let change = match known.profiles.get(&row.iccid.index).cloned() {
            Some(profile) => self.reconcile(row, profile, known, out)?,
            None => self.enter(row, known, out)?,
        };
        if let Some(eid) = row.eid {
            out.chips.push(place(eid.index, eid.value.eum(), self.maker.now));
        }
        if let Some(imei) = row.imei {
            out.phones
                .push(place(imei.index, imei.value.tac(), self.maker.now));
        }
        known.take_in(&change);
        match change {
            Some(change) if !change.is_empty() => out.changes.push(change),
            // A new profile is counted where it was made.
            Some(_) => out.unchanged += 1,
            None => {}
        }
        Ok(())
    }

    /// A profile that is not registered yet. None when nothing registered changed.
    fn enter(&mut self, row: &Row, known: &mut Known, out: &mut Merged) -> Result<Option<Change>, Stop> {
        let Some(of_line) = &row.line else {
            self.maker.profile(row, None, &mut out.fresh)?;
            return Ok(None);
        };
        let live = row.first_state().is_live();
        let mut line = self.line(of_line, live.then_some(None), known, out)?;
        if live && !line.fresh {
            line.row.swapped_at = Some(self.maker.now);
            line.changed = true;
        }
        let profile = self
            .maker
            .profile(row, Some((line.row.id, &line.key)), &mut out.fresh)?;
        if live {
            known.live.insert(line.row.id, profile.id);
        }
        let change = Change {
            party: line.party,
            line: bumped(line.row, line.changed),
            ..Change::default()
        };
        Ok((!change.is_empty()).then_some(change))
    }

    /// A profile that is registered: what changed?
    fn reconcile(
        &mut self,
        row: &Row,
        mut profile: Profile,
        known: &mut Known,
        out: &mut Merged,
    ) -> Result<Option<Change>, Stop> {
        if profile.operator != self.maker.operator {
            return Err(Reason::ForeignIccid.into());
        }
        let before = profile.clone();
        let state = row
            .profile_state
            .unwrap_or(match (&row.line, before.subscription_id) {
                (Some(_), None) => row.first_state(),
                _ => before.state,
            });
        let live = state.is_live();
        let mut line = match (&row.line, before.subscription_id) {
            (None, None) => None,
            (None, Some(_)) => return Err(Reason::LineDiffers.into()),
            (Some(of_line), None) => Some(self.line(of_line, live.then_some(Some(before.id)), known, out)?),
            (Some(of_line), Some(id)) => {
                let registered = known.lines.get(&id).ok_or(Reason::LineDiffers)?;
                if registered.msisdn_idx != Some(of_line.msisdn.index) {
                    return Err(Reason::LineDiffers.into());
                }
                let registered = registered.clone();
                Some(self.known_line(of_line, registered, live.then_some(Some(before.id)), known)?)
            }
        };
        if live && line.is_none() {
            return Err(Reason::EnabledWithoutLine.into());
        }
        let mut secret = self.open_profile(&before, known)?;
        let mut resealed = line.is_some() && before.subscription_id.is_none();
        resealed |= put(
            &mut profile.imsi_idx,
            &mut secret.imsi,
            row.imsi.map(|i| clear(&i, i.value.reveal())),
        );
        resealed |= put(
            &mut profile.eid_idx,
            &mut secret.eid,
            row.eid.map(|i| clear(&i, i.value.reveal())),
        );
        resealed |= put(
            &mut profile.imei_idx,
            &mut secret.imei,
            row.imei.map(|i| clear(&i, i.value.reveal())),
        );
        profile.state = state;
        profile.live = live;
        if let Some(line) = &mut line {
            profile.subscription_id = Some(line.row.id);
            self.leave_traces(&before, &profile, line);
            if live {
                known.live.insert(line.row.id, profile.id);
            } else if before.live {
                known.live.remove(&line.row.id);
            }
        }
        if resealed {
            let key = line.as_ref().map(|line| &line.key);
            profile.sealed = Some(self.maker.seal_profile(profile.id, &secret, key)?);
        }
        Ok(Some(self.change(before, profile, line)))
    }

    fn change(&self, before: Profile, mut profile: Profile, line: Option<Line>) -> Change {
        let mut change = Change::default();
        if profile != before {
            let moved = (before.eid_idx, before.imei_idx) != (profile.eid_idx, profile.imei_idx);
            if moved && (before.eid_idx.is_some() || before.imei_idx.is_some()) {
                change.sitting = Some(Sitting {
                    profile_id: before.id,
                    until_at: self.maker.now,
                    eid_idx: before.eid_idx,
                    imei_idx: before.imei_idx,
                    entry: 0,
                });
            }
            profile.version += 1;
            change.profile = Some(profile);
        }
        if let Some(line) = line {
            change.party = line.party;
            change.line = bumped(line.row, line.changed);
        }
        change
    }

    /// What the rules will ask of a line whose profile changed by an import.
    fn leave_traces(&self, before: &Profile, after: &Profile, line: &mut Line) {
        if line.fresh {
            return;
        }
        if after.live && !before.live {
            line.row.swapped_at = Some(self.maker.now);
            line.changed = true;
        }
        if after.live && before.imei_idx.is_some() && after.imei_idx != before.imei_idx {
            line.row.device_changed_at = Some(self.maker.now);
            line.changed = true;
        }
    }

    /// The line of a row: registered, or made now. `live` is the profile that becomes its live one, if any: `Some(None)`
    /// for one that is new.
    fn line(
        &mut self,
        row: &LineRow,
        live: Option<Option<simwarden_model::ProfileId>>,
        known: &mut Known,
        out: &mut Merged,
    ) -> Result<Line, Stop> {
        let closed = row.state == Some(SubscriptionState::Closed);
        let registered = known
            .numbers
            .get(&row.msisdn.index)
            .and_then(|id| known.lines.get(id))
            .filter(|_| !closed)
            .cloned();
        if let Some(registered) = registered {
            return self.known_line(row, registered, live, known);
        }
        let party = row
            .document
            .and_then(|document| known.documents.get(&document.index))
            .copied();
        let (party, key) = match party {
            Some(id) => (id, known.key(&self.keyring, id)?),
            None => {
                let (n, party) = self.maker.party(row, &mut out.fresh)?;
                let key = self.maker.key(n);
                known.enter_party(&party, key.clone());
                (party.id, key)
            }
        };
        let (_, line) = self.maker.line(row, party, &key, &mut out.fresh)?;
        known.enter_line(&line);
        Ok(Line {
            row: line,
            key,
            fresh: true,
            changed: false,
            party: None,
        })
    }

    fn known_line(
        &mut self,
        row: &LineRow,
        mut line: Subscription,
        live: Option<Option<simwarden_model::ProfileId>>,
        known: &Known,
    ) -> Result<Line, Stop> {
        if line.operator != self.maker.operator {
            return Err(Reason::ForeignMsisdn.into());
        }
        let party = known.parties.get(&line.party_id).ok_or(Reason::Erased)?;
        if row
            .document
            .is_some_and(|document| party.doc_idx != Some(document.index))
        {
            return Err(Reason::OwnerDiffers.into());
        }
        if let Some(becoming) = live
            && let Some(other) = known.live.get(&line.id)
            && Some(*other) != becoming
        {
            return Err(Reason::TwoLiveProfiles.into());
        }
        let key = known.key(&self.keyring, line.party_id)?;
        // What this run brought is not changed by it again: the first row of a line or person is believed.
        let fresh = line.import_id == Some(self.maker.import);
        let mut changed = false;
        let mut changed_party = None;
        if !fresh {
            changed = self.change_line(row, &mut line, &key)?;
            if party.import_id != Some(self.maker.import) {
                changed_party = self.change_party(row, party, &key)?;
            }
        }
        Ok(Line {
            row: line,
            key,
            fresh,
            changed,
            party: changed_party,
        })
    }

    fn change_line(
        &mut self,
        row: &LineRow,
        line: &mut Subscription,
        key: &SubjectKey,
    ) -> Result<bool, Error> {
        let before = line.clone();
        line.state = row.state.unwrap_or(line.state);
        line.kind = row.kind.unwrap_or(line.kind);
        line.opened_at = row.activated_at.unwrap_or(line.opened_at);
        let mut secret: LineSecret = match &line.sealed {
            Some(sealed) => open(key, Of::Line, line.id.as_bytes(), sealed)?,
            None => LineSecret::default(),
        };
        let old = secret.clone();
        let phone = row.contact_phone.map(|number| number.reveal().to_owned());
        secret.contact_phone = phone.or(secret.contact_phone);
        secret.contact_email = row.contact_email.clone().or(secret.contact_email);
        secret.language = row.language.clone().or(secret.language);
        if (&secret.contact_phone, &secret.contact_email) != (&old.contact_phone, &old.contact_email) {
            secret.old_contact = old
                .contact_phone
                .clone()
                .or(old.contact_email.clone())
                .or(secret.old_contact);
            line.contact_changed_at = Some(self.maker.now);
        }
        if secret != old {
            line.sealed = Some(seal(
                key,
                Of::Line,
                line.id.as_bytes(),
                &secret,
                &mut self.maker.entropy,
            )?);
        }
        Ok(*line != before)
    }

    fn change_party(
        &mut self,
        row: &LineRow,
        party: &Party,
        key: &SubjectKey,
    ) -> Result<Option<Party>, Error> {
        let mut after = party.clone();
        after.kind = row.party_kind.unwrap_or(after.kind);
        after.class = row.class.unwrap_or(after.class);
        if let (Some(name), Some(sealed)) = (&row.name, &party.sealed) {
            let mut secret: PartySecret = open(key, Of::Party, party.id.as_bytes(), sealed)?;
            if secret.name != *name {
                secret.name.clone_from(name);
                after.sealed = Some(seal(
                    key,
                    Of::Party,
                    party.id.as_bytes(),
                    &secret,
                    &mut self.maker.entropy,
                )?);
            }
        }
        if after == *party {
            return Ok(None);
        }
        after.version += 1;
        Ok(Some(after))
    }

    fn open_profile(&self, profile: &Profile, known: &Known) -> Result<ProfileSecret, Stop> {
        let Some(sealed) = &profile.sealed else {
            return Ok(ProfileSecret::default());
        };
        let id = profile.id.as_bytes();
        Ok(match profile.subscription_id {
            None => open_common(&self.keyring, Of::Profile, id, sealed)?,
            Some(line) => {
                let line = known.lines.get(&line).ok_or(Reason::LineDiffers)?;
                let key = known.key(&self.keyring, line.party_id)?;
                open(&key, Of::Profile, id, sealed)?
            }
        })
    }
}

fn bumped(mut line: Subscription, changed: bool) -> Option<Subscription> {
    line.version += 1;
    changed.then_some(line)
}

fn place(index: BlindIndex, maker: &str, now: Timestamp) -> Place {
    Place {
        index,
        maker: maker.to_owned(),
        first_seen_at: now,
    }
}

fn clear<T>(keyed: &Keyed<T>, text: &str) -> (BlindIndex, String) {
    (keyed.index, text.to_owned())
}

/// Takes a given identifier over; says whether it differs from the one before.
fn put(
    index: &mut Option<BlindIndex>,
    secret: &mut Option<String>,
    given: Option<(BlindIndex, String)>,
) -> bool {
    match given {
        Some((new, text)) if *index != Some(new) => {
            *index = Some(new);
            *secret = Some(text);
            true
        }
        _ => false,
    }
}
