//! `simwarden profile`: what the SM-DP+ hands out, and to whom not.

use super::caller::Caller;
use crate::house::House;
use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use simwarden_app::smdp::{Freeze, FreezeTarget, ProfileOutcome, ProfileTerms};
use simwarden_app::{Actor, App};
use simwarden_model::{Plmn, ReasonCode, Region};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Profiles, download orders and freezes of the SM-DP+.
#[derive(Args)]
pub struct Profile {
    #[command(flatten)]
    house: House,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Take unprotected profile packages (DER) into the stock: linted, sealed, prepared
    Import(Import),
    /// Download orders
    Orders {
        #[command(subcommand)]
        command: Orders,
    },
    /// Operators' systems that order over ES2+
    Caller {
        #[command(subcommand)]
        command: Caller,
    },
    /// Stop downloads, inside running sessions too
    Freeze {
        /// all, operator:456-01, eid:…, eum:…, tac:…, number:+855…
        target: String,
        /// Why, as a reason code
        #[arg(long, default_value = "download_frozen", value_name = "CODE")]
        reason: ReasonCode,
        /// How phone numbers without a country code are read
        #[arg(long, default_value = "KH", value_name = "COUNTRY")]
        region: Region,
    },
    /// Let downloads go on
    Thaw {
        /// As for freeze
        target: String,
        /// How phone numbers without a country code are read
        #[arg(long, default_value = "KH", value_name = "COUNTRY")]
        region: Region,
    },
}

#[derive(Subcommand)]
enum Orders {
    /// Take over orders in any state: JSON Lines with iccid or profile_type, and matching_id, eid, confirmation_code,
    /// state, expires_at, attempts, code_tries, operation_id
    Import {
        /// The orders
        file: PathBuf,
    },
}

#[derive(Args)]
struct Import {
    /// A package, or a folder whose .der files are taken
    path: PathBuf,
    /// Whose they are, MCC-MNC
    #[arg(long, default_value = "001-01", value_name = "MCC-MNC")]
    operator: Plmn,
    /// Their type, as orders name it; the file's name without ending when left out
    #[arg(long = "type", value_name = "NAME")]
    profile_type: Option<String>,
    /// Who provides them, as the phone shows it; at most 32 bytes
    #[arg(long, default_value = "simwarden", value_name = "NAME")]
    provider: String,
    /// Their name, as the phone shows it; the type when left out, cut to 64 bytes
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// The SM-DP+'s folder, for its host name: whom chips notify
    #[arg(long, env = "SIMWARDEN_SMDP", value_name = "DIR")]
    smdp: Option<PathBuf>,
    /// That host name, when there is no folder
    #[arg(
        long,
        env = "SIMWARDEN_SMDP_ADDRESS",
        default_value = "localhost",
        value_name = "NAME"
    )]
    address: String,
    /// For a laboratory: public keys and test networks are taken, and phones are told that it is a test profile
    #[arg(long)]
    test: bool,
}

/// The package, or those in the folder, by name.
fn packages(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    for entry in std::fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))? {
        let file = entry?.path();
        if file
            .extension()
            .is_some_and(|ending| ending.eq_ignore_ascii_case("der"))
        {
            found.push(file);
        }
    }
    found.sort();
    if found.is_empty() {
        bail!("there is no .der file in {}", path.display());
    }
    Ok(found)
}

fn cut(text: &str, bytes_max: usize) -> String {
    let mut end = text.len().min(bytes_max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}

impl Import {
    async fn run(&self, app: &App) -> anyhow::Result<ExitCode> {
        let address = match &self.smdp {
            Some(folder) => crate::smdp::address(folder)?,
            None => self.address.clone(),
        };
        let (mut taken, mut refused) = (0, 0);
        for file in packages(&self.path)? {
            let stem = file
                .file_stem()
                .map(|stem| stem.to_string_lossy().into_owned())
                .unwrap_or_default();
            let profile_type = self.profile_type.clone().unwrap_or(stem);
            let terms = ProfileTerms {
                operator: self.operator.to_string(),
                name: cut(self.name.as_ref().unwrap_or(&profile_type), 64),
                profile_type,
                provider: self.provider.clone(),
                address: address.clone(),
                test: self.test,
            };
            let bytes = std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
            match app.import_profile(&Actor::system(), &bytes, &terms).await? {
                ProfileOutcome::Imported { iccid, warnings } => {
                    taken += 1;
                    println!("{}: {iccid} in stock as {}", file.display(), terms.profile_type);
                    if !warnings.is_empty() {
                        eprintln!("{}: warning: {}", file.display(), warnings.join("; "));
                    }
                }
                ProfileOutcome::Refused(why) => {
                    refused += 1;
                    eprintln!("{}: refused: {}", file.display(), why.join("; "));
                }
            }
        }
        println!("{taken} imported, {refused} refused");
        Ok(if refused == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}

async fn import_orders(app: &App, file: &Path) -> anyhow::Result<ExitCode> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let report = app.import_orders(&Actor::system(), &text).await?;
    for problem in &report.problems {
        eprintln!("{}:{}: {}", file.display(), problem.line, problem.message);
    }
    println!("{} orders imported", report.imported);
    Ok(if report.problems.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

impl Profile {
    /// Runs the command.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        super::report(false);
        let app = self.house.app().await?;
        let freeze = |target: &str, region, reason| -> anyhow::Result<Freeze> {
            let target = FreezeTarget::parse(target, region).map_err(anyhow::Error::msg)?;
            Ok(Freeze { target, reason })
        };
        let code = match self.command {
            Command::Import(import) => import.run(&app).await?,
            Command::Orders {
                command: Orders::Import { file },
            } => import_orders(&app, &file).await?,
            Command::Caller { command } => {
                command.run(&app).await?;
                ExitCode::SUCCESS
            }
            Command::Freeze {
                target,
                reason,
                region,
            } => {
                let freeze = freeze(&target, region, Some(reason))?;
                app.freeze_downloads(&Actor::system(), &freeze).await?;
                ExitCode::SUCCESS
            }
            Command::Thaw { target, region } => {
                let freeze = freeze(&target, region, None)?;
                app.freeze_downloads(&Actor::system(), &freeze).await?;
                ExitCode::SUCCESS
            }
        };
        app.store().close().await;
        Ok(code)
    }
}
