//! Tells clients of swaps, as CloudEvents 1.0: finds out what to tell, sends it, tries again, gives up.
//!
//! What to tell is found in the rows: a line's last swap against the last that a client heard of. So no change is missed,
//! whoever wrote it and whatever crashed.

use super::Gateway;
use super::write::{Do, GatewayWrite};
use crate::entry::hex;
use crate::ports::{Answer, PortError};
use crate::secrets::{Of, open_common, seal_common};
use crate::world::Needs;
use crate::{Error, OsEntropy};
use serde::{Deserialize, Serialize};
use simwarden_model::Timestamp;
use simwarden_store::records::gateway_watch::{GatewayEvent, GatewayWatch};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// The event's kind before its last word.
const KIND: &str = "org.camaraproject.sim-swap-subscriptions.v0.";
/// How often it is looked what to tell, when nothing was written here.
const TICK: Duration = Duration::from_millis(250);
/// Events taken at once.
const TAKEN: u32 = 256;
/// Sinks that are told at the same time.
const AT_ONCE: usize = 16;
/// Tries before an event is given up.
const TRIES_MAX: i64 = 10;
/// The longest wait between two tries.
const BACKOFF_MAX: Duration = Duration::from_secs(600);
/// A sink hears this long before its credential ends.
const BEFORE_TOKEN_ENDS: Duration = Duration::from_secs(3);

/// A call to a sink.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SinkCall {
    /// Where to.
    pub sink: String,
    /// What shows the sink that it comes from us.
    pub bearer: Option<String>,
    /// `application/cloudevents+json`.
    pub body: String,
    /// The event's name, also sent as `x-correlator`.
    pub correlator: String,
    /// A sandbox's sink below 127.0.0.1, and the certificate authority to trust for it; PEM.
    #[serde(skip)]
    pub sandbox: Option<SandboxSink>,
}

/// What a sandbox allows beyond what is allowed otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SandboxSink {
    /// Addresses below this may be on this machine.
    pub prefix: String,
    /// Trusted for them.
    pub ca_pem: String,
}

/// What a sink said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SinkAnswer {
    /// It took it.
    Taken,
    /// It wants nothing more: 410.
    Gone,
}

/// Calls sinks. `links` does it over HTTPS, to public addresses only.
pub trait EventSink: Send + Sync {
    /// Delivers one event; the same name twice is one event.
    fn deliver<'a>(&'a self, call: &'a SinkCall) -> Answer<'a, SinkAnswer>;
}

/// An event of a subscription, sealed.
fn event(
    gateway: &Gateway,
    watch: &GatewayWatch,
    kind: &str,
    data: &serde_json::Map<String, serde_json::Value>,
    due_at: Timestamp,
) -> Result<GatewayEvent, Error> {
    let id = gateway.draw::<16>();
    let secret = gateway.opened(watch)?;
    let mut data = data.clone();
    data.insert("subscriptionId".to_owned(), hex(&watch.id).into());
    if !watch.three_legged {
        data.insert("phoneNumber".to_owned(), secret.phone.clone().into());
    }
    let body = serde_json::json!({
        "id": hex(&id),
        "source": format!("{}/sim-swap-subscriptions/v0.3/subscriptions/{}", gateway.inner.config.issuer, hex(&watch.id)),
        "type": format!("{KIND}{kind}"),
        "specversion": "1.0",
        "datacontenttype": "application/json",
        "time": gateway.now(),
        "data": data,
    });
    let call = SinkCall {
        sink: secret.sink,
        bearer: secret.bearer,
        body: body.to_string(),
        correlator: hex(&id),
        sandbox: None,
    };
    let mut entropy = OsEntropy::new().map_err(Error::internal)?;
    Ok(GatewayEvent {
        id,
        watch_id: watch.id,
        client_id: watch.client_id.clone(),
        kind: kind.to_owned(),
        sealed: seal_common(
            gateway.app().keyring(),
            Of::GatewayEvent,
            &id,
            &call,
            &mut entropy,
        )?,
        due_at,
        attempts: 0,
        done_at: None,
        outcome: None,
    })
}

