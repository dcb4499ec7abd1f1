//! `simwarden serve`.

use crate::gateway::GatewayOptions;
use crate::house::House;
use crate::policies::Packs;
use crate::server::{Ended, Server, ServerConfig};
use crate::smdp::SmdpConfig;
use clap::Args;
use simwarden_app::worker::Ports;
use simwarden_links::Journal;
use simwarden_model::Region;
use simwarden_web::WebLimits;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

/// The exit code after the storage or the ledger failed: start again after a look at the disk.
const BROKEN: u8 = 74;

/// Run the server.
#[derive(Args)]
pub struct Serve {
    #[command(flatten)]
    house: House,
    #[command(flatten)]
    packs: Packs,
    /// Where to listen; plain HTTP is served on loopback addresses only
    #[arg(
        long,
        env = "SIMWARDEN_LISTEN",
        default_value = "127.0.0.1:8080",
        value_name = "ADDRESS"
    )]
    listen: SocketAddr,
    /// The TLS certificate chain, PEM
    #[arg(long, env = "SIMWARDEN_TLS_CERT", requires = "tls_key", value_name = "FILE")]
    tls_cert: Option<PathBuf>,
    /// Its private key, PEM
    #[arg(long, env = "SIMWARDEN_TLS_KEY", requires = "tls_cert", value_name = "FILE")]
    tls_key: Option<PathBuf>,
    /// How phone numbers without a country code are read
    #[arg(long, env = "SIMWARDEN_REGION", default_value = "KH", value_name = "COUNTRY")]
    region: Region,
    /// Where effects go, one JSON object a line; `effects.jsonl` in the data folder by default
    #[arg(long, env = "SIMWARDEN_EFFECTS", value_name = "FILE")]
    effects: Option<PathBuf>,
    /// A C2SP tlog-policy: the witnesses and their quorum; nothing leaves before they cosigned it
    #[arg(long, env = "SIMWARDEN_WITNESS_POLICY", value_name = "FILE")]
    witness_policy: Option<PathBuf>,
    /// Also serve as an SM-DP+ (ES9+ over TLS) with the certificates and keys in this folder
    #[arg(long, env = "SIMWARDEN_SMDP", value_name = "DIR")]
    smdp: Option<PathBuf>,
    /// Where the SM-DP+ listens
    #[arg(
        long,
        env = "SIMWARDEN_SMDP_LISTEN",
        default_value = "127.0.0.1:8443",
        requires = "smdp",
        value_name = "ADDRESS"
    )]
    smdp_listen: SocketAddr,
    /// The host name by which chips reach the SM-DP+; the one in its folder when left out
    #[arg(long, env = "SIMWARDEN_SMDP_ADDRESS", requires = "smdp", value_name = "NAME")]
    smdp_address: Option<String>,
    #[command(flatten)]
    gateway: GatewayOptions,
    /// The clock is right although it stands more than 7 days after the ledger's last entry
    #[arg(long)]
    accept_clock: bool,
    /// Report as JSON
    #[arg(long, env = "SIMWARDEN_LOG_JSON")]
    log_json: bool,
}

impl Serve {
    /// Runs until it is asked to end.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        super::report(self.log_json);
        self.house.prepare()?;
        let effects = self
            .effects
            .unwrap_or_else(|| self.house.data.join("effects.jsonl"));
        let journal = Arc::new(Journal::open(&effects)?);
        let smdp = self.smdp.map(|folder| SmdpConfig {
            folder,
            listen: self.smdp_listen,
            address: self.smdp_address,
        });
        let server = Server::start(ServerConfig {
            smdp,
            gateway: self.gateway,
            engine: self.packs.engine()?,
            house: self.house,
            listen: self.listen,
            tls: self.tls_cert.zip(self.tls_key),
            region: self.region,
            ports: Ports {
                notifier: journal.clone(),
                smdp: journal.clone(),
                network: journal,
            },
            witness_policy: self.witness_policy,
            accept_clock: self.accept_clock,
            web_limits: WebLimits::default(),
        })
        .await?;
        eprintln!(
            "simwarden listens on {}; effects go to {}",
            server.address,
            effects.display()
        );
        if let Some(smdp) = server.smdp_address {
            eprintln!("the SM-DP+ listens on {smdp}");
        }
        if let Some(sandbox) = server.sandbox_address {
            eprintln!(
                "SANDBOX: the control listens on {sandbox}. Whoever reaches it makes lines up, changes their SIMs, reads \
                 their texts and answers for their owners. Never start it beside real subscribers."
            );
            tracing::warn!(address = %sandbox, "the sandbox's control is open");
        }
        match server.until(super::asked_to_end()).await {
            Ended::Asked => Ok(ExitCode::SUCCESS),
            Ended::Broken(why) => {
                eprintln!("simwarden stops: {why}");
                Ok(ExitCode::from(BROKEN))
            }
        }
    }
}
