//! `simwarden witness`: the small program that a regulator or a bank runs.

use anyhow::Context as _;
use clap::Args;
use simwarden_app::log::{Witness as LogWitness, load_or_make_key};
use simwarden_app::{OsEntropy, SystemClock};
use simwarden_ledger::{KeyKind, KnownLog, VerifierKey};
use simwarden_model::Clock as _;
use simwarden_web::{Listening, ServeLimits, witness_router};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::sync::watch;

/// Run a witness.
#[derive(Args)]
pub struct Witness {
    /// Where the witness keeps its key and what it has seen
    #[arg(
        long,
        env = "SIMWARDEN_WITNESS_DATA",
        default_value = "witness",
        value_name = "DIR"
    )]
    data: PathBuf,
    /// The witness's name
    #[arg(long, env = "SIMWARDEN_WITNESS_NAME", value_name = "NAME")]
    name: String,
    /// A log to watch, by its public key (vkey); may be given several times
    #[arg(long, required = true, value_name = "VKEY")]
    log: Vec<VerifierKey>,
    /// Where to listen; plain HTTP is served on loopback addresses only
    #[arg(long, default_value = "127.0.0.1:8090", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// The TLS certificate chain, PEM
    #[arg(long, requires = "tls_key", value_name = "FILE")]
    tls_cert: Option<PathBuf>,
    /// Its private key, PEM
    #[arg(long, requires = "tls_cert", value_name = "FILE")]
    tls_key: Option<PathBuf>,
}

impl Witness {
    /// Runs until it is asked to end.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        super::report(false);
        std::fs::create_dir_all(&self.data)
            .with_context(|| format!("cannot make the folder {}", self.data.display()))?;
        let mut entropy = OsEntropy::new()?;
        let key = load_or_make_key(
            &self.data.join("witness.key"),
            &self.name,
            KeyKind::Cosignature,
            &mut entropy,
        )?;
        let logs = self
            .log
            .into_iter()
            .map(|key| KnownLog {
                origin: key.name().to_owned(),
                keys: vec![key],
            })
            .collect();
        let witness = Arc::new(LogWitness::open(&self.data, key, logs)?);
        let tls = match self.tls_cert.zip(self.tls_key) {
            Some((chain, key)) => Some(simwarden_web::tls_config(
                &std::fs::read(chain)?,
                &std::fs::read(key)?,
            )?),
            None => None,
        };
        let listening = Listening::bind(self.listen, tls, ServeLimits::default()).await?;
        eprintln!(
            "the witness listens on {}; its key, for the log's policy:",
            listening.address()
        );
        println!("{}", witness.verifier());
        let clock = Arc::new(SystemClock::start());
        let (end, stop) = watch::channel(false);
        let serve = tokio::spawn(listening.serve(witness_router(witness, move || clock.now()), stop));
        super::asked_to_end().await;
        let _ = end.send(true);
        serve.await?;
        Ok(ExitCode::SUCCESS)
    }
}
