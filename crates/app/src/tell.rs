//! Tells people: delivers the notices that are due and records, once for all of them, what became of each.
//!
//! One record for many, because a busy hour has more notices than operations, and each record costs a ledger entry.

use crate::Error;
use crate::app::App;
use crate::committer::Job;
use crate::draft::{About, Draft, Rare};
use crate::ports::Notice;
use crate::secrets::{Of, open, subject_key};
use crate::worker::{Ports, Tried, later};
use crate::world::{Needs, World};
use simwarden_model::{OperationId, PartyId, Role};
use simwarden_store::SubjectKey;
use simwarden_store::records::outbox::OutboxItem;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use tokio::task::JoinSet;

/// Before the reason of a notice that will never be delivered.
const NOT_TOLD: &str = "not told: ";
/// Of such a reason this much is kept.
const WHY_CHARS_MAX: usize = 200;
/// Notices on their way at the same time.
const AT_ONCE: usize = 64;

/// Delivers these notices. What could not be delivered is put off, the longer the more often it was tried. Answers
/// whether it is recorded what became of them: if not, they will be delivered again.
pub(crate) async fn tell_all(app: &App, ports: &Ports, items: Vec<OutboxItem>) -> bool {
    if items.is_empty() {
        return true;
    }
    let keys = match keys(app, &items).await {
        Ok(keys) => keys,
        Err(error) => {
            tracing::warn!(%error, "whom to tell cannot be read");
            return false;
        }
    };
    let mut ended = Vec::with_capacity(items.len());
    let mut waiting = items.into_iter();
    let mut under_way = JoinSet::new();
    loop {
        while under_way.len() < AT_ONCE
            && let Some(item) = waiting.next()
        {
            let key = item.party_id.and_then(|party| keys.get(&party).cloned());
            let ports = ports.clone();
            under_way.spawn(async move {
                let outcome = tell(&ports, &item, key.as_deref()).await;
                (item, outcome)
            });
        }
        let Some(done) = under_way.join_next().await else {
            break;
        };
        match done {
            Ok((item, Ok(outcome))) => ended.push((item, outcome)),
            Ok((item, Err(why))) => {
                if let Err(error) = later(app, item, &why).await {
                    tracing::warn!(%error, "a notice could not be put off");
                }
            }
            // Its row stands as it was: it is due again at once.
            Err(error) => tracing::error!(%error, "telling somebody failed"),
        }
    }
    if ended.is_empty() {
        return true;
    }
    let recorded = app.commit(NoticesEnded { items: ended }).await;
    if let Err(error) = &recorded {
        tracing::warn!(%error, "what became of notices could not be recorded; their receivers drop the second ones");
    }
    recorded.is_ok()
}

/// The keys of those who are told. Whoever was erased has none.
async fn keys(app: &App, items: &[OutboxItem]) -> Result<HashMap<PartyId, Arc<SubjectKey>>, Error> {
    let mut parties: Vec<PartyId> = items.iter().filter_map(|item| item.party_id).collect();
    parties.sort();
    parties.dedup();
    let rows = app.store().subject_keys(&parties).await?;
    Ok(rows
        .iter()
        .filter_map(|row| {
            let key = subject_key(app.keyring(), Some(row)).ok()?;
            Some((row.party_id, Arc::new(key)))
        })
        .collect())
}

/// What became of a notice, or why it is to be tried again.
async fn tell(ports: &Ports, item: &OutboxItem, key: Option<&SubjectKey>) -> Result<String, String> {
    let (Some(key), Some(sealed)) = (key, &item.sealed) else {
        return Ok("erased".to_owned());
    };
    let notice: Notice =
        open(key, Of::Notice, item.id.as_bytes(), sealed).map_err(|error| error.to_string())?;
    match Tried::from(ports.notifier.tell(item.id, &notice).await) {
        Tried::Done => Ok("told".to_owned()),
        Tried::Again(why) | Tried::NotYet(why) => Err(why),
        Tried::Never(why) => Ok(NOT_TOLD.to_owned() + &shown(&why)),
    }
}

/// What a far end said, as far as a row takes it.
fn shown(why: &str) -> String {
    why.chars()
        .filter(|c| !c.is_control())
        .take(WHY_CHARS_MAX)
        .collect()
}

/// What became of a notice, in one of few words: what the far end said may be personal, and the ledger is for ever.
fn class(outcome: &str) -> &'static str {
    match outcome {
        "told" => "told",
        "erased" => "erased",
        _ => "not_told",
    }
}

/// Notices that are over, with what became of each.
struct NoticesEnded {
    items: Vec<(OutboxItem, String)>,
}

impl Job for NoticesEnded {
    type Answer = ();

    fn needs(&self) -> Needs {
        Needs {
            effects: self.items.iter().map(|(item, _)| item.id).collect(),
            ..Needs::default()
        }
    }

    fn run(&self, world: &World, draft: &mut Draft<'_>) -> Result<(), Error> {
        // Another server on this database may have been faster, or the notice was withdrawn meanwhile.
        let open = || {
            self.items
                .iter()
                .filter(|(item, _)| world.open_effects.contains(&item.id))
        };
        let mut by_outcome: BTreeMap<&str, Vec<_>> = BTreeMap::new();
        for (item, outcome) in open() {
            by_outcome.entry(outcome).or_default().push(item.id);
        }
        if by_outcome.is_empty() {
            return Ok(());
        }
        draft.begin_entry("notices.ended", Role::System, None);
        let mut by_operation: BTreeMap<(Option<OperationId>, &str), usize> = BTreeMap::new();
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for (item, outcome) in open() {
            *by_operation
                .entry((item.operation_id, class(outcome)))
                .or_default() += 1;
            *counts.entry(class(outcome)).or_default() += 1;
        }
        for ((operation, outcome), notices) in &by_operation {
            let about = About {
                operation: *operation,
                ..About::default()
            };
            draft.history(
                "notified",
                &about,
                &serde_json::json!({ "outcome": outcome, "notices": notices }),
            );
        }
        let operations: BTreeSet<OperationId> = by_operation.keys().filter_map(|(id, _)| *id).collect();
        draft.entry().detail = serde_json::json!({ "operations": operations, "outcomes": counts });
        for (outcome, ids) in by_outcome {
            draft.rare(Rare::EndEffects {
                ids,
                outcome: outcome.to_owned(),
            });
        }
        draft.end_entry()?;
        Ok(())
    }
}
