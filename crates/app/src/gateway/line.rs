//! The internal model: what the gateway knows of a line, whatever API asks.
//!
//! It is read anew for every question out of the registry's rows, so a change is in the very next answer.

use super::access::Caller;
use super::{Denied, Gateway};
use crate::Error;
use crate::secrets::{Of, PartySecret, open, subject_key};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use simwarden_model::{LineKind, PartyId, SubscriptionId, SubscriptionState, Timestamp};
use simwarden_store::Indexed;
use simwarden_store::records::gateway_line::GatewayLine;
use simwarden_store::records::profile::Profile;
use simwarden_store::records::subscription::Subscription;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The SHA-256 of a number with its `+`, hexadecimal, as clients compare it.
#[must_use]
pub fn phone_hash(phone: &str) -> String {
    crate::entry::hex(&Sha256::digest(phone.as_bytes()))
}

/// A line that a token stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// Which.
    pub line: SubscriptionId,
    /// Its number, with `+`.
    pub phone: Arc<str>,
}

/// How a number in the body goes with a token that says the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PhoneRule {
    /// It must be left out.
    LeftOut,
    /// It may be there when it is the same.
    Same,
}

/// Whether the number has a SIM, and whether that was ever in a phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sim {
    /// It has one, and it was seen in a phone.
    Active,
    /// It has none.
    None,
    /// It has one that no phone was seen with.
    NeverConnected,
}

/// One who had the number before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct HolderBefore {
    /// Since when, in microseconds.
    pub from: i64,
    /// Until when, in microseconds.
    pub until: i64,
}

/// What the gateway knows of one line.
#[derive(Debug, Clone)]
pub struct LineFacts {
    /// Which.
    pub id: SubscriptionId,
    /// The number, with `+`.
    pub phone: String,
    /// Its owner.
    pub party: PartyId,
    /// MCC-MNC of the operator.
    pub operator: String,
    /// Whether it is a machine's.
    pub machine: bool,
    /// Where it is in its life.
    pub state: SubscriptionState,
    /// Whether it is frozen.
    pub frozen: bool,
    /// The SIM.
    pub sim: Sim,
    /// When the number first had a SIM under this contract.
    pub activated_at: Timestamp,
    /// When it was last moved to another.
    pub swapped_at: Option<Timestamp>,
    /// When it was first seen in a phone.
    pub device_first_seen_at: Option<Timestamp>,
    /// When it was first seen in the present phone, if that is not the first.
    pub device_changed_at: Option<Timestamp>,
    /// Since when the present holder has the number.
    pub holder_since: Timestamp,
    /// `PAYG`, `PAYM`, `Business`.
    pub contract: &'static str,
    /// Whether the owner's record is compared only with the right document.
    pub id_document_required: bool,
    /// Kinds of call forwarding that are set.
    pub forwarding: Vec<String>,
    /// `ok`, `incapable`, `landline`, `barred`.
    pub sms: String,
    pub(super) row: Subscription,
    pub(super) extra: Option<GatewayLine>,
}

impl LineFacts {
    /// Whether a sandbox made it up.
    pub(super) fn is_made_up(&self) -> bool {
        self.extra.as_ref().is_some_and(|extra| extra.sandbox)
    }

    /// When the number was last bound to a SIM: a new one, or its first.
    #[must_use]
    pub fn bound_at(&self) -> Timestamp {
        self.swapped_at
            .map_or(self.activated_at, |at| at.max(self.activated_at))
    }

    /// When it was last bound to a phone; never, for one that no phone was seen with.
    #[must_use]
    pub fn device_at(&self) -> Option<Timestamp> {
        self.device_changed_at.max(self.device_first_seen_at)
    }
}

