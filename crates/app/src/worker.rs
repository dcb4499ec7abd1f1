//! Carries effects out: takes what is due from the outbox, once its ledger entry is in a signed tree, and tells the
//! outside world. Every effect has a name of its own, so doing it twice does it once.

use crate::app::App;
use crate::committer::Job;
use crate::draft::{Draft, Rare};
use crate::notice::NOTIFY;
use crate::operation::Parts;
use crate::operations::Step;
use crate::ports::{NetworkChange, NetworkCore, Notifier, OperatorLink, PortError, ProfileOrder, SmDpPlus};
use crate::secrets::{LineSecret, Of, ProfileSecret, Wish, open};
use crate::smdp::progress::{PROGRESS, tell_operator};
use crate::step::{AskAgain, StepEnded};
use crate::tell::tell_all;
use crate::world::{Needs, World};
use crate::{Error, ErrorKind};
use serde::Deserialize;
use simwarden_model::{ProfileState, Role, Timestamp};
use simwarden_store::records::operation::Operation;
use simwarden_store::records::outbox::OutboxItem;
use simwarden_store::records::profile::Profile;
use simwarden_store::{Indexed, SubjectKey};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Effects taken at the same time.
pub(crate) const TAKEN: u32 = 256;
/// Steps under way at the same time.
const STEPS_AT_ONCE: usize = 16;
/// How often the outbox is looked at when nothing happens.
const TICK: Duration = Duration::from_millis(250);
/// The wait after a round whose outcome could not be recorded.
const UNRECORDED: Duration = Duration::from_secs(5);
/// The longest wait between two tries.
const BACKOFF_MAX: Duration = Duration::from_secs(300);

/// The outside world.
#[derive(Clone)]
pub struct Ports {
    /// Tells people.
    pub notifier: Arc<dyn Notifier>,
    /// Hands out profiles.
    pub smdp: Arc<dyn SmDpPlus>,
    /// The network core.
    pub network: Arc<dyn NetworkCore>,
    /// Operators' own systems.
    pub operators: Arc<dyn OperatorLink>,
}

#[derive(Deserialize)]
struct StepPayload {
    step: Step,
    undo: bool,
}

/// What became of one try.
pub(crate) enum Tried {
    Done,
    Again(String),
    /// Nothing failed: it is not so yet, and is looked at again for as long as it may take.
    NotYet(String),
    Never(String),
}

impl From<Result<(), PortError>> for Tried {
    fn from(answer: Result<(), PortError>) -> Self {
        match answer {
            Ok(()) => Self::Done,
            Err(PortError::Temporary(why)) => Self::Again(why),
            Err(PortError::Permanent(why)) => Self::Never(why),
        }
    }
}

/// Runs until `stop` becomes true. `published` tells how many entries are in a signed tree.
pub async fn work(
    app: App,
    ports: Ports,
    mut published: watch::Receiver<i64>,
    mut stop: watch::Receiver<bool>,
) {
    while !*stop.borrow() {
        let size = *published.borrow_and_update();
        let due = match app.outbox_due(size).await {
            Ok(due) => due,
            Err(error) => {
                tracing::warn!(%error, "the outbox cannot be read");
                Vec::new()
            }
        };
        let full = due.len() >= TAKEN as usize;
        let (notices, steps): (Vec<_>, Vec<_>) = due.into_iter().partition(|item| item.kind == NOTIFY);
        let ((), recorded) = tokio::join!(carry_out(&app, &ports, steps), tell_all(&app, &ports, notices));
        if let Err(error) = app.time_up().await {
            tracing::warn!(%error, "what is due could not be decided");
        }
        if !recorded {
            // Nothing can be written: what was told would be told again at once.
            tokio::select! {
                _ = stop.changed() => {}
                () = tokio::time::sleep(UNRECORDED) => {}
            }
            continue;
        }
        if full {
            continue;
        }
        tokio::select! {
            _ = published.changed() => {}
            _ = stop.changed() => {}
            () = tokio::time::sleep(TICK) => {}
        }
    }
}

/// Carries out everything but notices.
async fn carry_out(app: &App, ports: &Ports, items: Vec<OutboxItem>) {
    for some in items.chunks(STEPS_AT_ONCE) {
        let mut tasks = JoinSet::new();
        for item in some.iter().cloned() {
            let (app, ports) = (app.clone(), ports.clone());
            tasks.spawn(async move { one(&app, &ports, item).await });
        }
        while tasks.join_next().await.is_some() {}
    }
}

