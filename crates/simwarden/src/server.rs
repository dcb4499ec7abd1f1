//! Wires the roles of one server together: use cases, worker, ledger, edge; starts and ends them in order.

use crate::gateway::{GatewayOptions, Running};
use crate::house::House;
use crate::smdp::{self, SmdpConfig};
use anyhow::Context as _;
use simwarden_app::log::{LogConfig, LogError, Receipts as LogReceipts, Sequencer, WitnessLink};
use simwarden_app::smdp::{OwnOrders, Smdp};
use simwarden_app::worker::{Ports, work};
use simwarden_app::{App, AppConfig, Limits, Passkeys, SystemClock};
use simwarden_guard::Engine;
use simwarden_ledger::Policy;
use simwarden_links::HttpCosigner;
use simwarden_model::Region;
use simwarden_rsp::chain::Screen;
use simwarden_web::{
    Es2Limits, Es9Limits, Listening, LogView, ProofParts, ReceiptError, Receipts, ServeLimits, Soon,
    WebConfig, WebLimits, WebState, es2plus_router, es9plus_router, gateway_router, router,
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
    /// At which address people reach it, and whose keys staff may have.
    pub site: Site,
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

/// The site that passkeys are bound to.
#[derive(Default)]
pub struct Site {
    /// The address that people type; without one, and without TLS, this machine's own.
    pub address: Option<String>,
    /// Certificates of makers, PEM: staff enrol only keys that one of them vouches for.
    pub staff_key_roots: Vec<PathBuf>,
    /// A folder of ranges of leaked passwords.
    pub leaked_passwords: Option<PathBuf>,
}

impl Site {
    /// Says to the use cases where people reach them.
    fn open(&self, app: &App, listens: SocketAddr, tls: bool) -> anyhow::Result<()> {
        if let Some(folder) = &self.leaked_passwords {
            anyhow::ensure!(folder.is_dir(), "there is no folder {}", folder.display());
            app.use_leaked_passwords(folder.clone())?;
        }
        let address = match &self.address {
            Some(address) => address.clone(),
            // Browsers take `localhost` for a safe place, and bind no passkeys to a bare address.
            None if !tls => format!("http://localhost:{}", listens.port()),
            None => {
                tracing::warn!(
                    "without --site this server takes no passkeys: it does not know its own address"
                );
                return Ok(());
            }
        };
        let roots = self
            .staff_key_roots
            .iter()
            .map(|path| std::fs::read(path).with_context(|| format!("cannot read {}", path.display())))
            .collect::<anyhow::Result<Vec<_>>>()?;
        app.open_site(Passkeys::new(&address, &roots)?)?;
        Ok(())
    }
}

/// A server that runs.
pub struct Server {
    /// The use cases.
    pub app: App,
    /// Where it listens.
    pub address: SocketAddr,
    /// Where its SM-DP+ listens.
    pub smdp_address: Option<SocketAddr>,
    /// Where operators' systems order.
    pub es2plus_address: Option<SocketAddr>,
    /// Where its sandbox's control listens.
    pub sandbox_address: Option<SocketAddr>,
    stop_edge: watch::Sender<bool>,
    stop_log: watch::Sender<bool>,
    edge: JoinHandle<()>,
    smdp: Vec<JoinHandle<()>>,
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
        let mut ports = config.ports;
        let smdp = match &config.smdp {
            Some(config) => Some(Smdp::new(app.clone(), smdp::server(config)?, Screen::default())),
            None => None,
        };
        if let Some(smdp) = &smdp {
            // Operations order here what is here.
            ports.smdp = Arc::new(OwnOrders::new(smdp.clone(), ports.smdp));
        }
        let worker = tokio::spawn(work(app.clone(), ports, sizes.clone(), stop.clone()));
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
        let https = tls.is_some();
        let listening = Listening::bind(config.listen, tls, ServeLimits::default()).await?;
        let address = listening.address();
        config.site.open(&app, address, https)?;
        let state = WebState::start(WebConfig {
            app: app.clone(),
            log: Some(LogView {
                folder: house.log_folder(),
                published: sizes,
                receipts: Arc::new(Proofs(receipts)),
            }),
            limits: config.web_limits,
            region: config.region,
            https,
            stop: stop.clone(),
        })?;
        let smdp = match config.smdp.as_ref().zip(smdp) {
            Some((config, smdp)) => serve_smdp(config, &smdp, &stop).await?,
            None => SmdpEdges::default(),
        };
        let gateway = Running::start(&app, &config.gateway, address, https, &stop).await?;
        state.connect(gateway.gateway.clone());
        let router = gateway_router(gateway.gateway.clone(), https, router(state));
        let edge = tokio::spawn(listening.serve(router, stop));
        Ok(Self {
            app,
            address,
            smdp_address: smdp.es9plus,
            es2plus_address: smdp.es2plus,
            sandbox_address: gateway.sandbox_address,
            stop_edge,
            stop_log,
            edge,
            smdp: smdp.tasks,
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
        for smdp in self.smdp {
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

/// The SM-DP+'s listeners.
#[derive(Default)]
struct SmdpEdges {
    es9plus: Option<SocketAddr>,
    es2plus: Option<SocketAddr>,
    tasks: Vec<JoinHandle<()>>,
}

/// Starts the SM-DP+: the listener for chips, and the one for operators' systems.
async fn serve_smdp(
    config: &SmdpConfig,
    smdp: &Smdp,
    stop: &watch::Receiver<bool>,
) -> anyhow::Result<SmdpEdges> {
    let (chain, key) = smdp::tls(&config.folder)?;
    let tls = simwarden_web::tls_config(&chain, &key)?;
    let listening = Listening::bind(config.listen, Some(tls), ServeLimits::default()).await?;
    let mut edges = SmdpEdges {
        es9plus: Some(listening.address()),
        ..SmdpEdges::default()
    };
    let router = es9plus_router(smdp.clone(), Es9Limits::default());
    edges
        .tasks
        .push(tokio::spawn(listening.serve(router, stop.clone())));
    if let Some(es2plus) = &config.es2plus {
        let roots = smdp::client_roots(config, es2plus)?;
        let tls = simwarden_web::mutual_tls_config(&chain, &key, &roots)?;
        let listening = Listening::bind(es2plus.listen, Some(tls), ServeLimits::default()).await?;
        edges.es2plus = Some(listening.address());
        let router = es2plus_router(smdp.clone(), es2plus.owner.clone(), Es2Limits::default());
        edges
            .tasks
            .push(tokio::spawn(listening.serve(router, stop.clone())));
    }
    Ok(edges)
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
