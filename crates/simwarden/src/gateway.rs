//! The Open Gateway of one server: how it is to run, and the sandbox's control on a listener of its own.

use anyhow::{Context as _, bail};
use clap::Args;
use simwarden_app::App;
use simwarden_app::gateway::{FanOut, Gateway, GatewayConfig, OtpLimits};
use simwarden_links::HttpSink;
use simwarden_web::{Listening, ServeLimits, sandbox_router};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How the gateway is to run.
#[derive(Args, Debug, Clone, Default)]
pub struct GatewayOptions {
    /// The address by which banks reach the Open Gateway, https://…; the address listened on when left out
    #[arg(long, env = "SIMWARDEN_GATEWAY_ISSUER", value_name = "URL")]
    pub gateway_issuer: Option<String>,
    /// How many days back swaps may be told of; all of them when left out
    #[arg(long, env = "SIMWARDEN_GATEWAY_MONITORED_DAYS", value_name = "DAYS")]
    pub gateway_monitored_days: Option<u32>,
    /// Open the sandbox's control here, loopback only: whoever reaches it makes lines up and answers for owners
    #[arg(long, env = "SIMWARDEN_SANDBOX_CONTROL", value_name = "ADDRESS")]
    pub sandbox_control: Option<SocketAddr>,
}

/// A gateway that runs.
pub struct Running {
    /// The gateway.
    pub gateway: Gateway,
    /// Where the sandbox's control listens.
    pub sandbox_address: Option<SocketAddr>,
    tasks: Vec<JoinHandle<()>>,
}

impl Running {
    /// Opens the gateway; `address` is what the server listens on.
    pub async fn start(
        app: &App,
        options: &GatewayOptions,
        address: SocketAddr,
        https: bool,
        stop: &watch::Receiver<bool>,
    ) -> anyhow::Result<Self> {
        if let Some(control) = options.sandbox_control
            && !control.ip().is_loopback()
        {
            bail!(
                "{control} is no loopback address: whoever reaches the sandbox's control makes lines up and answers \
                 for their owners; use 127.0.0.1:PORT"
            );
        }
        let scheme = if https { "https" } else { "http" };
        let issuer = match &options.gateway_issuer {
            Some(issuer) => issuer.trim_end_matches('/').to_owned(),
            None => format!("{scheme}://{address}"),
        };
        let config = GatewayConfig {
            issuer,
            monitored_days: options.gateway_monitored_days,
            otp: OtpLimits::default(),
            fan_out: FanOut::default(),
            sink: Arc::new(HttpSink),
            sandbox: options.sandbox_control.is_some(),
        };
        let gateway = Gateway::open(app.clone(), config)?;
        let mut tasks = vec![tokio::spawn(gateway.clone().run(stop.clone()))];
        let mut sandbox_address = None;
        if let Some(control) = options.sandbox_control {
            let listening = Listening::bind(control, None, ServeLimits::default())
                .await
                .context("the sandbox's control cannot listen")?;
            sandbox_address = Some(listening.address());
            tasks.push(tokio::spawn(
                listening.serve(sandbox_router(gateway.clone()), stop.clone()),
            ));
        }
        Ok(Self {
            gateway,
            sandbox_address,
            tasks,
        })
    }

    /// Waits until everything has ended, after `stop`.
    pub async fn ended(self) {
        for task in self.tasks {
            let _ = task.await;
        }
    }
}
