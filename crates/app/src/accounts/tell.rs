//! Tells somebody, on channels that their session does not hold, what happened to their account.

use crate::Error;
use crate::draft::Draft;
use crate::notice::{LANGUAGE, NOTIFY, STOP, text};
use crate::ports::Notice;
use crate::secrets::{LineSecret, Of, open, seal, subject_key};
use crate::shared::Shared;
use crate::world::World;
use simwarden_guard::Notify;
use simwarden_model::{OutboxId, PartyId};
use simwarden_store::records::outbox::OutboxItem;

/// What happened to an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Happened {
    NewDevice,
    PasskeyAdded,
    PasskeyRemoved,
    PasskeyCloned,
    PasswordSet,
    RecoveryUsed,
    RecoveryMade,
    TotpAdded,
}

impl Happened {
    #[cfg(test)]
    pub(crate) const ALL: [Self; 8] = [
        Self::NewDevice,
        Self::PasskeyAdded,
        Self::PasskeyRemoved,
        Self::PasskeyCloned,
        Self::PasswordSet,
        Self::RecoveryUsed,
        Self::RecoveryMade,
        Self::TotpAdded,
    ];

    pub(crate) const fn key(self) -> &'static str {
        match self {
            Self::NewDevice => "account.new_device",
            Self::PasskeyAdded => "account.passkey_added",
            Self::PasskeyRemoved => "account.passkey_removed",
            Self::PasskeyCloned => "account.passkey_cloned",
            Self::PasswordSet => "account.password_set",
            Self::RecoveryUsed => "account.recovery_used",
            Self::RecoveryMade => "account.recovery_made",
            Self::TotpAdded => "account.totp_added",
        }
    }
}

/// Puts notices into the outbox for every line of a subscriber that the job has read: to the SIM and to the contact
/// of record. Staff are not told here; they have no line.
pub(crate) fn tell_holder(
    shared: &Shared,
    world: &World,
    party: Option<PartyId>,
    happened: Happened,
    draft: &mut Draft<'_>,
) -> Result<(), Error> {
    let Some(party) = party else { return Ok(()) };
    let key = subject_key(&shared.keyring, world.keys.get(&party))?;
    let mut told: Vec<(Option<String>, Option<String>)> = Vec::new();
    let lines = world
        .lines
        .values()
        .filter(|line| line.party_id == party && !line.state.is_terminal());
    for line in lines {
        let Some(sealed) = &line.sealed else { continue };
        let secret: LineSecret = open(&key, Of::Line, line.id.as_bytes(), sealed)?;
        let language = secret.language.clone().unwrap_or_else(|| LANGUAGE.to_owned());
        for (to, phone, email) in [
            (Notify::OldSim, Some(secret.msisdn.clone()), None),
            (
                Notify::Contact,
                secret.contact_phone.clone(),
                secret.contact_email.clone(),
            ),
        ] {
            let whom = (phone, email);
            if whom == (None, None) || told.contains(&whom) {
                continue;
            }
            let id = OutboxId::draw(draft.now, draft.entropy);
            let notice = Notice {
                to,
                phone: whom.0.clone(),
                email: whom.1.clone(),
                language: language.clone(),
                text: text(&language, happened.key()).replace("{stop}", STOP),
            };
            let sealed = seal(&key, Of::Notice, id.as_bytes(), &notice, draft.entropy)?;
            draft.outbox(OutboxItem {
                id,
                operation_id: None,
                party_id: Some(party),
                kind: NOTIFY.to_owned(),
                payload: serde_json::json!({ "to": to, "occasion": happened.key() }).to_string(),
                sealed: Some(sealed),
                due_at: draft.now,
                attempts: 0,
                done_at: None,
                outcome: None,
                entry: draft.index(),
            });
            told.push(whom);
        }
    }
    Ok(())
}