async fn one(app: &App, ports: &Ports, item: OutboxItem) {
    let outcome = match item.kind.as_str() {
        "step" => step(app, ports, &item).await,
        PROGRESS => progress(app, ports, &item).await,
        other => Err(Error::internal(format!("an effect of kind {other}"))),
    };
    if let Err(error) = outcome {
        tracing::warn!(effect = %item.id, code = error.code, "an effect could not be carried out: {error}");
        if error.kind == ErrorKind::Internal || error.kind == ErrorKind::State {
            let _ = later(app, item, "error").await;
        }
    }
}

async fn step(app: &App, ports: &Ports, item: &OutboxItem) -> Result<(), Error> {
    let payload: StepPayload = serde_json::from_str(&item.payload).map_err(Error::internal)?;
    let id = item
        .operation_id
        .ok_or_else(|| Error::internal("a step of no operation"))?;
    let eid = app.wished_eid(id).await?;
    let operation = if payload.undo {
        app.operation_row(id).await?
    } else {
        match app
            .commit(AskAgain {
                shared: app.shared(),
                operation: id,
                step: payload.step,
                eid,
                operator: app.operation_row(id).await?.operator,
            })
            .await?
        {
            Some(operation) => operation,
            None => {
                return app
                    .commit(OutboxEnded {
                        item: item.clone(),
                        outcome: "not allowed".to_owned(),
                    })
                    .await;
            }
        }
    };
    let tried = do_step(app, ports, item, &payload, &operation).await?;
    let failed = match tried {
        Tried::Done => None,
        Tried::Again(why) if item.attempts < app.limits().tries_max => {
            return later(app, item.clone(), &why).await;
        }
        Tried::NotYet(why) if app.now().since(operation.updated_at) < app.limits().install => {
            return later(app, item.clone(), &why).await;
        }
        Tried::Again(why) | Tried::NotYet(why) | Tried::Never(why) => Some(why),
    };
    app.commit(StepEnded {
        shared: app.shared(),
        operation: id,
        item: item.clone(),
        step: payload.step,
        undo: payload.undo,
        failed,
    })
    .await
}

/// Tells an operator's system how a download goes.
async fn progress(app: &App, ports: &Ports, item: &OutboxItem) -> Result<(), Error> {
    let outcome = match tell_operator(app, ports.operators.as_ref(), item).await? {
        Tried::Done => "told".to_owned(),
        Tried::Again(why) | Tried::NotYet(why) if item.attempts < app.limits().tries_max => {
            return later(app, item.clone(), &why).await;
        }
        Tried::Again(why) | Tried::NotYet(why) | Tried::Never(why) => {
            tracing::warn!(effect = %item.id, %why, "an operator's system was not told of a download");
            "not told".to_owned()
        }
    };
    app.commit(OutboxEnded {
        item: item.clone(),
        outcome,
    })
    .await
}

/// The personal parts that a step needs in the clear.
struct Clear {
    line: LineSecret,
    wish: Wish,
    /// The profile that comes or, when a step is taken back, that came.
    coming: Option<ProfileSecret>,
    /// The profile that the number follows when a step is taken back.
    old: Option<ProfileSecret>,
}

async fn clear(app: &App, operation: &Operation, undo: bool) -> Result<Clear, Error> {
    let key = app.key_of(Some(operation.party_id)).await?;
    let line = match operation.subscription_id {
        Some(id) => app.line_row(id).await?,
        None => return Err(Error::not_found("line")),
    };
    let secret = match &line.sealed {
        Some(sealed) => open(&key, Of::Line, line.id.as_bytes(), sealed)?,
        None => LineSecret::default(),
    };
    let wish = match &operation.sealed {
        Some(sealed) => open(&key, Of::Operation, operation.id.as_bytes(), sealed)?,
        None => Wish::default(),
    };
    let profiles = app.profile_rows(line.id).await?;
    let of = |wanted: &dyn Fn(&&Profile) -> bool| -> Result<Option<ProfileSecret>, Error> {
        profiles
            .iter()
            .rev()
            .find(wanted)
            .map(|p| profile_secret(&key, p))
            .transpose()
    };
    let mut coming = of(&|p| {
        use ProfileState::{Allocated, Confirmed, Linked};
        p.state.is_pending() || matches!(p.state, Allocated | Linked | Confirmed)
    })?;
    if let (None, true, Some(eid)) = (&coming, undo, &wish.eid) {
        // It was taken out of use by an earlier step back. Never the live one: that is the owner's again.
        let chip = app.keyring().index(Indexed::Eid, eid.as_bytes());
        coming = of(&|p| !p.live && p.state.is_terminal() && p.eid_idx == Some(chip))?;
    }
    // A switch that was begun and never recorded may have happened outside: the number goes back to what is live here.
    let replaced = Parts::of(operation)?.context.replaced;
    let old = of(&|p| replaced.map_or(p.live, |id| p.id == id))?;
    Ok(Clear {
        line: secret,
        wish,
        coming,
        old,
    })
}

