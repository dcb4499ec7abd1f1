//! What every handler can reach.

use crate::limits::Rates;
use crate::metrics::Metrics;
use crate::stream::Feed;
use crate::{Receipts, WebLimits};
use simwarden_app::gateway::Gateway;
use simwarden_app::{App, Error, OsEntropy};
use simwarden_model::{Entropy as _, Region};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use tokio::sync::{Semaphore, watch};

/// The log, as far as the edge shows it.
#[derive(Clone)]
pub struct LogView {
    /// The folder with `checkpoint` and `tile/`.
    pub folder: PathBuf,
    /// Entries in the published tree.
    pub published: watch::Receiver<i64>,
    /// Proofs of entries.
    pub receipts: Arc<dyn Receipts>,
}

/// What the edge is opened with.
pub struct WebConfig {
    /// The use cases.
    pub app: App,
    /// The log; without it there are no proofs and no files of the log.
    pub log: Option<LogView>,
    /// The limits.
    pub limits: WebLimits,
    /// The country in which numbers without a country code are read.
    pub region: Region,
    /// Whether browsers reach this server by HTTPS only, so that cookies may say so.
    pub https: bool,
    /// Becomes true when the server shall end: live streams end then.
    pub stop: watch::Receiver<bool>,
}

/// What every handler can reach. Cheap to clone.
#[derive(Clone)]
pub struct WebState {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) app: App,
    pub(crate) log: Option<LogView>,
    pub(crate) limits: WebLimits,
    pub(crate) region: Region,
    pub(crate) https: bool,
    pub(crate) stop: watch::Receiver<bool>,
    pub(crate) rates: Rates,
    pub(crate) metrics: Metrics,
    pub(crate) feed: Arc<Feed>,
    pub(crate) at_work: Arc<Semaphore>,
    pub(crate) batches: Semaphore,
    pub(crate) streams: Arc<Semaphore>,
    /// The Open Gateway, for the subscriber's side of it.
    pub(crate) gateway: OnceLock<Gateway>,
    ids: RequestIds,
}

impl WebState {
    /// Opens the edge and begins to follow the use cases' updates. Call it within a tokio runtime.
    ///
    /// # Errors
    /// When the operating system gives no randomness.
    pub fn start(config: WebConfig) -> Result<Self, Error> {
        let metrics = Metrics::new();
        let feed = Feed::start(&config.app, config.limits.updates_kept, metrics.updates.clone());
        let inner = Inner {
            rates: Rates::new(&config.limits),
            metrics,
            feed,
            at_work: Arc::new(Semaphore::new(config.limits.requests_at_once)),
            batches: Semaphore::new(config.limits.batches_at_once),
            streams: Arc::new(Semaphore::new(config.limits.streams_max)),
            gateway: OnceLock::new(),
            ids: RequestIds::new()?,
            app: config.app,
            log: config.log,
            limits: config.limits,
            region: config.region,
            https: config.https,
            stop: config.stop,
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// Connects the Open Gateway, so that subscribers see who asked about them. A second one is left aside.
    pub fn connect(&self, gateway: Gateway) {
        let _ = self.inner.gateway.set(gateway);
    }
}

impl Inner {
    pub(crate) fn next_request_id(&self) -> String {
        self.ids.next()
    }
}

/// Names requests: one random word per process and a count. Names from outside are never taken over.
struct RequestIds {
    process: u64,
    next: AtomicU64,
}

impl RequestIds {
    fn new() -> Result<Self, Error> {
        let mut bytes = [0; 8];
        OsEntropy::new().map_err(Error::internal)?.fill(&mut bytes);
        Ok(Self {
            process: u64::from_le_bytes(bytes) >> 24,
            next: AtomicU64::new(1),
        })
    }

    fn next(&self) -> String {
        format!(
            "{:010x}-{:x}",
            self.process,
            self.next.fetch_add(1, Ordering::Relaxed)
        )
    }
}
