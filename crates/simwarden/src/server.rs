//! Wires the roles of one server together: use cases, worker, ledger, edge; starts and ends them in order.

use crate::gateway::{GatewayOptions, Running};
use crate::house::House;
use crate::smdp::{self, SmdpConfig};
use anyhow::Context as _;
use simwarden_app::log::{LogConfig, LogError, Receipts as LogReceipts, Sequencer, WitnessLink};
use simwarden_app::smdp::Smdp;
use simwarden_app::worker::{Ports, work};
use simwarden_app::{App, AppConfig, Limits, SystemClock};
use simwarden_guard::Engine;
use simwarden_ledger::Policy;
use simwarden_links::HttpCosigner;
use simwarden_model::Region;
use simwarden_rsp::chain::Screen;
use simwarden_web::{
    Es9Limits, Listening, LogView, ProofParts, ReceiptError, Receipts, ServeLimits, Soon, WebConfig,
    WebLimits, WebState, es9plus_router, gateway_router, router,
};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How a server is to run.
pub struct ServerConfig {
    /// The installation.
    pub house: House,
    /// The rules.
    pub engine: Engine,
    /// Where to listen; port 0 takes any free one.
    pub listen: SocketAddr,
    /// Certificate chain and key, PEM; plain HTTP on loopback without.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// The SM-DP+, when this server is one.
    pub smdp: Option<SmdpConfig>,
    /// The Open Gateway.
    pub gateway: GatewayOptions,
    /// How numbers without a country code are read.
    pub region: Region,
    /// The outside world.
    pub ports: Ports,
    /// A C2SP tlog-policy with the witnesses and their quorum.
    pub witness_policy: Option<PathBuf>,
    /// Somebody's word that the clock is right.
    pub accept_clock: bool,
    /// Limits of the edge.
    pub web_limits: WebLimits,
}

/// A server that runs.
pub struct Server {
    /// The use cases.
    pub app: App,
    /// Where it listens.
    pub address: SocketAddr,
    /// Where its SM-DP+ listens.
    pub smdp_address: Option<SocketAddr>,
    /// Where its sandbox's control listens.
    pub sandbox_address: Option<SocketAddr>,
    stop_edge: watch::Sender<bool>,
    stop_log: watch::Sender<bool>,
    edge: JoinHandle<()>,
    smdp: Option<JoinHandle<()>>,
    gateway: Running,
    worker: JoinHandle<()>,
    log: JoinHandle<Result<(), LogError>>,
}

/// Why a server ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Ended {
    /// It was asked to.
    Asked,
    /// The storage or the ledger can no longer be relied on.
    Broken(String),
}

impl Server {
    /// Starts every role.
    pub async fn start(config: ServerConfig) -> anyhow::Result<Self> {
        let ServerConfig { house, engine, .. } = config;
        house.prepare()?;
        let store = house.store().await?;
        let app = App::open(AppConfig {
            store: store.clone(),
            keyring: house.keyring()?,
            engine,
            limits: Limits::default(),
            clock: None,
            entropy: None,
            accept_clock: config.accept_clock,
        })
        .await?;
        let signer = house.log_key()?;
        let (policy, witnesses) = witnesses(config.witness_policy.as_deref(), &signer)?;
        let sequencer = Sequencer::open(
            store.clone(),
            Arc::new(SystemClock::start()),
            LogConfig {
                folder: house.log_folder(),
                signer,
                policy: policy.clone(),
                witnesses,
                rebuild: false,
            },
        )
        .await?;
        let published = sequencer.published();
        let receipts = LogReceipts::new(store, sequencer.folder().clone(), policy, published.clone());
        let (stop_edge, stop) = watch::channel(false);
        let (stop_log, log_stop) = watch::channel(false);
        let sizes = sizes(published);
        let worker = tokio::spawn(work(app.clone(), config.ports, sizes.clone(), stop.clone()));
        let log = tokio::spawn(sequencer.run(app.written(), log_stop));
        let tls = match &config.tls {
            Some((chain, key)) => {
                let read = |path: &PathBuf| {
                    std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))
                };
                Some(simwarden_web::tls_config(&read(chain)?, &read(key)?)?)
            }
            None => None,
        };
        let state = WebState::start(WebConfig {
            app: app.clone(),
            log: Some(LogView {
                folder: house.log_folder(),
                published: sizes,
                receipts: Arc::new(Proofs(receipts)),
            }),
            limits: config.web_limits,
            region: config.region,
            https: tls.is_some(),
            stop: stop.clone(),
        })?;
        let listening = Listening::bind(config.listen, tls, ServeLimits::default()).await?;
        let address = listening.address();
        let smdp = match &config.smdp {
            Some(config) => Some(serve_smdp(config, &app, stop.clone()).await?),
            None => None,
        };
        let https = config.tls.is_some();
        let gateway = Running::start(&app, &config.gateway, address, https, &stop).await?;
        state.connect(gateway.gateway.clone());
        let router = gateway_router(gateway.gateway.clone(), https, router(state));
        let edge = tokio::spawn(listening.serve(router, stop));
        let (smdp_address, smdp) = smdp.unzip();
        Ok(Self {
            app,
            address,
            smdp_address,
            sandbox_address: gateway.sandbox_address,
            stop_edge,
            stop_log,
            edge,
            smdp,
            gateway,
            worker,
            log,
        })
    }

    /// Waits until `asked` is done or the server can no longer be relied on, then ends every role in order: the edge
    /// first, then the worker, the ledger last, so that what was answered is still published.
    pub async fn until(mut self, asked: impl Future<Output = ()>) -> Ended {
        let mut halt = self.app.halt();
        let why = tokio::select! {
            () = asked => Ended::Asked,
            _ = halt.wait_for(|halt| *halt) => {
                Ended::Broken("the storage failed to make data durable; check the disk, then start again".to_owned())
            }
            log = &mut self.log => {
                return self.end(Ended::Broken(describe(log)), true).await;
            }
        };
        self.end(why, false).await
    }

    async fn end(self, why: Ended, log_ended: bool) -> Ended {
        let _ = self.stop_edge.send(true);
        let _ = self.edge.await;
        if let Some(smdp) = self.smdp {
            let _ = smdp.await;
        }
        self.gateway.ended().await;
        let _ = self.worker.await;
        let _ = self.stop_log.send(true);
        if !log_ended && let Err(error) = tokio::time::timeout(Duration::from_secs(10), self.log).await {
            tracing::warn!(%error, "the ledger did not end in time; it goes on where it stood at the next start");
        }
        self.app.store().close().await;
        why
    }
}