fn profile_secret(key: &SubjectKey, profile: &Profile) -> Result<ProfileSecret, Error> {
    match &profile.sealed {
        Some(sealed) => open(key, Of::Profile, profile.id.as_bytes(), sealed),
        None => Ok(ProfileSecret::default()),
    }
}

async fn do_step(
    app: &App,
    ports: &Ports,
    item: &OutboxItem,
    payload: &StepPayload,
    operation: &Operation,
) -> Result<Tried, Error> {
    let clear = clear(app, operation, payload.undo).await?;
    let order = clear.coming.as_ref().map(|profile| ProfileOrder {
        iccid: profile.iccid.clone(),
        eid: clear.wish.eid.clone(),
        operator: operation.operator.clone(),
        operation: Some(operation.id),
    });
    let no_profile = || Tried::Never("the operator has no unused profile in stock".to_owned());
    let change = |imsi: Option<String>| NetworkChange {
        operation: operation.kind,
        undo: payload.undo,
        msisdn: clear.line.msisdn.clone(),
        imsi,
        forward_to: clear.wish.forward_to.clone(),
    };
    Ok(match (payload.step, payload.undo) {
        (Step::Order | Step::Release | Step::Install, true) => match order {
            Some(order) => ports.smdp.bar(item.id, &order).await.into(),
            None => Tried::Done,
        },
        (Step::Order, false) => match order {
            Some(order) => ports.smdp.order(item.id, &order).await.into(),
            None => no_profile(),
        },
        (Step::Release, false) => match order {
            Some(order) => ports.smdp.release(item.id, &order).await.into(),
            None => no_profile(),
        },
        (Step::Install, false) => match order {
            Some(order) => match ports.smdp.is_installed(&order).await {
                Ok(true) => Tried::Done,
                Ok(false) => Tried::NotYet("the chip has not told that it installed the profile".to_owned()),
                Err(error) => Err(error).into(),
            },
            None => no_profile(),
        },
        (Step::Switch, undo) => {
            let profile = if undo { clear.old } else { clear.coming };
            ports
                .network
                .change(item.id, &change(profile.and_then(|p| p.imsi)))
                .await
                .into()
        }
        (Step::Network, _) => ports.network.change(item.id, &change(None)).await.into(),
        // The old profile sleeps, disabled, so that it can return when the operation is rolled back.
        (Step::Retire | Step::Apply, _) => Tried::Done,
    })
}

/// Puts an effect off, the longer the more often it was tried.
pub(crate) async fn later(app: &App, mut item: OutboxItem, why: &str) -> Result<(), Error> {
    tracing::debug!(effect = %item.id, %why, "put off");
    item.attempts += 1;
    let exponent = u32::try_from(item.attempts.min(16)).unwrap_or(16);
    let wait = Duration::from_millis(250)
        .saturating_mul(2u32.saturating_pow(exponent))
        .min(BACKOFF_MAX);
    item.due_at = app.now().plus(wait);
    if item.attempts >= app.limits().tries_max && item.kind == NOTIFY {
        return app
            .commit(OutboxEnded {
                item,
                outcome: format!("given up: {why}"),
            })
            .await;
    }
    app.commit(PutOff { item }).await
}

/// An effect was tried without success and will be tried again: a row changes, nothing that the ledger must know.
struct PutOff {
    item: OutboxItem,
}

impl Job for PutOff {
    type Answer = ();
    fn needs(&self) -> Needs {
        Needs::default()
    }
    fn run(&self, _: &World, draft: &mut Draft<'_>) -> Result<(), Error> {
        draft.rare(Rare::Outbox(self.item.clone()));
        Ok(())
    }
}

/// An effect is over.
struct OutboxEnded {
    item: OutboxItem,
    outcome: String,
}

impl Job for OutboxEnded {
    type Answer = ();
    fn needs(&self) -> Needs {
        Needs::default()
    }
    fn run(&self, _: &World, draft: &mut Draft<'_>) -> Result<(), Error> {
        let now: Timestamp = draft.now;
        let mut item = self.item.clone();
        item.done_at = Some(now);
        item.outcome = Some(self.outcome.clone());
        draft.begin_entry("effect.ended", Role::System, None);
        let about = crate::draft::About {
            operation: item.operation_id,
            ..Default::default()
        };
        draft.history(
            "effect_ended",
            &about,
            &serde_json::json!({ "kind": item.kind, "outcome": self.outcome }),
        );
        draft.entry().operation = item.operation_id;
        draft.rare(Rare::Outbox(item));
        draft.end_entry()?;
        Ok(())
    }
}