/// The last event of a subscription. It comes after every other one.
pub(super) fn ended(gateway: &Gateway, watch: &GatewayWatch, why: &str) -> Result<GatewayEvent, Error> {
    let data = serde_json::Map::from_iter([("terminationReason".to_owned(), why.into())]);
    let after = gateway.now().plus(Duration::from_micros(1));
    event(gateway, watch, "subscription-ended", &data, after)
}

impl Gateway {
    /// Runs until `stop` becomes true: writes who asked, finds what to tell, tells it.
    pub async fn run(self, stop: watch::Receiver<bool>) {
        // A sink that answers slowly holds up neither what is found nor who asked.
        tokio::join!(self.find_until(stop.clone()), self.send_until(stop));
        if let Err(error) = self.write_asked().await {
            tracing::warn!(%error, "who asked last could not be written");
        }
    }

    async fn find_until(&self, mut stop: watch::Receiver<bool>) {
        let mut written = self.app().written();
        while !*stop.borrow() {
            let found = match self.write_asked().await {
                Ok(()) => self.find().await,
                Err(error) => Err(error),
            };
            match found {
                Ok(()) => self.inner.found.notify_one(),
                Err(error) => tracing::warn!(%error, "the gateway's events wait"),
            }
            tokio::select! {
                _ = stop.changed() => {}
                _ = written.changed() => {}
                () = tokio::time::sleep(TICK) => {}
            }
            // What is written at the same moment is told of in one round.
            tokio::task::yield_now().await;
        }
    }

    async fn send_until(&self, mut stop: watch::Receiver<bool>) {
        while !*stop.borrow() {
            if let Err(error) = self.send_due().await {
                tracing::warn!(%error, "the gateway's events are not sent");
            }
            tokio::select! {
                _ = stop.changed() => {}
                () = self.inner.found.notified() => {}
                () = tokio::time::sleep(TICK) => {}
            }
        }
    }

    /// Finds which subscriptions have something to hear, and writes it down.
    async fn find(&self) -> Result<(), Error> {
        let now = self.now();
        let due = self
            .app()
            .store()
            .gateway_watches_due(now, now.plus(BEFORE_TOKEN_ENDS))
            .await?;
        if due.is_empty() {
            return Ok(());
        }
        let mut writes = Vec::new();
        for (mut watch, swapped_at) in due {
            if self.client(&watch.client_id).await?.is_none() {
                // Frozen or gone: it hears nothing more.
                watch.state = "INACTIVE".to_owned();
                writes.push(GatewayWrite::Watch(watch));
                continue;
            }
            let none = serde_json::Map::new();
            if let Some(at) = swapped_at.filter(|at| *at > watch.seen_at) {
                watch.seen_at = at;
                watch.events_sent += 1;
                writes.push(GatewayWrite::Event(event(self, &watch, "swapped", &none, now)?));
            }
            let over = if watch.events_max.is_some_and(|most| watch.events_sent >= most) {
                Some(("INACTIVE", "MAX_EVENTS_REACHED"))
            } else if watch.expires_at.is_some_and(|at| at <= now) {
                Some(("EXPIRED", "SUBSCRIPTION_EXPIRED"))
            } else if watch
                .token_expires_at
                .is_some_and(|at| at <= now.plus(BEFORE_TOKEN_ENDS))
            {
                Some(("EXPIRED", "ACCESS_TOKEN_EXPIRED"))
            } else {
                None
            };
            if let Some((state, why)) = over {
                writes.push(GatewayWrite::Event(ended(self, &watch, why)?));
                watch.state = state.to_owned();
            }
            writes.push(GatewayWrite::Watch(watch));
        }
        self.write_all(writes).await
    }

