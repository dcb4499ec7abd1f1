//! An installation filled with an invented country, and a server on it: for the demonstration and for measuring.

use crate::gateway::GatewayOptions;
use crate::house::House;
use crate::policies::Packs;
use crate::server::{Server, ServerConfig, Site};
use anyhow::{Context as _, bail};
use simwarden_app::import::{Format, ImportGates, ImportRequest, Registry, Source, run};
use simwarden_app::{Actor, SystemClock};
use simwarden_drill::country::{Country, CountrySpec};
use simwarden_drill::world::{SimWorld, WorldConfig};
use simwarden_model::{Clock, Plmn, Region};
use simwarden_web::WebLimits;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

/// A country with a server.
pub struct Peopled {
    /// The server.
    pub server: Server,
    /// The country.
    pub country: Arc<Country>,
    /// The outside world that its worker acts on.
    pub world: SimWorld,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// Makes a country in a new data folder, imports every operator's inventory, and starts a server on it.
pub async fn people(
    folder: &Path,
    database: Option<String>,
    spec: CountrySpec,
    packs: &Packs,
    listen: SocketAddr,
    web_limits: WebLimits,
) -> anyhow::Result<Peopled> {
    let house = House {
        data: folder.to_owned(),
        database,
        master_key: None,
        origin: "demo.simwarden.invalid/log".to_owned(),
    };
    house.prepare()?;
    let country = Arc::new(Country::generate(spec));
    import(&house, &country, folder).await?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
    let world = SimWorld::populated(&country, Arc::clone(&clock), WorldConfig::default());
    let server = Server::start(ServerConfig {
        house,
        engine: packs.engine()?,
        listen,
        tls: None,
        site: Site::default(),
        smdp: None,
        gateway: GatewayOptions::default(),
        region: Region::KH,
        ports: world.ports(),
        witness_policy: None,
        accept_clock: false,
        web_limits,
    })
    .await?;
    Ok(Peopled {
        server,
        country,
        world,
        clock,
    })
}

async fn import(house: &House, country: &Country, folder: &Path) -> anyhow::Result<()> {
    let registry = Registry::open(house.store().await?, house.keyring()?);
    for (path, operator) in country
        .write_inventories(folder)?
        .into_iter()
        .zip(&country.operators)
    {
        let request = ImportRequest {
            source: Source::Path(path.clone()),
            format: Format::of(&path),
            operator: Some(Plmn::parse(&operator.code)?),
            dry_run: false,
            gates: ImportGates::default(),
            region: Region::KH,
            actor: Actor::system(),
            quarantine: None,
        };
        let report = run(&registry, request, &mut |_| {}).await?;
        if !report.accepted {
            bail!(
                "the invented inventory of {} was refused by its gates: {:?}",
                operator.name,
                report.gates
            );
        }
        std::fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
    }
    registry.store.close().await;
    Ok(())
}