impl Gateway {
    /// The line that a question is about.
    ///
    /// # Errors
    /// In the order that CAMARA's tests ask for: a number too many, a number missing, an unknown one.
    pub async fn line_of(
        &self,
        caller: &Caller,
        phone: Option<&str>,
        rule: PhoneRule,
    ) -> Result<LineFacts, Denied> {
        let phone: &str = match (&caller.access.subject, phone, rule) {
            (Some(subject), Some(phone), PhoneRule::Same) if *subject.phone != *phone => {
                return Err(Denied::TokenContext);
            }
            (Some(_), Some(_), PhoneRule::LeftOut) => return Err(Denied::UnnecessaryIdentifier),
            (Some(subject), ..) => &subject.phone,
            (None, None, _) => return Err(Denied::MissingIdentifier),
            (None, Some(phone), _) => phone,
        };
        let row = self.row_of(phone).await?;
        let row = row.filter(|row| {
            // A number that went to somebody else is not the line that the token was given for.
            let same = caller
                .access
                .subject
                .as_ref()
                .is_none_or(|subject| subject.line == row.id);
            same && !matches!(
                row.state,
                SubscriptionState::Reserved | SubscriptionState::Quarantined
            )
        });
        let facts = match row {
            Some(row) => Some(self.facts(row, phone).await?),
            None => None,
        };
        // Clients that a sandbox made up learn nothing of people.
        let facts = facts.filter(|facts| !caller.client.sandbox || facts.is_made_up());
        let Some(facts) = facts else {
            self.asked_unknown(caller);
            return Err(Denied::IdentifierNotFound);
        };
        if caller.access.subject.is_none() && self.objects(facts.id, caller).await? {
            return Err(Denied::Permission(
                "the subscriber objects to being asked about by this client for this purpose",
            ));
        }
        self.asked(caller, facts.id)?;
        Ok(facts)
    }

    /// Whether a number in the body, where it may be there, is the one that the token stands for.
    ///
    /// # Errors
    /// [`Denied::TokenContext`].
    pub fn fits_token(&self, caller: &Caller, phone: Option<&str>) -> Result<(), Denied> {
        match (&caller.access.subject, phone) {
            (Some(subject), Some(phone)) if *subject.phone != *phone => Err(Denied::TokenContext),
            _ => Ok(()),
        }
    }

    /// Like [`Self::line_of`], for APIs that say nothing about machines' lines.
    ///
    /// # Errors
    /// As there, and [`Denied::NotApplicable`].
    pub async fn persons_line(
        &self,
        caller: &Caller,
        phone: Option<&str>,
        rule: PhoneRule,
    ) -> Result<LineFacts, Denied> {
        let line = self.line_of(caller, phone, rule).await?;
        if line.machine {
            return Err(Denied::NotApplicable(
                "this is a machine's line; nothing is said about it",
            ));
        }
        Ok(line)
    }

    pub(super) async fn row_of(&self, phone: &str) -> Result<Option<Subscription>, Error> {
        let digits = phone.strip_prefix('+').unwrap_or("");
        if !(5..=15).contains(&digits.len()) || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Ok(None);
        }
        let index = self.app().keyring().index(Indexed::Msisdn, digits.as_bytes());
        Ok(self.app().store().subscriptions_by_msisdn(&[index]).await?.pop())
    }

    /// The line with a number, for a token to stand for.
    pub(super) async fn subject_of(&self, phone: &str) -> Result<Option<Subject>, Error> {
        let row = self.row_of(phone).await?;
        Ok(row.filter(|row| row.state.holds_number()).map(|row| Subject {
            line: row.id,
            phone: phone.into(),
        }))
    }

    /// The line with this id, with its number in the clear.
    pub(super) async fn subject_by_id(&self, id: SubscriptionId) -> Result<Option<Subject>, Error> {
        let Some(row) = self.app().store().subscription(id).await? else {
            return Ok(None);
        };
        let keys = self.app().store().subject_keys(&[row.party_id]).await?;
        let (Ok(key), Some(sealed)) = (subject_key(self.app().keyring(), keys.first()), &row.sealed) else {
            return Ok(None);
        };
        let secret: crate::LineSecret = open(&key, Of::Line, row.id.as_bytes(), sealed)?;
        Ok(Some(Subject {
            line: id,
            phone: format!("+{}", secret.msisdn).into(),
        }))
    }

    async fn facts(&self, row: Subscription, phone: &str) -> Result<LineFacts, Denied> {
        let store = self.app().store();
        let extra = store.gateway_line(row.id).await?;
        let live = store.profiles_of(row.id).await?.into_iter().find(|p| p.live);
        let (swap_seen, imei_seen) = match row.msisdn_idx {
            Some(index) => store.line_moves(index).await?,
            None => (None, None),
        };
        Ok(facts_of(row, extra, live.as_ref(), swap_seen, imei_seen, phone))
    }

    /// The owner's record of a line, by CAMARA's names.
    ///
    /// # Errors
    /// When it cannot be read. An erased owner has none.
    pub async fn record_of(&self, line: &LineFacts) -> Result<BTreeMap<String, String>, Denied> {
        let store = self.app().store();
        let keys = store.subject_keys(&[line.party]).await?;
        let Ok(key) = subject_key(self.app().keyring(), keys.first()) else {
            return Ok(BTreeMap::new());
        };
        if let Some(extra) = &line.extra {
            return match &extra.sealed {
                Some(sealed) => Ok(open(&key, Of::GatewayKyc, line.id.as_bytes(), sealed)?),
                None => Ok(BTreeMap::new()),
            };
        }
        let party = store.party(line.party).await?;
        let Some(sealed) = party.and_then(|party| party.sealed) else {
            return Ok(BTreeMap::new());
        };
        let secret: PartySecret = open(&key, Of::Party, line.party.as_bytes(), &sealed)?;
        let mut record = BTreeMap::from([("name".to_owned(), secret.name)]);
        record.extend(
            secret
                .document_number
                .map(|number| ("idDocument".to_owned(), number)),
        );
        let kind = secret.document_kind.map(|kind| match kind.as_str() {
            "passport" => "passport".to_owned(),
            "national_id" => "national_id_card".to_owned(),
            _ => "other".to_owned(),
        });
        record.extend(kind.map(|kind| ("idDocumentType".to_owned(), kind)));
        Ok(record)
    }
}