    async fn write_all(&self, writes: Vec<GatewayWrite>) -> Result<(), Error> {
        let job = Do {
            needs: Needs::default(),
            run: move |_: &_, draft: &mut crate::draft::Draft<'_>| {
                for write in &writes {
                    draft.gateway(write.clone());
                }
                Ok(())
            },
        };
        self.app().commit(job).await
    }

    /// Sends what is due: to different sinks at once, of one subscription one after the other.
    async fn send_due(&self) -> Result<(), Error> {
        let now = self.now().max(self.wall()).plus(Duration::from_micros(2));
        let due = self.app().store().gateway_events_due(now, TAKEN).await?;
        let mut by_watch: BTreeMap<[u8; 16], Vec<GatewayEvent>> = BTreeMap::new();
        for event in due {
            by_watch.entry(event.watch_id).or_default().push(event);
        }
        let mut waiting = by_watch.into_iter();
        let mut under_way = JoinSet::new();
        let mut writes = Vec::new();
        loop {
            while under_way.len() < AT_ONCE
                && let Some((watch, events)) = waiting.next()
            {
                let gateway = self.clone();
                under_way.spawn(async move { gateway.send(watch, events).await });
            }
            match under_way.join_next().await {
                None => break,
                Some(Ok(Ok(more))) => writes.extend(more),
                // What others were told is still written down, or they would be told again.
                Some(Ok(Err(error))) => tracing::error!(%error, "telling a client failed"),
                Some(Err(error)) => tracing::error!(%error, "telling a client failed"),
            }
        }
        if writes.is_empty() {
            return Ok(());
        }
        self.write_all(writes).await
    }

    async fn send(&self, watch: [u8; 16], events: Vec<GatewayEvent>) -> Result<Vec<GatewayWrite>, Error> {
        let mut writes = Vec::new();
        for mut event in events {
            let mut call: SinkCall =
                open_common(self.app().keyring(), Of::GatewayEvent, &event.id, &event.sealed)?;
            call.sandbox = self.inner.sandbox.as_ref().and_then(|sandbox| sandbox.sink());
            let answer = self.inner.config.sink.deliver(&call).await;
            let now = self.now().max(self.wall());
            event.attempts += 1;
            let mut gone = false;
            match answer {
                Ok(answer) => {
                    event.done_at = Some(now);
                    event.outcome = Some("delivered".to_owned());
                    gone = answer == SinkAnswer::Gone;
                }
                Err(PortError::Temporary(why)) if event.attempts < TRIES_MAX => {
                    let wait = Duration::from_secs(1 << event.attempts.clamp(0, 12)).min(BACKOFF_MAX);
                    event.due_at = now.plus(wait);
                    tracing::debug!(%why, "an event is tried again later");
                }
                Err(PortError::Temporary(why) | PortError::Permanent(why)) => {
                    event.done_at = Some(now);
                    event.outcome = Some(why.chars().filter(|c| !c.is_control()).take(200).collect());
                    tracing::warn!(client = %event.client_id, %why, "an event was given up; see its dead letters");
                }
            }
            let later = event.done_at.is_none();
            writes.push(GatewayWrite::Event(event));
            if gone && let Some(mut row) = self.app().store().gateway_watch(watch).await? {
                row.state = "INACTIVE".to_owned();
                writes.push(GatewayWrite::Watch(row));
            }
            if later || gone {
                // The next one waits, so that none overtakes another.
                break;
            }
        }
        Ok(writes)
    }

    /// Events to a client that were given up: kind, when, why; the newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn dead_letters(&self, client: &str) -> Result<Vec<(String, Timestamp, String)>, Error> {
        let rows = self.app().store().gateway_dead_letters(client).await?;
        Ok(rows
            .into_iter()
            .filter_map(|row| Some((row.kind, row.done_at?, row.outcome?)))
            .collect())
    }
}