/// Starts the SM-DP+ on its own listener.
async fn serve_smdp(
    config: &SmdpConfig,
    app: &App,
    stop: watch::Receiver<bool>,
) -> anyhow::Result<(SocketAddr, JoinHandle<()>)> {
    let smdp = Smdp::new(app.clone(), smdp::server(config)?, Screen::default());
    let (chain, key) = smdp::tls(&config.folder)?;
    let tls = simwarden_web::tls_config(&chain, &key)?;
    let listening = Listening::bind(config.listen, Some(tls), ServeLimits::default()).await?;
    let address = listening.address();
    let router = es9plus_router(smdp, Es9Limits::default());
    Ok((address, tokio::spawn(listening.serve(router, stop))))
}

fn describe(log: Result<Result<(), LogError>, tokio::task::JoinError>) -> String {
    match log {
        Ok(Ok(())) => "the ledger ended".to_owned(),
        Ok(Err(error)) => format!("the ledger cannot go on: {error}"),
        Err(error) => format!("the ledger failed: {error}"),
    }
}

/// The policy and the ways to the witnesses that it names.
fn witnesses(
    file: Option<&std::path::Path>,
    signer: &simwarden_ledger::NoteSigner,
) -> anyhow::Result<(Policy, Vec<WitnessLink>)> {
    let Some(file) = file else {
        return Ok((Policy::log_only(signer.verifier().clone())?, Vec::new()));
    };
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let policy = Policy::parse(text.as_bytes()).with_context(|| format!("cannot use {}", file.display()))?;
    let mut links = Vec::new();
    for witness in policy.witnesses() {
        let Some(url) = &witness.url else { continue };
        links.push(WitnessLink {
            name: witness.name.clone(),
            key: witness.key.clone(),
            port: Arc::new(HttpCosigner::new(url)?),
        });
    }
    Ok((policy, links))
}

/// The published size, as the worker and the edge want it.
fn sizes(mut published: watch::Receiver<simwarden_app::log::Published>) -> watch::Receiver<i64> {
    let size = |p: &simwarden_app::log::Published| i64::try_from(p.size).unwrap_or(i64::MAX);
    let (tell, sizes) = watch::channel(size(&published.borrow()));
    tokio::spawn(async move {
        while published.changed().await.is_ok() {
            let now = size(&published.borrow_and_update());
            if tell.send(now).is_err() {
                return;
            }
        }
    });
    sizes
}

/// The log's receipts, as the edge wants them.
struct Proofs(LogReceipts);

fn why(error: LogError) -> ReceiptError {
    match error {
        LogError::NotYet { .. } => ReceiptError::NotYet,
        other => ReceiptError::Failed(other.to_string()),
    }
}

impl Receipts for Proofs {
    fn proof(&self, entry: i64) -> Soon<'_, ProofParts> {
        Box::pin(async move {
            let parts = self.0.proof_parts(entry).await.map_err(why)?;
            Ok(ProofParts {
                index: entry,
                entry: parts.entry,
                hashes: parts.hashes,
                checkpoint: parts.checkpoint,
                log_vkey: parts.log_key,
                witness_vkeys: parts.witness_keys.into_iter().map(|(_, key)| key).collect(),
                published: true,
            })
        })
    }

    fn receipt(&self, entry: i64) -> Soon<'_, String> {
        Box::pin(async move { self.0.receipt(entry).await.map_err(why) })
    }
}
