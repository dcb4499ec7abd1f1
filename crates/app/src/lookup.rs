//! Reading the registry: what stands in whose name, what happened to it, who looked. Every look of staff is recorded.

use crate::app::App;
use crate::committer::Job;
use crate::draft::{About, Draft};
use crate::secrets::{LineSecret, Of, ProfileSecret, open, subject_key};
use crate::views::{LineSummary, ProfileSummary, TimelineItem};
use crate::world::{Needs, World};
use crate::{Actor, Error};
use simwarden_model::{DocumentKey, Eid, Iccid, Imei, Imsi, Msisdn, PartyId, Role, SubscriptionId};
use simwarden_store::Indexed;
use simwarden_store::records::place::PlaceKind;
use simwarden_store::records::profile::Profile;
use simwarden_store::records::subscription::Subscription;

/// What to search by: always one exact identifier, never a pattern.
#[derive(Debug, Clone)]
pub enum Search {
    /// A phone number.
    Msisdn(Msisdn),
    /// A profile.
    Iccid(Iccid),
    /// A subscriber identity.
    Imsi(Imsi),
    /// A chip: which profiles sit on it or sat on it.
    Eid(Eid),
    /// A phone: which eSIMs sat in it.
    Imei(Imei),
    /// A document: which lines are in this name.
    Document(DocumentKey),
    /// The lines of the subscriber who asks.
    Mine,
}

/// What was found.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Found {
    /// Lines of operators that the asker may see.
    pub lines: Vec<LineSummary>,
    /// How many there are over all operators, without saying whose they are.
    pub lines_at_all_operators: usize,
}

/// A look at a line, on the record.
struct Looked {
    actor: Actor,
    lines: Vec<SubscriptionId>,
    reason: String,
}

impl Job for Looked {
    type Answer = ();
    fn needs(&self) -> Needs {
        Needs::default()
    }
    fn run(&self, _: &World, draft: &mut Draft<'_>) -> Result<(), Error> {
        draft.begin_entry("record.viewed", self.actor.role, Some(self.actor.token));
        let entry = draft.entry();
        entry.operator.clone_from(&self.actor.operator);
        entry.detail = serde_json::json!({ "lines": self.lines.len() });
        for line in &self.lines {
            let about = About {
                line: Some(*line),
                ..About::default()
            };
            draft.history("viewed", &about, &serde_json::json!({ "reason": self.reason }));
        }
        draft.end_entry()?;
        Ok(())
    }
}

/// Roles that may look up lines, and must say why.
const LOOKERS: [Role; 6] = [
    Role::Agent,
    Role::Supervisor,
    Role::FraudAnalyst,
    Role::Hotline,
    Role::Regulator,
    Role::Auditor,
];
/// The longest reason.
const REASON_CHARS_MAX: usize = 200;

impl App {
    /// Finds lines by one exact identifier.
    ///
    /// # Errors
    /// Staff must give a reason; it is recorded and the subscriber sees it.
    pub async fn search(&self, actor: &Actor, search: Search, reason: &str) -> Result<Found, Error> {
        let staff = LOOKERS.contains(&actor.role);
        let own = actor.role == Role::Subscriber && matches!(search, Search::Mine);
        if !(staff || own) {
            return Err(Error::forbidden("this role may not look up lines"));
        }
        if staff && (reason.trim().len() < 4 || reason.chars().count() > REASON_CHARS_MAX) {
            return Err(Error::invalid(
                "reason_missing",
                "say in 4 to 200 characters why you look; the subscriber sees it",
            ));
        }
        let rows = self.rows_of(actor, &search).await?;
        let all = rows.len();
        let seen: Vec<Subscription> = rows
            .into_iter()
            .filter(|row| actor.sees_operator(&row.operator))
            .collect();
        if staff && !seen.is_empty() {
            let lines = seen.iter().map(|row| row.id).collect();
            self.commit(Looked {
                actor: actor.clone(),
                lines,
                reason: reason.trim().to_owned(),
            })
            .await?;
        }
        let mut lines = Vec::with_capacity(seen.len());
        for row in &seen {
            lines.push(self.line_summary(row, actor.role == Role::Subscriber).await?);
        }
        Ok(Found {
            lines,
            lines_at_all_operators: all,
        })
    }

    async fn rows_of(&self, actor: &Actor, search: &Search) -> Result<Vec<Subscription>, Error> {
        let keyring = self.keyring();
        let store = self.store();
        let index = |of, value: &str| keyring.index(of, value.as_bytes());
        let mut ids: Vec<SubscriptionId> = match search {
            Search::Msisdn(number) => {
                return Ok(store
                    .subscriptions_by_msisdn(&[index(Indexed::Msisdn, number.reveal())])
                    .await?);
            }
            Search::Document(document) => {
                let mut rows = Vec::new();
                for party in store
                    .parties_by_document(index(Indexed::Document, &document.reveal()))
                    .await?
                {
                    rows.extend(store.subscriptions_of(party.id).await?);
                }
                return Ok(rows);
            }
            Search::Mine => {
                let party = actor.party.ok_or_else(|| Error::not_found("party"))?;
                return self.everywhere(party).await;
            }
            Search::Iccid(iccid) => store
                .profile_by_iccid(index(Indexed::Iccid, iccid.reveal()))
                .await?
                .and_then(|p| p.subscription_id)
                .into_iter()
                .collect(),
            Search::Imsi(imsi) => store
                .profiles_by_imsi(index(Indexed::Imsi, imsi.reveal()))
                .await?
                .into_iter()
                .filter_map(|p| p.subscription_id)
                .collect(),
            Search::Eid(eid) => {
                self.lines_in(PlaceKind::Euicc, index(Indexed::Eid, eid.reveal()))
                    .await?
            }
            Search::Imei(imei) => {
                self.lines_in(PlaceKind::Device, index(Indexed::Imei, imei.reveal()))
                    .await?
            }
        };
        ids.sort();
        ids.dedup();
        let mut rows = Vec::new();
        for id in ids {
            rows.extend(store.subscription(id).await?);
        }
        Ok(rows)
    }