fn facts_of(
    row: Subscription,
    extra: Option<GatewayLine>,
    live: Option<&Profile>,
    swap_seen: Option<Timestamp>,
    imei_seen: Option<Timestamp>,
    phone: &str,
) -> LineFacts {
    let get = |read: fn(&GatewayLine) -> Option<Timestamp>| extra.as_ref().and_then(read);
    let sim = match live {
        None => Sim::None,
        Some(profile) if profile.imei_idx.is_none() && extra.is_some() => Sim::NeverConnected,
        Some(_) => Sim::Active,
    };
    let first_seen = match (sim, &extra) {
        (Sim::NeverConnected, _) => None,
        (_, Some(extra)) => extra.device_first_seen_at,
        // Lines of an inventory have been in some phone since they were entered, as far as anybody knows.
        (Sim::Active, None) => Some(row.opened_at),
        (Sim::None, None) => None,
    };
    let contract = match extra.as_ref().and_then(|extra| extra.contract.as_deref()) {
        Some("PAYG") => "PAYG",
        Some("PAYM") => "PAYM",
        Some("Business") => "Business",
        _ => match row.kind {
            LineKind::Prepaid => "PAYG",
            LineKind::Corporate | LineKind::Iot => "Business",
            _ => "PAYM",
        },
    };
    let mut forwarding: Vec<String> = extra
        .as_ref()
        .map(|extra| extra.forwarding.split_whitespace().map(str::to_owned).collect())
        .unwrap_or_default();
    if forwarding.is_empty() && extra.is_none() && row.forwarding_at.is_some() {
        forwarding.push("unconditional".to_owned());
    }
    LineFacts {
        id: row.id,
        phone: phone.to_owned(),
        party: row.party_id,
        operator: row.operator.clone(),
        machine: row.kind == LineKind::Iot || extra.as_ref().is_some_and(|extra| extra.class == "m2m"),
        state: row.state,
        frozen: row.frozen_at.is_some(),
        sim,
        activated_at: get(|extra| extra.activated_at).unwrap_or(row.opened_at),
        swapped_at: row.swapped_at.max(swap_seen).max(row.port_at),
        device_first_seen_at: first_seen,
        device_changed_at: row.device_changed_at.max(imei_seen),
        holder_since: get(|extra| extra.holder_since_at)
            .max(row.owner_changed_at)
            .unwrap_or(row.opened_at),
        contract,
        id_document_required: extra.as_ref().is_some_and(|extra| extra.id_document_required),
        forwarding,
        sms: extra
            .as_ref()
            .map_or_else(|| "ok".to_owned(), |extra| extra.sms.clone()),
        row,
        extra,
    }
}
