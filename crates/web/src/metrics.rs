//! Counters for those who watch the installation. Labels are route templates and words of the vocabulary, never
//! anything that a client can make up.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::time::Duration;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answer {
    route: &'static str,
    method: &'static str,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Decided {
    operation: &'static str,
    verdict: String,
}

/// Upper bounds of the latency histogram, in seconds.
const SECONDS: [f64; 13] = [
    0.001, 0.002, 0.005, 0.01, 0.02, 0.04, 0.06, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
];

/// The counters.
pub(crate) struct Metrics {
    registry: Registry,
    answers: Family<Answer, Counter>,
    seconds: Family<Route, Histogram, fn() -> Histogram>,
    decided: Family<Decided, Counter>,
    /// Events by what became of them.
    pub events_accepted: Counter,
    pub events_duplicate: Counter,
    pub events_quarantined: Counter,
    /// Updates of operations that were sent round.
    pub updates: Counter,
    /// Live streams.
    pub streams: Gauge,
    queued: Gauge,
    durable: Gauge,
    published: Gauge,
    effects: Gauge,
    at_work: Gauge,
}

/// What is only looked up when somebody asks.
pub(crate) struct Moment {
    pub queued: usize,
    pub durable: i64,
    pub published: i64,
    pub effects: i64,
    pub at_work: usize,
}

fn latency() -> Histogram {
    Histogram::new(SECONDS)
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("simwarden");
        let metrics = Self {
            answers: Family::default(),
            seconds: Family::new_with_constructor(latency as fn() -> Histogram),
            decided: Family::default(),
            events_accepted: Counter::default(),
            events_duplicate: Counter::default(),
            events_quarantined: Counter::default(),
            updates: Counter::default(),
            streams: Gauge::default(),
            queued: Gauge::default(),
            durable: Gauge::default(),
            published: Gauge::default(),
            effects: Gauge::default(),
            at_work: Gauge::default(),
            registry: Registry::default(),
        };
        let m = &metrics;
        registry.register(
            "http_answers",
            "Answers by route, method and status",
            m.answers.clone(),
        );
        registry.register("http_seconds", "Seconds until an answer began", m.seconds.clone());
        registry.register(
            "operations_asked",
            "Operations by first verdict",
            m.decided.clone(),
        );
        registry.register("events_accepted", "Events stored", m.events_accepted.clone());
        registry.register(
            "events_duplicate",
            "Events that were there",
            m.events_duplicate.clone(),
        );
        registry.register(
            "events_quarantined",
            "Lines that were no events",
            m.events_quarantined.clone(),
        );
        registry.register(
            "operation_updates",
            "Operations made or changed",
            m.updates.clone(),
        );
        registry.register("streams", "Live streams", m.streams.clone());
        registry.register(
            "commit_queue",
            "Requests that wait to be written",
            m.queued.clone(),
        );
        registry.register("ledger_durable", "Durable ledger entries", m.durable.clone());
        registry.register(
            "ledger_published",
            "Entries in the published tree",
            m.published.clone(),
        );
        registry.register("effects_waiting", "Effects that wait to leave", m.effects.clone());
        registry.register("requests_at_work", "Requests at work", m.at_work.clone());
        Self { registry, ..metrics }
    }

    pub(crate) fn answered(&self, route: &'static str, method: &'static str, status: u16, took: Duration) {
        self.answers
            .get_or_create(&Answer {
                route,
                method,
                status,
            })
            .inc();
        self.seconds
            .get_or_create(&Route { route })
            .observe(took.as_secs_f64());
    }

    pub(crate) fn decided(&self, operation: &'static str, verdict: &str) {
        self.decided
            .get_or_create(&Decided {
                operation,
                verdict: verdict.to_owned(),
            })
            .inc();
    }

    /// The text of OpenMetrics.
    pub(crate) fn text(&self, moment: &Moment) -> String {
        let whole = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        self.queued.set(whole(moment.queued));
        self.durable.set(moment.durable);
        self.published.set(moment.published);
        self.effects.set(moment.effects);
        self.at_work.set(whole(moment.at_work));
        let mut text = String::new();
        if encode(&mut text, &self.registry).is_err() {
            tracing::error!("the counters cannot be written");
        }
        text
    }
}
