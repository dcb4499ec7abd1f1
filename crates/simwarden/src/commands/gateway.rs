//! `simwarden gateway`: who may ask the Open Gateway.

use crate::house::House;
use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use simwarden_app::gateway::{Client, ClientKey, ClientSettings, FanOut, Gateway, GatewayConfig, OtpLimits};
use simwarden_app::{Actor, OsEntropy, SystemClock};
use simwarden_links::HttpSink;
use simwarden_model::Clock as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// Register, freeze and list the clients of the Open Gateway.
#[derive(Args)]
pub struct GatewayCommand {
    #[command(flatten)]
    house: House,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Register a client, or change its registration
    Register(Box<Register>),
    /// Freeze a client: within a second its tokens are worth nothing
    Freeze {
        /// The client's id
        id: String,
    },
    /// Let a frozen client ask again
    Thaw {
        /// The client's id
        id: String,
    },
    /// List the clients
    List,
    /// Make a key for a client: its public half is printed, a JWK Set
    NewKey {
        /// Where the whole key goes, a private JWK
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Sign what shows a token endpoint who a client is
    Assertion(Assertion),
    /// List the events to a client that were given up, and why
    DeadLetters {
        /// The client's id
        id: String,
    },
}

#[derive(Args)]
struct Register {
    /// How it names itself, `client_id`
    id: String,
    /// How it is called towards subscribers
    #[arg(long)]
    name: String,
    /// Its public keys, a JWK Set
    #[arg(long, value_name = "FILE")]
    jwks: PathBuf,
    /// `client_credentials`, `jwt-bearer`, `ciba`, `authorization_code`; several times
    #[arg(long = "grant", default_value = "client_credentials", value_name = "GRANT")]
    grants: Vec<String>,
    /// A scope that it may ask for, or `*`; several times
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
    /// Seconds that its access tokens live
    #[arg(long, default_value_t = 600, value_name = "S")]
    ttl_s: u32,
    /// Calls a day
    #[arg(long, value_name = "N")]
    quota: Option<u64>,
    /// Calls at once; as many more every ten seconds
    #[arg(long, value_name = "N")]
    burst: Option<u32>,
    /// Beginning of addresses that its events may go to, https://…/; several times
    #[arg(long = "sink", value_name = "URL")]
    sinks: Vec<String>,
    /// Where its users may be sent back to; several times
    #[arg(long = "redirect", value_name = "URL")]
    redirect_uris: Vec<String>,
    /// The legal basis on which it asks without the subscriber at hand
    #[arg(long, default_value = "legitimate_interest", value_name = "BASIS")]
    basis: String,
}

#[derive(Args)]
struct Assertion {
    /// The client's id
    id: String,
    /// Its key, a private JWK
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The token endpoint
    #[arg(long, value_name = "URL")]
    audience: String,
    /// Whom the client speaks of: `tel:+…` or `operatortoken:…`
    #[arg(long, requires = "scope", value_name = "HINT")]
    subject: Option<String>,
    /// What it asks for then: a purpose and scopes
    #[arg(long, requires = "subject", value_name = "SCOPES")]
    scope: Option<String>,
}

impl Assertion {
    fn print(&self) -> anyhow::Result<()> {
        let text = std::fs::read(&self.key).with_context(|| format!("cannot read {}", self.key.display()))?;
        let jwk = serde_json::from_slice(&text).context("the key is no JWK")?;
        let key = ClientKey::from_private_jwk(&jwk).context("the key is no private P-256 JWK")?;
        let about = self.subject.as_deref().zip(self.scope.as_deref());
        let now = SystemClock::start().now();
        let signed = key.assertion(&self.id, &self.audience, about, now, &mut OsEntropy::new()?);
        println!("{}", signed.context("nothing could be signed")?);
        Ok(())
    }
}

fn new_key(out: &Path) -> anyhow::Result<()> {
    let key = ClientKey::draw(&mut OsEntropy::new()?);
    write_secret(out, &serde_json::to_vec_pretty(&key.private_jwk())?)?;
    println!("{}", key.jwks());
    Ok(())
}

/// For its owner's eyes only, and never over another.
fn write_secret(file: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let opened = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file);
    let mut opened = opened.with_context(|| format!("cannot make {}", file.display()))?;
    Ok(opened.write_all(bytes)?)
}

impl Register {
    fn client(self) -> anyhow::Result<Client> {
        let keys =
            std::fs::read(&self.jwks).with_context(|| format!("cannot read {}", self.jwks.display()))?;
        for sink in &self.sinks {
            if !sink.starts_with("https://") || !sink.ends_with('/') {
                bail!("`{sink}`: a sink begins with https:// and ends with /");
            }
        }
        Ok(Client {
            id: self.id,
            settings: ClientSettings {
                name: self.name,
                jwks: serde_json::from_slice(&keys).context("the keys are no JWK Set")?,
                grants: self.grants,
                scopes: self.scopes,
                access_token_ttl_s: self.ttl_s,
                quota_calls: self.quota,
                rate_burst: self.burst,
                sinks: self.sinks,
                redirect_uris: self.redirect_uris,
                basis: self.basis,
            },
            frozen_at: None,
            sandbox: false,
        })
    }
}

impl GatewayCommand {
    /// Runs the command.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        super::report(false);
        match &self.command {
            Command::NewKey { out } => {
                new_key(out)?;
                return Ok(ExitCode::SUCCESS);
            }
            Command::Assertion(assertion) => {
                assertion.print()?;
                return Ok(ExitCode::SUCCESS);
            }
            _ => {}
        }
        let app = self.house.app().await?;
        let config = GatewayConfig {
            issuer: String::new(),
            monitored_days: None,
            otp: OtpLimits::default(),
            fan_out: FanOut::default(),
            sink: Arc::new(HttpSink),
            sandbox: false,
        };
        let gateway = Gateway::open(app, config)?;
        let now = gateway.now();
        match self.command {
            Command::NewKey { .. } | Command::Assertion(_) => {}
            Command::Register(register) => gateway.put_client(&Actor::system(), register.client()?).await?,
            Command::Freeze { id } => set(&gateway, &id, |client| client.frozen_at = Some(now)).await?,
            Command::Thaw { id } => set(&gateway, &id, |client| client.frozen_at = None).await?,
            Command::List => {
                for client in gateway.all_clients().await? {
                    let state = if client.frozen_at.is_some() {
                        "frozen"
                    } else {
                        "active"
                    };
                    println!(
                        "{} {state} {} {}",
                        client.id,
                        client.settings.name,
                        client.settings.scopes.join(" ")
                    );
                }
            }
            Command::DeadLetters { id } => {
                for (kind, at, why) in gateway.dead_letters(&id).await? {
                    println!("{at} {kind} {why}");
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn set(gateway: &Gateway, id: &str, change: impl FnOnce(&mut Client)) -> anyhow::Result<()> {
    let clients = gateway.all_clients().await?;
    let mut client = clients
        .into_iter()
        .find(|client| client.id == id)
        .with_context(|| format!("there is no client `{id}`"))?;
    change(&mut client);
    Ok(gateway.put_client(&Actor::system(), client).await?)
}