    /// The lines of a person at every operator, by the document they are registered on.
    async fn everywhere(&self, party: PartyId) -> Result<Vec<Subscription>, Error> {
        let store = self.store();
        let own = store
            .party(party)
            .await?
            .ok_or_else(|| Error::not_found("party"))?;
        let parties = match own.doc_idx {
            Some(document) => store.parties_by_document(document).await?,
            None => vec![own],
        };
        let mut rows = Vec::new();
        for party in parties {
            rows.extend(store.subscriptions_of(party.id).await?);
        }
        Ok(rows)
    }

    async fn lines_in(
        &self,
        kind: PlaceKind,
        place: simwarden_store::BlindIndex,
    ) -> Result<Vec<SubscriptionId>, Error> {
        let mut lines = Vec::new();
        for (profile, _) in self.store().profiles_in(kind, place).await? {
            lines.extend(
                self.store()
                    .profile(profile)
                    .await?
                    .and_then(|p| p.subscription_id),
            );
        }
        Ok(lines)
    }

    async fn line_summary(&self, row: &Subscription, clear: bool) -> Result<LineSummary, Error> {
        let keys = self.store().subject_keys(&[row.party_id]).await?;
        let key = subject_key(self.keyring(), keys.first()).ok();
        let secret: Option<LineSecret> = match (&key, &row.sealed) {
            (Some(key), Some(sealed)) => Some(open(key, Of::Line, row.id.as_bytes(), sealed)?),
            _ => None,
        };
        let line = match secret.map(|s| s.msisdn) {
            Some(number) if clear => format!("+{number}"),
            Some(number) => Msisdn::from_e164(&number).map_or_else(|_| "•".to_owned(), |n| n.to_string()),
            None => "•".to_owned(),
        };
        let mut profiles = Vec::new();
        for profile in self.store().profiles_of(row.id).await? {
            profiles.push(profile_summary(&profile, key.as_ref())?);
        }
        Ok(LineSummary {
            id: row.id,
            operator: row.operator.clone(),
            line,
            kind: row.kind,
            state: row.state,
            lock: row.lock_scope,
            frozen: row.frozen_at.is_some(),
            opened_at: row.opened_at,
            swapped_at: row.swapped_at,
            profiles,
        })
    }

    /// What happened to a line, and who looked at it, the newest first.
    ///
    /// # Errors
    /// When the line is not the asker's to see.
    pub async fn line_history(
        &self,
        actor: &Actor,
        line: SubscriptionId,
    ) -> Result<Vec<TimelineItem>, Error> {
        let row = self
            .store()
            .subscription(line)
            .await?
            .ok_or_else(|| Error::not_found("line"))?;
        let own = match actor.role {
            Role::Subscriber => {
                let party = actor.party.ok_or_else(|| Error::not_found("line"))?;
                self.everywhere(party).await?.iter().any(|mine| mine.id == row.id)
            }
            role => LOOKERS.contains(&role) && actor.sees_operator(&row.operator),
        };
        if !own {
            return Err(Error::not_found("line"));
        }
        let items = self.store().history_of_line(line, 1_000).await?;
        Ok(items.into_iter().map(TimelineItem::from).collect())
    }

    /// What happened to a profile, the newest first.
    ///
    /// # Errors
    /// When the profile is not the asker's to see.
    pub async fn profile_history(
        &self,
        actor: &Actor,
        profile: simwarden_model::ProfileId,
    ) -> Result<Vec<TimelineItem>, Error> {
        let row = self
            .store()
            .profile(profile)
            .await?
            .ok_or_else(|| Error::not_found("profile"))?;
        if !LOOKERS.contains(&actor.role) || !actor.sees_operator(&row.operator) {
            return Err(Error::not_found("profile"));
        }
        let items = self.store().history_of_profile(profile, 1_000).await?;
        Ok(items.into_iter().map(TimelineItem::from).collect())
    }
}

fn profile_summary(
    profile: &Profile,
    key: Option<&simwarden_store::SubjectKey>,
) -> Result<ProfileSummary, Error> {
    let secret: ProfileSecret = match (key, &profile.sealed) {
        (Some(key), Some(sealed)) => open(key, Of::Profile, profile.id.as_bytes(), sealed)?,
        _ => ProfileSecret::default(),
    };
    let masked = |text: Option<String>| text.map(|text| mask(&text));
    Ok(ProfileSummary {
        id: profile.id,
        iccid: mask(&secret.iccid),
        eid: masked(secret.eid),
        imei: masked(secret.imei),
        state: profile.state,
        live: profile.live,
    })
}

/// The first four and last two digits.
fn mask(digits: &str) -> String {
    let len = digits.len();
    digits
        .char_indices()
        .map(|(at, c)| if at < 4 || at + 2 >= len { c } else { '•' })
        .collect()
}
