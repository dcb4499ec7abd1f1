//! `simwarden serve`.

use crate::gateway::GatewayOptions;
use crate::house::House;
use crate::policies::Packs;
use crate::server::{Ended, Server, ServerConfig, Site};
use crate::smdp::{Es2plusConfig, SmdpConfig};
use clap::Args;
use simwarden_app::worker::Ports;
use simwarden_links::{ClientIdentity, Journal, OperatorCalls};
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
    /// The address that people type, as `https://sim.example.kh`: passkeys are bound to it for ever. Without it and
    /// without TLS: http://localhost and the port
    #[arg(long, env = "SIMWARDEN_SITE", value_name = "URL")]
    site: Option<String>,
    /// A maker's certificate, PEM: staff then enrol only keys that such a maker vouches for; may be given again
    #[arg(
        long,
        env = "SIMWARDEN_STAFF_KEY_ROOTS",
        value_name = "FILE",
        value_delimiter = ','
    )]
    staff_key_root: Vec<PathBuf>,
    /// A folder of range files of leaked passwords, in Have I Been Pwned's format
    #[arg(long, env = "SIMWARDEN_LEAKED_PASSWORDS", value_name = "DIR")]
    leaked_passwords: Option<PathBuf>,
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
    /// Also take orders of operators' systems (ES2+ over mutual TLS) here
    #[arg(
        long,
        env = "SIMWARDEN_ES2PLUS_LISTEN",
        requires = "smdp",
        value_name = "ADDRESS"
    )]
    es2plus_listen: Option<SocketAddr>,
    /// The roots of their client certificates, PEM or one DER; `ci.der` of the SM-DP+'s folder when left out
    #[arg(
        long,
        env = "SIMWARDEN_ES2PLUS_CA",
        requires = "es2plus_listen",
        value_name = "FILE"
    )]
    es2plus_ca: Option<PathBuf>,
    /// Whose profiles every such certificate may touch that was not entered with `simwarden profile caller add`
    #[arg(
        long,
        env = "SIMWARDEN_ES2PLUS_OWNER",
        requires = "es2plus_listen",
        value_name = "MCC-MNC"
    )]
    es2plus_owner: Option<String>,
    /// The roots of the servers to which progress is told, PEM; those of the web when left out
    #[arg(long, env = "SIMWARDEN_CALLBACK_CA", requires = "smdp", value_name = "FILE")]
    callback_ca: Option<PathBuf>,
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
            es2plus: self.es2plus_listen.map(|listen| Es2plusConfig {
                listen,
                roots: self.es2plus_ca,
                owner: self.es2plus_owner,
            }),
        });
        let identity = ClientIdentity {
            roots: self.callback_ca.map(std::fs::read).transpose()?,
            client: smdp
                .as_ref()
                .map(|config| crate::smdp::tls(&config.folder))
                .transpose()?,
        };
        let operators = Arc::new(OperatorCalls::new(&identity)?);
        let server = Server::start(ServerConfig {
            site: Site {
                address: self.site,
                staff_key_roots: self.staff_key_root,
                leaked_passwords: self.leaked_passwords,
            },
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
                operators,
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
        if let Some(es2plus) = server.es2plus_address {
            eprintln!("operators' systems order on {es2plus}");
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
