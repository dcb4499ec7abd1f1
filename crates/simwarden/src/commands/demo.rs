//! `simwarden demo`.

use crate::policies::Packs;
use crate::stage::{Peopled, people};
use anyhow::Context as _;
use clap::Args;
use simwarden_app::{Actor, App, NewAccount, NewToken};
use simwarden_drill::country::CountrySpec;
use simwarden_drill::demo::{DemoConfig, run};
use simwarden_model::{PartyId, Role};
use simwarden_store::Indexed;
use simwarden_web::WebLimits;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Make a small invented country, start the server and play honest life and six thefts through the real API.
///
/// Everything is new at each start and goes when it ends, unless a data folder is given. The server goes on until
/// Ctrl-C, so that the console can be looked at.
#[derive(Args)]
pub struct Demo {
    /// Straight through, then a table: attack, stopped or not, by which rule, after how long
    #[arg(long)]
    fast: bool,
    /// How many people live in the country
    #[arg(long, default_value_t = 50_000, value_name = "N")]
    people: u32,
    /// The seed of the country
    #[arg(long, default_value_t = 855, value_name = "N")]
    seed: u64,
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// The pause after a sentence, in milliseconds
    #[arg(long, default_value_t = 2_500, value_name = "MS")]
    pace_ms: u64,
    /// Keep the country in this new folder
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// A PostgreSQL database, empty, instead of the embedded one
    #[arg(long, value_name = "URL", hide_env_values = true)]
    database: Option<String>,
    /// Go on serving after a fast demonstration too
    #[arg(long)]
    stay: bool,
    /// Write addresses, tokens and numbers here, as shell variables, for tests of the pages
    #[arg(long, value_name = "FILE")]
    tell: Option<PathBuf>,
    #[command(flatten)]
    packs: Packs,
}

/// Numbers that are told to tests.
const NUMBERS: usize = 60;

impl Demo {
    /// Plays.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        super::report(false);
        let scratch = std::env::temp_dir().join(format!("simwarden-demo-{}", std::process::id()));
        let folder = self.data.clone().unwrap_or_else(|| scratch.clone());
        let outcome = self.play(&folder).await;
        if self.data.is_none() {
            // What cannot be removed is in the system's folder for such things.
            let _ = std::fs::remove_dir_all(&scratch);
        }
        outcome
    }

    async fn play(&self, folder: &std::path::Path) -> anyhow::Result<ExitCode> {
        eprintln!(
            "making a country of {} people, 3 operators, their shops and eSIMs …",
            self.people
        );
        let spec = CountrySpec {
            seed: self.seed,
            people: self.people,
            ..CountrySpec::default()
        };
        let peopled = people(
            folder,
            self.database.clone(),
            spec,
            &self.packs,
            self.listen,
            WebLimits::default(),
        )
        .await?;
        let Peopled {
            server,
            country,
            world,
            clock,
        } = peopled;
        // Browsers treat localhost as a safe place; a bare 127.0.0.1 is not one for everything that comes later.
        let url = format!("http://localhost:{}", server.address.port());
        let watch = token(&server.app, Role::Regulator, None).await?;
        if let Some(file) = &self.tell {
            let operator = country
                .operators
                .first()
                .context("a country without operators")?
                .code
                .clone();
            let act = token(&server.app, Role::FraudAnalyst, Some(operator.clone())).await?;
            let numbers: Vec<String> = country
                .lines
                .iter()
                .filter(|line| country.operators[line.operator as usize].code == operator)
                .skip(40)
                .take(NUMBERS)
                .map(|line| format!("+{}", line.msisdn))
                .collect();
            let staff = invitation(&server.app, Role::FraudAnalyst, &operator, None).await?;
            let owner = owner_of(&server.app, numbers.last().context("a country without lines")?).await?;
            let owner = invitation(&server.app, Role::Subscriber, &operator, Some(owner)).await?;
            let text = format!(
                "SIMWARDEN_URL={url}\nSIMWARDEN_TOKEN={watch}\nSIMWARDEN_ACTOR_TOKEN={act}\nSIMWARDEN_LINES={}\n\
                 SIMWARDEN_STAFF_INVITATION={staff}\nSIMWARDEN_OWNER_INVITATION={owner}\n",
                numbers.join(",")
            );
            std::fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))?;
        }
        eprintln!();
        eprintln!("  look here:  {url}/console#token={watch}");
        eprintln!("  the API:    {url}/openapi.json");
        eprintln!("  the ledger: {url}/ledger/checkpoint");
        eprintln!();
        let report = run(DemoConfig {
            base_url: format!("http://{}", server.address),
            console_url: Some(url),
            app: server.app.clone(),
            country,
            world,
            clock,
            fast: self.fast,
            pace: Duration::from_millis(self.pace_ms),
        })
        .await?;
        println!("{}", report.table());
        let well = report.all_well();
        if !self.fast || self.stay {
            eprintln!("the server goes on; end it with Ctrl-C");
            server.until(super::asked_to_end()).await;
        } else {
            server.until(async {}).await;
        }
        Ok(if well {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}

/// Whose this number is.
async fn owner_of(app: &App, number: &str) -> anyhow::Result<PartyId> {
    let index = app
        .keyring()
        .index(Indexed::Msisdn, number.trim_start_matches('+').as_bytes());
    let line = app.store().subscriptions_by_msisdn(&[index]).await?.pop();
    Ok(line.context("a number without a line")?.party_id)
}

/// A code that lets the tests of the pages enrol a passkey.
async fn invitation(app: &App, role: Role, operator: &str, party: Option<PartyId>) -> anyhow::Result<String> {
    let new = NewAccount {
        role,
        operator: Some(operator.to_owned()),
        name: format!("{role} of the demonstration"),
        login: None,
        party,
        shop: None,
        terminal: None,
    };
    Ok(app.make_account(&Actor::system(), new).await?.code)
}

async fn token(app: &App, role: Role, operator: Option<String>) -> anyhow::Result<String> {
    let new = NewToken {
        role,
        operator,
        name: format!("{role} of the demonstration"),
        party: None,
        shop: None,
        terminal: None,
        life: Duration::from_secs(24 * 3600),
        since: None,
    };
    Ok(app.make_token(&Actor::system(), new).await?.1)
}
