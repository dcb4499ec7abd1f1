//! `simwarden bench`.

use crate::policies::Packs;
use crate::stage::{Peopled, people};
use clap::Args;
use simwarden_drill::api::HttpApi;
use simwarden_drill::bench::{BenchConfig, run};
use simwarden_drill::country::CountrySpec;
use simwarden_drill::load::loaders;
use simwarden_drill::narrator::Silent;
use simwarden_drill::stage::{Props, Stage};
use simwarden_web::WebLimits;
use std::num::NonZeroU32;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// Measure this machine: decisions, durable operations, the ledger, each beside its floor.
#[derive(Args)]
pub struct Bench {
    /// How long each part takes, in seconds
    #[arg(long, default_value_t = 10, value_name = "S")]
    seconds: u64,
    /// Connections of the load
    #[arg(long, default_value_t = 64, value_name = "N")]
    connections: usize,
    /// People of the country
    #[arg(long, default_value_t = 20_000, value_name = "N")]
    people: u32,
    /// An empty PostgreSQL database to measure as well
    #[arg(long, env = "SIMWARDEN_TEST_PG", value_name = "URL", hide_env_values = true)]
    postgres: Option<String>,
    #[command(flatten)]
    packs: Packs,
}

/// People with tokens who make the load.
const LOADERS: usize = 2_000;

impl Bench {
    /// Measures.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        super::report(false);
        self.measure("SQLite", None).await?;
        if let Some(address) = self.postgres.clone() {
            self.measure("PostgreSQL", Some(address)).await?;
        }
        Ok(ExitCode::SUCCESS)
    }

    async fn measure(&self, name: &str, database: Option<String>) -> anyhow::Result<()> {
        let folder = std::env::temp_dir().join(format!("simwarden-bench-{}", std::process::id()));
        let outcome = self.measure_in(&folder, name, database).await;
        // What cannot be removed is in the system's folder for such things.
        let _ = std::fs::remove_dir_all(&folder);
        outcome
    }

    async fn measure_in(
        &self,
        folder: &std::path::Path,
        name: &str,
        database: Option<String>,
    ) -> anyhow::Result<()> {
        let spec = CountrySpec {
            people: self.people,
            ..CountrySpec::default()
        };
        // The limits protect a server from its users; here the users are the measure.
        let limits = WebLimits {
            person_per_second: NonZeroU32::MAX,
            address_per_second: NonZeroU32::MAX,
            machine_per_second: NonZeroU32::MAX,
            ..WebLimits::default()
        };
        let listen = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
        let Peopled {
            server,
            country,
            world,
            clock,
        } = people(folder, database, spec, &self.packs, listen, limits).await?;
        let base_url = format!("http://{}", server.address);
        let stage = Stage::new(Props {
            country,
            world,
            app: server.app.clone(),
            api: Arc::new(HttpApi::new(&base_url)?),
            clock: Arc::clone(&clock),
            narrator: Arc::new(Silent),
            console: None,
        });
        let loaders = loaders(&stage, LOADERS).await?;
        let engine = self.packs.engine()?;
        let report = run(BenchConfig {
            name: name.to_owned(),
            base_url,
            loaders,
            engine: &engine,
            folder: folder.to_owned(),
            store: server.app.store().clone(),
            connections: self.connections,
            duration: Duration::from_secs(self.seconds),
            clock,
        })
        .await?;
        println!("{report}");
        server.until(async {}).await;
        Ok(())
    }
}
